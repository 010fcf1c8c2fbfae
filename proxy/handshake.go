package proxy

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"strconv"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
	"golang.org/x/sys/unix"
)

// This file brings connections through their TLS handshakes. The loop moves the bytes;
// a goroutine, which waits for nothing but them, does the arithmetic.

// handshakesMax bounds the goroutines of one loop's handshakes. Who comes beyond
// that waits for a place, as long as its deadline allows.
const handshakesMax = 2048

// A handshaker is a connection that has to shake hands before anything else.
type handshaker interface {
	// goOn is called when the handshake can go on, or has ended.
	goOn(now evloop.Time)
}

// A handshake is one that is under way. It outlives its connection when that
// ends first: the goroutine must see the end.
type handshake struct {
	w      *worker
	owner  handshaker // nil: gone, or secured
	conn   *tls.Conn
	letter evloop.Letter // the goroutine has written something, or has ended
	state  handshakeState

	next, prev *handshake // w.shakes
}

// A handshakeState says where a handshake stands.
type handshakeState uint8

const (
	shakeHello   handshakeState = iota // the client has not said enough
	shakeQueued                        // too many others are under way
	shakeRunning                       // in its goroutine
	shakeOver                          // the goroutine has ended
)

// papers are what a client's connection is known by after its handshake.
type papers struct{ told expr.TLSInfo }

// secure brings the handshake on. It reports whether the session may begin; if
// not, the connection waits or is closed.
func (c *clientConn) secure(now evloop.Time) bool {
	if c.shake == nil {
		if most := int64(c.w.p.cfg.Global.MaxTLSConn); c.w.p.tlsConns.Add(1) > most && most > 0 {
			c.w.p.tlsConns.Add(-1)
			c.refuseShake(now, faultTooMany)
			return false
		}
		c.shake = &handshake{w: c.w, owner: c}
		c.shake.conn = c.door.tls.NewConn(c.w.sealing, c.shake.notify)
	}
	h := c.shake
	switch h.state {
	case shakeHello:
		if !c.helloIsHere(now) {
			return false
		}
		if !c.w.shakes.enter(h) {
			return false
		}
		h.start()
	case shakeQueued:
		return false
	}
	if !h.conn.Pump(&c.fd.FD, c.w.in) {
		return false
	}
	return c.secured(now, h)
}

func (c *clientConn) goOn(now evloop.Time) { c.owner.begin(now) }

// notify is called from the handshake's goroutine.
func (h *handshake) notify() { h.w.loop.Post(&h.letter, h) }

func (h *handshake) start() {
	h.state = shakeRunning
	p := h.w.p
	p.shaking.Add(1)
	go func() {
		defer p.shaking.Done()
		h.conn.Handshake()
	}()
}

const (
	recordHandshake = 22 // RFC 8446 section 5.1
	recordHeadSize  = 5
)

// helloIsHere looks whether the first record is complete: a client that is slow
// to say hello costs no more than its socket.
func (c *clientConn) helloIsHere(now evloop.Time) bool {
	if c.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
		return false
	}
	n, res := c.fd.Peek(c.w.in)
	switch res {
	case evloop.Again:
		return false
	case evloop.EOF:
		c.refuseShake(now, faultShakeSilent)
		return false
	case evloop.Failed:
		c.refuseShake(now, faultShakeFailed)
		return false
	}
	b := c.w.in[:n]
	gone := c.fd.Ready()&(evloop.ReadyHup|evloop.ReadyErr) != 0
	if b[0] == recordHandshake && n < len(c.w.in) && !gone {
		if n < recordHeadSize || n < recordHeadSize+int(b[3])<<8+int(b[4]) {
			return false // Peek has cleared ReadyIn: we are called for each new piece
		}
	}
	c.fd.Assume(evloop.ReadyIn)
	return true
}

// secured takes over from the goroutine.
func (c *clientConn) secured(now evloop.Time, h *handshake) bool {
	counters := &c.door.counters[c.w.id]
	if err := h.conn.Settle(&c.fd.FD); err != nil {
		c.papers = newPapers(h.conn.Refused(err))
		c.refuseShake(now, faultOfShake(h.conn.FailureOf(err)))
		return false
	}
	c.shake, h.owner = nil, nil
	c.fd.tls = h.conn
	c.securing, c.greeted = false, now
	c.papers = newPapers(h.conn.Info())
	c.thankForFinished()
	counters.handshakes.inc()
	if c.papers.told.Resumed {
		counters.resumed.inc()
	}
	return true
}

// thankForFinished has the kernel acknowledge the client's last word at once. In
// TLS 1.3 nothing of ours follows it, and a client that did not switch Nagle's
// algorithm off holds its request back for as long as we hold back the
// acknowledgement: 40 ms. It is a matter of time only, so errors don't matter.
func (c *clientConn) thankForFinished() {
	if c.fd.FD.Ready()&evloop.ReadyIn == 0 && !c.door.socket.UNIX {
		c.w.loop.Kernel().SetInt(c.fd.Num(), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
}

func newPapers(info tls.Info) *papers {
	told := expr.TLSInfo{
		SNI: info.SNI, Version: info.Version, Cipher: info.Cipher, ALPN: info.ALPN, Resumed: info.Resumed,
		HasCert: len(info.Chain) > 0 && !info.Resumed, UsedCert: len(info.Chain) > 0,
	}
	if info.Finding.Depth > 0 {
		told.CertCA = info.Finding.Code
	} else {
		told.CertErr = info.Finding.Code
	}
	if len(info.Chain) > 0 {
		told.Client = info.Chain[0]
	}
	if info.Shown != nil {
		told.Shown = info.Shown.Leaf()
	}
	return &papers{told: told}
}

// proxyTLS is what a PROXY header tells a server of the connection.
func (p *papers) proxyTLS() listener.ProxyTLS {
	t := listener.ProxyTLS{
		Present: true, Client: listener.ProxyTLSOn, Version: []byte(p.told.Version), Cipher: []byte(p.told.Cipher),
		Verify: uint32(max(p.told.CertErr, p.told.CertCA)),
	}
	if c := p.told.Client; c != nil {
		t.Client |= listener.ProxyTLSCertSess
		if p.told.HasCert {
			t.Client |= listener.ProxyTLSCertConn
		}
		t.CommonName = []byte(c.Subject.CommonName)
	}
	if c := p.told.Shown; c != nil {
		t.KeyAlg, t.SigAlg = keyKind(c), expr.SignatureName(c)
	}
	return t
}

// keyKind is the kind and size of a key, such as RSA2048 and EC256.
func keyKind(c *x509.Certificate) []byte {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return strconv.AppendInt([]byte("RSA"), int64(k.N.BitLen()), 10)
	case *ecdsa.PublicKey:
		return strconv.AppendInt([]byte("EC"), int64(k.Curve.Params().BitSize), 10)
	}
	return []byte(c.PublicKeyAlgorithm.String())
}

func faultOfShake(f tls.Failure) greetingFault {
	switch f {
	case tls.FailureClosed:
		return faultShakeClosed
	case tls.FailureSilent:
		return faultShakeSilent
	case tls.FailureCA:
		return faultCA
	case tls.FailureCert:
		return faultCert
	}
	return faultShakeFailed
}

func (c *clientConn) refuseShake(now evloop.Time, why greetingFault) {
	c.door.counters[c.w.id].badShakes.inc()
	c.refuseGreeting(now, why)
}

// endTLS gives up the handshake, if one is under way, and the place that
// maxsslconn counts.
func (c *clientConn) endTLS() {
	h := c.shake
	if h == nil && c.fd.tls == nil {
		return
	}
	c.w.p.tlsConns.Add(-1)
	if h != nil {
		c.shake = nil
		h.abandon(&c.fd.FD)
	}
}

// abandon: the connection ends before its handshake.
func (h *handshake) abandon(fd *evloop.FD) {
	h.owner = nil
	h.conn.Abandon()
	h.conn.Close(fd, false)
	h.w.shakes.remove(h)
}

// HandleLetter: the goroutine has written something, or has ended.
func (h *handshake) HandleLetter(now evloop.Time, _ *evloop.Letter) {
	if h.owner != nil {
		h.owner.goOn(now)
	}
	if h.state == shakeRunning && h.conn.Over() {
		h.state = shakeOver
		h.w.shakes.leave(now)
	}
}

func (h *handshake) HandleReady(evloop.Time, *evloop.FD)      {}
func (h *handshake) HandleTimeout(evloop.Time, *evloop.Timer) {}

// A handshakeQueue bounds the handshakes of one loop. Those that wait for a
// place stand in a list, oldest first.
type handshakeQueue struct {
	running     int
	first, last *handshake
}

// enter takes a place, or puts h at the end of the list.
func (q *handshakeQueue) enter(h *handshake) bool {
	if q.running < handshakesMax {
		q.running++
		return true
	}
	h.state = shakeQueued
	h.prev = q.last
	if q.last != nil {
		q.last.next = h
	} else {
		q.first = h
	}
	q.last = h
	return false
}

// remove takes h off the list, if it stands there.
func (q *handshakeQueue) remove(h *handshake) {
	if h.state != shakeQueued {
		return
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		q.first = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	} else {
		q.last = h.prev
	}
	h.next, h.prev, h.state = nil, nil, shakeOver
}

// leave gives a place to who has waited longest.
func (q *handshakeQueue) leave(now evloop.Time) {
	h := q.first
	if h == nil {
		q.running--
		return
	}
	q.remove(h)
	h.start()
	h.owner.goOn(now)
}
