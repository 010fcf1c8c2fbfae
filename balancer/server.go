package balancer

import (
	"sync/atomic"
	"time"
)

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

// A Server is one server of one Backend.
type Server struct {
	// Set by New, then read-only.
	spec    ServerSpec
	backend *Backend
	index   int

	// Guarded by Backend.mu.
	queue     waiterList
	member    bool          // takes part in the balancing now
	rampFrom  time.Duration // slow start: when it came up
	ramping   bool
	everDown  bool
	dynamic   int32 // slots before minconn and slow start: maxconn as set last; 0: no bound
	weightSet int   // weight as set last, 0..weightMax

	// Atomic: written under Backend.mu, read anywhere.
	state   atomic.Uint32
	eweight atomic.Int32 // weight in force, in 1/weightScale
	queued  atomic.Int32

	_ [64]byte // what follows is written for each session: keep it off the lines above

	used   atomic.Int32
	served atomic.Uint64
	stats  serverStats
}

type serverStats struct {
	usedMax   atomic.Int32
	queuedMax atomic.Int32
	waits     atomic.Uint64 // sessions that were granted a slot after a wait
	waitTotal atomic.Int64  // nanoseconds
	waitMax   atomic.Int64
}

// Name is the server's name.
func (s *Server) Name() string { return s.spec.Name }

// ID is the number that the hash ring uses (manual: "id").
func (s *Server) ID() int { return s.spec.ID }

// Index is the server's place in Backend.Servers.
func (s *Server) Index() int { return s.index }

// Spec is the server as it was configured.
func (s *Server) Spec() ServerSpec { return s.spec }

// Backend is the backend to which the server belongs.
func (s *Server) Backend() *Backend { return s.backend }

// Current is the number of slots taken now.
func (s *Server) Current() int { return int(s.used.Load()) }

// Queued is the number of sessions that wait for this server alone.
func (s *Server) Queued() int { return int(s.queued.Load()) }

// State says whether the server takes sessions.
func (s *Server) State() State { return State(s.state.Load()) }

// EffectiveWeight is the weight in force now, rounded up: slow start included.
func (s *Server) EffectiveWeight() int {
	return (int(s.eweight.Load()) + weightScale - 1) / weightScale
}
