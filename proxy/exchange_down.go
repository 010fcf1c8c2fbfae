package proxy

import (
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// This file moves the response to the client.

// serverReady: the server sent bytes, has room, or went away.
func (x *exchange) serverReady(now evloop.Time) {
	switch x.state {
	case exchangeWait:
		x.readResponse(now)
	case exchangeRelay:
		x.pumpBoth(now)
	case exchangeTunnel:
		x.tunnel.move(now)
	default:
		panic("exchange: server event in state " + x.state.String())
	}
}

// readResponse takes bytes and parses until a final head is complete.
func (x *exchange) readResponse(now evloop.Time) {
	if sc := x.hunt.sc; x.requestSent && (sc.out != nil || !x.up.done) && sc.fd.Ready()&evloop.ReadyIn == 0 {
		x.pumpRequest(now)
		if x.state != exchangeWait {
			return
		}
	}
	for budget := x.w.relayShare(); x.state == exchangeWait; {
		if budget <= 0 { // a server that sends nothing but interim answers
			x.w.loop.Again(&x.hunt.sc.fd.FD)
			return
		}
		if x.c.waiting() { // an interim answer waits for room: the server is not read
			x.held = true
			x.hunt.sc.setDeadline(0)
			x.c.setDeadline(after(now, x.fe.timeouts.client))
			return
		}
		b, res := x.responseBytes()
		switch res {
		case evloop.Again:
			return
		case evloop.EOF, evloop.Failed:
			x.serverClosedEarly(now)
			return
		}
		budget -= effort(len(b), 0)
		if !x.parseResponse(now, b) {
			return
		}
	}
}

// responseBytes gives the bytes of the response that were not used yet, with
// at least one new one.
func (x *exchange) responseBytes() ([]byte, evloop.Result) {
	fd := &x.hunt.sc.fd
	if fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
		return nil, evloop.Again
	}
	if x.resIn == nil {
		dst := x.w.in
		if x.down.framing == message.BodyChunked {
			dst = dst[:len(dst)-chunkRoom]
		}
		n, res := fd.Read(dst)
		return dst[:n], res
	}
	if len(x.resIn.Free()) == 0 {
		x.resIn.Compact() // the heads of interim answers stood before
	}
	n, res := fd.Read(x.resIn.Free())
	if res == evloop.Done {
		x.resIn.Filled(n)
	}
	return x.resIn.Bytes(), res
}

// parseResponse takes what b has of heads. It reports whether more bytes
// should be read now.
func (x *exchange) parseResponse(now evloop.Time, b []byte) bool {
	heads := x.w.out[:0] // of interim answers, sent as one
	n, st := x.parser.Response(b, &x.res, &x.be.limits, x.req.Method)
	for st == h1.Complete && x.res.Status < 200 && x.res.Status != 101 {
		heads = x.appendInterim(heads)
		x.takeResponse(n)
		b = b[n:]
		if n, st = 0, h1.NeedMore; len(b) > 0 {
			n, st = x.parser.Response(b, &x.res, &x.be.limits, x.req.Method)
		}
	}
	x.w.out = heads[:0]
	if len(heads) > 0 && !x.c.sendInterim(heads) {
		x.clientGone(now)
		return false
	}
	switch st {
	case h1.NeedMore:
		return len(b) == 0 || x.keepResponse(b)
	case h1.Complete:
		if x.res.Status == 101 && !x.switching(now) {
			return false
		}
		x.handleResponse(now, b, n)
	default:
		x.badResponse(now)
	}
	return false
}

// keepResponse holds an incomplete head until more bytes come.
func (x *exchange) keepResponse(b []byte) bool {
	if x.resIn == nil {
		x.resIn = x.w.pool.Take(x.w.p.tune.BufSize)
		x.resIn.Append(b)
	}
	x.hunt.sc.setDeadline(after(x.w.loop.Now(), x.be.timeouts.server))
	return true
}

// takeResponse takes n bytes off the kept part, if there is one.
func (x *exchange) takeResponse(n int) {
	if x.resIn != nil {
		x.resIn.Consume(n)
	}
}

// appendInterim appends a 1xx as it is passed on.
func (x *exchange) appendInterim(dst []byte) []byte {
	x.interimSeen = true
	if x.req.Minor == 0 {
		return dst // RFC 9110 section 15.2: HTTP/1.0 has no 1xx
	}
	x.rec.BytesOut += headWeight(&x.res)
	return x.c.appendInterim(dst, &x.res)
}

// switching: 101 ends HTTP on this connection, but only if the client asked for
// it.
func (x *exchange) switching(now evloop.Time) bool {
	x.interimSeen = true
	if !x.req.ConnUpgrade || x.req.Upgrade.Len == 0 || x.upgradeRefused() {
		x.rec.BytesOut += headWeight(&x.res)
		x.badResponse(now)
		return false
	}
	return true
}

// handleResponse: a final head of n bytes stands at the start of b; what
// follows is the body's.
func (x *exchange) handleResponse(now evloop.Time, b []byte, n int) {
	rest := b[n:]
	tunnel := x.res.Status == 101 || x.req.Method == message.MethodConnect && x.res.Status/100 == 2
	if tunnel {
		x.down.begin(&message.Head{}, nil)
		x.keep, x.serverKeep = false, false
	} else {
		x.down.begin(&x.res, &x.be.limits)
		x.down.hidden = x.headOnly // also when a rule made another method of it
		x.serverKeep = x.serverKeep && x.res.Persistent()
	}
	x.rest = rest
	if x.be.retryStatus(x.res.Status) && x.retryOn(now, retryStatuses) {
		return
	}
	x.answered = now
	x.rec.BytesOut += headWeight(&x.res) // as it came: what rules add does not count
	x.hunt.srv.observe(health.ObservedResponse(x.res.Status))
	x.countStatus(x.res.Status)
	if !x.applyResponse(now) {
		return
	}
	x.rest = nil
	x.rec.Status = x.res.Status
	x.answering = true
	if tunnel {
		x.startTunnel(now, x.c.responseHead(x, tunnel), rest)
		return
	}
	if x.down.framing == message.BodyUntilClose || x.w.draining || x.spokeTooSoon() {
		x.keep = false
	}
	x.down.hidden = x.headOnly || !mayHaveBody(x.res.Status)
	x.downSplice.full = len(b) == len(x.w.in)
	x.sendResponse(now, x.c.responseHead(x, tunnel), rest)
}

// mayHaveBody reports whether answers of that status have a body, unless HEAD
// asked for them.
func mayHaveBody(status int) bool { return status >= 200 && status != 204 && status != 304 }

// bodyMissing reports whether the client waits for a body and the server sends
// none: a rule has changed the method or the status.
func (x *exchange) bodyMissing() bool {
	return !x.down.hidden && x.down.framing == message.BodyNone && !(x.res.HasLength && x.res.Length == 0)
}

// headWeight is what HAProxy counts a head as in %B: its internal form, not
// the bytes on the wire.
func headWeight(h *message.Head) uint64 {
	n := 20 + len("HTTP/1.1") + 3 + int(h.Reason.Len) + 1
	lengths := 0
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case message.FieldConnection:
			if !h.ConnUpgrade {
				continue
			}
		case message.FieldContentLength:
			if lengths++; lengths > 1 || h.Framing == message.BodyChunked {
				continue
			}
		}
		n += int(f.Name.Len + f.Value.Len)
	}
	return uint64(n)
}

// sendResponse writes the head with the first of the body.
func (x *exchange) sendResponse(now evloop.Time, head, rest []byte) {
	used, out, ok := x.down.take(rest, head[len(head):])
	if !ok {
		x.answering, x.answered = false, 0
		x.rec.BytesOut -= headWeight(&x.res)
		x.badResponse(now) // not in exchangeRelay yet: it may be asked for again
		return
	}
	x.setState(exchangeRelay)
	size := len(head) + len(out)
	if x.down.done && used < len(rest) {
		x.serverKeep = false // bytes after the response: nobody asked for them
	}
	if !x.c.sendHead(x, head, out, x.down.done) {
		x.abort(now, CauseClientAbort, phaseData)
		return
	}
	x.keepRest(rest[used:]) // not before: out may be a part of resIn
	x.w.out = x.w.out[:0]
	x.countDown(size)
	if x.fe.spec.Log.LogASAP {
		x.rec.ASAP = true
		x.log(now, CauseNone, phaseNone)
	}
	x.afterPump(now)
}

// keepRest holds what take could not use yet: part of a trailer section.
func (x *exchange) keepRest(rest []byte) {
	switch {
	case len(rest) == 0 || x.down.done:
		if x.resIn != nil {
			x.w.pool.Put(x.resIn)
			x.resIn = nil
		}
	case x.resIn != nil:
		x.resIn.Consume(x.resIn.Len() - len(rest))
	default:
		x.resIn = x.w.pool.Take(x.w.p.tune.BufSize)
		x.resIn.Append(rest)
	}
}

// pumpBoth moves the response and, if the server answered before it had all
// of it, the request.
func (x *exchange) pumpBoth(now evloop.Time) {
	if !x.up.done || x.hunt.sc != nil && x.hunt.sc.out != nil {
		x.pumpRequest(now)
		if x.state != exchangeRelay {
			return
		}
	}
	x.pumpResponse(now)
}

// pumpResponse moves the response body until a side blocks. While bytes wait
// for the client, the server is not read.
func (x *exchange) pumpResponse(now evloop.Time) {
	c := x.c
	for budget := x.w.relayShare(); budget > 0; {
		if !c.flush() {
			x.abort(now, CauseClientAbort, x.phase())
			return
		}
		if !c.waiting() && (x.downSplice.pipe.held > 0 || x.splices()) && x.downSplice.wanted(x.w, &x.down) {
			n, more := x.spliceResponse(now, budget)
			if !more {
				return
			}
			budget -= n
			continue
		}
		if c.waiting() || x.down.done {
			x.afterPump(now)
			return
		}
		b, res := x.responseBytes()
		switch res {
		case evloop.Again:
			x.waitForBody(now)
			return
		case evloop.EOF, evloop.Failed:
			x.serverEnded(now, res)
			return
		}
		x.downSplice.full = len(b) == len(x.w.in)
		moved := x.down.moved
		if !x.relayPiece(now, b) {
			return
		}
		budget -= effort(len(b), x.down.moved-moved)
	}
	c.again() // not the server's: it may have been released
}

func (x *exchange) relayPiece(now evloop.Time, b []byte) bool {
	used, out, ok := x.down.take(b, x.w.out[:0])
	if !ok {
		x.hunt.srv.observe(health.ObservedInvalid)
		x.abort(now, CauseServerAbort, phaseData)
		return false
	}
	if x.down.done && used < len(b) {
		x.serverKeep = false
	}
	if !x.c.sendBody(x, out) {
		x.abort(now, CauseClientAbort, phaseData)
		return false
	}
	x.countDown(len(out))
	x.keepRest(b[used:])
	return true
}

// afterPump looks whether the exchange is over, or what it waits for.
func (x *exchange) afterPump(now evloop.Time) {
	switch {
	case x.c.waiting() || x.downSplice.pipe.held > 0:
		// The client has to make room: its time runs, the server's does not.
		if x.down.done && x.up.done && x.hunt.sc != nil {
			x.releaseServer(now)
			x.hunt.releaseSlot()
		} else if x.hunt.sc != nil {
			x.hunt.sc.setDeadline(0)
		}
		x.c.setDeadline(after(now, x.fe.timeouts.client))
	case !x.down.done:
		x.hunt.sc.setDeadline(after(now, x.be.timeouts.server))
		if x.hunt.sc.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup) != 0 {
			x.pumpResponse(now)
		}
	case !x.up.done:
		x.c.setDeadline(after(now, x.fe.timeouts.client))
	default:
		x.finish(now)
	}
}

// serverEnded: EOF or a reset in the body.
func (x *exchange) serverEnded(now evloop.Time, res evloop.Result) {
	if x.down.framing == message.BodyUntilClose && res == evloop.EOF {
		x.down.done = true
		x.serverKeep = false
		x.afterPump(now)
		return
	}
	x.hunt.srv.observe(health.ObservedInvalid)
	x.abort(now, CauseServerAbort, phaseData)
}

func (x *exchange) countDown(n int) {
	u := uint64(n)
	x.fe.counters(x.w).bytesOut.add(u)
	x.be.counters(x.w).bytesOut.add(u)
	x.hunt.srv.live.counters[x.w.id].bytesOut.add(u)
}

func (x *exchange) countStatus(status int) {
	class := status / 100
	if class > 5 {
		class = 0
	}
	x.be.counters(x.w).status[class].inc()
	x.hunt.srv.live.counters[x.w.id].status[class].inc()
	x.fe.counters(x.w).status[class].inc()
}
