package floor

import (
	"bytes"
	"syscall"

	"github.com/weir-lb/weir/bench/framing"
	"github.com/weir-lb/weir/bench/socket"
)

func (s *httpServer) step(l *loop, ended bool) {
	if s.client == nil {
		if ended {
			s.forget(l)
		}
		return
	}
	if s.client.waits() {
		s.client.up(l, false)
	}
	if s.client != nil {
		s.down(l, ended)
	}
}

// waits reports that bytes wait for room, and that nothing was read meanwhile.
func (h *half) waits() bool { return len(h.pending) > 0 || h.inPipe > 0 }

// down moves what the server sends.
func (s *httpServer) down(l *loop, ended bool) {
	for s.client != nil {
		c := s.client
		if m := s.flush(c.fd); m != movedAll {
			c.watch(l)
			c.endOn(l, m)
			return
		}
		if s.maybeEnd(l) {
			return
		}
		if s.body.left >= spliceMin {
			n, m := s.splice(l, s.fd, c.fd, s.body.left)
			s.body.left -= n
			if m == movedFull {
				c.watch(l)
			}
			if c.endOn(l, m); s.client != nil {
				s.maybeEnd(l)
			}
			return
		}
		n, errno := socket.Read(s.fd, l.scratch[:])
		if errno == syscall.EAGAIN || errno == syscall.ENOTCONN {
			return
		}
		if errno != 0 || n == 0 {
			c.close(l)
			return
		}
		s.take(l, l.scratch[:n])
		if n < scratchBytes && !ended && s.body.left < spliceMin {
			return
		}
	}
}

// take passes on answers, whole or not, as they are.
func (s *httpServer) take(l *loop, b []byte) {
	if len(s.head) > 0 {
		b = append(s.head, b...)
		s.head = nil
	}
	c, size := s.client, 0
	for size < len(b) {
		if !s.body.whole() {
			size += s.body.next(b[size:])
			continue
		}
		h, ok := framing.ParseHead(b[size:])
		if !ok {
			s.head = append([]byte(nil), b[size:]...)
			break
		}
		size += h.Size
		s.owed--
		s.body.begin(h)
		s.last = s.last || h.Close
		if c.closing && s.owed == 0 {
			l.edited = with(l.edited[:0], b, connectionClose)
			size += len(connectionClose)
			b = l.edited
		}
	}
	if size == 0 {
		return
	}
	switch s.write(c.fd, b[:size]) {
	case movedError:
		c.close(l)
		return
	case movedFull:
		c.watch(l)
		return
	}
	s.maybeEnd(l)
}

// with appends b with one more field after its first line to out.
func with(out, b, field []byte) []byte {
	i := bytes.IndexByte(b, '\n') + 1
	return append(append(append(out, b[:i]...), field...), b[i:]...)
}

// maybeEnd gives the connection back when the last answer has been sent, and
// says whether that was so.
func (s *httpServer) maybeEnd(l *loop) bool {
	c := s.client
	if s.owed > 0 || !s.body.whole() || !c.body.whole() || len(s.head) > 0 || s.waits() || c.waits() {
		return false
	}
	c.server, s.client = nil, nil
	s.release(l)
	c.release(l)
	if s.last {
		s.forget(l)
	} else {
		s.home.idle = append(s.home.idle, s)
	}
	if c.closing {
		c.close(l)
	}
	l.grant()
	return true
}

// grant brings the client that has waited longest to a server.
func (l *loop) grant() {
	for len(l.waiting) > 0 {
		c := l.waiting[0]
		l.waiting = l.waiting[1:]
		if c.gone {
			continue
		}
		b := c.pending
		c.pending = nil
		c.forward(l, b, 1)
		return
	}
}

// close ends a connection whose client has left in the middle.
func (s *httpServer) close(l *loop) {
	s.client = nil
	s.release(l)
	s.forget(l)
	l.grant()
}

// forget closes a connection that no client has.
func (s *httpServer) forget(l *loop) {
	s.home.open--
	for i, idle := range s.home.idle {
		if idle == s {
			s.home.idle = append(s.home.idle[:i], s.home.idle[i+1:]...)
			break
		}
	}
	l.close(s.fd)
}
