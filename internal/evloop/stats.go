package evloop

import (
	"sync/atomic"
	"time"
)

// LoopStats is what a loop has done so far, as of at most a millisecond of work
// ago.
type LoopStats struct {
	Turns  uint64
	Events uint64 // taken from the kernel
	Stale  uint64 // of those, for descriptors that had been closed meanwhile
	Wakes  uint64 // by letters
	Sleeps uint64 // blocking waits
	Open   int    // descriptors
	Timers int
	Busy   time.Duration // not asleep
}

// counts are the loop's own; publish copies them to where others may read. An
// atomic store costs as much as a handler call, so that is done once per
// millisecond and before each sleep.
type counts struct {
	turns, events, stale, wakes, sleeps uint64
	busy                                time.Duration
	publishedAt                         uint64 // tick
}

type published struct {
	turns, events, stale, wakes, sleeps atomic.Uint64
	open, timers, busy                  atomic.Int64
}

func (l *Loop) publish() {
	c, p := &l.counts, &l.stats
	p.turns.Store(c.turns)
	p.events.Store(c.events)
	p.stale.Store(c.stale)
	p.wakes.Store(c.wakes)
	p.sleeps.Store(c.sleeps)
	p.open.Store(int64(l.slots.inUse))
	p.timers.Store(int64(l.wheel.count))
	p.busy.Store(int64(c.busy))
}

// Stats returns the last published counts; from any goroutine.
func (l *Loop) Stats() LoopStats {
	p := &l.stats
	return LoopStats{
		Turns: p.turns.Load(), Events: p.events.Load(), Stale: p.stale.Load(),
		Wakes: p.wakes.Load(), Sleeps: p.sleeps.Load(),
		Open: int(p.open.Load()), Timers: int(p.timers.Load()), Busy: time.Duration(p.busy.Load()),
	}
}
