package accesslog

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A TargetSpec is one "log" line. See proxy.LogTarget for the fields.
type TargetSpec struct {
	Address      string
	Len          int
	Format       string
	Facility     string
	Level        string
	MinLevel     string
	SampleRanges string
	SampleSize   int
	Origin       string
}

// Options belong to all targets of a sink.
type Options struct {
	Tag   string // of syslog lines; default "haproxy"
	Host  string // host name in the header; empty: none in RFC 3164
	PID   int    // default: ours
	Loops int    // how many loops call Line
	Now   func() time.Time
}

// A Sink takes lines from loops and writes them to its targets, from one
// goroutine of its own.
type Sink struct {
	targets []*target
	rings   []*ring // one per loop
	opt     Options

	mu       sync.Mutex // guards messages
	messages *ring

	asleep atomic.Bool
	wake   chan struct{}
	closed atomic.Bool
	done   chan struct{}

	told uint64 // drops that were told
	line []byte
	out  []byte
}

// New opens the targets and starts the writer.
func New(specs []TargetSpec, opt Options) (*Sink, error) {
	if opt.Tag == "" {
		opt.Tag = "haproxy"
	}
	if opt.PID == 0 {
		opt.PID = os.Getpid()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Sink{opt: opt, messages: newRing(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	for _, spec := range specs {
		t, err := newTarget(spec, &s.opt)
		if err != nil {
			s.closeTargets()
			return nil, fmt.Errorf("log %s: %w", spec.Address, err)
		}
		s.targets = append(s.targets, t)
	}
	for range max(opt.Loops, 1) {
		s.rings = append(s.rings, newRing())
	}
	go s.run()
	return s, nil
}

// Line hands one line of traffic over; it never waits. Only loop's own
// goroutine may call it. False: the line was dropped.
func (s *Sink) Line(loop int, level Level, line []byte) bool {
	ok := s.rings[loop].put(level, s.opt.Now().UnixNano(), line)
	s.rouse()
	return ok
}

// Message hands over a line about the process; from any goroutine.
func (s *Sink) Message(level Level, line string) {
	s.mu.Lock()
	s.messages.put(level, s.opt.Now().UnixNano(), []byte(line))
	s.mu.Unlock()
	s.rouse()
}

func (s *Sink) rouse() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.wake <- struct{}{}
	}
}

// Dropped is how many lines found no room, or no taker, so far.
func (s *Sink) Dropped() uint64 {
	n := s.messages.dropped.Load()
	for _, r := range s.rings {
		n += r.dropped.Load()
	}
	for _, t := range s.targets {
		n += t.dropped.Load()
	}
	return n
}

// Close writes what waits and ends the writer. No Line may come after.
func (s *Sink) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.rouse()
	<-s.done
}

func (s *Sink) run() {
	defer close(s.done)
	for {
		for s.drain() {
		}
		s.asleep.Store(true)
		if s.pending() || s.closed.Load() {
			if !s.asleep.CompareAndSwap(true, false) {
				<-s.wake
			}
			if s.closed.Load() && !s.pending() {
				s.closeTargets()
				return
			}
			continue
		}
		<-s.wake
	}
}

func (s *Sink) pending() bool {
	if !s.messages.empty() {
		return true
	}
	for _, r := range s.rings {
		if !r.empty() {
			return true
		}
	}
	return false
}

// drain writes one batch; false when nothing waited.
func (s *Sink) drain() bool {
	some := s.drainRing(s.messages)
	for _, r := range s.rings {
		some = s.drainRing(r) || some
	}
	for _, t := range s.targets {
		t.flush()
	}
	if n := s.Dropped(); n > s.told {
		line := "weir: " + strconv.FormatUint(n-s.told, 10) + " log lines dropped"
		s.told = n
		for _, t := range s.targets {
			t.write(LevelWarning, s.opt.Now().UnixNano(), []byte(line))
			t.flush()
		}
	}
	return some
}

const drainBatch = 256 // lines of one ring before the next one has its turn

func (s *Sink) drainRing(r *ring) bool {
	some := false
	for range drainBatch {
		line, level, at, ok := r.take(s.line[:0])
		s.line = line[:0]
		if !ok {
			break
		}
		some = true
		for _, t := range s.targets {
			t.write(level, at, line)
		}
	}
	return some
}

func (s *Sink) closeTargets() {
	for _, t := range s.targets {
		t.flush()
		t.close()
	}
}
