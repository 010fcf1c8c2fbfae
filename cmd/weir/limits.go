package main

import (
	"fmt"
	"syscall"
)

const (
	// What one client connection may need at the same time.
	descriptorsPerConnection = 2       // the client's and the server's
	sessionBytes             = 4 << 10 // session, heads, timers, without its two buffers

	// What the process needs before the first connection.
	descriptorsFixed = 32       // standard ones, log targets, pid file, runtime; a reserve
	memoryFixed      = 48 << 20 // bytes: program, runtime, plan

	memoryShare = 80 // percent of a memory limit that connections may plan with

	pipesShare = 4 // one connection in four may splice in both directions

	// Without a configured maxconn nobody asked for more than this, however
	// much the system grants (some grant a billion descriptors).
	descriptorsMax = 1 << 20 // fd-hard-limit of the manual
	connectionsMax = 500_000
)

// supply is what the system grants.
type supply struct {
	soft, hard  uint64 // RLIMIT_NOFILE
	memoryBytes uint64 // cgroup limit or -m; 0: none known
}

// demand is what the configuration asks for; 0: not given.
type demand struct {
	maxConn     int
	ulimitN     int
	hardLimit   int // fd-hard-limit
	bufferBytes int
	loops       int
	sockets     int // listening
	checks      int
	logs        int
}

// limits is what a process gets.
type limits struct {
	maxConn     int
	maxPipes    int
	descriptors uint64 // to set as RLIMIT_NOFILE
	available   uint64 // the most that could be set
	formula     string
}

// fixed counts the descriptors that exist without any connection.
func (d demand) fixed() uint64 {
	const perLoop = 3 // epoll, eventfd and io_uring
	return uint64(descriptorsFixed + perLoop*d.loops + d.sockets + d.checks + d.logs)
}

// connectionBytes is the worst case: both buffers taken.
func (d demand) connectionBytes() uint64 { return uint64(2*d.bufferBytes + sessionBytes) }

// computeLimits settles maxconn and descriptors:
//
//	descriptors = 2 * maxconn + fixed        (and pipes from what is left)
//	memory      = maxconn * (2 * bufsize + 4 KiB) + 48 MiB <= 80 % of the limit
//
// It fails when a configured maxconn does not fit the descriptors.
func computeLimits(s supply, d demand) (limits, error) {
	available := s.available(d)
	byDescriptors := 0
	if available > d.fixed() {
		byDescriptors = int((available - d.fixed()) / descriptorsPerConnection)
	}
	if d.maxConn > 0 {
		return configuredLimits(s, d, available)
	}
	// Leave room for pipes: each needs two descriptors.
	l := limits{maxConn: byDescriptors * 2 * pipesShare / (2*pipesShare + 2), descriptors: available, available: available}
	why := fmt.Sprintf("(%d descriptors - %d fixed) / 2.5", available, d.fixed())
	if byMemory, known := s.connectionsByMemory(d); known && byMemory < l.maxConn {
		l.maxConn = byMemory
		why = fmt.Sprintf("(%d %% of %d MiB - %d MiB) / %d KiB", memoryShare, s.memoryBytes>>20, memoryFixed>>20, d.connectionBytes()>>10)
	}
	if l.maxConn > connectionsMax {
		l.maxConn = connectionsMax
		why = "the most that is taken unasked"
	}
	if l.maxConn < 1 {
		return l, fmt.Errorf("no connection fits: %d descriptors, %d of them fixed; raise 'ulimit -n'", available, d.fixed())
	}
	l.maxPipes = l.maxConn / pipesShare
	l.descriptors = min(available, d.needs(l.maxConn)+2*uint64(l.maxPipes))
	l.formula = fmt.Sprintf("maxconn %d = %s", l.maxConn, why)
	return l.exact(d), nil
}

// exact takes the descriptors that ulimit-n asks for, even those to spare.
func (l limits) exact(d demand) limits {
	if d.ulimitN > 0 {
		l.descriptors = max(l.descriptors, min(uint64(d.ulimitN), l.available))
	}
	return l
}

// configuredLimits is for a file that names its maxconn.
func configuredLimits(s supply, d demand, available uint64) (limits, error) {
	need := d.needs(d.maxConn)
	if need > available {
		return limits{}, fmt.Errorf("cannot raise FD limit to %d, limit is %d (maxconn %d needs 2 per connection and %d fixed)",
			need, available, d.maxConn, d.fixed())
	}
	pipes := min(uint64(d.maxConn/pipesShare), (available-need)/2)
	l := limits{maxConn: d.maxConn, maxPipes: int(pipes), descriptors: need + 2*pipes, available: available}
	l.formula = fmt.Sprintf("maxconn %d as configured: %d descriptors of %d", d.maxConn, l.descriptors, available)
	if byMemory, known := s.connectionsByMemory(d); known && byMemory < d.maxConn {
		l.formula += fmt.Sprintf("; memory of %d MiB is safe for %d", s.memoryBytes>>20, byMemory)
	}
	return l.exact(d), nil
}

// wanted is the number of descriptors that the configuration asks for; 0 when
// it leaves that to us.
func (d demand) wanted() uint64 {
	switch {
	case d.ulimitN > 0:
		return uint64(d.ulimitN)
	case d.maxConn > 0:
		return d.needs(d.maxConn)
	}
	return 0
}

// needs counts the descriptors for n client connections.
func (d demand) needs(n int) uint64 { return descriptorsPerConnection*uint64(n) + d.fixed() }

// available is the number of descriptors that we can have.
func (s supply) available(d demand) uint64 {
	if d.ulimitN > 0 {
		return min(uint64(d.ulimitN), s.hard)
	}
	most := uint64(descriptorsMax)
	if d.hardLimit > 0 {
		most = uint64(d.hardLimit)
	}
	return min(s.hard, most)
}

func (s supply) connectionsByMemory(d demand) (n int, known bool) {
	if s.memoryBytes == 0 {
		return 0, false
	}
	usable := s.memoryBytes / 100 * memoryShare
	if usable <= memoryFixed {
		return 1, true
	}
	return int((usable - memoryFixed) / d.connectionBytes()), true
}

// descriptorSupply reads RLIMIT_NOFILE, after an attempt to raise the hard
// limit to what is wanted, which root often may.
func descriptorSupply(wanted uint64) (supply, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return supply{}, fmt.Errorf("can't read the descriptor limit: %w", err)
	}
	higher := syscall.Rlimit{Cur: r.Cur, Max: wanted}
	if wanted > r.Max && syscall.Setrlimit(syscall.RLIMIT_NOFILE, &higher) == nil {
		r.Max = wanted
	}
	return supply{soft: r.Cur, hard: r.Max}, nil
}

// setDescriptors makes n the limit.
func setDescriptors(n uint64, s supply) error {
	r := syscall.Rlimit{Cur: n, Max: s.hard}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return fmt.Errorf("cannot raise FD limit to %d, limit is %d: %w", n, s.hard, err)
	}
	return nil
}
