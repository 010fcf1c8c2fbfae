package proxy

import (
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// A tunnel relays bytes after a 101 or an accepted CONNECT. Neither connection
// ever carries HTTP again.
type tunnel struct {
	x        *exchange
	up, down half // relay.go
}

// startTunnel sends the head of the answer, then everything that either side
// has sent beyond its head.
func (x *exchange) startTunnel(now evloop.Time, head, rest []byte) {
	x.setState(exchangeTunnel)
	t := &tunnel{x: x}
	x.tunnel = t
	x.up.done, x.down.done = true, true
	if sc := x.hunt.sc; sc.out != nil { // the server did not wait for the end of the request
		t.up.buf, sc.out = sc.out, nil
	}
	c := x.h1()
	if c.in.Len() > 0 {
		t.up.buf = x.w.queue(t.up.buf, c.in.Bytes())
		c.in.Consume(c.in.Len())
	}
	if !c.write(head, rest) {
		x.abort(now, CauseClientAbort, phaseData)
		return
	}
	if x.resIn != nil {
		x.w.pool.Put(x.resIn)
		x.resIn = nil
	}
	t.down.buf, c.out = c.out, nil
	x.rec.BytesOut += uint64(len(rest))
	t.move(now)
}

// spokeTooSoon: the client did not wait for the answer to its CONNECT. When that
// is not a tunnel, what came was not meant as a request and must not be read as
// one.
func (x *exchange) spokeTooSoon() bool {
	c := x.h1()
	return c != nil && x.req.Method == message.MethodConnect &&
		(c.in != nil && c.in.Len() > 0 || c.fd.Ready()&evloop.ReadyIn != 0)
}

func (t *tunnel) move(now evloop.Time) {
	x := t.x
	client, server := &x.h1().fd, &x.hunt.sc.fd
	down0, up0 := t.down.moved, t.up.moved
	up := t.up.move(x.w, client, server)
	down := t.down.move(x.w, server, client)
	x.countDown(int(t.down.moved - down0))
	x.countUp(int(t.up.moved - up0))
	if (t.up.eof || up == haltFull) && broke(client) {
		up = haltSource
	}
	switch {
	case up == haltSource || down == haltDest:
		x.abort(now, CauseClientAbort, phaseData)
		return
	case down == haltSource || up == haltDest && (!t.down.eof || server.Errno() == syscall.ECONNRESET):
		x.abort(now, CauseServerAbort, phaseData)
		return
	}
	if up == haltEOF && !t.up.shut {
		t.up.shut = true
		server.Shutdown()
	}
	if down == haltEOF && !t.down.shut {
		t.down.shut = true
		client.Shutdown()
	}
	if t.down.shut {
		// The server has ended the tunnel. HTTP has no half-closed client: what
		// it may still send has nowhere to go.
		x.h1().eof = true
		x.finish(now)
		return
	}
	if up == haltBudget || down == haltBudget {
		x.w.loop.Again(&client.FD)
	}
	t.setDeadlines(now)
}

func (t *tunnel) setDeadlines(now evloop.Time) {
	x := t.x
	client, server := x.fe.timeouts.client, x.be.timeouts.server
	if d := x.be.timeouts.tunnel; d > 0 {
		client, server = d, d
	}
	if t.down.shut && x.fe.timeouts.clientFin > 0 {
		client = x.fe.timeouts.clientFin
	}
	if t.up.shut && x.be.timeouts.serverFin > 0 {
		server = x.be.timeouts.serverFin
	}
	client, server = idleTimes(&t.up, &t.down, client, server)
	x.c.setDeadline(after(now, client))
	x.hunt.sc.setDeadline(after(now, server))
}

func (t *tunnel) release() {
	x := t.x
	t.up.release(x.w)
	t.down.release(x.w)
}
