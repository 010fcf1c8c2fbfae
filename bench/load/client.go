package load

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/framing"
	"github.com/weir-lb/weir/bench/socket"
)

// A role is what a client is there for.
type role uint8

const (
	rated role = iota // sends requests, as fast as it can or as the schedule says
	slow              // takes a large answer slowly
)

// A client is one connection, or one after the other.
type client struct {
	index int32
	fd    int // -1: none
	role  role
	ready bool // has had an answer
	since time.Time

	// The request that is on its way.
	waiting bool
	due     time.Time
	out     []byte // still to be sent
	upload  int64  // then, bytes of the content

	// Its answer.
	head    []byte // the start, if the head has not come whole
	body    bool
	left    int64
	chunked bool
	chunks  framing.Chunks
}

func (g *generator) connect(c *client) (int, error) {
	if g.spec.Sources == 0 && c.role != slow {
		return socket.Connect(g.to)
	}
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if g.spec.Sources > 0 { // in networks of their own: some proxies look at the first three bytes only
		i := int(c.index) % g.spec.Sources
		from.Addr = [4]byte{127, byte(10 + i/sourcesPerNet), byte(1 + i%sourcesPerNet), 1}
	}
	window := 0
	if c.role == slow {
		window = slowWindow
	}
	return socket.ConnectFrom(&from, g.to, window)
}

// begin sends a request, on a new connection if there is none.
func (c *client) begin(g *generator, due time.Time) error {
	c.due, c.waiting = due, true
	if !g.spec.Stream {
		c.out = g.request(c)
		c.upload = g.upload
	}
	if c.fd >= 0 {
		c.send(g)
		return nil
	}
	var err error
	if c.fd, err = g.connect(c); err != nil {
		return fmt.Errorf("can't connect to %v: %w", g.spec.To, err)
	}
	return g.poller.Add(c.fd, socket.Tag{Index: c.index, Kind: kindClient})
}

// request is the next of those that are sent in turn.
func (g *generator) request(c *client) []byte {
	if c.role == slow {
		return g.slowRequest
	}
	r := g.requests[g.next]
	g.next = (g.next + 1) % len(g.requests)
	return r
}

// send goes on with the request. What the socket says is wrong shows again when
// the answer is read.
func (c *client) send(g *generator) {
	for len(c.out) > 0 {
		flags := 0
		if c.upload > 0 {
			flags = unix.MSG_MORE
		}
		n, errno := socket.Send(c.fd, c.out, flags)
		if errno != 0 {
			return
		}
		c.out = c.out[n:]
	}
	for c.upload > 0 {
		at := (g.spec.Post - c.upload) % contentBytes
		n, errno := socket.SendFile(c.fd, g.file, &at, int(min(c.upload, contentBytes-at)))
		if errno != 0 {
			return
		}
		c.upload -= int64(n)
	}
}

// step goes on with whatever the connection can do now. ended says that the
// other side has sent FIN, so that reading has to go on until it shows.
func (c *client) step(g *generator, ended bool) error {
	if c.fd < 0 {
		return nil
	}
	c.send(g)
	for c.role == rated || !c.ready {
		n, asked, errno := c.read(g)
		if errno == syscall.EAGAIN || errno == syscall.ENOTCONN {
			return nil
		}
		if errno != 0 || n == 0 {
			return c.lost(g, errno)
		}
		if err := c.handle(g, n); err != nil {
			return err
		}
		if c.fd < 0 || n < asked && !ended {
			return nil
		}
	}
	return nil
}

// take is a slow reader's share of its answer.
func (c *client) take(g *generator, n int) error {
	n, errno := socket.Discard(c.fd, n)
	if errno == 0 && n > 0 || errno == syscall.EAGAIN {
		return nil
	}
	return c.lost(g, errno)
}

// read takes what has come: heads into scratch, bodies of known length away.
func (c *client) read(g *generator) (n, asked int, errno syscall.Errno) {
	switch {
	case c.role == slow:
		asked = 1
		n, errno = socket.Discard(c.fd, asked)
	case g.spec.Stream:
		asked = scratchBytes << 4
		n, errno = socket.Discard(c.fd, asked)
	case c.body && !c.chunked:
		asked = int(c.left)
		n, errno = socket.Discard(c.fd, asked)
	default:
		asked = scratchBytes
		n, errno = socket.Read(c.fd, g.scratch[:])
	}
	return n, asked, errno
}

// lost ends a connection that the other side has ended. A stream ends so.
func (c *client) lost(g *generator, errno syscall.Errno) error {
	if g.spec.Stream && errno == 0 {
		return c.finish(g, true)
	}
	g.errors++
	c.body, c.head = false, nil
	return c.goOn(g, time.Now(), true)
}

// handle goes through n bytes of an answer.
func (c *client) handle(g *generator, n int) error {
	switch {
	case c.role == slow || g.spec.Stream:
		return g.began(c)
	case g.spec.Ping:
		if c.left += int64(n); c.left < pingBytes {
			return nil
		}
		c.left = 0
		return c.finish(g, false)
	case c.body && !c.chunked:
		if c.left -= int64(n); c.left > 0 {
			return nil
		}
		c.body = false
		return c.finish(g, g.spec.Close)
	}
	return c.parse(g, g.scratch[:n])
}

func (c *client) parse(g *generator, b []byte) error {
	if len(c.head) > 0 {
		b = append(c.head, b...)
		c.head = nil
	}
	if !c.body {
		h, ok := framing.ParseHead(b)
		if !ok {
			c.head = append([]byte(nil), b...)
			return nil
		}
		if framing.Status(b)/100 != 2 {
			g.errors++
		}
		b = b[h.Size:]
		c.body, c.left, c.chunked = true, h.Length, h.Chunked
	}
	ended := false
	if c.chunked {
		_, ended = c.chunks.Next(b)
	} else {
		c.left -= int64(len(b))
		ended = c.left <= 0
	}
	if !ended {
		return nil
	}
	c.body, c.chunked = false, false
	return c.finish(g, g.spec.Close)
}

// finish counts an answer and goes on.
func (c *client) finish(g *generator, reconnect bool) error {
	now := time.Now()
	if !g.countFrom.IsZero() && !c.due.Before(g.countFrom) {
		record(g.latency, now.Sub(c.due))
		g.answers++
	}
	if err := g.began(c); err != nil {
		return err
	}
	return c.goOn(g, now, reconnect)
}

// goOn is with the next request of a closed loop, or waiting for the schedule.
func (c *client) goOn(g *generator, now time.Time, reconnect bool) error {
	c.waiting = false
	if reconnect {
		socket.Close(c.fd)
		c.fd = -1
	}
	switch {
	case g.interval > 0 && c.ready && c.role == rated:
		c.since = now
		g.idle.put(c)
		return nil
	case g.spec.Idle && c.ready && !reconnect:
		return nil
	}
	return c.begin(g, now)
}

// began notes the first answer to a client.
func (g *generator) began(c *client) error {
	if c.ready {
		return nil
	}
	c.ready = true
	g.ready++
	return g.openMore()
}
