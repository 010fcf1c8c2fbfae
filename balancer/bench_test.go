package balancer

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

var benchAlgorithms = []struct {
	name       string
	algorithm  Algorithm
	consistent bool
}{
	{"roundrobin", RoundRobin, false}, {"static-rr", StaticRR, false}, {"leastconn", LeastConn, false}, {"first", First, false},
	{"hash", Hash, false}, {"hash-consistent", Hash, true}, {"random", Random, false},
}

func benchBackend(b *testing.B, algorithm Algorithm, consistent bool, servers, limit int) *Backend {
	spec := Spec{Algorithm: algorithm, Consistent: consistent}
	for range servers {
		spec.Servers = append(spec.Servers, ServerSpec{Weight: 1, MaxConn: limit})
	}
	return mustNew(b, spec)
}

// BenchmarkAcquireRelease is one session at a time; limit 0 goes without the mutex where the algorithm allows it.
func BenchmarkAcquireRelease(b *testing.B) {
	for _, a := range benchAlgorithms {
		for _, limit := range []int{0, 1000} {
			for _, n := range []int{2, 16, 500} {
				b.Run(fmt.Sprintf("algo=%s/limit=%d/servers=%d", a.name, limit, n), func(b *testing.B) {
					be := benchBackend(b, a.algorithm, a.consistent, n, limit)
					r := Request{HasKey: true}
					b.ReportAllocs()
					for b.Loop() {
						r.Key += 2654435761
						s, _ := be.Acquire(nil, &r)
						be.Release(s)
					}
				})
			}
		}
	}
}

// BenchmarkUnderContention has goroutines that do nothing else; ns/op is the time that one session takes of the whole.
func BenchmarkUnderContention(b *testing.B) {
	for _, a := range benchAlgorithms {
		for _, limit := range []int{0, 1000} {
			for _, goroutines := range []int{1, 2, 8} {
				b.Run(fmt.Sprintf("algo=%s/limit=%d/goroutines=%d", a.name, limit, goroutines), func(b *testing.B) {
					be := benchBackend(b, a.algorithm, a.consistent, 16, limit)
					b.ReportAllocs()
					contend(be, goroutines, b.N)
				})
			}
		}
	}
}

func contend(be *Backend, goroutines, sessions int) {
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			runtime.LockOSThread() // as the loops do
			r := Request{HasKey: true, Key: uint64(g)}
			for range sessions / goroutines {
				r.Key += 2654435761
				s, _ := be.Acquire(nil, &r)
				be.Release(s)
			}
		})
	}
	all.Wait()
}

// BenchmarkQueue is a session that waits for the one slot of another, gets it and gives it back.
func BenchmarkQueue(b *testing.B) {
	be := mustNew(b, Spec{Servers: []ServerSpec{{Weight: 1, MaxConn: 1}}})
	c := clients(2)
	r := Request{}
	s, _ := be.Acquire(nil, &r)
	b.ReportAllocs()
	for b.Loop() {
		be.Acquire(&c[0].Waiter, &r)
		be.Release(s)
	}
}

// BenchmarkChange is one change of state in a large backend.
func BenchmarkChange(b *testing.B) {
	for _, a := range benchAlgorithms {
		b.Run(fmt.Sprintf("algo=%s/servers=500", a.name), func(b *testing.B) {
			be := benchBackend(b, a.algorithm, a.consistent, 500, 0)
			for i := 0; b.Loop(); i++ {
				be.SetState(be.Servers()[7], State(i%2), 0)
			}
		})
	}
}
