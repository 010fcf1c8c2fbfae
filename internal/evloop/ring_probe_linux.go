package evloop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// RingError says why Fastest cannot use io_uring here: nil when it can. Old
// kernels, sandboxes and kernel.io_uring_disabled refuse it; others have it but
// do not make every call at once, which only a trial shows.
func RingError() error {
	r, errno := openRing(probeCalls)
	if errno != 0 {
		return &ringError{"can't set up io_uring", errno}
	}
	defer r.close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return &ringError{"can't try io_uring: no sockets", errnoOf(err)}
	}
	defer unix.Close(fds[0])
	memory, err := unix.Mmap(-1, 0, probeBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		unix.Close(fds[1])
		return &ringError{"can't try io_uring: no memory", errnoOf(err)}
	}
	defer unix.Munmap(memory)
	what := r.probe(fds[0], fds[1], memory)
	unix.Close(fds[1])
	if what == "" && !r.tells(fds[0], memory[:1], -int32(syscall.EPIPE)) {
		what = "a failed send is not told"
	}
	if what != "" {
		return &ringError{"can't use io_uring: " + what, 0}
	}
	return nil
}

const (
	probeCalls = 4
	probeBytes = 64 << 10
	probeSends = 256 // after so many bytes of nobody's reading a socket must be full
)

// A ringError is why there is no ring.
type ringError struct {
	what  string
	errno syscall.Errno
}

func (e *ringError) Error() string {
	if e.errno == 0 {
		return e.what
	}
	return e.what + ": " + e.errno.Error()
}

// probe tries what a batch relies on, and returns what did not work.
func (r *ring) probe(ours, theirs int, memory []byte) string {
	r.pushSend(ours, memory[:5], 1)
	r.pushReceive(theirs, memory[:100], 2)
	r.pushReceive(theirs, memory[:100], 3)
	if r.submit() != 3 {
		return "it does not take several calls"
	}
	got, empty := r.next(), r.next()
	switch {
	case got == nil || got.data != 2 || got.res != 5:
		return "bytes sent do not arrive at once"
	case empty == nil || empty.data != 3 || empty.res != -int32(syscall.EAGAIN) || r.next() != nil:
		return "a read of nothing waits"
	}
	for range probeSends {
		r.pushSend(ours, memory, 4)
		if r.submit() != 1 {
			return "it does not take a call"
		}
		if full := r.next(); full != nil {
			if full.data != 4 || full.res != -int32(syscall.EAGAIN) && (full.res <= 0 || full.res >= probeBytes) {
				return "a short send is not told"
			}
			return ""
		}
	}
	return "a send that does not fit is not told"
}

// tells reports whether a send gives the error res.
func (r *ring) tells(fd int, p []byte, res int32) bool {
	r.pushSend(fd, p, 5)
	if r.submit() != 1 {
		return false
	}
	got := r.next()
	return got != nil && got.data == 5 && got.res == res
}
