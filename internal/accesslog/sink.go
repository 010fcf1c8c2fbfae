package accesslog

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what all targets of a Sink share.
type Options struct {
	Tag   string // log-tag; empty: "haproxy"
	Host  string // log-send-hostname; empty: no host name is sent
	Loops int    // loops that call Line: their numbers are less than this
	PID   int    // empty: the process's own

	// Now gives the wall clock in nanoseconds since 1970; nil: the system's.
	Now func() int64
}

// A Sink sends lines to all the targets of one list of "log" lines.
type Sink struct {
	// Set by New, then read-only.
	now     func() int64
	rings   []*ring // one for each loop, then the one for messages
	targets []*target

	messages sync.Mutex // guards writing to the last ring

	// Between loops and writer.
	asleep atomic.Bool   // the writer waits on wake
	wake   chan struct{} // holds one
	failed atomic.Uint64 // lines that a target would not take

	flushes  chan chan struct{}
	closing  chan struct{}
	closed   chan struct{}
	closeAll sync.Once
}

// New opens the targets and starts the writer. All wrong targets are reported, as
// *TargetError joined.
func New(specs []TargetSpec, opt Options) (*Sink, error) {
	opt = opt.withDefaults()
	s := &Sink{
		now: opt.Now, wake: make(chan struct{}, 1), flushes: make(chan chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	var errs []error
	for i := range specs {
		t, err := openTarget(&specs[i], &opt)
		if err != nil {
			errs = append(errs, &TargetError{Address: specs[i].Address, Origin: specs[i].Origin, Err: err})
			continue
		}
		s.targets = append(s.targets, t)
	}
	if len(errs) > 0 {
		for _, t := range s.targets {
			t.out.close()
		}
		return nil, errors.Join(errs...)
	}
	for range opt.Loops + 1 {
		s.rings = append(s.rings, newRing())
	}
	w := newWriter(s)
	go w.run()
	return s, nil
}

func (o Options) withDefaults() Options {
	o.Tag = orDefault(o.Tag, "haproxy")
	if o.PID == 0 {
		o.PID = os.Getpid()
	}
	if o.Now == nil {
		o.Now = func() int64 { return time.Now().UnixNano() }
	}
	return o
}

func openTarget(spec *TargetSpec, opt *Options) (*target, error) {
	t, err := compileTarget(spec, opt.Host)
	if err != nil {
		return nil, err
	}
	t.header = newHeader(opt)
	t.out, err = openOutput(spec.Address)
	return t, err
}

// Line takes a line from a loop. It copies it, never blocks and never allocates;
// false means that there was no room and the line is lost, which is counted.
func (s *Sink) Line(loop int, level Level, line []byte) bool {
	return s.LineData(loop, level, line, nil)
}

// LineData is Line with structured data (log-format-sd), which targets with the
// format rfc5424 send.
func (s *Sink) LineData(loop int, level Level, line, data []byte) bool {
	ok := s.rings[loop].put(&record{time: s.now(), level: level, text: line, data: data})
	s.wakeWriter()
	return ok
}

// Message takes a line about the process, a backend or a server, from anywhere.
func (s *Sink) Message(level Level, line string) bool {
	s.messages.Lock()
	ok := s.rings[len(s.rings)-1].put(&record{time: s.now(), level: level, text: []byte(line)})
	s.messages.Unlock()
	s.wakeWriter()
	return ok
}

func (s *Sink) wakeWriter() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Dropped counts the lines that were lost: those without room in a ring, and
// those that a target did not take.
func (s *Sink) Dropped() uint64 {
	n := s.failed.Load()
	for _, r := range s.rings {
		n += r.dropped.Load()
	}
	return n
}

// Flush waits until all lines that were taken before have been sent, or lost.
func (s *Sink) Flush() {
	done := make(chan struct{})
	select {
	case s.flushes <- done:
		<-done
	case <-s.closed:
	}
}

// Close sends what waits and closes the targets, but for inherited descriptors.
// Lines that come later are lost.
func (s *Sink) Close() {
	s.closeAll.Do(func() { close(s.closing) })
	<-s.closed
}
