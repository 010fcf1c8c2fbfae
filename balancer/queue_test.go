package balancer

import (
	"slices"
	"testing"
	"time"
)

// A client is a session for tests: it notes what it was told.
type client struct {
	Waiter
	name string
	slot *Server // granted; nil while waiting
	told int
}

func newClient(name string) *client {
	c := &client{name: name}
	c.Granter = c
	return c
}

func (c *client) SlotGranted(w *Waiter, s *Server) {
	if w != &c.Waiter {
		panic("told of another's waiter")
	}
	c.slot = s
	c.told++
}

// want asks for a slot and checks the answer: server is its name, or "" if the verdict names none.
func (c *client) want(t *testing.T, why string, b *Backend, r Request, verdict Verdict, server string) {
	t.Helper()
	s, v := b.Acquire(&c.Waiter, &r)
	got := ""
	if s != nil {
		got = s.Name()
		c.slot = s
	}
	if v != verdict || got != server {
		t.Fatalf("%s: %v %q, want %v %q", why, v, got, verdict, server)
	}
}

func (c *client) wantSlot(t *testing.T, why, server string) {
	t.Helper()
	got := ""
	if c.slot != nil {
		got = c.slot.Name()
	}
	if got != server {
		t.Fatalf("%s: client %s holds a slot of %q, want %q", why, c.name, got, server)
	}
}

func clients(n int) (out []*client) {
	for i := range n {
		out = append(out, newClient(string(rune('a'+i))))
	}
	return out
}

func TestFreedSlotGoesToLongestWaiter(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}, {Weight: 1, MaxConn: 1}}})
	c := clients(6)
	s1, s2 := b.Servers()[0], b.Servers()[1]
	c[0].want(t, "first slot", b, Request{}, Granted, "s1")
	c[1].want(t, "second slot", b, Request{}, Granted, "s2")
	c[2].want(t, "all full", b, Request{Sticky: s1}, Queued, "")
	c[3].want(t, "all full", b, Request{}, Queued, "")
	c[4].want(t, "all full", b, Request{Sticky: s1}, Queued, "")
	c[5].want(t, "all full", b, Request{}, Queued, "")
	if c[4].SrvPos != 2 || c[4].BackPos != 0 || c[5].BackPos != 2 || c[5].SrvPos != 0 {
		t.Errorf("places %d/%d and %d/%d, want 2/0 and 0/2", c[4].SrvPos, c[4].BackPos, c[5].SrvPos, c[5].BackPos)
	}
	if b.Queued() != 4 || s1.Queued() != 2 {
		t.Errorf("queued %d and %d, want 4 and 2", b.Queued(), s1.Queued())
	}
	b.Release(s1)
	c[2].wantSlot(t, "the head of the server's queue is older than that of the backend's", "s1")
	b.Release(s1)
	c[3].wantSlot(t, "now the head of the backend's queue is older", "s1")
	b.Release(s2)
	c[5].wantSlot(t, "s2 passes over those who are stuck to s1", "s2")
	b.Release(s1)
	c[4].wantSlot(t, "the last one", "s1")
	b.Release(s1)
	b.Release(s2)
	if b.Current() != 0 || b.Queued() != 0 {
		t.Errorf("%d slots and %d waiters are left", b.Current(), b.Queued())
	}
}

func TestQueuesAreBounded(t *testing.T) {
	b := mustNew(t, Spec{QueueMax: 3, Servers: []ServerSpec{{Weight: 1, MaxConn: 1, MaxQueue: 1}, {Weight: 1, MaxConn: 1}}})
	c := clients(9)
	s1 := b.Servers()[0]
	c[0].want(t, "", b, Request{Sticky: s1}, Granted, "s1")
	c[1].want(t, "a sticky session waits for its server", b, Request{Sticky: s1}, Queued, "")
	c[2].want(t, "a full queue of its server breaks the tie", b, Request{Sticky: s1}, Granted, "s2")
	c[3].want(t, "but not a strict one", b, Request{Sticky: s1, StickyStrict: true}, QueueFull, "")
	c[4].want(t, "others wait for any server", b, Request{Sticky: s1}, Queued, "")
	c[5].want(t, "third waiter", b, Request{}, Queued, "")
	c[6].want(t, "the bound counts all queues", b, Request{}, QueueFull, "")
	if _, v := b.Acquire(nil, &Request{}); v != QueueFull {
		t.Errorf("without a waiter: %v", v)
	}
	if _, granted := b.Leave(&c[1].Waiter); granted {
		t.Error("c1 was granted")
	}
	c[6].want(t, "one has left", b, Request{}, Queued, "")
	if st := b.Stats(); st.Left != 1 || st.Refused != 3 || st.QueuedMax != 3 {
		t.Errorf("%+v", st)
	}
}

func TestLeaveAfterGrantHandsTheSlotOver(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}}})
	c := clients(2)
	c[0].want(t, "", b, Request{}, Granted, "s1")
	c[1].want(t, "", b, Request{}, Queued, "")
	b.Release(c[0].slot)
	s, granted := b.Leave(&c[1].Waiter)
	if !granted || s != b.Servers()[0] || c[1].told != 1 {
		t.Fatalf("leave: %v %v, told %d", s, granted, c[1].told)
	}
	if _, again := b.Leave(&c[1].Waiter); again {
		t.Error("the slot was handed over twice")
	}
	b.Release(s)
	if b.Current() != 0 {
		t.Error("slot lost")
	}
}

func TestHashedSessionsWaitForTheirServer(t *testing.T) {
	for _, consistent := range []bool{false, true} {
		servers := []ServerSpec{{Weight: 1, MaxConn: 1, MaxQueue: 1}, {Weight: 1, MaxConn: 1, MaxQueue: 1}}
		b := mustNew(t, Spec{Algorithm: Hash, Consistent: consistent, Servers: servers})
		c := clients(7)
		r := Request{KeyBytes: []byte("key")}
		first, _ := b.Acquire(nil, &r)
		other := b.Servers()[1-first.Index()]
		c[0].want(t, "its server is full, another's free slot is not for this key", b, r, Queued, "")
		if first.Queued() != 1 || other.Current() != 0 {
			t.Fatalf("queued %d", first.Queued())
		}
		c[1].want(t, "maxqueue sends it on", b, r, Granted, other.Name())
		c[2].want(t, "into the queue of the next server", b, r, Queued, "")
		c[3].want(t, "and then into that of the backend", b, r, Queued, "")
		if other.Queued() != 1 || b.Queued() != 3 {
			t.Fatalf("queued %d, %d", other.Queued(), b.Queued())
		}
		b.SetState(first, StateDown, 0)
		if first.Queued() != 0 || b.Queued() != 3 {
			t.Fatalf("a server that is down keeps %d waiters", first.Queued())
		}
		b.Release(other)
		c[0].wantSlot(t, "it kept its age", other.Name())
	}
}

func TestServerThatComesUpServesWaiters(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}, {Weight: 1, MaxConn: 2, Disabled: true}}})
	c := clients(4)
	s1, s2 := b.Servers()[0], b.Servers()[1]
	for i, v := range []Verdict{Granted, Queued, Queued, Queued} {
		c[i].want(t, "", b, Request{}, v, map[Verdict]string{Granted: "s1"}[v])
	}
	b.SetState(s2, StateUp, 0)
	c[1].wantSlot(t, "the longest waiter", "s2")
	c[2].wantSlot(t, "the next", "s2")
	c[3].wantSlot(t, "no slot left", "")
	b.SetMaxConn(s1, 2)
	c[3].wantSlot(t, "a slot was added", "s1")
	b.SetMaxConn(s1, 1)
	b.Release(s1)
	if s1.Current() != 1 || s1.Slots() != 1 {
		t.Errorf("%d of %d slots", s1.Current(), s1.Slots())
	}
}

func TestServerThatGoesDownGivesItsQueueBack(t *testing.T) {
	type step struct {
		state State
		want  []string // who waits for the server alone afterwards
	}
	for _, c := range []step{
		{StateDown, []string{"strict"}},
		{StateMaint, []string{"strict"}},
		{StateDrain, []string{"sticky", "strict"}},
	} {
		b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}, {Weight: 1, MaxConn: 1}}})
		s1, s2 := b.Servers()[0], b.Servers()[1]
		for range 2 {
			b.Acquire(nil, &Request{})
		}
		all := map[string]*client{"preferring": newClient("preferring"), "sticky": newClient("sticky"), "strict": newClient("strict")}
		newcomer := newClient("newcomer")
		all["preferring"].want(t, "", b, Request{Prefer: s1, PreferQueue: -1}, Queued, "")
		all["sticky"].want(t, "", b, Request{Sticky: s1}, Queued, "")
		newcomer.want(t, "", b, Request{}, Queued, "")
		all["strict"].want(t, "", b, Request{Sticky: s1, StickyStrict: true}, Queued, "")
		b.SetState(s1, c.state, 0)
		var stay []string
		for name, cl := range all {
			if cl.home == s1 {
				stay = append(stay, name)
			}
		}
		slices.Sort(stay)
		if !slices.Equal(stay, c.want) {
			t.Errorf("%v: %v wait for s1, want %v", c.state, stay, c.want)
		}
		b.Release(s2)
		all["preferring"].wantSlot(t, "the oldest of the backend's queue", "s2")
		b.Release(s1)
		if got := all[c.want[0]].slot; got != s1 {
			t.Errorf("%v: the slot of s1 went to %v", c.state, got)
		}
		newcomer.wantSlot(t, "a server that takes no new sessions serves only its own", "")
		b.SetState(s1, StateUp, minute)
		for range 2 {
			b.Release(s1)
		}
		for _, cl := range all {
			if cl.slot == nil {
				t.Errorf("%v: %s was never served", c.state, cl.name)
			}
		}
		newcomer.wantSlot(t, "s1 is back", "s1")
	}
}

func TestWaitersOutliveAllServers(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}, {Weight: 1, MaxConn: 1}}})
	c := clients(5)
	for i, v := range []Verdict{Granted, Granted, Queued} {
		c[i].want(t, "", b, Request{}, v, []string{"s1", "s2", ""}[i])
	}
	for _, s := range b.Servers() {
		b.SetState(s, StateDown, 0)
	}
	c[3].want(t, "nobody can serve", b, Request{}, NoServer, "")
	b.Release(b.Servers()[0])
	c[2].wantSlot(t, "s1 is down", "")
	b.SetState(b.Servers()[0], StateUp, minute)
	c[2].wantSlot(t, "s1 is back", "s1")
}

func TestPreferredServer(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}, {Weight: 1, MaxConn: 1}}})
	c := clients(8)
	s2 := b.Servers()[1]
	c[0].want(t, "free", b, Request{Prefer: s2}, Granted, "s2")
	c[1].want(t, "patient", b, Request{Prefer: s2, PreferQueue: 1}, Queued, "")
	c[2].want(t, "one waits already", b, Request{Prefer: s2, PreferQueue: 1}, Granted, "s1")
	c[3].want(t, "no bound", b, Request{Prefer: s2, PreferQueue: -1}, Queued, "")
	if s2.Queued() != 2 {
		t.Errorf("%d wait for s2", s2.Queued())
	}
	b.Leave(&c[1].Waiter)
	b.Leave(&c[3].Waiter)
	b.Release(s2)
	c[4].want(t, "excluded beats preferred, but it is the only one with a slot", b, Request{Prefer: s2, Exclude: s2}, Granted, "s2")
	b.Release(s2)
	b.SetState(s2, StateDrain, 0)
	c[5].want(t, "a drained server is not preferred", b, Request{Prefer: s2}, Queued, "")
}

func TestExcludedServerIsTheLastChoice(t *testing.T) {
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		for _, limit := range []int{0, 100} {
			b := mustNew(t, Spec{Algorithm: algorithm, Servers: []ServerSpec{{Weight: 256, MaxConn: limit}, {Weight: 1, MaxConn: limit}}})
			s1 := b.Servers()[0]
			for range 50 {
				s, _ := b.Acquire(nil, &Request{Exclude: s1, KeyBytes: []byte("abc")})
				if s != b.Servers()[1] {
					t.Fatalf("%v, limit %d: the failed server was chosen again", algorithm, limit)
				}
			}
			b.SetState(b.Servers()[1], StateDown, 0)
			if s, v := b.Acquire(nil, &Request{Exclude: s1, KeyBytes: []byte("abc")}); s != s1 {
				t.Errorf("%v, limit %d: %v %v, want the only server there is", algorithm, limit, s, v)
			}
		}
	}
}

func TestLeastConnUsesServerQueuesUpToMaxQueue(t *testing.T) {
	b := mustNew(t, Spec{Algorithm: LeastConn, Servers: []ServerSpec{{Weight: 1, MaxConn: 1, MaxQueue: 2}, {Weight: 1, MaxConn: 2, MaxQueue: 1}}})
	c := clients(8)
	s1, s2 := b.Servers()[0], b.Servers()[1]
	for i, want := range []string{"s1", "s2", "s2"} {
		c[i].want(t, "nobody waits beside a free slot", b, Request{}, Granted, want)
	}
	for i := 3; i < 8; i++ {
		c[i].want(t, "", b, Request{}, Queued, "")
	}
	if s1.Queued() != 2 || s2.Queued() != 1 || b.Queued() != 5 {
		t.Errorf("queues %d and %d of %d, want 2 and 1 of 5", s1.Queued(), s2.Queued(), b.Queued())
	}
	b.Release(s2)
	b.Release(s1)
	if c[7].slot != nil || s1.Queued()+s2.Queued() != 1 {
		t.Errorf("the waiters of the servers came first")
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	b := mustNew(t, Spec{Servers: weighted(1)})
	s, _ := b.Acquire(nil, &Request{})
	b.Release(s)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b.Release(s)
}

func TestWaiterUsedTwicePanics(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}}})
	c := clients(2)
	c[0].want(t, "", b, Request{}, Granted, "s1")
	c[1].want(t, "", b, Request{}, Queued, "")
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b.Acquire(&c[1].Waiter, &Request{})
}

func TestWaitsAreCounted(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}}})
	c := clients(2)
	c[0].want(t, "", b, Request{Now: time.Second}, Granted, "s1")
	c[1].want(t, "", b, Request{Now: 2 * time.Second}, Queued, "")
	b.Release(b.Servers()[0])
	c[1].slot.CountWait(c[1].Waited(5 * time.Second))
	c[1].slot.CountWait(time.Second)
	want := ServerStats{Served: 2, Current: 1, CurrentMax: 1, Waited: 2, WaitTotal: 4 * time.Second, WaitMax: 3 * time.Second}
	if got := b.Servers()[0].Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
