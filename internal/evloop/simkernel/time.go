package simkernel

import (
	"fmt"
	"slices"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// An arrival is something that the network does later.
type arrival struct {
	at evloop.Time
	no uint64
	do func()
}

// later has do called, with the lock held, after d; at the earliest in the next
// Wait or Advance.
func (k *Kernel) later(d time.Duration, do func()) {
	k.arrivalNo++
	a := arrival{at: k.now.Add(d), no: k.arrivalNo, do: do}
	i, _ := slices.BinarySearchFunc(k.coming, a, func(b, a arrival) int {
		if b.at != a.at {
			return int(min(max(b.at-a.at, -1), 1))
		}
		return int(b.no) - int(a.no)
	})
	k.coming = slices.Insert(k.coming, i, a)
}

// arrive lets happen what is due, but not what that causes.
func (k *Kernel) arrive() {
	last := k.arrivalNo
	for i := 0; i < len(k.coming) && k.coming[i].at <= k.now; {
		if k.coming[i].no > last {
			i++
			continue
		}
		a := k.coming[i]
		k.coming = slices.Delete(k.coming, i, i+1)
		a.do()
		i = 0
	}
}

func (k *Kernel) due() bool { return len(k.coming) > 0 && k.coming[0].at <= k.now }

// Advance moves the clock, and lets what comes meanwhile arrive in its order. It
// turns no loop: see RunFor.
func (k *Kernel) Advance(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	end := k.now.Add(d)
	for len(k.coming) > 0 && k.coming[0].at <= end {
		k.now = max(k.now, k.coming[0].at)
		k.arrive()
	}
	k.now = end
	k.changed.Broadcast()
}

// Settle turns the loops until nothing happens any more. A loop that never comes
// to rest, such as one that does not accept what a listener offers, panics.
func (k *Kernel) Settle(loops ...*evloop.Loop) {
	for range settleTurnsMax {
		called := 0
		for _, l := range loops {
			called += l.Turn(0)
		}
		k.mu.Lock()
		rest := called == 0 && !k.due()
		k.mu.Unlock()
		if rest {
			return
		}
	}
	panic(fmt.Sprintf("simkernel: the loops did not come to rest in %d turns (seed %d)", settleTurnsMax, k.seed))
}

// RunFor lets d pass, stopping at each time at which a timer or an arrival is
// due, and settles the loops there.
func (k *Kernel) RunFor(d time.Duration, loops ...*evloop.Loop) {
	k.Settle(loops...)
	end := k.Now().Add(d)
	for {
		next, now := end, k.Now()
		k.mu.Lock()
		if len(k.coming) > 0 {
			next = min(next, k.coming[0].at)
		}
		k.mu.Unlock()
		for _, l := range loops {
			if at, ok := l.NextTimer(); ok {
				next = min(next, at)
			}
		}
		k.Advance(next.Sub(now))
		k.Settle(loops...)
		if next >= end {
			return
		}
	}
}
