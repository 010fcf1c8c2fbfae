package balancer

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakSession is a session of the soak test: it waits on a channel where a real one waits in its loop.
type soakSession struct {
	Waiter
	granted chan *Server
}

func (s *soakSession) SlotGranted(_ *Waiter, srv *Server) { s.granted <- srv }

// soak runs sessions on many goroutines against a backend whose servers change all the time.
type soak struct {
	t      *testing.T
	b      *Backend
	inside []atomic.Int32 // sessions that hold a slot, by server
	fixed  []int32        // slots of servers whose limit never changes; 0: it does
	served atomic.Uint64
}

func (k *soak) hold(s *Server, rng *rand.Rand) {
	now := k.inside[s.Index()].Add(1)
	if most := k.fixed[s.Index()]; most > 0 && now > most {
		k.t.Errorf("%s: %d sessions, maxconn %d", s.Name(), now, most)
	}
	for spin := rng.IntN(200); spin > 0; spin-- {
		_ = rng.Uint64()
	}
	k.inside[s.Index()].Add(-1)
	k.served.Add(1)
	k.b.Release(s)
}

func (k *soak) session(s *soakSession, rng *rand.Rand) {
	r := Request{KeyBytes: []byte{byte(rng.Uint32()), byte(rng.Uint32())}}
	switch servers := k.b.Servers(); rng.IntN(8) {
	case 0:
		r.Sticky = servers[rng.IntN(len(servers))]
	case 1:
		r.Exclude = servers[rng.IntN(len(servers))]
	case 2:
		r.Prefer, r.PreferQueue = servers[rng.IntN(len(servers))], 3
	}
	srv, v := k.b.Acquire(&s.Waiter, &r)
	switch v {
	case Granted:
		k.hold(srv, rng)
	case Queued:
		if rng.IntN(4) > 0 {
			k.hold(<-s.granted, rng)
			return
		}
		if srv, granted := k.b.Leave(&s.Waiter); granted {
			<-s.granted // crossed: the news is on its way, and the waiter must not be used before
			k.hold(srv, rng)
		}
	}
}

// disturb changes servers until done; then all are up, and nobody waits for ever.
func (k *soak) disturb(done *atomic.Bool, rng *rand.Rand) {
	servers := k.b.Servers()
	now := time.Duration(0)
	for !done.Load() {
		s := servers[rng.IntN(len(servers))]
		now += 10 * time.Millisecond
		switch rng.IntN(5) {
		case 0:
			k.b.SetState(s, State(rng.IntN(4)), now)
		case 1:
			k.b.SetState(s, StateUp, now)
		case 2:
			k.b.SetWeight(s, rng.IntN(4))
		case 3:
			if k.fixed[s.Index()] == 0 {
				k.b.SetMaxConn(s, rng.IntN(4))
			}
		case 4:
			k.b.Tick(now)
			k.b.NextTick(now)
		}
		k.b.Stats()
		s.Stats()
		for _, s := range servers {
			if s.Current() < 0 {
				k.t.Errorf("%s: %d sessions", s.Name(), s.Current())
			}
		}
		if rng.IntN(3) == 0 { // those who wait must not starve: nobody leaves while everything is down
			for _, s := range servers {
				k.b.SetState(s, StateUp, now)
				k.b.SetWeight(s, 1)
			}
		}
	}
	for _, s := range servers {
		k.b.SetState(s, StateUp, now)
		k.b.SetWeight(s, 1)
	}
}

func TestSoak(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		t.Run(algorithm.String(), func(t *testing.T) {
			spec := Spec{Algorithm: algorithm, Consistent: algorithm == Hash, FullConn: 12, Servers: []ServerSpec{
				{Weight: 1, MaxConn: 2}, {Weight: 1, MaxConn: 1, SlowStart: 50 * time.Millisecond}, {Weight: 1},
				{Weight: 1, MaxConn: 3, MaxQueue: 2}, {Weight: 1, MaxConn: 6, MinConn: 1}, {Weight: 1, Backup: true, MaxConn: 2},
			}}
			k := &soak{t: t, b: mustNew(t, spec), inside: make([]atomic.Int32, 6), fixed: []int32{2, 0, 0, 3, 6, 2}}
			var sessions, others sync.WaitGroup
			var done atomic.Bool
			others.Go(func() { k.disturb(&done, rand.New(rand.NewPCG(uint64(algorithm), 99))) })
			for g := range 16 {
				sessions.Go(func() {
					s := &soakSession{granted: make(chan *Server, 1)}
					s.Granter = s
					rng := rand.New(rand.NewPCG(uint64(algorithm), uint64(g)))
					for range rounds {
						k.session(s, rng)
					}
				})
			}
			// The disturber puts all servers up when it is told to end, so that the last waiters are served.
			ended := make(chan struct{})
			go func() { sessions.Wait(); close(ended) }()
			<-ended
			done.Store(true)
			others.Wait()
			if k.b.Current() != 0 || k.b.Queued() != 0 {
				t.Errorf("%d slots and %d waiters are left", k.b.Current(), k.b.Queued())
			}
			if k.served.Load() == 0 || k.b.Stats().Served != k.served.Load() {
				t.Errorf("served %d, counted %d", k.served.Load(), k.b.Stats().Served)
			}
		})
	}
}

// TestUnlimitedAndLimitedByTurns lets the limits of a backend come and go under traffic: the way without the mutex and
// the way with it meet.
func TestUnlimitedAndLimitedByTurns(t *testing.T) {
	b := mustNew(t, Spec{Servers: weighted(1, 2)})
	var sessions sync.WaitGroup
	var done atomic.Bool
	for g := range 8 {
		sessions.Go(func() {
			s := &soakSession{granted: make(chan *Server, 1)}
			s.Granter = s
			rng := rand.New(rand.NewPCG(7, uint64(g)))
			for !done.Load() {
				srv, v := b.Acquire(&s.Waiter, &Request{})
				if v == Queued {
					if rng.IntN(2) == 0 {
						if _, granted := b.Leave(&s.Waiter); !granted {
							continue
						}
					}
					srv = <-s.granted
				}
				b.Release(srv)
			}
		})
	}
	for range 3000 {
		for _, s := range b.Servers() {
			b.SetMaxConn(s, 1)
		}
		for _, s := range b.Servers() {
			b.SetMaxConn(s, 0)
		}
	}
	done.Store(true)
	sessions.Wait()
	if b.Current() != 0 || b.Queued() != 0 {
		t.Errorf("%d slots and %d waiters are left", b.Current(), b.Queued())
	}
}
