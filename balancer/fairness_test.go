package balancer

import (
	"testing"
)

// farm plays servers that need a number of turns for each session. One session arrives per turn.
type farm struct {
	b       *Backend
	ends    map[int][]*Server // sessions that end in a turn
	waiting []*client
	turn    int
}

// run has n sessions arrive and counts where they go; cost is the number of turns that a server needs.
func (f *farm) run(n int, cost func(s *Server) int) []int {
	counts := make([]int, len(f.b.Servers()))
	begin := func(s *Server) {
		counts[s.Index()]++
		at := f.turn + cost(s)
		f.ends[at] = append(f.ends[at], s)
	}
	for range n {
		f.turn++
		for _, s := range f.ends[f.turn] {
			f.b.Release(s)
		}
		delete(f.ends, f.turn)
		rest := f.waiting[:0]
		for _, c := range f.waiting {
			if c.slot != nil {
				begin(c.slot)
			} else {
				rest = append(rest, c)
			}
		}
		f.waiting = rest
		c := newClient("")
		s, v := f.b.Acquire(&c.Waiter, &Request{})
		switch v {
		case Granted:
			begin(s)
		case Queued:
			f.waiting = append(f.waiting, c)
		}
	}
	return counts
}

func TestServersGetTheirShareBackAfterASlowSpell(t *testing.T) {
	const servers, window = 5, 2000
	for _, algorithm := range []Algorithm{RoundRobin, StaticRR, LeastConn, Random} {
		for _, limit := range []int{0, 6} {
			spec := Spec{Algorithm: algorithm}
			for range servers {
				spec.Servers = append(spec.Servers, ServerSpec{Weight: 1, MaxConn: limit})
			}
			f := &farm{b: mustNew(t, spec), ends: map[int][]*Server{}}
			even := func(*Server) int { return 10 }
			f.run(window, even)
			slow := f.run(300, func(s *Server) int {
				if s.Index() == 2 {
					return 200 // 20 times as slow
				}
				return 10
			})
			if algorithm == LeastConn && slow[2] > 300/servers/2 {
				t.Errorf("%v, maxconn %d: the slow server got %d of 300 sessions", algorithm, limit, slow[2])
			}
			f.run(400, even) // its last slow sessions end
			for i, got := range f.run(window, even) {
				if share := window / servers; got < share*80/100 || got > share*120/100 {
					t.Errorf("%v, maxconn %d: after the slow spell server %d gets %d of a fair share of %d", algorithm, limit, i, got, share)
				}
			}
		}
	}
}

func TestNoBurstAfterAServerWasFull(t *testing.T) {
	b := mustNew(t, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 50}, {Weight: 1, MaxConn: 5}}})
	for range 50 {
		b.Acquire(nil, &Request{}) // s2 is full from the tenth on, and misses its turns
	}
	s2 := b.Servers()[1]
	for s2.Current() > 0 {
		b.Release(s2)
	}
	for range 30 {
		b.Release(b.Servers()[0])
	}
	last, run := -1, 0
	for range 8 {
		s, _ := b.Acquire(nil, &Request{})
		if s.Index() == last {
			run++
		} else {
			last, run = s.Index(), 1
		}
		if run > 2 {
			t.Fatalf("%d sessions in a row went to server %d", run, last)
		}
	}
}
