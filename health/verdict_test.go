package health

import (
	"strings"
	"testing"
	"time"
)

// play feeds a verdict: + right, ~ right but draining, - wrong, ! error-limit of
// live traffic. It returns the state after each.
func play(v *Verdict, script string) string {
	var states []string
	for _, c := range script {
		switch c {
		case '+':
			v.Result(Passed)
		case '~':
			v.Result(Conditional)
		case '-':
			v.Result(Failed)
		case '!':
			v.Observed()
		}
		states = append(states, v.String())
	}
	return strings.Join(states, ", ")
}

func TestChecksMoveTheVerdictAsInHAProxy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spec   ServerSpec
		script string
		want   string
	}{
		{"first right check makes it sure", ServerSpec{}, "+", "UP"},
		{"first wrong check takes it down", ServerSpec{}, "-", "DOWN"},
		{"three wrong ones, two right ones", ServerSpec{}, "+---++", "UP, UP 2/3, UP 1/3, DOWN, DOWN 1/2, UP"},
		{"a right one in between starts over", ServerSpec{}, "+--+--", "UP, UP 2/3, UP 1/3, UP, UP 2/3, UP 1/3"},
		{"a wrong one while rising starts over", ServerSpec{}, "-+-++", "DOWN, DOWN 1/2, DOWN, DOWN 1/2, UP"},
		{"rise 1, fall 1", ServerSpec{Rise: 1, Fall: 1}, "+-+", "UP, DOWN, UP"},
		{"rise 4", ServerSpec{Rise: 4, Fall: 2}, "+--++++", "UP, UP 1/2, DOWN, DOWN 1/4, DOWN 2/4, DOWN 3/4, UP"},
		{"404 drains and counts as right", ServerSpec{}, "+~-~", "UP, NOLB, NOLB 2/3, NOLB"},
		{"after 404 it comes back at once", ServerSpec{}, "+~+", "UP, NOLB, UP"},
		{"a draining server can go down", ServerSpec{}, "~---", "NOLB, NOLB 2/3, NOLB 1/3, DOWN"},
		{"a server that is down stays down with 404", ServerSpec{}, "-~~++", "DOWN, DOWN, DOWN, DOWN 1/2, UP"},
		{"404 while rising starts over", ServerSpec{}, "-+~+", "DOWN, DOWN 1/2, DOWN, DOWN 1/2"},
		{"fully-up", ServerSpec{InitState: "fully-up"}, "-", "UP 2/3"},
		{"up", ServerSpec{InitState: "up"}, "-", "DOWN"},
		{"down", ServerSpec{InitState: "down"}, "+", "UP"},
		{"fully-down", ServerSpec{InitState: "fully-down"}, "++", "DOWN 1/2, UP"},
		{"traffic: fail-check", ServerSpec{}, "+!!!", "UP, UP 2/3, UP 1/3, DOWN"},
		{"traffic: fastinter", ServerSpec{OnError: OnErrorFastInter}, "+!!!", "UP, UP, UP, UP"},
		{"traffic: sudden-death", ServerSpec{OnError: OnErrorSuddenDeath}, "+!!", "UP, UP 1/3, DOWN"},
		{"traffic: sudden-death of one that failed", ServerSpec{OnError: OnErrorSuddenDeath}, "+--!", "UP, UP 2/3, UP 1/3, DOWN"},
		{"traffic: mark-down", ServerSpec{OnError: OnErrorMarkDown}, "+!", "UP, DOWN"},
		{"traffic does not touch what is down", ServerSpec{OnError: OnErrorMarkDown}, "-+!+", "DOWN, DOWN 1/2, DOWN 1/2, UP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(NewVerdict(tt.spec, true), tt.script); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.script, got, tt.want)
			}
		})
	}
}

func TestChangesAreToldOnce(t *testing.T) {
	v := NewVerdict(ServerSpec{}, true)
	for i, step := range []struct {
		o       Outcome
		changed bool
	}{
		{Passed, false}, {Conditional, true}, {Conditional, false}, {Passed, true}, {Failed, false}, {Failed, false}, {Failed, true},
		{Failed, false}, {Conditional, false}, {Passed, false}, {Passed, true},
	} {
		if got := v.Result(step.o); got != step.changed {
			t.Errorf("step %d: changed %v, want %v (now %v)", i, got, step.changed, v)
		}
	}
}

func TestVerdictThatBeginsDown(t *testing.T) {
	if got := play(NewVerdict(ServerSpec{}, false), "+"); got != "UP" {
		t.Errorf("got %s, want UP after one right check", got)
	}
	if v := NewVerdict(ServerSpec{Rise: 3}, false); v.Up() || v.String() != "DOWN 2/3" {
		t.Errorf("got %v", v)
	}
}

func TestOrdersOverrule(t *testing.T) {
	v := NewVerdict(ServerSpec{}, true)
	for _, step := range []struct {
		order   Forced
		changed bool
		want    string
	}{
		{ForceDown, true, "DOWN"}, {ForceDown, false, "DOWN"}, {ForceDrain, true, "NOLB"}, {ForceUp, true, "UP"}, {ForceReady, false, "UP 1/3"},
	} {
		if got := v.Force(step.order); got != step.changed || v.String() != step.want {
			t.Errorf("order %d: %v, %v; want %v, %s", step.order, got, v, step.changed, step.want)
		}
	}
}

func TestIntervalsFollowTheTableOfTheManual(t *testing.T) {
	const inter, fast, down = 5 * time.Second, time.Second, 10 * time.Second
	full := ServerSpec{Inter: inter, FastInter: fast, DownInter: down}
	for _, tt := range []struct {
		name   string
		spec   ServerSpec
		script string
		want   time.Duration
	}{
		{"yet unchecked", full, "", fast},
		{"up", full, "+", inter},
		{"going down", full, "+-", fast},
		{"down", full, "-", down},
		{"going up", full, "-+", fast},
		{"up again", full, "-++", inter},
		{"draining", full, "+~", inter},
		{"only inter", ServerSpec{Inter: inter}, "+-", inter},
		{"only inter, down", ServerSpec{Inter: inter}, "-", inter},
		{"nothing set", ServerSpec{}, "+", 2 * time.Second},
	} {
		v := NewVerdict(tt.spec, true)
		play(v, tt.script)
		if got := v.NextInterval(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whatever happens, the level stays in its bounds, and a change is told if and
// only if there was one.
func FuzzVerdict(f *testing.F) {
	f.Add(uint8(2), uint8(3), uint8(0), "+-~!+++---")
	f.Add(uint8(1), uint8(1), uint8(3), "!-!-~~+")
	f.Fuzz(func(t *testing.T, rise, fall, onError uint8, script string) {
		v := NewVerdict(ServerSpec{Rise: int(rise), Fall: int(fall), OnError: OnError(onError % 4)}, true)
		for _, c := range script {
			before, changed := v.String()[0], false
			switch c {
			case '+':
				changed = v.Result(Passed)
			case '~':
				changed = v.Result(Conditional)
			case '-':
				changed = v.Result(Failed)
			case '!':
				changed = v.Observed()
			}
			n, of := v.Progress()
			if v.level < 0 || v.level > v.top() || n < 0 || n > of || v.Up() && n == 0 || !v.Up() && n == of {
				t.Fatalf("level %d of %d, progress %d/%d", v.level, v.top(), n, of)
			}
			if changed != (before != v.String()[0]) {
				t.Fatalf("%c: from %c to %v, changed %v", c, before, v, changed)
			}
		}
	})
}
