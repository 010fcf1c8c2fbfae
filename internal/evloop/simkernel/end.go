package simkernel

import (
	"net/netip"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// An End is the script's side of a connection: a client, or a server's half. It
// reads all that arrives, until it is paused.
type End struct {
	s        *sock
	got      []byte // all that was read so far
	taken    int    // of got, by Take
	paused   bool
	wasReset bool
}

func newEnd(s *sock) *End {
	e := &End{s: s}
	s.end = e
	s.outMax = 1 << 62
	return e
}

// Client makes a scripted client, and connects it to a listener.
func (k *Kernel) Client(to evloop.Addr) *End { return k.ClientFrom(netip.AddrPort{}, to) }

// ClientFrom is Client with an address of its own.
func (k *Kernel) ClientFrom(from netip.AddrPort, to evloop.Addr) *End {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.newSock(to.Path != "")
	s.far, s.local = to, k.address(from, to)
	s.state = sockConnecting
	e := newEnd(s)
	s.dial(0)
	return e
}

// Send writes b; what finds no room in the socket waits.
func (e *End) Send(b []byte) {
	defer e.lock()()
	if e.s.sendShut || e.s.state == sockDead {
		return // as a program that ignores EPIPE
	}
	e.s.out = append(e.s.out, b...)
	e.s.pump()
	if e.s.state == sockOpen && e.s.k.roll(e.s.k.Faults.Reset) {
		e.s.breakBoth()
	}
}

// Recv returns all that was read so far.
func (e *End) Recv() []byte {
	defer e.lock()()
	return e.got[:len(e.got):len(e.got)]
}

// Take returns what was read since the last Take.
func (e *End) Take() []byte {
	defer e.lock()()
	b := e.got[e.taken:len(e.got):len(e.got)]
	e.taken = len(e.got)
	return b
}

// Pause stops the reading: what arrives fills the socket's buffer.
func (e *End) Pause() {
	defer e.lock()()
	e.paused = true
}

// Resume ends Pause.
func (e *End) Resume() {
	defer e.lock()()
	e.paused = false
	e.s.drain()
	if e.s.other != nil {
		e.s.other.pump()
	}
}

// Read reads up to n bytes of what arrived while paused; they count in Recv.
func (e *End) Read(n int) []byte {
	defer e.lock()()
	n = min(n, len(e.s.in))
	b := append([]byte(nil), e.s.in[:n]...)
	e.got = append(e.got, b...)
	e.s.take(n)
	return b
}

// Unread is the number of bytes that arrived and were not read, while paused.
func (e *End) Unread() int {
	defer e.lock()()
	return len(e.s.in)
}

// Unsent is the number of bytes for which the other side has had no room yet.
func (e *End) Unsent() int {
	defer e.lock()()
	return len(e.s.out)
}

// CloseWrite sends FIN after all that was sent.
func (e *End) CloseWrite() {
	defer e.lock()()
	if e.s.state == sockConnecting {
		e.s.sendShut = true
		return
	}
	e.s.shutdown()
}

// Close closes both directions; bytes that arrived unread turn this into a RST.
func (e *End) Close() {
	defer e.lock()()
	if !e.s.orphan {
		e.s.release()
	}
}

// Reset closes with a RST.
func (e *End) Reset() {
	defer e.lock()()
	if !e.s.orphan {
		e.s.abort()
	}
}

// Open reports whether the connection is made and was neither closed nor reset.
func (e *End) Open() bool {
	defer e.lock()()
	return e.s.state == sockOpen && !e.s.orphan
}

// EOF reports whether a FIN came, and all before it was read.
func (e *End) EOF() bool {
	defer e.lock()()
	return e.s.recvFIN && len(e.s.in) == 0
}

// WasReset reports whether a RST came, in answer to the SYN or later.
func (e *End) WasReset() bool {
	defer e.lock()()
	return e.wasReset
}

// LocalAddr is the End's own address, and what the proxy sees of a client.
func (e *End) LocalAddr() netip.AddrPort {
	defer e.lock()()
	return e.s.local.IP
}

// FarAddr is the address of the other side.
func (e *End) FarAddr() netip.AddrPort {
	defer e.lock()()
	return e.s.far.IP
}

func (e *End) lock() (unlock func()) {
	e.s.k.mu.Lock()
	return e.s.k.mu.Unlock
}

// A Server is a scripted listener. What connects to it comes out of Accept.
type Server struct {
	l        *listener
	arrived  []*End
	delay    time.Duration
	refuses  bool
	swallows bool
}

// Server starts a scripted server at addr.
func (k *Kernel) Server(addr evloop.Addr) *Server {
	k.mu.Lock()
	defer k.mu.Unlock()
	srv := &Server{l: k.newListener(addr)}
	srv.l.server = srv
	return srv
}

// Addr is where the server listens.
func (srv *Server) Addr() evloop.Addr { return srv.l.addr }

// Accept returns the oldest connection not yet accepted, nil if there is none.
func (srv *Server) Accept() *End {
	defer srv.lock()()
	if len(srv.arrived) == 0 {
		return nil
	}
	e := srv.arrived[0]
	srv.arrived = srv.arrived[1:]
	return e
}

// Refuse makes the server answer SYN with RST, or stops that.
func (srv *Server) Refuse(on bool) {
	defer srv.lock()()
	srv.refuses = on
}

// Swallow makes the server never answer SYN, or stops that for those to come.
func (srv *Server) Swallow(on bool) {
	defer srv.lock()()
	srv.swallows = on
}

// Delay sets how long the answers to SYN take.
func (srv *Server) Delay(d time.Duration) {
	defer srv.lock()()
	srv.delay = d
}

// Close ends the listening; connections go on.
func (srv *Server) Close() {
	defer srv.lock()()
	srv.l.release()
}

func (srv *Server) lock() (unlock func()) {
	srv.l.k.mu.Lock()
	return srv.l.k.mu.Unlock
}

func (k *Kernel) serverAt(a evloop.Addr) *Server {
	if l := k.lookup(a); l != nil {
		return l.server
	}
	return nil
}

func (srv *Server) delayOrZero() time.Duration {
	if srv == nil {
		return 0
	}
	return srv.delay
}
