package proxy

import (
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// This file is how an answer goes out over HTTP/1.

func (c *h1Client) appendInterim(dst []byte, res *message.Head) []byte {
	return h1.AppendEnd(h1.AppendResponse(dst, res, h1.Rewrite{Minor: res.Minor}))
}

func (c *h1Client) sendInterim(heads []byte) bool { return c.write(heads, nil) }

func (c *h1Client) responseHead(x *exchange, tunnel bool) []byte {
	rw := h1.Rewrite{Framing: x.down.framing, Minor: x.res.Minor}
	empty := false
	switch {
	case tunnel:
	case x.res.Status == 204:
		rw.Framing = message.BodyUntilClose // no framing field
	case x.bodyMissing():
		// No length can be kept that was told; chunks can say that nothing comes.
		empty = !x.res.HasLength && x.res.Minor == 1 && x.req.Minor == 1
		x.keep = x.keep && empty
		if empty {
			rw.Framing = message.BodyChunked
		}
	}
	switch {
	case tunnel && x.res.Status == 101:
		rw.Connection = h1.ConnectionUpgrade
	case tunnel:
	case !x.keep && x.res.Minor == 1:
		rw.Connection = h1.ConnectionClose
	case x.keep && (x.req.Minor == 0 || x.res.Minor == 0):
		rw.Connection = h1.ConnectionKeepAlive
	}
	if x.req.Minor == 0 && x.down.framing == message.BodyChunked && !x.down.hidden {
		// RFC 9112 section 6.1: no chunks to HTTP/1.0. The end of the
		// connection ends the body.
		x.down.dechunk, x.keep = true, false
		rw.Framing, rw.Connection = message.BodyUntilClose, h1.ConnectionClose
	}
	dst := h1.AppendEnd(h1.AppendResponse(c.w.out[:0], &x.res, rw))
	if empty {
		dst = h1.AppendLastChunk(dst)
	}
	return dst
}

func (c *h1Client) ownAnswer(x *exchange, a *answer) (head, body []byte) {
	if a.raw != nil {
		return a.raw, nil
	}
	head = append(c.w.out[:0], a.head...)
	switch {
	case !x.keep:
		head = append(head, "connection: close\r\n"...)
		if a.redirect && !x.up.done || a.status == 400 || a.status == 408 {
			x.rec.BytesOut += uint64(len("connection") + len("close")) // HAProxy's count, not ours
		}
	case x.req.Minor == 0:
		head = append(head, "connection: keep-alive\r\n"...)
	}
	head = h1.AppendEnd(head)
	c.w.out = head[:0]
	if x.headOnly { // whatever rules made of the method
		return head, nil
	}
	return head, a.body
}

func (c *h1Client) sendHead(x *exchange, head, body []byte, last bool) bool {
	if x.down.framing == message.BodyChunked && len(body) <= joinMax {
		// Chunks stand in the scratch memory behind head: write must not be
		// given a body there, since it joins pieces in that place.
		head, body = append(head, body...), nil
	}
	c.lastWords = last && !x.keep && c.saysGoodbye(x)
	return c.write(head, body)
}

func (c *h1Client) sendBody(x *exchange, p []byte) bool {
	c.lastWords = x.down.done && !x.keep && c.saysGoodbye(x)
	return c.write(p, nil)
}

func (c *h1Client) waiting() bool { return c.out != nil }

// exchangeEnds keeps what came behind the request for the next one.
func (c *h1Client) exchangeEnds(x *exchange, keep bool) {
	c.lastWords = !keep && c.saysGoodbye(x)
	if c.more != nil {
		if c.in != nil {
			c.w.pool.Put(c.in)
		}
		c.in, c.more = c.more, nil
	}
	c.moreFresh = false
}
