package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// This file is where a request body over HTTP/1 comes from.

func (c *h1Client) headHere() bool { return c.in != nil }

func (c *h1Client) bodyHere() (b []byte, whole bool) {
	if c.more != nil {
		return c.more.Bytes(), false
	}
	return c.in.Bytes(), false
}

func (c *h1Client) firstBody(x *exchange) []byte {
	if c.in.Len() == 0 {
		return nil
	}
	used, first, _ := x.up.take(c.in.Bytes(), nil)
	c.in.Consume(used)
	return first
}

func (c *h1Client) awaitBody(x *exchange) evloop.Result {
	if c.more == nil {
		c.splitInput(x)
		c.moreFresh = true
	}
	return c.noteEnd(c.readMore())
}

// noteEnd notes that the client has sent FIN, or is gone.
func (c *h1Client) noteEnd(res evloop.Result) evloop.Result {
	if res == evloop.EOF || res == evloop.Failed {
		c.eof = true
	}
	return res
}

func (c *h1Client) skipBody(x *exchange) bool {
	in := c.in
	if c.more != nil {
		in = c.more
	}
	used, _, ok := x.up.take(in.Bytes(), c.w.out[:0])
	in.Consume(used)
	return ok && x.up.done
}

// readBody gives first what came with the head, then what the socket has.
func (c *h1Client) readBody(x *exchange) ([]byte, evloop.Result) {
	if c.in.Len() > 0 && c.more == nil {
		return c.in.Bytes(), evloop.Done
	}
	if c.more != nil {
		if c.moreFresh {
			c.moreFresh = false
			return c.more.Bytes(), evloop.Done
		}
		res := c.readMore()
		return c.more.Bytes(), c.noteEnd(res)
	}
	dst := c.w.in
	switch {
	case x.up.framing == message.BodyChunked:
		dst = dst[:len(dst)-chunkRoom]
	case int64(len(dst)) > x.up.left:
		dst = dst[:x.up.left] // the next request is left in the socket
	}
	n, res := c.fd.Read(dst)
	return dst[:n], c.noteEnd(res)
}

// bodyUsed takes used bytes of b off the input; the rest waits for more bytes
// or, once the body has ended, for the next request. The head stays where it
// is until the exchange is over.
func (c *h1Client) bodyUsed(x *exchange, b []byte, used int) {
	rest := b[used:]
	switch {
	case c.more != nil:
		c.more.Consume(used)
		if c.more.Len() == 0 {
			c.w.pool.Put(c.more)
			c.more = nil
		}
	case c.in.Len() > 0:
		c.in.Consume(used)
		if len(rest) > 0 && !x.up.done {
			c.splitInput(x)
		}
	case len(rest) > 0:
		c.more = c.w.pool.Take(len(rest))
		c.more.Append(rest)
	}
}

// splitInput moves what follows the head to a buffer of its own. Both are as
// small as they can be: who sends slowly, or nothing more, makes us wait.
func (c *h1Client) splitInput(x *exchange) {
	pool := c.w.pool
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
func (c *h1Client) readMore() evloop.Result {
	if len(c.more.Free()) == 0 {
		size := c.more.Cap()
		if c.more.Len() == size {
			size = min(4*size, c.w.p.tune.BufSize)
		}
		c.more = c.w.pool.Grow(c.more, size)
	}
	n, res := c.fd.Read(c.more.Free())
	c.more.Filled(n)
	return res
}
