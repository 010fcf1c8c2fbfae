package proxy

import (
	"net/netip"
	"syscall"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
)

// A serverUser is the session that a server connection works for. Each call
// may end the session; the caller touches neither afterwards.
type serverUser interface {
	// serverConnected is called once per attempt, when connect(2) has ended.
	serverConnected(now evloop.Time)
	serverConnectFailed(now evloop.Time, why syscall.Errno)
	serverConnectTimeout(now evloop.Time)
	// serverReady: bytes, room, or the end of the connection.
	serverReady(now evloop.Time)
	serverTimeout(now evloop.Time)
	// serverMarkedDown: on-marked-down shutdown-sessions.
	serverMarkedDown(now evloop.Time)
}

// A serverConn is one connection to a server: being opened, in use by one
// session, or idle in its server's pool of this loop.
type serverConn struct {
	w     *worker
	srv   *server
	user  serverUser // nil while idle
	out   *buffer.Buffer
	fd    stream
	timer evloop.Timer
	shake *handshake // TLS, under way (server_tls.go)
	sni   string     // what was asked for in it

	// Links of the server's idle or busy list.
	next, prev *serverConn
	opened     evloop.Time
	dst, src   netip.AddrPort // of the socket; src only if srv.tellsSrc

	requests uint32 // sent on this connection
	state    connState
	counted  bool         // holds a place of pool-max-conn
	pinnedTo *httpSession // connPinned: the client whose next request may use it
}

// A connState says what a server connection is doing.
type connState uint8

const (
	connClosed   connState = iota // in the free list
	connOpening                   // waiting for the end of connect(2)
	connSecuring                  // of the TLS handshake
	connBusy                      // in use by user
	connIdle                      // in the idle pool
	connPinned                    // waiting for the next request of one client
)

func (w *worker) takeServerConn(srv *server) *serverConn {
	sc := w.freeServers
	if sc == nil {
		w.made.servers++
		sc = &serverConn{w: w}
	} else {
		w.freeServers, sc.next = sc.next, nil
		w.nServers--
	}
	sc.srv = srv
	return sc
}

// HandleReady passes events to the session; an idle connection must stay
// silent: whatever it says (bytes or an end) closes it.
func (sc *serverConn) HandleReady(now evloop.Time, fd *evloop.FD) {
	switch sc.state {
	case connOpening:
		if fd.Ready()&(evloop.ReadyOut|evloop.ReadyErr|evloop.ReadyHup) == 0 {
			return
		}
		sc.finishConnect(now)
	case connSecuring:
		sc.goOn(now)
	case connBusy:
		sc.user.serverReady(now)
	case connIdle:
		if sc.intruded() {
			sc.close()
		}
	case connPinned:
		if sc.intruded() {
			sc.pinnedTo.pinned = nil
			sc.close()
		}
	case connClosed:
		panic("server connection: event after close")
	}
}

// finishConnect: a connect(2) that failed is reported as an error.
func (sc *serverConn) finishConnect(now evloop.Time) {
	if sc.fd.Ready()&(evloop.ReadyErr|evloop.ReadyHup) != 0 {
		if errno := sc.fd.SocketError(); errno != 0 {
			sc.user.serverConnectFailed(now, errno)
			return
		}
	}
	if sc.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) != 0 {
		sc.w.loop.Again(&sc.fd.FD) // it spoke or left at once: there will be no other event for that
	}
	sc.connected(now)
}

// connected: connect(2) has ended well.
func (sc *serverConn) connected(now evloop.Time) {
	if sc.srv.tls != nil {
		sc.secure(now)
		return
	}
	sc.established(now)
}

func (sc *serverConn) established(now evloop.Time) {
	sc.state = connBusy
	sc.opened = now
	sc.w.loop.StopTimer(&sc.timer)
	sc.srv.live.counters[sc.w.id].connects.inc()
	sc.user.serverConnected(now)
}

func (sc *serverConn) HandleTimeout(now evloop.Time, t *evloop.Timer) {
	switch sc.state {
	case connOpening, connSecuring:
		sc.user.serverConnectTimeout(now)
	case connBusy:
		sc.user.serverTimeout(now)
	case connIdle, connPinned, connClosed:
		// The deadline of the last request, left in the wheel on purpose.
	}
}

func (sc *serverConn) HandleLetter(evloop.Time, *evloop.Letter) {}

// setDeadline arms the one timer of the connection: connect, then server or
// tunnel inactivity. Zero switches it off.
func (sc *serverConn) setDeadline(at evloop.Time) {
	if at == 0 {
		sc.w.loop.StopTimer(&sc.timer)
		return
	}
	sc.w.loop.SetTimer(&sc.timer, sc, 0, at)
}

// close ends the connection in any state and gives its memory back.
func (sc *serverConn) close() { sc.end(false) }

// reset is close with a RST, so that nothing lingers at the server.
func (sc *serverConn) reset() { sc.end(true) }

func (sc *serverConn) end(rst bool) {
	w := sc.w
	pool := &sc.srv.live.pools[w.id]
	switch sc.state {
	case connIdle:
		pool.removeIdle(sc)
	case connBusy, connOpening, connSecuring, connPinned:
		pool.removeBusy(sc)
	case connClosed:
		panic("server connection: closed twice")
	}
	if sc.out != nil {
		w.pool.Put(sc.out)
	}
	w.loop.StopTimer(&sc.timer)
	if sc.shake != nil {
		sc.shake.abandon(&sc.fd.FD)
	}
	sc.fd.close(w.loop, rst)
	*sc = serverConn{w: w, fd: sc.fd, timer: sc.timer}
	if w.nServers < connsKeptMax {
		sc.next, w.freeServers = w.freeServers, sc
		w.nServers++
	}
}

// write sends head and body as one and keeps what the socket does not take.
// It reports whether the connection still stands.
func (sc *serverConn) write(head, body []byte) bool {
	w := sc.w
	if sc.out != nil {
		sc.out = w.queue(w.queue(sc.out, head), body)
		return true
	}
	n, res := w.send(&sc.fd, head, body, false)
	if res == evloop.Failed {
		return false
	}
	if n < len(head) {
		sc.out = w.queue(w.queue(nil, head[n:]), body)
	} else if n < len(head)+len(body) {
		sc.out = w.queue(nil, body[n-len(head):])
	}
	return true
}

// flush writes what waits. ok is false when the connection broke.
func (sc *serverConn) flush() (ok bool) {
	if sc.out == nil {
		return true
	}
	n, res := sc.fd.Write(sc.out.Bytes())
	if res == evloop.Failed {
		return false
	}
	sc.out.Consume(n)
	if sc.out.Len() == 0 {
		sc.w.pool.Put(sc.out)
		sc.out = nil
	}
	return true
}
