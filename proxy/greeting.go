package proxy

import (
	"bytes"
	"net/netip"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/listener"
)

// This file reads the PROXY header that a bind with accept-proxy wants first.

// proxyHeaderMax bounds a PROXY header: 16 bytes and a v2 length of at most
// what fits beside them; longer ones are refused.
const proxyHeaderMax = 4096

// readGreeting takes the PROXY header off the socket. It reports whether the
// session may begin; if not, the connection waits or is closed.
func (c *clientConn) readGreeting(now evloop.Time) bool {
	n, res := c.fd.Peek(c.w.in[:min(proxyHeaderMax, len(c.w.in))])
	switch res {
	case evloop.Again:
		return false
	case evloop.EOF:
		c.refuseGreeting(now, faultClosed)
		return false
	case evloop.Failed:
		c.refuseGreeting(now, faultAborted)
		return false
	}
	var info listener.ProxyInfo
	used, st := listener.ParseProxy(c.w.in[:n], &info)
	switch {
	case st == listener.ProxyNeedMore && n < proxyHeaderMax:
		if c.fd.Ready()&(evloop.ReadyHup|evloop.ReadyErr) != 0 {
			c.refuseGreeting(now, faultCut)
		}
		return false
	case st != listener.ProxyComplete:
		c.refuseGreeting(now, faultOf(c.w.in[:n]))
		return false
	}
	if got, res := c.fd.Read(c.w.in[:used]); res != evloop.Done || got != used {
		c.refuseGreeting(now, faultCut)
		return false
	}
	// Peek has cleared ReadyIn, so that we were called for each new piece; but a
	// request may stand behind the header.
	c.fd.Assume(evloop.ReadyIn)
	c.greeting, c.greeted = false, now
	c.takeGreeting(&info)
	return true
}

// A proxiedClient is what a PROXY header said, and who sent it.
type proxiedClient struct {
	listener.ProxyInfo
	from netip.AddrPort // whose socket it is
	told expr.ProxyInfo
}

// takeGreeting keeps what a PROXY header said.
func (c *clientConn) takeGreeting(info *listener.ProxyInfo) {
	p := &proxiedClient{ProxyInfo: *info.Clone(), from: c.src}
	p.told = expr.ProxyInfo{Authority: p.Authority, UniqueID: p.UniqueID}
	c.proxied = p
	if !info.Local && info.Src.IsValid() {
		c.src = info.Src
	}
}

// A greetingFault is what can be wrong before a session begins: with a PROXY
// header, or in the TLS handshake.
type greetingFault uint8

const (
	faultNone    greetingFault = iota
	faultClosed                // the client left without a word
	faultAborted               // the same, with an error
	faultLate                  // timeout client
	faultCut                   // the client left in the middle of it
	faultForeign               // it is something else
	faultInvalid               // it does not say what it should
	faultUnknown               // of a protocol that is none

	faultShakeClosed // the client left during the TLS handshake
	faultShakeSilent // the same, before its first byte
	faultShakeLate   // timeout client
	faultShakeFailed // what it said was wrong
	faultTooMany     // maxsslconn
	faultCA          // the issuer of its certificate
	faultCert        // its certificate
)

// faultTable holds what HAProxy calls them (fc_err, fc_err_str), and which of
// them are connections that said nothing (option dontlognull).
var faultTable = [...]struct {
	code int
	text string
	null bool
}{
	faultNone:    {},
	faultClosed:  {11, "Connection closed while waiting for PROXY protocol header", true},
	faultAborted: {12, "Connection error while waiting for PROXY protocol header", true},
	faultLate:    {13, "Timeout while waiting for PROXY protocol header", true},
	faultCut:     {14, "Truncated PROXY protocol header received", false},
	faultForeign: {15, "Received something which does not look like a PROXY protocol header", false},
	faultInvalid: {16, "Received an invalid PROXY protocol header", false},
	faultUnknown: {17, "Received an unhandled protocol in the PROXY protocol header", false},

	faultShakeClosed: {24, "Connection closed during SSL handshake", false},
	faultShakeSilent: {24, "Connection closed during SSL handshake", true},
	faultShakeLate:   {26, "Timeout during SSL handshake", false},
	faultTooMany:     {27, "Too many SSL connections", false},
	faultCA:          {30, "SSL client CA chain cannot be verified", false},
	faultCert:        {31, "SSL client certificate not trusted", false},
	faultShakeFailed: {34, "SSL handshake failure", false},
}

// faultOf says what is wrong with bytes that are no PROXY header.
func faultOf(b []byte) greetingFault {
	switch {
	case bytes.HasPrefix(b, []byte("PROXY TCP4 ")), bytes.HasPrefix(b, []byte("PROXY TCP6 ")),
		bytes.HasPrefix(b, []byte("\r\n\r\n\x00\r\nQUIT\n")) && len(b) > 12 && b[12]>>4 == 2:
		return faultInvalid
	case bytes.HasPrefix(b, []byte("PROXY ")):
		return faultUnknown
	}
	return faultForeign
}

// greetingTimeout: the header or the handshake did not come in time, or not all
// of it.
func (c *clientConn) greetingTimeout(now evloop.Time) {
	if !c.greeting {
		c.refuseGreeting(now, faultShakeLate)
		return
	}
	why := faultLate
	if _, res := c.fd.Peek(c.w.in[:1]); res == evloop.Done {
		why = faultCut
	}
	c.refuseGreeting(now, why)
}

// refuseGreeting closes a connection whose PROXY header or handshake is wrong or
// missing: there is nobody to answer to.
func (c *clientConn) refuseGreeting(now evloop.Time, why greetingFault) {
	c.door.counters[c.w.id].badRequest.inc()
	c.w.logRefused(now, c, why)
	c.shut(false)
}

// logRefused writes the line of a connection that ended before any session.
func (w *worker) logRefused(now evloop.Time, c *clientConn, why greetingFault) {
	fe := w.p.plan.Load().frontends[c.door.index]
	fault := &faultTable[why]
	o := &fe.spec.Log
	if fe.logs == nil || fe.logs.sink == nil || o.DontLogNull && fault.null {
		return
	}
	env, r := c.fillConn(now, fe), &w.refused
	r.Reset()
	r.Accept, r.Tt = w.wall(c.accepted).UnixNano(), ms(now.Sub(c.accepted))
	r.Term = [2]byte{'P', byte(phaseRequest)}
	w.countConns(r, fe, nil, nil)
	env.Rec, env.ConnErr, env.ConnErrText = r, fault.code, fault.text
	w.writeLog(fe, env, logLevelOf(0, true, o.SeparateErrors), fe.logs.refused)
	env.ConnErr, env.ConnErrText = 0, ""
}
