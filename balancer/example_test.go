package balancer_test

import (
	"fmt"

	"github.com/weir-lb/weir/balancer"
)

// A job is what the balancer calls a session: it embeds its place in the queue.
type job struct {
	balancer.Waiter
	name string
}

// SlotGranted is called by whoever freed the slot. A real session would send word to its own goroutine or loop.
func (j *job) SlotGranted(_ *balancer.Waiter, s *balancer.Server) {
	fmt.Println(j.name, "gets the slot of", s.Name())
}

// The balancer alone: two workers, three jobs.
func Example() {
	b, err := balancer.New(balancer.Spec{
		Name:      "workers",
		Algorithm: balancer.LeastConn,
		QueueMax:  100,
		Servers: []balancer.ServerSpec{
			{Name: "big", Weight: 2, MaxConn: 1},
			{Name: "small", Weight: 1, MaxConn: 1},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var first *balancer.Server
	for _, name := range []string{"one", "two", "three"} {
		j := &job{name: name}
		j.Granter = j
		s, verdict := b.Acquire(&j.Waiter, &balancer.Request{})
		switch verdict {
		case balancer.Granted:
			fmt.Println(j.name, "runs on", s.Name())
		case balancer.Queued:
			fmt.Println(j.name, "waits")
		default:
			fmt.Println(j.name, verdict)
		}
		if first == nil {
			first = s
		}
	}
	b.Release(first)
	// Output:
	// one runs on big
	// two runs on small
	// three waits
	// three gets the slot of big
}

// The same key reaches the same server, and a server that goes takes only its own keys along.
func Example_consistentHash() {
	b, err := balancer.New(balancer.Spec{
		Name:       "caches",
		Algorithm:  balancer.Hash,
		Consistent: true,
		Servers:    []balancer.ServerSpec{{Name: "a", Weight: 1}, {Name: "b", Weight: 1}, {Name: "c", Weight: 1}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	where := func(when string) {
		fmt.Print(when)
		for _, key := range []string{"/logo.png", "/style.css", "/app.js", "/index.html"} {
			s, _ := b.Acquire(nil, &balancer.Request{KeyBytes: []byte(key)})
			fmt.Print(" ", key, ":", s.Name())
			b.Release(s)
		}
		fmt.Println()
	}
	where("all up:")
	b.SetState(b.Server("b"), balancer.StateDown, 0)
	where("b down:")
	// Output:
	// all up: /logo.png:b /style.css:b /app.js:c /index.html:c
	// b down: /logo.png:a /style.css:a /app.js:c /index.html:c
}
