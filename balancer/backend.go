package balancer

import (
	"fmt"
	"sync"
	"time"
)

const (
	serversMax  = 1 << 14 // per backend; HAProxy's roundrobin has 4095
	weightMax   = 256     // manual: "weight"
	weightScale = 16      // steps of one unit of weight, so that slow start can raise a server of weight 1 gently
)

// A Backend chooses among its servers.
type Backend struct {
	// Set by New, then read-only.
	spec    Spec
	servers []*Server

	mu    sync.Mutex
	queue waiterList
	next  int
	age   uint64
}

// New makes a backend. Servers start up, except those that are Disabled, which start in maintenance.
func New(spec Spec) (*Backend, error) {
	if len(spec.Servers) > serversMax {
		return nil, fmt.Errorf("can't balance backend %s: %d servers, limit %d", spec.Name, len(spec.Servers), serversMax)
	}
	b := &Backend{spec: spec}
	for i, ss := range spec.Servers {
		if ss.Weight < 0 {
			ss.Weight = 1
		}
		if ss.ID == 0 {
			ss.ID = i + 1
		}
		s := &Server{spec: ss, backend: b, index: i, dynamic: int32(ss.MaxConn), weightSet: ss.Weight}
		s.eweight.Store(int32(ss.Weight * weightScale))
		if ss.Disabled {
			s.state.Store(uint32(StateMaint))
		}
		b.servers = append(b.servers, s)
	}
	return b, nil
}

// Name is the backend's name.
func (b *Backend) Name() string { return b.spec.Name }

// Spec is the backend as it was configured.
func (b *Backend) Spec() Spec { return b.spec }

// Servers are the backend's servers in the order of the configuration. The slice must not be changed.
func (b *Backend) Servers() []*Server { return b.servers }

// Server finds a server by name; nil if there is none.
func (b *Backend) Server(name string) *Server {
	for _, s := range b.servers {
		if s.spec.Name == name {
			return s
		}
	}
	return nil
}

// Current is the number of slots of all servers taken now.
func (b *Backend) Current() int {
	n := 0
	for _, s := range b.servers {
		n += s.Current()
	}
	return n
}

// Queued is the number of sessions that wait for a slot, those that wait for one server included.
func (b *Backend) Queued() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.queue.len
	for _, s := range b.servers {
		n += s.queue.len
	}
	return n
}

// UsableServers counts the servers that can take new sessions, backups included, and all servers.
func (b *Backend) UsableServers() (up, total int) {
	for _, s := range b.servers {
		if s.State() == StateUp && s.eweight.Load() > 0 {
			up++
		}
	}
	return up, len(b.servers)
}

// Acquire asks for a slot.
func (b *Backend) Acquire(w *Waiter, r *Request) (*Server, Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	usable := 0
	for range b.servers {
		s := b.servers[b.next%len(b.servers)]
		b.next++
		if s.State() != StateUp {
			continue
		}
		usable++
		if s.dynamic == 0 || s.used.Load() < s.dynamic {
			s.used.Add(1)
			s.served.Add(1)
			return s, Granted
		}
	}
	if usable == 0 {
		return nil, NoServer
	}
	if w == nil {
		return nil, QueueFull
	}
	w.BackPos = b.queue.len
	b.queue.append(w)
	return nil, Queued
}

// Release gives a slot back. The session that has waited longest gets it at once.
func (b *Backend) Release(s *Server) {
	b.mu.Lock()
	w := b.queue.head
	if w != nil {
		b.queue.remove(w)
		w.granted, w.server = true, s
	} else {
		s.used.Add(-1)
	}
	b.mu.Unlock()
	if w != nil {
		w.Granter.SlotGranted(w, s)
	}
}

// Leave takes a waiter out of its queue. If its slot was granted meanwhile, the slot is the caller's, to use or Release.
func (b *Backend) Leave(w *Waiter) (s *Server, granted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.list != nil {
		w.list.remove(w)
		return nil, false
	}
	s, granted = w.server, w.granted
	w.server, w.granted = nil, false
	return s, granted
}

// SetState changes what a server takes.
func (b *Backend) SetState(s *Server, st State, now time.Duration) { s.state.Store(uint32(st)) }

// SetWeight changes a server's weight.
func (b *Backend) SetWeight(s *Server, weight int) {
	s.eweight.Store(int32(weight * weightScale))
}

// SetMaxConn changes a server's slots.
func (b *Backend) SetMaxConn(s *Server, maxConn int) { s.dynamic = int32(maxConn) }

// NextTick says when Tick has something to do.
func (b *Backend) NextTick(now time.Duration) (at time.Duration, ok bool) { return 0, false }

// Tick moves slow starts on.
func (b *Backend) Tick(now time.Duration) {}

// HashKey hashes a key as the backend's hash-type says.
func (b *Backend) HashKey(p []byte) uint64 { return 0 }
