package accesslog

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	lineMaxDefault = 1024                  // bytes of one line, as HAProxy's default "len"
	reopenInterval = time.Second           // between two attempts to reach a socket that is gone
	writeTimeout   = 50 * time.Millisecond // a stream that takes nothing loses the line
	batchBytes     = 32 << 10              // lines gathered for one write to a file or stream
)

// A target is one place that lines go to.
type target struct {
	network, address string // of net.Dial; empty for descriptors
	file             *os.File
	conn             net.Conn
	reopenAt         time.Time
	datagram         bool

	framing  framing
	facility int
	max, min Level
	lenMax   int
	sample   *sample

	head    header
	out     []byte
	dropped atomic.Uint64
	opt     *Options
}

// newTarget checks a spec. Sockets are opened at the first line, and again
// when they break: a log server that is down is no reason not to start.
func newTarget(spec TargetSpec, opt *Options) (*target, error) {
	t := &target{lenMax: spec.Len, max: LevelDebug, min: LevelEmerg, opt: opt}
	if t.lenMax <= 0 {
		t.lenMax = lineMaxDefault
	}
	var err error
	if t.framing, err = parseFraming(spec.Format); err != nil {
		return nil, err
	}
	ok := true
	if spec.Facility != "" {
		if t.facility, ok = ParseFacility(spec.Facility); !ok {
			return nil, fmt.Errorf("unknown facility %q", spec.Facility)
		}
	}
	if spec.Level != "" {
		if t.max, ok = ParseLevel(spec.Level); !ok {
			return nil, fmt.Errorf("unknown level %q", spec.Level)
		}
	}
	if spec.MinLevel != "" {
		if t.min, ok = ParseLevel(spec.MinLevel); !ok {
			return nil, fmt.Errorf("unknown level %q", spec.MinLevel)
		}
	}
	if t.sample, err = parseSample(spec.SampleRanges, spec.SampleSize); err != nil {
		return nil, err
	}
	return t, t.locate(spec.Address)
}

// locate reads the address forms of the "log" keyword.
func (t *target) locate(a string) error {
	switch {
	case a == "stdout":
		t.file = os.Stdout
	case a == "stderr":
		t.file = os.Stderr
	case strings.HasPrefix(a, "fd@"):
		n, err := strconv.Atoi(a[3:])
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not a descriptor", a)
		}
		t.file = os.NewFile(uintptr(n), a)
	case strings.HasPrefix(a, "ring@"):
		return fmt.Errorf("ring sections are not supported yet")
	case strings.HasPrefix(a, "/"):
		t.network, t.address, t.datagram = "unixgram", a, true
	case strings.HasPrefix(a, "unix@"):
		t.network, t.address, t.datagram = "unixgram", a[len("unix@"):], true
	case strings.HasPrefix(a, "abns@"):
		t.network, t.address, t.datagram = "unixgram", "@"+a[len("abns@"):], true
	case strings.HasPrefix(a, "tcp@"), strings.HasPrefix(a, "tcp4@"), strings.HasPrefix(a, "tcp6@"):
		t.network, t.address = "tcp", withPort(a[strings.IndexByte(a, '@')+1:])
	default:
		for _, p := range []string{"udp@", "udp4@", "udp6@", "ipv4@", "ipv6@"} {
			a = strings.TrimPrefix(a, p)
		}
		t.network, t.address, t.datagram = "udp", withPort(a), true
	}
	return nil
}

// withPort adds syslog's port where none is given.
func withPort(a string) string {
	if _, _, err := net.SplitHostPort(a); err == nil {
		return a
	}
	return net.JoinHostPort(strings.Trim(a, "[]"), "514")
}

// write frames one line. Datagrams go at once, streams gather a batch.
func (t *target) write(level Level, at int64, line []byte) {
	if level > t.max || !t.sample.takes() {
		return
	}
	level = max(level, t.min)
	from := len(t.out)
	t.out = t.head.append(t, t.out, level, at)
	t.out = append(t.out, line...)
	if len(t.out)-from > t.lenMax-1 {
		t.out = t.out[:from+t.lenMax-1]
	}
	if t.datagram {
		t.send()
		return
	}
	t.out = append(t.out, '\n')
	if len(t.out) > batchBytes {
		t.flush()
	}
}

// flush writes what was gathered.
func (t *target) flush() {
	if len(t.out) > 0 {
		t.send()
	}
}

func (t *target) send() {
	out := t.out
	t.out = t.out[:0]
	if t.file != nil {
		if _, err := t.file.Write(out); err != nil {
			t.dropped.Add(1)
		}
		return
	}
	if t.conn == nil && !t.open() {
		t.dropped.Add(1)
		return
	}
	if !t.datagram || t.network == "unixgram" {
		t.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	if _, err := t.conn.Write(out); err != nil {
		t.dropped.Add(1)
		if t.network != "udp" {
			t.conn.Close()
			t.conn = nil
		}
	}
}

func (t *target) open() bool {
	now := time.Now()
	if now.Before(t.reopenAt) {
		return false
	}
	t.reopenAt = now.Add(reopenInterval)
	c, err := net.DialTimeout(t.network, t.address, writeTimeout)
	if err != nil {
		return false
	}
	t.conn = c
	return true
}

func (t *target) close() {
	if t.conn != nil {
		t.conn.Close()
	}
}

// A sample passes some of each run of lines (sample <ranges>:<size>). Nil
// passes all.
type sample struct {
	size, at int
	pass     []bool
}

func parseSample(ranges string, size int) (*sample, error) {
	if ranges == "" {
		return nil, nil
	}
	if size <= 0 || size > 1<<16 {
		return nil, fmt.Errorf("sample size must be from 1 to 65536, got %d", size)
	}
	s := &sample{size: size, pass: make([]bool, size)}
	for _, r := range strings.Split(ranges, ",") {
		lo, hi, two := strings.Cut(r, "-")
		if !two {
			hi = lo
		}
		a, err1 := strconv.Atoi(lo)
		b, err2 := strconv.Atoi(hi)
		if err1 != nil || err2 != nil || a < 1 || b < a || b > size {
			return nil, fmt.Errorf("sample range %q must lie in 1-%d", r, size)
		}
		for i := a; i <= b; i++ {
			s.pass[i-1] = true
		}
	}
	return s, nil
}

func (s *sample) takes() bool {
	if s == nil {
		return true
	}
	ok := s.pass[s.at]
	s.at = (s.at + 1) % s.size
	return ok
}
