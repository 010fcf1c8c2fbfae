package proxy

import (
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// This file holds every way in which an exchange ends.

// finish: the response is written whole.
func (x *exchange) finish(now evloop.Time) {
	x.releaseServer(now)
	why, at := CauseNone, phaseNone
	if x.tarpitted {
		why, at = CauseDenied, phaseTarpit
	}
	x.over(now, why, at, x.keep)
}

// releaseServer parks or closes the connection. The slot is given back when
// the line is written, which tells of the others only.
func (x *exchange) releaseServer(now evloop.Time) {
	h := &x.hunt
	sc := h.sc
	if sc == nil {
		return
	}
	h.sc = nil
	switch {
	case !x.serverKeep || !x.up.done || sc.out != nil:
		sc.reset() // not close: no TIME_WAIT holds the port
	case sc.srv.private || x.be.reuse == ReuseNever:
		x.pin(sc)
	default:
		x.w.putIdle(now, sc)
	}
}

// forgetAnswer lets the server go whose answer, of which the head was read,
// nobody will see. When all of it is here the connection can go on; more of it is
// not waited for.
func (x *exchange) forgetAnswer(now evloop.Time) {
	used, _, ok := x.down.take(x.rest, x.w.out[:0])
	x.serverKeep = x.serverKeep && ok && x.down.done && used == len(x.rest)
	x.rest = nil
	x.releaseServer(now)
}

// pin keeps the connection for this client's next request.
func (x *exchange) pin(sc *serverConn) {
	shared := x.c.shared()
	if !x.keep || shared.pinned != nil {
		sc.reset()
		return
	}
	sc.user, sc.state, sc.pinnedTo = nil, connPinned, shared
	sc.setDeadline(0)
	shared.pinned = sc
}

// over logs, frees and hands the connection back to its driver.
func (x *exchange) over(now evloop.Time, why Cause, at phase, keep bool) {
	c := x.c
	x.log(now, why, at)
	x.endState(keep)
	c.exchangeOver(now, keep)
}

// abort ends the exchange and the client connection: nothing can be answered
// any more, or what was begun can't be ended well. What was cut short must
// look cut short, so the connection is reset where its end would look like
// the end of the body.
func (x *exchange) abort(now evloop.Time, why Cause, at phase) {
	c := x.c
	x.countAbort(why)
	x.serverKeep = false
	x.dropServer()
	x.log(now, why, at)
	looksWhole := x.answering && !x.down.hidden && (x.down.framing == message.BodyUntilClose || x.down.dechunk)
	at0 := cut{why: why, rst: looksWhole, atOnce: looksWhole || why == CauseClientAbort || why == CauseClientTimeout && x.answering}
	x.endState(true)
	c.exchangeCut(now, at0)
}

// A cut is how an exchange ended that could not be ended well.
type cut struct {
	why    Cause
	rst    bool // the end of an HTTP/1 connection would look like the end of the answer
	atOnce bool // what waits to be written is of no use
}

// dropServer closes the connection to the server or leaves the queue. An
// aborted connection is reset: the server learns of it at once, and no
// TIME_WAIT holds the port.
func (x *exchange) dropServer() {
	if sc := x.hunt.sc; sc != nil {
		x.hunt.sc = nil
		sc.reset()
	}
	if x.hunt.state == huntQueued {
		x.hunt.abandonQueue()
	}
}

func (x *exchange) endState(keep bool) {
	if x.resIn != nil {
		x.w.pool.Put(x.resIn)
		x.resIn = nil
	}
	x.upSplice.leave(x.w)
	x.downSplice.leave(x.w)
	x.hunt.end()
	if x.tunnel != nil {
		x.tunnel.release()
	}
	x.c.exchangeEnds(x, keep)
	x.state = exchangeOver
	x.freed()
}

// fail answers with an error of ours, or cuts when the response has begun.
func (x *exchange) fail(now evloop.Time, status int, why Cause, at phase) {
	if x.answering {
		x.abort(now, why, at)
		return
	}
	x.countAbort(why)
	x.dropServer()
	a := x.errorAnswer(status)
	x.rec.Status = a.status
	x.answerNow(now, a, why, at)
}

// errorAnswer looks in the backend first, as errorfile in a backend covers
// what happens there.
func (x *exchange) errorAnswer(status int) *answer {
	if x.be != nil {
		if own := x.be.ownAnswers[status]; own != nil {
			return own
		}
	}
	return x.fe.answers[status]
}

// answerNow sends a complete response of our own and ends the exchange.
func (x *exchange) answerNow(now evloop.Time, a *answer, why Cause, at phase) {
	x.local = true
	x.rec.Status = a.status
	x.fe.counters(x.w).status[statusClass(a.status)].inc()
	x.keep = x.keep && !a.closes && !x.w.draining && !x.spokeTooSoon()
	if !x.up.done && (a.redirect || !x.c.skipBody(x)) {
		x.keep = false // the rest of the body would be taken for the next request
	}
	if a.raw != nil {
		x.keep = false
		head, body := x.c.ownAnswer(x, a)
		x.writeAnswer(now, head, body, ending{why, at})
		return
	}
	if len(x.fe.after) > 0 || x.be != nil && len(x.be.after) > 0 {
		a = x.afterResponse(now, a)
	}
	head, body := x.c.ownAnswer(x, a)
	x.rec.BytesOut += answerWeight(a) + uint64(len(body))
	x.writeAnswer(now, head, body, ending{why, at})
}

// An ending is why and where an exchange ended.
type ending struct {
	why Cause
	at  phase
}

func (x *exchange) writeAnswer(now evloop.Time, head, body []byte, end ending) {
	x.answering = true
	switch {
	case x.c.sendHead(x, head, body, true):
		x.fe.counters(x.w).bytesOut.add(uint64(len(head) + len(body)))
	case end.why == CauseNone:
		x.abort(now, CauseClientAbort, phaseHeaders)
		return
	default: // nobody is there to read it: what led to the answer is what counts
		x.keep = false
	}
	x.over(now, end.why, end.at, x.keep)
}

func statusClass(status int) int {
	if c := status / 100; c <= 5 {
		return c
	}
	return 0
}

// badRequest: the head can't be understood. The answer is sent before
// anything else is known, so the frontend's texts are used.
func (x *exchange) badRequest(now evloop.Time, st h1.Status) {
	x.fe.counters(x.w).badRequest.inc()
	status := 400
	if st == h1.Unsupported {
		status = 422 // an unknown transfer coding, as HAProxy answers
	}
	x.refuseEarly(now, status, CauseRequestInvalid)
}

// requestTimeout: timeout http-request passed before the head was complete.
func (x *exchange) requestTimeout(now evloop.Time) {
	x.fe.counters(x.w).badRequest.inc()
	x.refuseEarly(now, 408, CauseClientTimeout)
}

func (x *exchange) refuseEarly(now evloop.Time, status int, why Cause) {
	x.keep = false
	x.c.refused()
	x.up = body{done: true}
	x.answerNow(now, x.fe.early[status], why, phaseRequest)
}

// clientGoneEarly: the client closed in its head, or before the first byte.
func (x *exchange) clientGoneEarly(now evloop.Time) {
	x.fe.counters(x.w).badRequest.inc()
	x.refuseEarly(now, 400, CauseClientAbort)
}

// badRequestBody: chunk framing broke after the head went to the server.
func (x *exchange) badRequestBody(now evloop.Time) {
	x.fe.counters(x.w).badRequest.inc()
	x.keep = false
	x.up.done = true
	x.hunt.sc.close() // FIN: what was sent before the fault may be of use
	x.hunt.sc = nil
	x.fail(now, 400, CauseRequestInvalid, phaseHeaders)
}

// badResponse: the server's answer breaks the protocol; nothing of it is
// passed on.
func (x *exchange) badResponse(now evloop.Time) {
	if x.retryOn(now, retryJunk) {
		return
	}
	x.countBadAnswer()
	x.hunt.srv.observe(health.ObservedHeaders)
	x.fail(now, 502, CauseServerInvalid, phaseHeaders)
}

// serverClosedEarly: the connection ended before a response head was
// complete. A request that no byte of an answer has come for, on a connection
// that had carried others, most likely never reached the server's program.
func (x *exchange) serverClosedEarly(now evloop.Time) {
	if x.hunt.reused && x.resIn == nil && x.requestSent && !x.interimSeen && x.be.retryOn&retryEmpty == 0 {
		if x.mayRepeat() {
			x.repeat(now)
			return
		}
		if x.c.shared().requests > 0 && !x.req.HTTP2 {
			// Whether the server acted on it is unknown. As over a direct
			// connection that closes, the client decides about a retry.
			x.countBadAnswer()
			x.logged = true
			x.abort(now, CauseServerAbort, phaseHeaders)
			return
		}
	}
	if x.resIn == nil && x.retryOn(now, retryEmpty) || x.resIn != nil && x.retryOn(now, retryJunk) {
		return
	}
	x.countBadAnswer()
	x.hunt.srv.observe(health.ObservedClosed)
	x.fail(now, 502, CauseServerAbort, phaseHeaders)
}

func (x *exchange) repeatable() bool {
	return x.req.Method.Idempotent() && x.up.framing == message.BodyNone
}

// mayRepeat reports whether the request can be sent once more: idempotent,
// without a body, and its head is still here (RFC 9110 section 9.2.2).
func (x *exchange) mayRepeat() bool {
	return x.repeatable() && !x.hunt.fresh && x.c.headHere()
}

// repeat sends the request again on a new connection. The client sees
// nothing of it.
func (x *exchange) repeat(now evloop.Time) {
	x.setState(exchangeHunt)
	x.hunt.tries++
	x.requestSent = false
	x.sentUp = 0
	x.up.begin(&x.req, &x.fe.limits)
	x.hunt.again(now)
}

// serverTimeout: the server did not answer, or stopped in its answer.
func (x *exchange) serverTimeout(now evloop.Time) {
	if x.state == exchangeTunnel && x.c.timeIsUp(now) {
		x.abort(now, CauseClientTimeout, phaseData) // as HAProxy, we blame the client
		return
	}
	x.hunt.srv.observe(health.ObservedReadTimeout)
	switch x.state {
	case exchangeWait:
		if x.retryOn(now, retryTimeout) {
			return
		}
		x.countBadAnswer()
		if !x.up.done {
			x.keep = false
		}
		x.fail(now, 504, CauseServerTimeout, phaseHeaders)
	default:
		x.abort(now, CauseServerTimeout, x.phase())
	}
}

func (x *exchange) serverMarkedDown(now evloop.Time) {
	x.keep = false
	x.fail(now, 503, CauseServerDown, x.phase())
}

func (x *exchange) countBadAnswer() {
	x.be.counters(x.w).badAnswer.inc()
	x.hunt.srv.live.counters[x.w.id].badAnswer.inc()
}

func (x *exchange) countAbort(why Cause) {
	if x.be == nil {
		return
	}
	b := x.be.counters(x.w)
	switch why {
	case CauseClientAbort, CauseClientTimeout:
		b.clientAbort.inc()
		if x.hunt.srv != nil {
			x.hunt.srv.live.counters[x.w.id].clientAbort.inc()
		}
	case CauseServerAbort, CauseServerTimeout:
		if x.answering {
			b.serverAbort.inc()
			x.hunt.srv.live.counters[x.w.id].serverAbort.inc()
		}
	}
}
