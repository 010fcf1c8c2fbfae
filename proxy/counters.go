package proxy

import "sync/atomic"

// A counter is written by one loop only and read by any goroutine: the write
// is a plain store, not a locked instruction.
type counter struct{ v atomic.Uint64 }

func (c *counter) add(n uint64) { c.v.Store(c.v.Load() + n) }
func (c *counter) inc()         { c.v.Store(c.v.Load() + 1) }
func (c *counter) load() uint64 { return c.v.Load() }

// A gauge is a counter that also goes down; one loop may go below zero when a
// session moves between loops, the sum does not.
type gauge struct{ v atomic.Int64 }

func (g *gauge) add(n int64) { g.v.Store(g.v.Load() + n) }
func (g *gauge) load() int64 { return g.v.Load() }

// frontCounters is what one loop counts for one frontend.
type frontCounters struct {
	accepted    counter    // client connections
	sessions    counter    // requests, or sessions in TCP mode
	bytesIn     counter    // from clients
	bytesOut    counter    // to clients
	badRequest  counter    // ereq: invalid requests, aborts and time-outs before a request was complete
	denied      counter    // dreq: by rules
	status      [6]counter // HTTP answers by hundreds; 0: other
	intercepted counter    // answered by ourselves
	handshakes  counter    // TLS, that came to a good end
	resumed     counter    // those of them that a ticket made short
	badShakes   counter    // TLS, that did not
	_           [64]byte   // the next loop's counters start on another cache line
}

// backCounters is what one loop counts for one backend.
type backCounters struct {
	sessions     gauge   // now, queued ones included
	total        counter // since the start
	bytesIn      counter // from clients
	bytesOut     counter // to clients
	connFailed   counter // econ
	badAnswer    counter // eresp
	retries      counter // wretr
	redispatch   counter // wredis
	reused       counter // requests on idle connections
	clientAbort  counter // cli_abrt
	serverAbort  counter // srv_abrt
	queueFull    counter
	queueTimeout counter
	status       [6]counter
	_            [64]byte
}

// serverCounters is what one loop counts for one server.
type serverCounters struct {
	total       counter
	bytesIn     counter
	bytesOut    counter
	connFailed  counter
	badAnswer   counter
	retries     counter
	redispatch  counter
	connects    counter // new connections
	noPort      counter // connections that found no free source port
	reused      counter
	clientAbort counter
	serverAbort counter
	handshakes  counter // TLS, that came to a good end
	badShakes   counter // TLS, that did not
	status      [6]counter
	_           [64]byte
}
