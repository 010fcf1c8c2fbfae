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
	in := x.c.in
	if !x.up.done && in.Len() > 0 && x.up.framing == message.BodyLength {
		var used int
		used, first, _ = x.up.take(in.Bytes(), nil)
		in.Consume(used)
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
		b, res := x.upInput()
		switch res {
		case evloop.Again:
			c.setDeadline(after(now, x.fe.timeouts.client))
			return
		case evloop.EOF, evloop.Failed:
			c.eof = true
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
		x.usedUp(b, used)
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
		x.w.loop.Again(&x.c.fd.FD)
	}
}

// upInput gives bytes of the request body that were not used yet: first what
// came with the head, then what the socket has.
func (x *exchange) upInput() ([]byte, evloop.Result) {
	c := x.c
	if c.in.Len() > 0 && c.more == nil {
		return c.in.Bytes(), evloop.Done
	}
	if c.more != nil {
		if x.moreFresh {
			x.moreFresh = false
			return c.more.Bytes(), evloop.Done
		}
		n, res := c.readMore()
		c.more.Filled(n)
		return c.more.Bytes(), res
	}
	dst := x.w.in
	switch {
	case x.up.framing == message.BodyChunked:
		dst = dst[:len(dst)-chunkRoom]
	case int64(len(dst)) > x.up.left:
		dst = dst[:x.up.left] // the next request is left in the socket
	}
	n, res := c.fd.Read(dst)
	return dst[:n], res
}

// usedUp takes used bytes of b off the input; the rest waits for more bytes
// or, once the body has ended, for the next request. The head stays where it
// is until the exchange is over.
func (x *exchange) usedUp(b []byte, used int) {
	c := x.c
	rest := b[used:]
	switch {
	case c.more != nil:
		c.more.Consume(used)
		if c.more.Len() == 0 {
			x.w.pool.Put(c.more)
			c.more = nil
		}
	case c.in.Len() > 0:
		c.in.Consume(used)
		if len(rest) > 0 && !x.up.done {
			x.splitInput()
		}
	case len(rest) > 0:
		c.more = x.w.pool.Take(len(rest))
		c.more.Append(rest)
	}
}

// splitInput moves what follows the head to a buffer of its own. Both are as
// small as they can be: who sends slowly, or nothing more, makes us wait.
func (x *exchange) splitInput() {
	c, pool := x.c, x.w.pool
	c.more = pool.Take(c.in.Len())
	c.more.Append(c.in.Bytes())
	c.in.Reset()
	head := pool.Take(len(x.req.Raw))
	if head.Cap() == c.in.Cap() {
		pool.Put(head)
		return
	}
	x.req.Raw = head.B[:copy(head.B, x.req.Raw)]
	pool.Put(c.in)
	c.in = head
}

// readMore reads behind what more holds, which grows up to tune.bufsize.
func (c *h1Client) readMore() (int, evloop.Result) {
	if len(c.more.Free()) == 0 {
		size := c.more.Cap()
		if c.more.Len() == size {
			size = min(4*size, c.w.p.tune.BufSize)
		}
		c.more = c.w.pool.Grow(c.more, size)
	}
	return c.fd.Read(c.more.Free())
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
	x.c.keepAfterCut(x)
	if x.c.out == nil {
		x.c.setDeadline(0)
	}
	sc.setDeadline(after(now, x.be.timeouts.server))
	x.readResponse(now)
}

// keepAfterCut: the rest of a request body that no server takes can only be
// got rid of by ending the connection.
func (c *h1Client) keepAfterCut(x *exchange) {
	if x.up.framing != message.BodyNone {
		x.keep = false
	}
}
