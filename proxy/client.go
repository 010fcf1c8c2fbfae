package proxy

import (
	"net/netip"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// A clientSession is what runs on a client connection.
type clientSession interface {
	evloop.Handler
	// drain ends the session as soon as that cuts nothing (soft stop).
	drain(now evloop.Time)
	// begin starts the protocol, after the PROXY header.
	begin(now evloop.Time)
	// refuse ends a connection that a connection or session rule rejected.
	refuse(now evloop.Time, rst bool)
	// kill ends the session at once: the process stops.
	kill(now evloop.Time)
	// freed takes the closed session's memory back.
	freed()
	conn() *clientConn
	// sessionVars are the variables of the connection; nil when no rule has any.
	sessionVars() *expr.Vars
}

// A clientConn is what every session has on its client side. It is embedded,
// and kept small: an idle keep-alive client is little more than this.
type clientConn struct {
	w     *worker
	owner clientSession
	door  *door
	// proxied is what a PROXY header said; nil without one.
	proxied *proxiedClient
	// shake is the TLS handshake under way, and papers what came of it (handshake.go).
	shake  *handshake
	papers *papers
	fd     stream
	timer  evloop.Timer

	next, prev *clientConn // w.clients

	src      netip.AddrPort // of the socket, or of the PROXY header
	accepted evloop.Time
	greeted  evloop.Time // the PROXY header was read, or there was none to read
	greeting bool        // a PROXY header has to come first
	securing bool        // a TLS handshake has to come, after that
}

const (
	clientTimer = iota // client inactivity, request, keep-alive, half-closed; the session's state says which
)

// open takes a socket that was just accepted. On error the socket is closed.
func (c *clientConn) open(w *worker, owner clientSession, d *door, num int) bool {
	c.w, c.owner, c.door = w, owner, d
	c.accepted = w.loop.Now()
	c.greeted = c.accepted
	if errno := w.loop.Open(&c.fd.FD, num, owner, clientSide); errno != 0 {
		w.loop.Kernel().Close(num)
		return false
	}
	c.fd.Assume(evloop.ReadyIn | evloop.ReadyOut)
	w.clients.add(c)
	w.live++
	return true
}

// Sides of a session: the Which of its descriptors.
const (
	clientSide = iota
	serverSide
)

// shut closes the connection and gives its place to the next client.
func (c *clientConn) shut(rst bool) {
	w := c.w
	w.loop.StopTimer(&c.timer)
	c.endTLS()
	c.fd.close(w.loop, rst)
	w.clients.remove(c)
	w.live--
	c.proxied, c.papers = nil, nil
	w.leave(c.door)
}

func (c *clientConn) conn() *clientConn { return c }

func (c *clientConn) setDeadline(at evloop.Time) {
	if at == 0 {
		c.w.loop.StopTimer(&c.timer)
		return
	}
	c.w.loop.SetTimer(&c.timer, c.owner, clientTimer, at)
}

// timeIsUp reports whether the deadline has passed, even if nobody was told.
func (c *clientConn) timeIsUp(now evloop.Time) bool {
	at := c.timer.Deadline()
	return at != 0 && at <= now
}

// dstAddr is where the client wanted to go: the PROXY header's destination,
// else the socket's own address. It costs a system call, so it is asked for
// only where something needs it.
func (c *clientConn) dstAddr() netip.AddrPort {
	if c.proxied != nil && !c.proxied.Local {
		return c.proxied.Dst
	}
	return c.localAddr()
}

func (c *clientConn) localAddr() netip.AddrPort {
	if c.door.socket.UNIX || !c.fd.IsOpen() {
		return netip.AddrPort{}
	}
	return unmapped(c.w.loop.Kernel().LocalAddr(c.fd.Num()))
}

// unmapped is the IPv4 address of a client that came to an IPv6 socket.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
