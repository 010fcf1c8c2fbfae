package evloop

import (
	"net/netip"
	"syscall"
	"time"
)

// Time is a reading of CLOCK_MONOTONIC in nanoseconds. Zero means "no time": a
// deadline of zero never comes.
type Time int64

// Add returns t shifted by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Ready says what a descriptor can do without blocking.
type Ready uint8

const (
	ReadyIn  Ready = 1 << iota // bytes, a connection or an end of file can be read
	ReadyOut                   // bytes can be written, or a connect has ended
	ReadyHup                   // the other side has sent FIN (EPOLLRDHUP); unread bytes may stand before it
	ReadyErr                   // EPOLLERR or EPOLLHUP: SocketError or the next read tells which
)

// Handler owns descriptors, timers or letters of a Loop. Its methods run on the
// loop's goroutine, one at a time.
type Handler interface {
	// HandleReady is called when fd became ready for something that it was not
	// known to be ready for, and again for each call of Loop.Again. The
	// accumulated readiness is fd.Ready().
	HandleReady(now Time, fd *FD)
	// HandleTimeout is called once, at or after the deadline last given to
	// Loop.SetTimer; the timer is then stopped.
	HandleTimeout(now Time, t *Timer)
	// HandleLetter receives what another goroutine posted.
	HandleLetter(now Time, l *Letter)
}

// A Kernel is the part of the system that a Loop and its handlers need. The
// system's own is System(), which has scratch memory and so belongs to one loop;
// tests use the scripted one of package simkernel. All calls are non-blocking but
// Wait. Errno 0 means success. No method keeps a slice after it returns. Now and
// Wake may be called from any goroutine.
type Kernel interface {
	Now() Time
	// Wait fills events, waiting at most timeout (negative: for ever; zero:
	// not at all), and returns how many.
	Wait(epfd int, events []Event, timeout time.Duration) (int, syscall.Errno)
	EpollCreate() (int, syscall.Errno)
	// EpollAdd registers fd edge-triggered for input, output and hang-up; tag
	// comes back in its events. exclusive is for shared listening sockets,
	// which are level-triggered with EPOLLEXCLUSIVE.
	EpollAdd(epfd, fd int, tag uint64, listening bool) syscall.Errno
	EpollDel(epfd, fd int) syscall.Errno
	WakeCreate() (int, syscall.Errno) // an eventfd; registered edge-triggered, so it is never drained
	Wake(fd int)

	Accept(fd int) (conn int, from netip.AddrPort, errno syscall.Errno) // non-blocking, close-on-exec; zero AddrPort for UNIX sockets
	Read(fd int, p []byte) (int, syscall.Errno)                         // recv; 0 bytes and errno 0 is the end of file
	Peek(fd int, p []byte) (int, syscall.Errno)                         // recv with MSG_PEEK
	Write(fd int, p []byte) (int, syscall.Errno)                        // send with MSG_NOSIGNAL
	Writev(fd int, a, b, c []byte) (int, syscall.Errno)                 // sendmsg with MSG_NOSIGNAL; any may be empty
	WriteMore(fd int, a, b []byte) (int, syscall.Errno)                 // Writev with MSG_MORE: the last of it may wait for what follows
	Pipe(size int) (r, w int, errno syscall.Errno)                      // for Splice; size in bytes, 0 leaves the default
	Splice(from, to, max int) (int, syscall.Errno)                      // SPLICE_F_MOVE|SPLICE_F_NONBLOCK
	Socket(family, typ, proto int) (int, syscall.Errno)                 // non-blocking, close-on-exec
	Bind(fd int, to Addr) syscall.Errno
	Connect(fd int, to Addr) syscall.Errno // EINPROGRESS while it lasts
	SocketError(fd int) syscall.Errno      // SO_ERROR
	LocalAddr(fd int) netip.AddrPort
	SetInt(fd, level, opt, value int) syscall.Errno
	SetString(fd, level, opt int, value string) syscall.Errno // SO_BINDTODEVICE
	Shutdown(fd int) syscall.Errno                            // of the sending half
	Close(fd int)
	Reset(fd int) // close with SO_LINGER 0: the other side gets a RST
}

// An Addr is where a stream socket connects to or binds: an IP address and
// port, or the path of a UNIX socket (a leading @ means the abstract space).
type Addr struct {
	IP   netip.AddrPort
	Path string
}

// An Event is what Wait reports for one tag.
type Event struct {
	Tag   uint64
	Ready Ready
}
