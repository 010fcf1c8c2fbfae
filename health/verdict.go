package health

import "time"

// Outcome is what one check, or a run of errors, means for a server.
type Outcome uint8

const (
	Passed      Outcome = iota // right
	Conditional                // right, but no new sessions (404 with disable-on-404)
	Failed                     // wrong
)

// A Verdict counts right and wrong checks of one server and says whether it is
// up. It knows no clock and no socket.
//
// The level goes from 0 to rise+fall-1; from rise on the server is up. A right
// check lifts it by one, and to the top once it is up. A wrong one takes it down
// by one, and to 0 once it is down. A new server stands at rise: one wrong check
// takes it down, one right check to the top, as HAProxy does it.
type Verdict struct {
	spec    ServerSpec
	level   int
	drain   bool // takes no new sessions; only while up, kept until a check decides otherwise
	checked bool // a check has ended
}

// withDefaults fills in the manual's defaults (chapter 5.2).
func (s ServerSpec) withDefaults() ServerSpec {
	s.Inter = orDefault(s.Inter, 2*time.Second)
	s.FastInter = orDefault(s.FastInter, s.Inter)
	s.DownInter = orDefault(s.DownInter, s.Inter)
	s.Rise = orDefault(s.Rise, 2)
	s.Fall = orDefault(s.Fall, 3)
	s.ErrorLimit = orDefault(s.ErrorLimit, 10)
	return s
}

func orDefault[T time.Duration | int](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// NewVerdict makes the verdict on a server that is up or down to begin with; an
// InitState of the spec counts more.
func NewVerdict(spec ServerSpec, initialUp bool) *Verdict {
	v := &Verdict{spec: spec.withDefaults()}
	switch {
	case spec.InitState == "fully-up":
		v.level = v.top()
	case spec.InitState == "fully-down":
		v.level = 0
	case spec.InitState == "down" || spec.InitState == "" && !initialUp:
		v.level = v.spec.Rise - 1
	default:
		v.level = v.spec.Rise
	}
	return v
}

// resume takes over what another Verdict knew; rise and fall may differ.
func (v *Verdict) resume(s Snapshot) {
	v.level, v.drain, v.checked = min(max(s.Level, 0), v.top()), s.Drain, s.Status != StatusInit
}

func (v *Verdict) top() int { return v.spec.Rise + v.spec.Fall - 1 }

// Up reports whether the server may have sessions at all.
func (v *Verdict) Up() bool { return v.level >= v.spec.Rise }

// Draining reports whether it should have no new ones.
func (v *Verdict) Draining() bool { return v.drain && v.Up() }

// Result counts one check and reports whether Up or Draining changed.
func (v *Verdict) Result(o Outcome) (changed bool) {
	up, draining := v.Up(), v.Draining()
	v.checked = true
	if o == Conditional && !up {
		o = Failed // what is down stays down (manual, disable-on-404)
	}
	switch o {
	case Passed, Conditional:
		v.drain = o == Conditional
		v.level++
		if v.Up() {
			v.level = v.top()
		}
	case Failed:
		v.level--
		if !v.Up() {
			v.level, v.drain = 0, false
		}
	}
	return up != v.Up() || draining != v.Draining()
}

// Observed does what on-error says, after error-limit errors of live traffic in
// a row. It reports whether the server went down by it.
func (v *Verdict) Observed() (changed bool) {
	if !v.Up() {
		return false
	}
	switch v.spec.OnError {
	case OnErrorFastInter:
		return false
	case OnErrorSuddenDeath:
		v.level = min(v.level, v.spec.Rise+1)
	case OnErrorMarkDown:
		v.level = v.spec.Rise
	case OnErrorFailCheck:
	}
	checked := v.checked
	changed = v.Result(Failed)
	v.checked = checked
	return changed
}

// Force puts the server into a state, as the CLI does ("set server health", the
// end of maintenance), and reports whether anything changed.
func (v *Verdict) Force(f Forced) (changed bool) {
	up, draining := v.Up(), v.Draining()
	v.drain = f == ForceDrain
	switch f {
	case ForceUp, ForceDrain:
		v.level = v.top()
	case ForceReady:
		v.level = v.spec.Rise
	case ForceDown:
		v.level = 0
	}
	return up != v.Up() || draining != v.Draining()
}

// Forced is a state that somebody orders.
type Forced uint8

const (
	ForceUp    Forced = iota // up, as if all checks were right
	ForceReady               // up as a new server is: the next check decides
	ForceDrain               // up, but no new sessions
	ForceDown                // down, as if all checks were wrong
)

// Progress is what stands behind the state: n of of. It is complete when they
// are equal, or n is 0 for a server that is down.
func (v *Verdict) Progress() (n, of int) {
	if v.Up() {
		return v.level - v.spec.Rise + 1, v.spec.Fall
	}
	return v.level, v.spec.Rise
}

// String is the state as statistics and the state header show it: "UP", "UP
// 1/3", "NOLB", "DOWN", "DOWN 1/2".
func (v *Verdict) String() string {
	n, of := v.Progress()
	word, complete := "DOWN", n == 0
	switch {
	case v.Draining():
		word, complete = "NOLB", n == of
	case v.Up():
		word, complete = "UP", n == of
	}
	if complete {
		return word
	}
	return word + " " + ratio(n, of)
}

// NextInterval is how long after the end of a check the next one begins
// (manual, "inter").
func (v *Verdict) NextInterval() time.Duration {
	switch {
	case !v.checked:
		return v.spec.FastInter
	case v.level == v.top():
		return v.spec.Inter
	case v.level == 0:
		return v.spec.DownInter
	}
	return v.spec.FastInter
}
