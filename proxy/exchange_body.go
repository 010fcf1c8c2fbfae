package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// This file waits for the request body (option http-buffer-request): in a
// frontend before its rules, in a backend before that one's.

// bodyReady reports whether all of the body, or all that fits, is here. If not,
// bodyAwaited goes on when it is, or the exchange is over.
func (x *exchange) bodyReady(now evloop.Time) bool {
	switch enough, ok := x.bodyBuffered(); {
	case !ok:
		x.badAwaitedBody(now)
		return false
	case enough || x.bodyCut:
		return true
	}
	if x.state != exchangeBody {
		x.setState(exchangeBody)
	}
	x.c.setDeadline(after(now, x.bodyTime()))
	x.bufferBody(now)
	return false
}

// bodyTime bounds the wait: timeout http-request of who asked for it, else
// timeout client.
func (x *exchange) bodyTime() time.Duration {
	switch {
	case x.be == nil:
		return x.fe.timeouts.httpRequest
	case x.be.spec.Timeouts.HTTPRequest != 0:
		return x.be.timeouts.httpRequest
	}
	return x.fe.timeouts.client
}

// bodyBuffered reports whether all of the body, or all that fits, is here. ok is
// false when its framing is broken.
func (x *exchange) bodyBuffered() (enough, ok bool) {
	most := x.w.p.tune.BufSize - x.w.p.tune.MaxRewrite
	b, whole := x.c.bodyHere()
	switch {
	case x.up.framing == message.BodyNone:
		return true, true
	case x.up.framing == message.BodyLength:
		return int64(len(b)) >= min(x.up.left, int64(most)), true
	case x.up.plain:
		return whole || len(b) >= most, true
	}
	used, _, ok := x.probe.take(b[x.probed:], x.w.out[:0])
	x.probed += used
	return x.probe.done || len(b) >= most, ok
}

// bufferBody reads on. A client that has sent FIN meets the rules all the same,
// and no server.
func (x *exchange) bufferBody(now evloop.Time) {
	for {
		switch enough, ok := x.bodyBuffered(); {
		case !ok:
			x.badAwaitedBody(now)
			return
		case enough:
			x.bodyAwaited(now)
			return
		}
		switch x.c.awaitBody(x) {
		case evloop.Done:
		case evloop.Again:
			return
		case evloop.EOF:
			x.bodyCut = true
			x.bodyAwaited(now)
			return
		case evloop.Failed:
			x.clientGone(now)
			return
		}
	}
}

// bodyAwaited goes on where the wait began.
func (x *exchange) bodyAwaited(now evloop.Time) {
	x.c.setDeadline(0)
	if x.be == nil {
		x.enterFrontend(now)
	} else {
		x.enterBackend(now)
	}
}

func (x *exchange) badAwaitedBody(now evloop.Time) {
	x.fe.counters(x.w).badRequest.inc()
	x.keep, x.headDone = false, 0
	x.up.done = true // nothing more of it is of use
	x.fail(now, 400, CauseRequestInvalid, phaseRequest)
}

// payload is what is here of the request body, without its framing: what rules
// see of it before the request is sent.
func (x *exchange) payload() []byte {
	if x.up.framing == message.BodyNone || x.requestSent {
		return nil
	}
	b, _ := x.c.bodyHere()
	if x.up.plain {
		return b
	}
	if x.up.framing == message.BodyLength {
		return b[:min(int64(len(b)), x.up.left)] // behind it stands the next request
	}
	plain := body{framing: message.BodyChunked, dechunk: true}
	if x.w.payload == nil {
		x.w.payload = make([]byte, 0, x.w.p.tune.BufSize+chunkHeadMax)
	}
	_, out, _ := plain.take(b, x.w.payload)
	return out
}

// chunksLookRight reports whether the chunks that came with the head are well
// framed: if not, no server has to see the request.
func (x *exchange) chunksLookRight() bool {
	probe := body{framing: message.BodyChunked}
	b, _ := x.c.bodyHere()
	_, _, ok := probe.take(b, x.w.out[:0])
	return ok
}
