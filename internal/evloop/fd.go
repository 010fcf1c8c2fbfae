package evloop

import (
	"net/netip"
	"syscall"
)

// Flags of an FD.
const (
	fdListening uint8 = 1 << iota // level-triggered: HandleReady each turn that it has connections
	fdPaused                      // a listener that is not registered for the time being
	fdAgain                       // stands in the loop's again list
)

// An FD is a descriptor that a loop watches: a socket, or a listening socket. It
// is embedded by value in the session that owns it; the zero value is closed. It
// must not be copied or overwritten while it is open.
//
// Epoll is told once, at Open, to report everything. What has been reported and
// not used up yet is kept here: see Ready.
type FD struct {
	loop    *Loop // nil: closed
	handler Handler
	num     int32
	slot    uint32
	errno   uint16
	ready   Ready
	which   uint8
	flags   uint8
}

// A Result says how a read or write ended.
type Result uint8

const (
	Done   Result = iota // n > 0 bytes went through (0 for a write of nothing)
	Again                // it would block; HandleReady tells when it no longer would
	EOF                  // the other side sends no more (reads only)
	Failed               // the connection is broken; Errno says how
)

func (r Result) String() string {
	switch r {
	case Done:
		return "done"
	case Again:
		return "again"
	case EOF:
		return "eof"
	}
	return "failed"
}

// Which is the tag given to Open, for a handler with several descriptors.
func (f *FD) Which() uint8 { return f.which }

// IsOpen reports whether f is between Open and Close.
func (f *FD) IsOpen() bool { return f.loop != nil }

// Num is the descriptor's number, -1 when closed.
func (f *FD) Num() int {
	if f.loop == nil {
		return -1
	}
	return int(f.num)
}

// Ready is what can be done without blocking, as far as is known: what epoll has
// reported, less what short or refused reads and writes have used up. ReadyHup
// and ReadyErr stay.
func (f *FD) Ready() Ready { return f.ready }

// Assume adds to Ready what the caller knows better than epoll, which has not
// reported yet: an accepted socket can be written and may be worth a read.
// HandleReady is not called for what was assumed.
func (f *FD) Assume(r Ready) { f.ready |= r }

// Errno is the error of the last call that Failed.
func (f *FD) Errno() syscall.Errno { return syscall.Errno(f.errno) }

// Read receives into p. A read of fewer bytes than asked has drained the socket:
// ReadyIn is cleared without a second read to see EAGAIN, unless FIN or an error
// is known to stand behind the bytes. (Linux also stops short of urgent data and,
// on UNIX sockets, after passed descriptors. Who sends those waits until he sends
// more.) An empty p gives Again and changes nothing.
func (f *FD) Read(p []byte) (int, Result) {
	f.loop.check()
	if len(p) == 0 {
		return 0, Again
	}
	n, errno := f.loop.kernel.Read(int(f.num), p)
	return f.received(n, len(p), errno)
}

// Peek is Read that leaves the bytes in the socket. It clears ReadyIn like Read,
// so that HandleReady is called when more bytes come; who wants to Read what was
// peeked at, and looks at Ready first, calls Assume(ReadyIn).
func (f *FD) Peek(p []byte) (int, Result) {
	f.loop.check()
	if len(p) == 0 {
		return 0, Again
	}
	n, errno := f.loop.kernel.Peek(int(f.num), p)
	return f.received(n, len(p), errno)
}

// Write sends p. A write of fewer bytes than asked has filled the socket:
// ReadyOut is cleared.
func (f *FD) Write(p []byte) (int, Result) {
	f.loop.check()
	if len(p) == 0 {
		return 0, Done
	}
	n, errno := f.loop.kernel.Write(int(f.num), p)
	return f.sent(n, len(p), errno)
}

// Writev sends a, b and c as one; any may be empty.
func (f *FD) Writev(a, b, c []byte) (int, Result) {
	f.loop.check()
	want := len(a) + len(b) + len(c)
	if want == 0 {
		return 0, Done
	}
	n, errno := f.loop.kernel.Writev(int(f.num), a, b, c)
	return f.sent(n, want, errno)
}

// WriteMore sends a and b as one, of which the last may wait for the next write,
// or for the FIN: what follows at once goes in the same segment. The kernel does
// not wait for longer than 200 ms.
func (f *FD) WriteMore(a, b []byte) (int, Result) {
	f.loop.check()
	want := len(a) + len(b)
	if want == 0 {
		return 0, Done
	}
	n, errno := f.loop.kernel.WriteMore(int(f.num), a, b)
	return f.sent(n, want, errno)
}

// SpliceFrom moves at most max bytes from the socket to a pipe, which must be
// empty: EAGAIN for a full pipe looks the same as for a drained socket. A short
// result proves nothing (the pipe may be out of pages), so only Again clears
// ReadyIn.
func (f *FD) SpliceFrom(pipeW int, max int) (int, Result) {
	f.loop.check()
	n, errno := f.loop.kernel.Splice(int(f.num), pipeW, max)
	switch {
	case errno != 0:
		return 0, f.refused(errno, ReadyIn)
	case n == 0:
		return 0, EOF
	}
	return n, Done
}

// SpliceTo moves at most max bytes from a pipe, which must not be empty, to the
// socket. Only Again clears ReadyOut.
func (f *FD) SpliceTo(pipeR int, max int) (int, Result) {
	f.loop.check()
	n, errno := f.loop.kernel.Splice(pipeR, int(f.num), max)
	if errno != 0 {
		return 0, f.refused(errno, ReadyOut)
	}
	return n, Done
}

// Accept takes one connection from a listening socket. It passes over those that
// died in the queue, as accept(2) advises. Failed means that the system is out
// of something (EMFILE, ENFILE, ENOBUFS, ENOMEM), or a bug.
func (f *FD) Accept() (conn int, from netip.AddrPort, res Result) {
	f.loop.check()
	for range acceptAttemptsMax {
		conn, from, errno := f.loop.kernel.Accept(int(f.num))
		switch errno {
		case 0:
			return conn, from, Done
		case syscall.EAGAIN:
			return -1, from, Again
		case syscall.ECONNABORTED, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.ENETDOWN, syscall.EHOSTDOWN,
			syscall.ENONET, syscall.EHOSTUNREACH, syscall.EOPNOTSUPP, syscall.ENETUNREACH, syscall.ETIMEDOUT:
		default:
			f.errno = uint16(errno)
			return -1, from, Failed
		}
	}
	return -1, netip.AddrPort{}, Again // level-triggered: there will be another turn
}

// acceptAttemptsMax bounds the dead connections that one Accept passes over.
const acceptAttemptsMax = 16

// SocketError takes the pending error from the socket; after the first ReadyOut
// or ReadyErr of a connecting socket it is connect's result.
func (f *FD) SocketError() syscall.Errno {
	f.loop.check()
	return f.loop.kernel.SocketError(int(f.num))
}

// Shutdown sends FIN after what has been written.
func (f *FD) Shutdown() syscall.Errno {
	f.loop.check()
	return f.loop.kernel.Shutdown(int(f.num))
}

func (f *FD) received(n, want int, errno syscall.Errno) (int, Result) {
	switch {
	case errno != 0:
		return 0, f.refused(errno, ReadyIn)
	case n == want:
		return n, Done
	case n == 0:
		return 0, EOF
	}
	if f.ready&(ReadyHup|ReadyErr) == 0 {
		f.ready &^= ReadyIn
	}
	return n, Done
}

func (f *FD) sent(n, want int, errno syscall.Errno) (int, Result) {
	if errno != 0 {
		return 0, f.refused(errno, ReadyOut)
	}
	if n < want {
		f.ready &^= ReadyOut
	}
	return n, Done
}

func (f *FD) refused(errno syscall.Errno, what Ready) Result {
	if errno == syscall.EAGAIN {
		f.ready &^= what
		return Again
	}
	f.errno = uint16(errno)
	return Failed
}
