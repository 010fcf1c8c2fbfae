package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// This file moves the request to the server.

// sendRequest writes the head, and the first of the body with it.
func (x *exchange) sendRequest(now evloop.Time, head []byte) {
	sc := x.hunt.sc
	var first []byte
	if !x.up.done && x.up.framing == message.BodyLength {
		first = x.c.firstBody(x)
	}
	if !sc.write(head, first) {
		x.serverWriteFailed(now)
		return
	}
	x.countUp(len(first))
	if !x.up.done || sc.out != nil {
		x.pumpRequest(now)
		return
	}
	x.requestIsSent(now)
}

// requestIsSent: from now on the server has its time to answer.
func (x *exchange) requestIsSent(now evloop.Time) {
	x.sentUp = now
	x.c.setDeadline(0)
	if !x.answering {
		x.hunt.sc.setDeadline(after(now, x.be.timeouts.server))
	}
}

// pumpRequest moves the request body until a side blocks. While bytes wait
// for the server, the client is not read.
func (x *exchange) pumpRequest(now evloop.Time) {
	sc, c := x.hunt.sc, x.c
	for budget := x.w.relayShare(); budget > 0; {
		if !sc.flush() {
			x.serverWriteFailed(now)
			return
		}
		if sc.out != nil || x.up.done {
			break
		}
		if x.splicesRequest() {
			n, more := x.spliceRequest(now, budget)
			if !more {
				return
			}
			budget -= n
			continue
		}
		b, res := c.readBody(x)
		switch res {
		case evloop.Again:
			c.setDeadline(after(now, x.fe.timeouts.client))
			return
		case evloop.EOF, evloop.Failed:
			x.abort(now, CauseClientAbort, phaseData)
			return
		}
		x.upSplice.full = len(b) == len(x.w.in)
		moved := x.up.moved
		used, out, ok := x.up.take(b, x.w.out[:0])
		budget -= effort(len(b), x.up.moved-moved)
		if !ok {
			x.badRequestBody(now)
			return
		}
		if !sc.write(out, nil) {
			x.serverWriteFailed(now)
			return
		}
		x.countUp(len(out))
		c.bodyUsed(x, b, used)
	}
	x.afterPumpRequest(now)
}

func (x *exchange) afterPumpRequest(now evloop.Time) {
	sc := x.hunt.sc
	switch {
	case sc.out != nil:
		x.c.setDeadline(0)
		sc.setDeadline(after(now, x.be.timeouts.server))
	case x.up.done:
		if x.sentUp == 0 {
			x.requestIsSent(now)
		}
	default:
		x.c.again()
	}
}

func (x *exchange) countUp(n int) {
	if n > 0 {
		u := uint64(n)
		x.fe.counters(x.w).bytesIn.add(u)
		x.be.counters(x.w).bytesIn.add(u)
		x.hunt.srv.live.counters[x.w.id].bytesIn.add(u)
	}
}

// serverWriteFailed: the server closed while we sent. It may have answered
// before it did (RFC 9112 section 9.5); otherwise the idle connection was
// dead, or the server is.
func (x *exchange) serverWriteFailed(now evloop.Time) {
	if x.state != exchangeWait {
		x.abort(now, CauseServerAbort, x.phase())
		return
	}
	sc := x.hunt.sc
	if sc.out != nil { // or the next look at what came would try to write it again
		x.w.pool.Put(sc.out)
		sc.out = nil
	}
	x.upSplice.leave(x.w)
	x.serverKeep = false
	x.up.done = true
	x.keepAfterCut()
	if !x.c.waiting() {
		x.c.setDeadline(0)
	}
	sc.setDeadline(after(now, x.be.timeouts.server))
	x.readResponse(now)
}

// keepAfterCut: the rest of a request body that no server takes can only be
// got rid of by ending the connection.
func (x *exchange) keepAfterCut() {
	if x.up.framing != message.BodyNone {
		x.keep = false
	}
}
