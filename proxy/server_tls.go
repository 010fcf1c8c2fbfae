package proxy

import (
	"strings"
	"syscall"

	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/tls"
)

// This file brings connections to servers through their TLS handshakes.

// secure begins the handshake. A PROXY header goes before it, in the clear.
func (sc *serverConn) secure(now evloop.Time) {
	w, srv := sc.w, sc.srv
	user := sc.user.(hunter)
	sc.state = connSecuring
	if srv.spec.SendProxy != ProxyNone {
		head := w.proxyHeader(srv, user.client())
		if n, res := sc.fd.Write(head); res != evloop.Done || n < len(head) { // the socket is empty: it takes that much
			user.serverConnectFailed(now, syscall.EPROTO)
			return
		}
	}
	sc.sni = srv.sniFor(now, user)
	h := &handshake{w: w, owner: sc}
	h.conn = srv.tls.NewConn(w.sealing, h.notify, sc.sni)
	sc.shake = h
	if !w.shakes.enter(h) {
		return
	}
	h.start()
	sc.goOn(now)
}

// goOn brings the handshake on. One that fails is a connect that fails.
func (sc *serverConn) goOn(now evloop.Time) {
	h := sc.shake
	if h.state == shakeQueued || !h.conn.Pump(&sc.fd.FD, sc.w.in) {
		return
	}
	if err := h.conn.Settle(&sc.fd.FD); err != nil {
		sc.srv.live.counters[sc.w.id].badShakes.inc()
		sc.user.serverConnectFailed(now, syscall.EPROTO)
		return
	}
	sc.shake, h.owner = nil, nil
	sc.fd.tls = h.conn
	sc.srv.live.counters[sc.w.id].handshakes.inc()
	sc.w.loop.Again(&sc.fd.FD) // the server may have spoken behind its last word
	sc.established(now)
}

// intruded reports whether a connection that nobody uses is of no more use. Over
// TLS what came may be no word of the server's application, such as a ticket.
func (sc *serverConn) intruded() bool {
	return sc.spoke() && (sc.fd.plain() || !sc.drained())
}

// sniFor is the name that a session wants the server to be asked for by; empty
// for none.
func (srv *server) sniFor(now evloop.Time, user hunter) string {
	if srv.sni == nil {
		return ""
	}
	v, _ := srv.sni.EvalStr(user.fillEnv(now))
	host := string(v)
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host, ']') < i && strings.IndexByte(host, ':') == i {
		host = host[:i] // a Host field with a port
	}
	return host
}

// asksFor reports whether p was opened for the name that the session wants.
func (srv *server) asksFor(p *serverConn, now evloop.Time, user hunter) bool {
	return srv.sni == nil || p.sni == srv.sniFor(now, user)
}

// serverTLS reads what a server line with ssl needs. A name that depends on the
// request makes the server's connections their clients' own.
func (c *compiler) serverTLS(srv *server) {
	var err error
	if spec := srv.spec.CheckTLS; spec != nil && srv.spec.Check.Enabled {
		if srv.checkTLS, err = tls.NewClient(spec, c.readFile); err != nil && srv.spec.TLS == nil {
			c.errs.add(orOrigin(spec.Origin, srv.spec.Origin), c.section, "server %s: %v", srv.spec.Name, err)
		}
	}
	spec := srv.spec.TLS
	if spec == nil {
		return
	}
	where := orOrigin(spec.Origin, srv.spec.Origin)
	if srv.tls, err = tls.NewClient(spec, c.readFile); err != nil {
		c.errs.add(where, c.section, "server %s: %v", srv.spec.Name, err)
		return
	}
	if spec.SNI == "" {
		return
	}
	if srv.sni, err = expr.CompileExpr(spec.SNI, expr.PhaseBackendRequest); err != nil {
		c.errs.add(where, c.section, "server %s: sni: %v", srv.spec.Name, err)
		return
	}
	c.mentions(where, "sni", srv.sni.References())
	c.looks |= srv.sni.Looks()
	if !strings.HasPrefix(spec.SNI, "str(") {
		srv.private = true
	}
}

// A checkChannel is the TLS of one connection of a health check.
type checkChannel struct {
	checker *health.Checker
	h       *handshake
}

// secureCheck begins the handshake of a check's connection.
func (w *worker) secureCheck(srv *server, c *health.Checker) health.Channel {
	ch := &checkChannel{checker: c, h: &handshake{w: w}}
	ch.h.owner = ch
	ch.h.conn = srv.checkTLS.NewConn(w.sealing, ch.h.notify, srv.spec.CheckTLS.SNI)
	if w.shakes.enter(ch.h) {
		ch.h.start()
	}
	return ch
}

func (ch *checkChannel) goOn(now evloop.Time) { ch.checker.HandleReady(now, nil) }

func (ch *checkChannel) Shake(fd *evloop.FD) (over bool, err error) {
	if ch.h.state == shakeQueued || !ch.h.conn.Pump(fd, ch.h.w.in) {
		return false, nil
	}
	ch.h.owner = nil
	return true, ch.h.conn.Settle(fd)
}

func (ch *checkChannel) Read(fd *evloop.FD, p []byte) (int, evloop.Result) {
	return ch.h.conn.Read(fd, p)
}

func (ch *checkChannel) Write(fd *evloop.FD, p []byte) (int, evloop.Result) {
	return ch.h.conn.Write(fd, p, nil, false)
}

func (ch *checkChannel) Close(fd *evloop.FD, orderly bool) {
	if ch.h.owner != nil {
		ch.h.abandon(fd)
		return
	}
	ch.h.conn.Close(fd, orderly)
}
