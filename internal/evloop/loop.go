package evloop

import (
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const (
	eventsDefault = 512 // events taken per turn

	// againTimeMax is how long a turn calls those who asked for Again, before it
	// looks for news: with many of them, each with much to do, who comes anew
	// would wait for all.
	againTimeMax = time.Millisecond
)

// A Config describes a Loop.
type Config struct {
	ID     int
	Kernel Kernel // nil: System()

	// EventsMax bounds the events taken per turn. Zero means 512.
	EventsMax int
}

// A Loop waits for events and calls handlers. See the package comment for who may
// call what.
type Loop struct {
	// Set by New, then read-only.
	id     int
	kernel Kernel
	epfd   int
	wakefd int

	// Owned by the loop's goroutine.
	now     Time
	slots   slots
	events  []Event
	due     int      // handlers that this turn is to call
	timed   bool     // in runAgain
	again   []uint64 // tags of FDs to call once more
	running []uint64 // the same while they are called
	wheel   wheel
	counts  counts
	stopped bool
	owner   owner

	// Any goroutine.
	mail  mailbox
	stop  Letter
	stats published
}

// New makes a loop and its epoll and wake descriptors.
func New(cfg Config) (*Loop, error) {
	k := cfg.Kernel
	if k == nil {
		k = System()
	}
	if cfg.EventsMax <= 0 {
		cfg.EventsMax = eventsDefault
	}
	l := &Loop{id: cfg.ID, kernel: k, events: make([]Event, cfg.EventsMax), slots: slots{free: slotNone}}
	var errno syscall.Errno
	if l.epfd, errno = k.EpollCreate(); errno != 0 {
		return nil, &setupError{"can't create epoll descriptor", cfg.ID, errno}
	}
	if l.wakefd, errno = k.WakeCreate(); errno != 0 {
		k.Close(l.epfd)
		return nil, &setupError{"can't create event descriptor", cfg.ID, errno}
	}
	if errno = k.EpollAdd(l.epfd, l.wakefd, uint64(slotNone), false); errno != 0 {
		k.Close(l.wakefd)
		k.Close(l.epfd)
		return nil, &setupError{"can't watch event descriptor", cfg.ID, errno}
	}
	l.now = k.Now()
	l.wheel.now = uint64(l.now) / uint64(tick)
	l.wheel.next = tickNever
	return l, nil
}

// A setupError is a system call that New needed.
type setupError struct {
	what  string
	loop  int
	errno syscall.Errno
}

func (e *setupError) Error() string {
	return e.what + " of loop " + strconv.Itoa(e.loop) + ": " + e.errno.Error()
}

func (e *setupError) Unwrap() error { return e.errno }

// Free closes the loop's own descriptors. Run must have returned, and nobody may
// Post any more: the number of the wake descriptor may soon be another file's.
func (l *Loop) Free() {
	l.kernel.Close(l.wakefd)
	l.kernel.Close(l.epfd)
}

// ID is Config.ID.
func (l *Loop) ID() int { return l.id }

// Now is the time read at the start of this turn's work.
func (l *Loop) Now() Time { return l.now }

// Kernel is the system as this loop sees it.
func (l *Loop) Kernel() Kernel { return l.kernel }

// Due is how many handlers this turn is about to call, or was when it began. Each
// of them takes the share of a turn that leaves enough to the others.
func (l *Loop) Due() int { return l.due }

// Timed reports whether handlers are being called because of Again: they have a
// bound in time, and those that it leaves out are the first of the next turn, so
// that one may take more than its share.
func (l *Loop) Timed() bool { return l.timed }

// Run turns until Stop, on a thread of its own.
func (l *Loop) Run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l.stopped = false
	for !l.stopped {
		l.Turn(-1)
	}
	l.publish()
}

// Turn waits at most timeout (negative: for ever) for something to do, does it,
// and returns how many handlers it called. The order is: events, letters, FDs
// that asked for Again, timers.
func (l *Loop) Turn(timeout time.Duration) int {
	l.enter()
	n := l.wait(timeout)
	l.due = n + len(l.again)
	l.advance()
	called := l.dispatch(l.events[:n])
	called += l.deliver()
	called += l.runAgain()
	called += l.expire(l.now)
	l.leave()
	return called
}

// wait asks without blocking first: a raw system call, no scheduler. Only when
// there is nothing at all to do the loop goes to sleep.
func (l *Loop) wait(timeout time.Duration) int {
	n := l.poll(0)
	if n > 0 || timeout == 0 || len(l.again) > 0 || l.mail.head.Load() != nil {
		return n
	}
	l.advance()
	l.publish()
	if next := l.wheel.next; next != tickNever {
		untilNext := (Time(next) * tick).Sub(l.now)
		if untilNext <= 0 {
			return 0
		}
		if timeout < 0 || untilNext < timeout {
			timeout = untilNext
		}
	}
	l.mail.asleep.Store(true)
	if l.mail.head.Load() == nil { // see Post
		n = l.poll(timeout)
	}
	l.mail.asleep.Store(false)
	l.counts.sleeps++
	l.now = l.kernel.Now() // time asleep is not busy time
	return n
}

func (l *Loop) poll(timeout time.Duration) int {
	n, errno := l.kernel.Wait(l.epfd, l.events, timeout)
	if errno != 0 && errno != syscall.EINTR {
		panic("evloop: loop " + strconv.Itoa(l.id) + " can't wait for events: " + errno.Error())
	}
	return n
}

// advance reads the clock. All the time since the last reading was busy.
func (l *Loop) advance() {
	now := l.kernel.Now()
	l.counts.busy += now.Sub(l.now)
	if uint64(now)/uint64(tick) != l.counts.publishedAt {
		l.counts.publishedAt = uint64(now) / uint64(tick)
		l.publish()
	}
	l.now = now
}

func (l *Loop) dispatch(events []Event) int {
	l.note(events)
	called := 0
	for i := range events {
		ev := &events[i]
		if uint32(ev.Tag) == slotNone {
			l.counts.wakes++
			continue
		}
		f := l.slots.lookup(ev.Tag)
		if f == nil { // closed by a handler of an earlier event of this turn
			l.counts.stale++
			continue
		}
		if f.flags&fdListening != 0 {
			called += l.dispatchListener(f)
			continue
		}
		if ev.Ready&f.ready == 0 { // no news, or used up by a handler of an earlier event
			continue
		}
		f.handler.HandleReady(l.now, f)
		called++
	}
	l.counts.turns++
	l.counts.events += uint64(len(events))
	return called
}

// note marks every FD before any handler is called, and leaves in each event what
// is new: a handler that is about to use another connection, such as an idle one
// to a server, sees all that had happened to it when the kernel was asked.
func (l *Loop) note(events []Event) {
	for i := range events {
		ev := &events[i]
		if uint32(ev.Tag) == slotNone {
			continue
		}
		if f := l.slots.lookup(ev.Tag); f != nil && f.flags&fdListening == 0 {
			ev.Ready &^= f.ready
			f.ready |= ev.Ready
		}
	}
}

func (l *Loop) dispatchListener(f *FD) int {
	if f.flags&fdPaused != 0 {
		return 0
	}
	f.ready = ReadyIn
	f.handler.HandleReady(l.now, f)
	return 1
}

// runAgain calls each FD that asked for it once, for againTimeMax. Those that it
// did not come to are the first of the next turn, before those that ask again
// meanwhile.
func (l *Loop) runAgain() int {
	if len(l.again) == 0 {
		return 0
	}
	l.again, l.running = l.running[:0], l.again
	l.timed = true
	defer func() { l.timed = false }()
	end := l.kernel.Now().Add(againTimeMax)
	called := 0
	for i, tag := range l.running {
		f := l.slots.lookup(tag)
		if f == nil || f.flags&fdAgain == 0 {
			continue
		}
		f.flags &^= fdAgain
		f.handler.HandleReady(l.now, f)
		called++
		if l.kernel.Now() >= end {
			l.putOff(i + 1)
			break
		}
	}
	return called
}

// putOff leaves running, from number n on, for the next turn.
func (l *Loop) putOff(n int) {
	rest := l.running[:copy(l.running, l.running[n:])]
	l.again, l.running = append(rest, l.again...), l.again
}
