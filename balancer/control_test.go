package balancer

import (
	"strings"
	"testing"
	"time"
)

// spread counts where n sessions go that end at once.
func spread(b *Backend, n int) []int {
	counts := make([]int, len(b.Servers()))
	for range n {
		s, _ := b.Acquire(nil, &Request{})
		counts[s.Index()]++
		b.Release(s)
	}
	return counts
}

func names(servers []*Server) string {
	var out []string
	for _, s := range servers {
		out = append(out, s.Name())
	}
	return strings.Join(out, " ")
}

func members(b *Backend) string {
	var out []*Server
	for _, s := range b.Servers() {
		if s.member.Load() {
			out = append(out, s)
		}
	}
	return names(out)
}

func TestBackupsStepInWhenNoOtherServerIsLeft(t *testing.T) {
	type change struct {
		server string
		state  State
		want   string // members
	}
	tests := []struct {
		name       string
		allBackups bool
		changes    []change
	}{
		{"first backup only", false, []change{
			{"s1", StateDown, "s2"}, {"s2", StateMaint, "b1"}, {"b1", StateDown, "b2"}, {"b2", StateDrain, ""},
			{"b1", StateUp, "b1"}, {"b2", StateUp, "b1"}, {"s2", StateUp, "s2"},
		}},
		{"all backups", true, []change{
			{"s1", StateDrain, "s2"}, {"s2", StateDown, "b1 b2"}, {"b1", StateDown, "b2"}, {"b1", StateUp, "b1 b2"}, {"s1", StateUp, "s1"},
		}},
	}
	for _, c := range tests {
		b := mustNew(t, Spec{AllBackups: c.allBackups, Servers: []ServerSpec{
			{Name: "b1", Weight: 1, Backup: true}, {Name: "s1", Weight: 1}, {Name: "b2", Weight: 1, Backup: true}, {Name: "s2", Weight: 1},
		}})
		if got := members(b); got != "s1 s2" {
			t.Errorf("%s: at first %q", c.name, got)
		}
		for _, ch := range c.changes {
			b.SetState(b.Server(ch.server), ch.state, 0)
			if got := members(b); got != ch.want {
				t.Errorf("%s: %s %v: members %q, want %q", c.name, ch.server, ch.state, got, ch.want)
			}
			s, v := b.Acquire(nil, &Request{})
			if (s == nil) != (ch.want == "") || s != nil && !strings.Contains(ch.want, s.Name()) {
				t.Errorf("%s: %s %v: session went to %v, %v", c.name, ch.server, ch.state, s, v)
			}
		}
	}
}

func TestStickySessionsReachServersThatTakeNoOthers(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1}, {Weight: 0}, {Weight: 1, Backup: true}, {Weight: 1}, {Weight: 1, Disabled: true}}})
	b.SetState(b.Servers()[3], StateDrain, 0)
	for i, s := range b.Servers()[1:4] {
		if got, v := b.Acquire(nil, &Request{Sticky: s}); got != s {
			t.Errorf("server %d: %v, %v", i+1, got, v)
		}
	}
	down := b.Servers()[4]
	if got, _ := b.Acquire(nil, &Request{Sticky: down}); got != b.Servers()[0] {
		t.Errorf("stuck to a server in maintenance: %v", got)
	}
	if got, _ := b.Acquire(nil, &Request{Sticky: down, StickyStrict: true}); got != down {
		t.Errorf("strictly stuck to a server in maintenance: %v", got)
	}
	if counts := spread(b, 10); counts[0] != 10 {
		t.Errorf("others went to %v", counts)
	}
	if up, total := b.UsableServers(); up != 2 || total != 5 {
		t.Errorf("%d of %d usable, want 2 of 5", up, total)
	}
}

func TestWeightsChangeAtRunTime(t *testing.T) {
	for _, algorithm := range []Algorithm{RoundRobin, StaticRR} {
		for _, limit := range []int{0, 10} {
			b := mustNew(t, Spec{Algorithm: algorithm, Servers: []ServerSpec{{Weight: 1, MaxConn: limit}, {Weight: 1, MaxConn: limit}, {Weight: 2, MaxConn: limit}}})
			for _, c := range []struct {
				weights [3]int
				want    [3]int
			}{
				{[3]int{1, 1, 2}, [3]int{100, 100, 200}},
				{[3]int{0, 1, 3}, [3]int{0, 100, 300}},
				{[3]int{256, 256, 512}, [3]int{134, 133, 133}}, // brought inside the bound: all 256
				{[3]int{5, 0, 0}, [3]int{400, 0, 0}},
			} {
				for i, w := range c.weights {
					b.SetWeight(b.Servers()[i], w)
				}
				for i, got := range spread(b, 400) {
					if got < c.want[i]-2 || got > c.want[i]+2 {
						t.Errorf("%v limit %d weights %v: server %d got %d of 400, want about %d", algorithm, limit, c.weights, i, got, c.want[i])
					}
				}
			}
		}
	}
}

func TestWeightIsReported(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: -1, SlowStart: 100 * time.Second, MaxConn: 100}}})
	s := b.Servers()[0]
	b.SetWeight(s, 20)
	b.SetMaxConn(s, 50)
	b.SetState(s, StateDown, 0)
	b.SetState(s, StateUp, 0)
	b.Tick(50 * time.Second)
	if s.Spec().Weight != 1 || s.Weight() != 20 || s.EffectiveWeight() != 10 || s.MaxConn() != 50 || s.Slots() != 25 {
		t.Errorf("weight %d %d %d, slots %d %d", s.Spec().Weight, s.Weight(), s.EffectiveWeight(), s.MaxConn(), s.Slots())
	}
}

func TestSlowStartRaisesWeightAndSlots(t *testing.T) {
	spec := Spec{Servers: []ServerSpec{{Weight: 10, MaxConn: 100}, {Weight: 10, MaxConn: 100, SlowStart: 100 * time.Second}}}
	b := mustNew(t, spec)
	s := b.Servers()[1]
	if _, ok := b.NextTick(0); ok || s.Slots() != 100 {
		t.Error("slow start applied to the start")
	}
	b.SetState(s, StateDrain, 0)
	b.SetState(s, StateUp, 0)
	if _, ok := b.NextTick(0); ok {
		t.Error("slow start applied after draining")
	}
	b.SetState(s, StateDown, 0)
	b.SetState(s, StateUp, 1000*time.Second)
	if got := s.EffectiveWeight(); got != 1 || s.Slots() != 1 {
		t.Errorf("at the beginning: weight %d, %d slots, want 1 and 1", got, s.Slots())
	}
	now, ticks := 1000*time.Second, 0
	lastWeight, lastSlots := 0, 0
	for {
		at, ok := b.NextTick(now)
		if !ok {
			break
		}
		if at <= now {
			t.Fatalf("tick %d: next at %v, now %v", ticks, at, now)
		}
		now = at
		b.Tick(now)
		ticks++
		if w := s.EffectiveWeight(); w < lastWeight || s.Slots() < lastSlots {
			t.Errorf("at %v weight and slots fell to %d and %d", now, w, s.Slots())
		}
		lastWeight, lastSlots = s.EffectiveWeight(), s.Slots()
		if now == 1050*time.Second {
			if lastWeight != 5 || lastSlots != 50 {
				t.Errorf("half way: weight %d, %d slots", lastWeight, lastSlots)
			}
			counts := spread(b, 300)
			if counts[1] < 98 || counts[1] > 102 {
				t.Errorf("half way: %v of 300, want 200 to 100", counts)
			}
		}
	}
	if now != 1100*time.Second || ticks != rampSteps || lastWeight != 10 || lastSlots != 100 {
		t.Errorf("ended at %v after %d ticks with weight %d and %d slots", now, ticks, lastWeight, lastSlots)
	}
}

func TestSlowStartServesWaitersAsSlotsGrow(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 4, SlowStart: 4 * time.Second, Disabled: true}}})
	b.SetState(b.Servers()[0], StateUp, 0)
	c := clients(4)
	c[0].want(t, "one slot from the beginning", b, Request{}, Granted, "s1")
	for i := 1; i < 4; i++ {
		c[i].want(t, "", b, Request{}, Queued, "")
	}
	for i := 1; i < 4; i++ {
		c[i].wantSlot(t, "too early", "")
		b.Tick(time.Duration(i+1) * time.Second)
		c[i].wantSlot(t, "another slot", "s1")
	}
}

func TestStaticAlgorithmsHaveNoSlowWeights(t *testing.T) {
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		b := mustNew(t, Spec{Algorithm: algorithm, Servers: []ServerSpec{{Weight: 100, SlowStart: minute, Disabled: true}}})
		b.SetState(b.Servers()[0], StateUp, 0)
		if got, static := b.Servers()[0].EffectiveWeight(), b.WeightsAreStatic(); (got == 100) != static {
			t.Errorf("%v: weight %d, static %v", algorithm, got, static)
		}
	}
}

func TestMinConnFollowsTheLoad(t *testing.T) {
	// What HAProxy 2.6 let through: maxconn * sessions / fullconn, at least minconn.
	tests := []struct{ min, max, full, sessions, want int }{
		{1, 10, 10, 5, 5}, {1, 10, 10, 14, 10}, {2, 10, 20, 3, 2}, {2, 10, 20, 8, 4}, {2, 10, 20, 40, 10}, {3, 7, 16, 4, 3},
		{5, 0, 10, 10, 5}, {8, 4, 10, 10, 8}, {100, 1000, 10000, 5000, 500}, {2, 10, 0, 12, 10}, {0, 6, 10, 9, 6},
	}
	for _, c := range tests {
		b := mustNew(t, Spec{FullConn: c.full, Servers: []ServerSpec{{Weight: 1, MinConn: c.min, MaxConn: c.max}}})
		waiting := make([]*client, c.sessions)
		for i := range waiting {
			waiting[i] = newClient("")
			b.Acquire(&waiting[i].Waiter, &Request{})
		}
		if got := b.Current(); got != c.want {
			t.Errorf("minconn %d maxconn %d fullconn %d: %d sessions hold %d slots, want %d", c.min, c.max, c.full, c.sessions, got, c.want)
		}
		for b.Current() > 0 { // the limit falls with the load, and everybody is served in the end
			b.Release(b.Servers()[0])
		}
		if b.Queued() != 0 {
			t.Errorf("minconn %d maxconn %d fullconn %d: %d are left waiting", c.min, c.max, c.full, b.Queued())
		}
	}
}

func TestMinConnLimitsOfManyServers(t *testing.T) {
	var servers []ServerSpec
	for i := range 7 {
		servers = append(servers, ServerSpec{Weight: 1, MinConn: 1 + i%3, MaxConn: 3 + 5*i})
	}
	b := mustNew(t, Spec{FullConn: 61, Servers: servers})
	var held []*Server
	for load := 1; load <= 90; load++ {
		c := newClient("")
		if s, v := b.Acquire(&c.Waiter, &Request{}); v == Granted {
			held = append(held, s)
		}
		for i, s := range b.Servers() {
			want := max(servers[i].MinConn, min(servers[i].MaxConn, servers[i].MaxConn*load/61))
			if got := s.Slots(); got != want {
				t.Fatalf("load %d: server %d has %d slots, want %d", load, i, got, want)
			}
			if b.Queued() > 0 && s.Current() < want {
				t.Fatalf("load %d: %d wait although server %d has %d of %d", load, b.Queued(), i, s.Current(), want)
			}
		}
	}
	if len(held) == 0 {
		t.Error("nobody was served")
	}
}

func TestFirstFillsServersByID(t *testing.T) {
	b := mustNew(t, Spec{Algorithm: First, Servers: []ServerSpec{
		{Weight: 1, ID: 30, MaxConn: 1}, {Weight: 1, ID: 10, MaxConn: 2}, {Weight: 9, ID: 20, MaxConn: 1},
	}})
	var got []*Server
	for range 4 {
		s, _ := b.Acquire(nil, &Request{})
		got = append(got, s)
	}
	if names(got) != "s2 s2 s3 s1" {
		t.Errorf("filled %s", names(got))
	}
	b.Release(b.Servers()[2])
	b.Release(b.Servers()[1])
	if s, _ := b.Acquire(nil, &Request{}); s != b.Servers()[1] {
		t.Errorf("%s instead of the lowest free one", s.Name())
	}
}

func TestRandomFollowsWeights(t *testing.T) {
	for _, draws := range []int{1, 2, 5} {
		for _, spec := range []Spec{
			{Algorithm: Random, RandomDraws: draws, Servers: weighted(1, 3, 0, 6)},
			locked(Spec{Algorithm: Random, RandomDraws: draws, Servers: weighted(1, 3, 0, 6)}),
		} {
			b := mustNew(t, spec)
			const n = 20000
			counts := make([]int, len(spec.Servers))
			for range n {
				s, _ := b.Acquire(nil, &Request{})
				counts[s.Index()]++ // not released: the loads stay in proportion
			}
			for i, want := range []int{n / 10, 3 * n / 10, 0, 6 * n / 10} {
				if off := counts[i] - want; off < -n/50 || off > n/50 {
					t.Errorf("draws %d: server %d got %d of %d, want about %d", draws, i, counts[i], n, want)
				}
			}
		}
	}
}

func TestRandomFindsTheOnlyFreeServer(t *testing.T) {
	var servers []ServerSpec
	for range 200 {
		servers = append(servers, ServerSpec{Weight: 1, MaxConn: 1})
	}
	b := mustNew(t, Spec{Algorithm: Random, Servers: servers})
	seen := map[*Server]bool{}
	for range servers {
		s, v := b.Acquire(nil, &Request{})
		if v != Granted || seen[s] {
			t.Fatalf("%v, %v", s, v)
		}
		seen[s] = true
	}
}

func TestSpecsThatCannotBe(t *testing.T) {
	one := weighted(1)
	tests := []struct {
		spec Spec
		want string
	}{
		{Spec{Algorithm: 99, Servers: one}, "unknown algorithm 99"},
		{Spec{HashFunc: "md5", Servers: one}, `unknown function "md5"`},
		{Spec{BalanceFactor: 100, Servers: one}, "hash-balance-factor 100"},
		{Spec{RandomDraws: -1, Servers: one}, "random(-1)"},
		{Spec{QueueMax: -1, Servers: one}, "negative limit"},
		{Spec{Servers: []ServerSpec{{Name: "x", Weight: 257}}}, "server x: weight 257, limit 256"},
		{Spec{Servers: []ServerSpec{{Name: "x", MaxConn: -1}}}, "server x: maxconn -1"},
		{Spec{Servers: []ServerSpec{{Name: "x", ID: -4}}}, "server x: id -4"},
		{Spec{Servers: []ServerSpec{{Name: "x", MaxQueue: -1}}}, "negative maxqueue"},
		{Spec{Servers: []ServerSpec{{Name: "x"}, {Name: "x"}}}, "is taken"},
		{Spec{Servers: []ServerSpec{{Name: "x", ID: 5}, {Name: "y", ID: 5}}}, "id 5 is taken"},
		{Spec{Servers: make([]ServerSpec, serversMax+1)}, "4097 servers, limit 4096"},
	}
	for _, c := range tests {
		c.spec.Name = "www"
		_, err := New(c.spec)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "backend www") {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestBackendWithoutServers(t *testing.T) {
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		b := mustNew(t, Spec{Algorithm: algorithm})
		if _, v := b.Acquire(nil, &Request{KeyBytes: []byte("k")}); v != NoServer {
			t.Errorf("%v: %v", algorithm, v)
		}
	}
}
