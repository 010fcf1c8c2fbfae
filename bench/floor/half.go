package floor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// A half is the way of bytes from one socket to the other. It reads nothing
// while something waits to be written.
type half struct {
	pending []byte // read, but the other socket was full
	pipe    [2]int // valid while piped
	piped   bool
	inPipe  int
}

// A moved says how a half stopped.
type moved uint8

const (
	movedAll   moved = iota // nothing more has come
	movedFull               // the other socket takes no more now
	movedEnd                // the sender's FIN has been read and everything is written
	movedError              // one of the sockets is gone
)

// write sends b, and keeps what does not fit.
func (h *half) write(to int, b []byte) moved {
	if len(h.pending) > 0 {
		h.pending = append(h.pending, b...)
		return movedFull
	}
	n, errno := socket.Write(to, b)
	if errno != 0 && errno != syscall.EAGAIN && errno != syscall.ENOTCONN {
		return movedError
	}
	if n < len(b) {
		h.pending = append(h.pending, b[n:]...)
		return movedFull
	}
	return movedAll
}

// flush sends what waits.
func (h *half) flush(to int) moved {
	for len(h.pending) > 0 {
		n, errno := socket.Write(to, h.pending)
		if errno != 0 {
			return full(errno)
		}
		if h.pending = h.pending[n:]; len(h.pending) == 0 {
			h.pending = nil
		}
	}
	for h.inPipe > 0 {
		n, errno := socket.Splice(h.pipe[0], to, h.inPipe)
		if errno != 0 {
			return full(errno)
		}
		h.inPipe -= n
	}
	return movedAll
}

func full(errno syscall.Errno) moved {
	if errno == syscall.EAGAIN || errno == syscall.ENOTCONN {
		return movedFull
	}
	return movedError
}

// splice moves up to max bytes through a pipe; n is how many were taken.
func (h *half) splice(l *loop, from, to int, max int64) (n int64, m moved) {
	if !h.piped && !l.takePipe(h) {
		return 0, movedError
	}
	for n < max {
		in, errno := socket.Splice(from, h.pipe[1], int(min(max-n, pipeBytes)))
		if errno == syscall.EAGAIN {
			return n, movedAll
		}
		if errno != 0 {
			return n, movedError
		}
		if in == 0 {
			return n, movedEnd
		}
		n += int64(in)
		h.inPipe += in
		if m := h.flush(to); m != movedAll {
			return n, m
		}
	}
	return n, movedAll
}

func (l *loop) takePipe(h *half) bool {
	if last := len(l.pipes) - 1; last >= 0 {
		h.pipe, l.pipes = l.pipes[last], l.pipes[:last]
	} else {
		var p [2]int
		if unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
			return false
		}
		unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, pipeBytes) // a smaller pipe is slower, not wrong
		h.pipe = p
	}
	h.piped = true
	return true
}

// release gives the pipe back. One with bytes in it can't be used again.
func (h *half) release(l *loop) {
	if !h.piped {
		return
	}
	if h.inPipe == 0 {
		l.pipes = append(l.pipes, h.pipe)
	} else {
		socket.Close(h.pipe[0])
		socket.Close(h.pipe[1])
	}
	*h = half{}
}
