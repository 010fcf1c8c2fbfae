package balancer

import "sync/atomic"

// A State says whether a server takes sessions.
type State uint8

const (
	StateUp    State = iota // takes sessions
	StateDown               // its checks fail: takes none
	StateDrain              // takes only sessions that are stuck to it
	StateMaint              // put away by an operator: takes none
)

func (s State) String() string {
	return [...]string{"up", "down", "drain", "maint"}[s]
}

// accepts reports whether sessions stuck to a server in this state may still go to it.
func (s State) accepts() bool { return s == StateUp || s == StateDrain }

const (
	weightScale = 16 // steps of one unit of weight, so that slow start can raise a server of weight 1 gently
	cacheLine   = 64 // bytes
)

// A Server is one server of one Backend.
type Server struct {
	// Set by New, then read-only.
	spec    ServerSpec
	backend *Backend
	index   int

	// Written under Backend.control and Backend.mu, read under either.
	maxConn int32 // as set last; 0: no bound
	weight  int32 // as set last, 0..weightMax
	ramp    ramp  // slowstart.go

	// Guarded by Backend.mu.
	queue waiterList
	limit int32 // slots in force, minconn and slow start included; 0: no bound
	open  bool  // takes part in the balancing and has a free slot

	// Atomic: written under Backend.mu, read anywhere.
	state   atomic.Uint32
	member  atomic.Bool  // takes part in the balancing
	eweight atomic.Int32 // weight in force, in 1/weightScale
	queued  atomic.Int32

	// Atomic, written for each session: kept off the lines above and off those of the next server.
	_      [cacheLine]byte
	used   atomic.Int32
	most   atomic.Int32 // highest value of used
	served atomic.Uint64
	_      [cacheLine]byte
	waits  waitStats // stats.go
}

// Name is the server's name.
func (s *Server) Name() string { return s.spec.Name }

// ID is the number that the hash ring uses (manual: "id").
func (s *Server) ID() int { return s.spec.ID }

// Index is the server's place in Backend.Servers.
func (s *Server) Index() int { return s.index }

// Spec is the server as it was configured, with its defaults.
func (s *Server) Spec() ServerSpec { return s.spec }

// Backend is the backend to which the server belongs.
func (s *Server) Backend() *Backend { return s.backend }

// Current is the number of slots taken now.
func (s *Server) Current() int { return int(s.used.Load()) }

// Queued is the number of sessions that wait for this server alone.
func (s *Server) Queued() int { return int(s.queued.Load()) }

// State says whether the server takes sessions.
func (s *Server) State() State { return State(s.state.Load()) }

// Weight is the weight as it was set last, slow start not considered.
func (s *Server) Weight() int {
	s.backend.mu.Lock()
	defer s.backend.mu.Unlock()
	return int(s.weight)
}

// MaxConn is the number of slots as it was set last; 0: no bound.
func (s *Server) MaxConn() int {
	s.backend.mu.Lock()
	defer s.backend.mu.Unlock()
	return int(s.maxConn)
}

// Slots is the number of slots in force now, minconn and slow start considered; 0: no bound.
func (s *Server) Slots() int {
	s.backend.mu.Lock()
	defer s.backend.mu.Unlock()
	return int(s.limit)
}

// EffectiveWeight is the weight in force now, slow start considered, rounded up.
func (s *Server) EffectiveWeight() int {
	return (int(s.eweight.Load()) + weightScale - 1) / weightScale
}

// Usable reports whether the server can take new sessions when it is its turn.
func (s *Server) Usable() bool { return s.State() == StateUp && s.eweight.Load() > 0 }

// take counts a session in.
func (s *Server) take() {
	now := s.used.Add(1)
	s.served.Add(1)
	for most := s.most.Load(); now > most; most = s.most.Load() {
		if s.most.CompareAndSwap(most, now) {
			return
		}
	}
}

// give counts a session out.
func (s *Server) give() {
	if s.used.Add(-1) < 0 {
		panic("balancer: server " + s.spec.Name + ": slot released twice")
	}
}

// freeLocked reports whether the server has a free slot.
func (s *Server) freeLocked() bool { return s.limit == 0 || s.used.Load() < s.limit }

// roomLocked reports whether the server's own queue takes another waiter.
func (s *Server) roomLocked() bool {
	return s.spec.MaxQueue == 0 || s.queue.len < s.spec.MaxQueue
}
