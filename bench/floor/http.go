package floor

import (
	"bytes"
	"syscall"

	"github.com/weir-lb/weir/bench/framing"
	"github.com/weir-lb/weir/bench/socket"
)

// An httpClient is one client connection. While it waits for a request it owns
// nothing but its descriptor.
type httpClient struct {
	fd      int
	head    []byte // start of a request whose head is not complete
	server  *httpServer
	body    body
	half    // from the client to the server
	closing bool
	watched bool
	gone    bool
}

// An httpServer is one server connection. owed counts the answers that its
// client waits for; with none it is idle.
type httpServer struct {
	fd     int
	home   *server
	client *httpClient
	owed   int
	head   []byte
	body   body
	last   bool // the server closes after this answer
	half        // from the server to the client
}

// A body is what is still to come of one.
type body struct {
	left    int64
	chunked bool
	chunks  framing.Chunks
}

func (b *body) begin(h framing.Head) { *b = body{left: h.Length, chunked: h.Chunked} }

func (b *body) whole() bool { return b.left == 0 && !b.chunked }

// next says how many of the bytes at hand belong to the body.
func (b *body) next(p []byte) int {
	if b.chunked {
		n, ended := b.chunks.Next(p)
		b.chunked = !ended
		return n
	}
	n := min(b.left, int64(len(p)))
	b.left -= n
	return int(n)
}

func (c *httpClient) step(l *loop, ended bool) {
	if s := c.server; s != nil && s.waits() {
		s.down(l, false)
	}
	if !c.gone {
		c.up(l, ended)
	}
}

// begin goes on with a client that was just accepted. One whose only request
// has come whole is not watched: the server's answer is the next event.
func (c *httpClient) begin(l *loop) {
	c.up(l, false)
	if !c.gone && !(c.closing && c.body.whole()) {
		c.watch(l)
	}
}

func (c *httpClient) watch(l *loop) {
	if !c.watched {
		c.watched = true
		l.watch(c.fd, c)
	}
}

// up moves what the client sends.
func (c *httpClient) up(l *loop, ended bool) {
	for {
		if s := c.server; s != nil {
			if m := c.flush(s.fd); m != movedAll {
				c.endOn(l, m)
				return
			}
			s.maybeEnd(l) // the answer may have been faster than the body
			if c.gone {
				return
			}
		}
		if c.server != nil && c.body.left >= spliceMin {
			n, m := c.splice(l, c.fd, c.server.fd, c.body.left)
			c.body.left -= n
			c.endOn(l, m)
			return
		}
		n, errno := socket.Read(c.fd, l.scratch[:])
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 || n == 0 {
			c.close(l)
			return
		}
		c.take(l, l.scratch[:n])
		if c.gone || n < scratchBytes && !ended && c.body.left < spliceMin {
			return
		}
	}
}

func (c *httpClient) endOn(l *loop, m moved) {
	if m == movedEnd || m == movedError {
		c.close(l)
	}
}

// take passes on what has come: requests, whole or not, as they are.
func (c *httpClient) take(l *loop, b []byte) {
	if len(c.head) > 0 {
		b = append(c.head, b...)
		c.head = nil
	}
	size, requests, edit := 0, 0, false
	for size < len(b) {
		if !c.body.whole() {
			size += c.body.next(b[size:])
			continue
		}
		h, ok := framing.ParseHead(b[size:])
		if !ok {
			break
		}
		size += h.Size
		requests++
		c.body.begin(h)
		edit = edit || h.Close
	}
	if size < len(b) {
		c.head = append([]byte(nil), b[size:]...)
	}
	b = b[:size]
	if edit {
		c.closing = true
		l.edited = without(l.edited[:0], b, connectionClose)
		b = l.edited
	}
	if len(b) > 0 {
		c.forward(l, b, requests)
	}
}

// connectionClose is how the generators of the benchmark spell it.
var connectionClose = []byte("Connection: close\r\n")

// without appends b less one field to out.
func without(out, b, field []byte) []byte {
	before, after, _ := bytes.Cut(b, field)
	return append(append(out, before...), after...)
}

// forward brings requests to a server: the one that has answers to give
// already, an idle one, a new one, or later the one that comes free.
func (c *httpClient) forward(l *loop, b []byte, requests int) {
	if c.server == nil {
		c.server = l.takeServer(c)
	}
	if c.server == nil {
		c.pending = append(c.pending, b...)
		return // at most one request: who waits for a slot has not been answered
	}
	c.server.owed += requests
	if m := c.write(c.server.fd, b); m == movedError {
		c.close(l)
	}
}

// takeServer returns nil, and queues the client, if its server has no slot.
func (l *loop) takeServer(c *httpClient) *httpServer {
	for range l.servers {
		home := l.turn()
		if last := len(home.idle) - 1; last >= 0 {
			s := home.idle[last]
			home.idle = home.idle[:last]
			s.client = c
			return s
		}
		if l.slots == 0 || home.open < l.slots {
			return l.openServer(c, home)
		}
	}
	if len(c.pending) == 0 {
		l.waiting = append(l.waiting, c)
	}
	return nil
}

func (l *loop) openServer(c *httpClient, home *server) *httpServer {
	fd, err := socket.Connect(home.addr)
	if err != nil {
		c.close(l)
		return nil
	}
	s := &httpServer{fd: fd, home: home, client: c}
	home.open++
	l.watch(fd, s)
	return s
}

func (c *httpClient) close(l *loop) {
	if c.gone {
		return
	}
	c.gone = true
	c.release(l)
	l.close(c.fd)
	if c.server != nil {
		c.server.close(l)
	}
}
