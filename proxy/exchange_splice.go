package proxy

import (
	"math"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// This file moves what is long of a body through the kernel, from socket to
// socket, instead of through our memory.

// spliceBodyMin is what must be left of a body for a pipe to be worth its system
// calls. The first read, which brought the head, is not a part of it.
const spliceBodyMin = 16 << 10 // bytes

// A bodySplice is one direction of an exchange while its body is spliced.
type bodySplice struct {
	pipe pipe // zero while bytes are copied
	full bool // the last read filled its memory: it is likely that more is there
}

// splices reports whether bytes may go from socket to socket: not where they are
// to be sealed, opened or put into frames.
func (x *exchange) splices() bool {
	c, sc := x.h1(), x.hunt.sc // sc is nil: let go, since all of the answer is here
	return c != nil && sc != nil && !x.w.p.tune.NoSplice && c.fd.plain() && sc.fd.plain()
}

// wanted reports whether the next bytes of b go through the pipe. A body that
// comes in small pieces is copied, since splice(2) needs a call more for each.
func (s *bodySplice) wanted(w *worker, b *body) bool {
	if s.pipe.held > 0 {
		return true
	}
	left := b.plainLeft()
	if !s.full || left == 0 {
		return false
	}
	if s.pipe.size == 0 {
		if left < spliceBodyMin {
			return false
		}
		s.pipe = w.takePipe()
		s.full = s.pipe.size > 0 // no pipe to be had: ask again after the next full read
	}
	return s.full
}

// fill takes what src has of b, as far as budget goes. When that was all for the time being the pipe
// is given back.
func (s *bodySplice) fill(w *worker, src *stream, b *body, budget int) evloop.Result {
	n, res := s.pipe.fill(src, min(b.plainLeft(), spliceShare(budget)))
	b.spliced(n)
	if res == evloop.Again {
		s.leave(w)
	}
	return res
}

// leave gives the pipe back; bytes in it are lost.
func (s *bodySplice) leave(w *worker) {
	if s.pipe.size > 0 {
		w.putPipe(s.pipe)
	}
	*s = bodySplice{}
}

// plainLeft is how many bytes may yet come that go out as they are.
func (b *body) plainLeft() int64 {
	switch {
	case b.done || b.hidden:
	case b.framing == message.BodyLength:
		return b.left
	case b.framing == message.BodyUntilClose:
		return math.MaxInt64
	}
	return 0
}

// spliced notes n bytes that went into a pipe.
func (b *body) spliced(n int) {
	b.moved += int64(n)
	if b.framing == message.BodyLength {
		b.left -= int64(n)
	}
}

// spliceResponse moves one pipe full. It returns what that takes of the budget,
// and whether there is more to do now.
func (x *exchange) spliceResponse(now evloop.Time, budget int) (cost int, more bool) {
	s := &x.downSplice
	if s.pipe.held == 0 {
		switch res := s.fill(x.w, &x.hunt.sc.fd, &x.down, budget); res {
		case evloop.Again:
			x.waitForBody(now)
			return 0, false
		case evloop.EOF, evloop.Failed:
			x.serverEnded(now, res)
			return 0, false
		}
		x.down.done = x.down.framing == message.BodyLength && x.down.left == 0
	}
	n, res := s.pipe.drain(&x.h1().fd)
	if res == evloop.Failed {
		x.abort(now, CauseClientAbort, x.phase())
		return 0, false
	}
	x.countDown(n)
	if res == evloop.Again || x.down.done && s.pipe.held == 0 {
		x.afterPump(now)
		return spliceEffort(n, budget), false
	}
	return spliceEffort(n, budget), true
}

// waitForBody: the server has its time to send more.
func (x *exchange) waitForBody(now evloop.Time) {
	x.hunt.sc.setDeadline(after(now, x.be.timeouts.server))
	x.c.setDeadline(0)
}

// splicesRequest reports whether the next bytes of the request body are
// spliced: those that came with the head are in memory and go first.
func (x *exchange) splicesRequest() bool {
	c := x.h1()
	return c != nil && c.more == nil && c.in.Len() == 0 && x.req.Method != message.MethodConnect &&
		(x.upSplice.pipe.held > 0 || x.splices()) && x.upSplice.wanted(x.w, &x.up)
}

// spliceRequest is spliceResponse towards the server. The body counts as done
// when the server has taken it.
func (x *exchange) spliceRequest(now evloop.Time, budget int) (cost int, more bool) {
	s, sc := &x.upSplice, x.hunt.sc
	if s.pipe.held == 0 {
		switch x.h1().noteEnd(s.fill(x.w, &x.h1().fd, &x.up, budget)) {
		case evloop.Again:
			x.c.setDeadline(after(now, x.fe.timeouts.client))
			return 0, false
		case evloop.EOF, evloop.Failed:
			x.abort(now, CauseClientAbort, phaseData)
			return 0, false
		}
	}
	n, res := s.pipe.drain(&sc.fd)
	if res == evloop.Failed {
		x.serverWriteFailed(now)
		return 0, false
	}
	x.countUp(n)
	if res == evloop.Again {
		x.c.setDeadline(0)
		sc.setDeadline(after(now, x.be.timeouts.server))
		return 0, false
	}
	if x.up.left == 0 && s.pipe.held == 0 {
		x.up.done = true
		s.leave(x.w)
	}
	return spliceEffort(n, budget), true
}
