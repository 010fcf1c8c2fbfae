package balancer

import (
	"sync/atomic"
	"time"
)

// waitStats counts what happens around a server's slots. All fields are atomic.
type waitStats struct {
	queuedMax atomic.Int32
	left      atomic.Uint64
	waited    atomic.Uint64
	total     atomic.Int64 // nanoseconds
	max       atomic.Int64 // nanoseconds
}

type backendStats struct {
	queued    atomic.Int32
	queuedMax atomic.Int32
	left      atomic.Uint64
	refused   atomic.Uint64
}

// ServerStats are the counters of one server since New.
type ServerStats struct {
	Served     uint64 // slots taken
	Current    int    // slots taken now
	CurrentMax int
	Queued     int // waiters of this server alone, now
	QueuedMax  int
	Left       uint64 // waiters of this server that left without a slot
	Waited     uint64 // sessions for which CountWait was called
	WaitTotal  time.Duration
	WaitMax    time.Duration
}

// BackendStats are the counters of one backend since New.
type BackendStats struct {
	Served    uint64
	Current   int
	Queued    int // waiters, those of single servers included
	QueuedMax int
	Left      uint64 // waiters that left without a slot
	Refused   uint64 // sessions that got neither slot nor queue
}

// Stats reads the server's counters. They are read one by one.
func (s *Server) Stats() ServerStats {
	return ServerStats{
		Served:     s.served.Load(),
		Current:    s.Current(),
		CurrentMax: int(s.most.Load()),
		Queued:     s.Queued(),
		QueuedMax:  int(s.waits.queuedMax.Load()),
		Left:       s.waits.left.Load(),
		Waited:     s.waits.waited.Load(),
		WaitTotal:  time.Duration(s.waits.total.Load()),
		WaitMax:    time.Duration(s.waits.max.Load()),
	}
}

// Stats reads the backend's counters. They are read one by one.
func (b *Backend) Stats() BackendStats {
	st := BackendStats{
		Queued:    b.Queued(),
		QueuedMax: int(b.stats.queuedMax.Load()),
		Left:      b.stats.left.Load(),
		Refused:   b.stats.refused.Load(),
	}
	for _, s := range b.servers {
		st.Served += s.served.Load()
		st.Current += s.Current()
	}
	return st
}

// CountWait notes how long a session waited for the slot of s that it has been granted. The session calls it, since only
// it has the time.
func (s *Server) CountWait(d time.Duration) {
	s.waits.waited.Add(1)
	s.waits.total.Add(int64(d))
	for most := s.waits.max.Load(); int64(d) > most; most = s.waits.max.Load() {
		if s.waits.max.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

// Waited is how long a session has waited since it was queued. It may be read once the session has its slot or has left.
func (w *Waiter) Waited(now time.Duration) time.Duration { return now - w.since }
