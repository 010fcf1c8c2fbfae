package floor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// A tcpSession is a client and its server; index 0 is the client, and
// halves[0] the way from it.
type tcpSession struct {
	fds    [2]int
	halves [2]tcpHalf
	gone   bool
}

type tcpHalf struct {
	half
	ended bool // FIN has arrived, or is known to be on its way
	shut  bool // and has been passed on
	long  bool // a whole scratch buffer came at once: from now on splice
}

func (s *tcpSession) step(l *loop, ended bool) {
	for i := range s.halves {
		h := &s.halves[i]
		h.ended = h.ended || ended
		if s.gone || h.shut {
			continue
		}
		switch s.move(l, h, s.fds[i], s.fds[1-i]) {
		case movedEnd:
			h.shut = true
			unix.Shutdown(s.fds[1-i], unix.SHUT_WR) // a socket that is gone needs no FIN
		case movedError:
			s.close(l)
		}
	}
	if !s.gone && s.halves[0].shut && s.halves[1].shut {
		s.close(l)
	}
}

func (s *tcpSession) move(l *loop, h *tcpHalf, from, to int) moved {
	if m := h.flush(to); m != movedAll {
		return m
	}
	for {
		if h.long {
			_, m := h.splice(l, from, to, 1<<62)
			return m
		}
		n, errno := socket.Read(from, l.scratch[:])
		if errno != 0 {
			if errno == syscall.EAGAIN || errno == syscall.ENOTCONN {
				return movedAll
			}
			return movedError
		}
		if n == 0 {
			return movedEnd
		}
		h.long = n == scratchBytes
		if m := h.write(to, l.scratch[:n]); m != movedAll {
			return m
		}
		if n < scratchBytes && !h.ended {
			return movedAll
		}
	}
}

func (s *tcpSession) close(l *loop) {
	s.gone = true
	for i := range s.halves {
		s.halves[i].release(l)
		l.close(s.fds[i])
	}
}
