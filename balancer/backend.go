package balancer

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// A Backend chooses among its servers.
type Backend struct {
	// Set by New, then read-only.
	spec     Spec
	servers  []*Server
	ids      []int // Server.ID by Server.index
	hashFunc func([]byte) uint32

	control sync.Mutex // serialises what changes members, weights and limits; taken before mu

	// Atomic. The table while choices can be made from it alone: no server has a limit and nobody waits. Else nil.
	fast atomic.Pointer[table]

	_    [cacheLine]byte
	turn atomic.Uint64 // turns taken from a table, or random numbers used
	_    [cacheLine]byte

	mu sync.Mutex
	// Guarded by mu.
	table       *table
	picker      picker
	queue       waiterList // of those that may take any member
	waiting     int        // in all queues
	stuck       int        // in the queues of servers
	age         uint64     // number of waiters so far
	openServers int        // members with a free slot
	load        int        // slots taken and waiters, while fast is nil
	dynamic     bool       // some server's limit follows load
	loadLow     int        // no limit changes while load stays within loadLow..loadHigh
	loadHigh    int
	grants      *Waiter // chain of those that must be told once mu is free

	stats backendStats // stats.go
}

// New makes a backend. Servers start up, except those that are Disabled, which start in maintenance. Slow start does not
// apply to the start (manual: "slowstart").
func New(spec Spec) (*Backend, error) {
	spec = spec.withDefaults()
	if err := spec.check(); err != nil {
		return nil, fmt.Errorf("can't balance backend %s: %w", spec.Name, err)
	}
	b := &Backend{spec: spec, hashFunc: hashFuncs[spec.HashFunc]}
	for i, ss := range spec.Servers {
		s := &Server{spec: ss, backend: b, index: i, maxConn: int32(ss.MaxConn), weight: int32(ss.Weight)}
		if ss.Disabled {
			s.state.Store(uint32(StateMaint))
		}
		b.servers = append(b.servers, s)
		b.ids = append(b.ids, ss.ID)
	}
	b.picker = newPicker(b)
	if spec.Algorithm == Random {
		b.turn.Store(spec.Seed)
	}
	b.control.Lock()
	defer b.control.Unlock()
	b.installTable(b.newTable(b.chooseMembers()))
	return b, nil
}

// Name is the backend's name.
func (b *Backend) Name() string { return b.spec.Name }

// Spec is the backend as it was configured, with its defaults.
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
func (b *Backend) Queued() int { return int(b.stats.queued.Load()) }

// UsableServers counts the servers that can take new sessions, backups included, and all servers.
func (b *Backend) UsableServers() (up, total int) {
	for _, s := range b.servers {
		if s.Usable() {
			up++
		}
	}
	return up, len(b.servers)
}

// Members counts the servers among which sessions are balanced now, and says whether they are backups (manual: "nbsrv").
func (b *Backend) Members() (n int, backups bool) {
	for _, s := range b.servers {
		if s.member.Load() {
			n++
			backups = s.spec.Backup
		}
	}
	return n, backups
}

// WeightsAreStatic reports whether the algorithm takes no account of weights that change (manual: "set weight").
func (b *Backend) WeightsAreStatic() bool {
	switch b.spec.Algorithm {
	case RoundRobin, LeastConn, Random:
		return false
	case Source, Hash:
		return !b.spec.Consistent
	}
	return true
}

// random gives the next 64 random bits.
func (b *Backend) random() uint64 { return scatter(b.turn.Add(1)) }

// keyOf is the hashed key of a request, if it has one and the algorithm wants one.
func (b *Backend) keyOf(r *Request) (uint64, bool) {
	switch {
	case b.spec.Algorithm != Source && b.spec.Algorithm != Hash:
		return 0, false
	case r.HasKey:
		return r.Key, true
	case len(r.KeyBytes) > 0:
		return b.HashKey(r.KeyBytes), true
	}
	return 0, false
}

// withinShare reports whether "hash-balance-factor" leaves room for one more session on s.
func (b *Backend) withinShare(t *table, s *Server) bool {
	if b.spec.BalanceFactor == 0 || t.share == nil {
		return true
	}
	sessions := int64(s.used.Load()) + int64(s.queue.len)
	return sessions < t.shareOf(s.index, int64(b.load), b.spec.BalanceFactor)
}
