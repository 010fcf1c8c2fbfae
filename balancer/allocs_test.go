//go:build !race

package balancer

import "testing"

func TestAcquireAndReleaseDoNotAllocate(t *testing.T) {
	key := []byte("/some/path")
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		for _, limit := range []int{0, 10} {
			for _, consistent := range []bool{false, true} {
				b := mustNew(t, Spec{Algorithm: algorithm, Consistent: consistent, Servers: []ServerSpec{{Weight: 1, MaxConn: limit}, {Weight: 3, MaxConn: limit}}})
				c := newClient("a")
				r := Request{KeyBytes: key}
				if got := testing.AllocsPerRun(1000, func() {
					s, _ := b.Acquire(&c.Waiter, &r)
					b.Release(s)
				}); got != 0 {
					t.Errorf("%v, limit %d: %v allocations, want 0", algorithm, limit, got)
				}
			}
		}
	}
}

func TestQueueingDoesNotAllocate(t *testing.T) {
	for algorithm := RoundRobin; algorithm <= Random; algorithm++ {
		b := mustNew(t, Spec{Algorithm: algorithm, Servers: []ServerSpec{{Weight: 1, MaxConn: 1}}})
		c := clients(3)
		s1 := b.Servers()[0]
		r, sticky := Request{}, Request{Sticky: s1}
		if got := testing.AllocsPerRun(1000, func() {
			b.Acquire(&c[0].Waiter, &r)
			b.Acquire(&c[1].Waiter, &sticky)
			b.Acquire(&c[2].Waiter, &r)
			b.Release(s1) // c[1] has it
			b.Leave(&c[2].Waiter)
			b.Release(s1)
		}); got != 0 {
			t.Errorf("%v: %v allocations, want 0", algorithm, got)
		}
		if b.Current() != 0 {
			t.Fatalf("%v: %d slots left", algorithm, b.Current())
		}
	}
}
