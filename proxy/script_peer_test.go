package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// A peer is one end of a connection that the script plays: a client, or a
// server's.
type peer struct {
	sc    *script
	name  string
	end   *simkernel.End
	ended bool // the script has seen that the proxy ended it
}

// Send writes s, and lets the proxy act on it.
func (p *peer) Send(s string) {
	p.end.Send([]byte(s))
	p.sc.settle()
}

// Want: what came since the last look is exactly want.
func (p *peer) Want(why, want string) {
	p.sc.t.Helper()
	p.sc.settle()
	if got := string(p.end.Take()); got != want {
		p.sc.t.Fatalf("%s: %s:\n got %s\nwant %s", p.name, why, brief(got), brief(want))
	}
}

// WantStart: what came since the last look begins with want. It returns all of
// it.
func (p *peer) WantStart(why, want string) string {
	p.sc.t.Helper()
	p.sc.settle()
	got := string(p.end.Take())
	if !strings.HasPrefix(got, want) {
		p.sc.t.Fatalf("%s: %s:\n got %s\nwant %s...", p.name, why, brief(got), brief(want))
	}
	return got
}

// brief quotes s, without its middle when that is long.
func brief(s string) string {
	const keep = 300
	if len(s) <= 2*keep {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q...%q (%d bytes)", s[:keep], s[len(s)-keep:], len(s))
}

// WantNothing: nothing came, and the connection stands.
func (p *peer) WantNothing(why string) {
	p.sc.t.Helper()
	p.sc.settle()
	p.wantNothing(why)
}

func (p *peer) wantNothing(why string) {
	p.sc.t.Helper()
	if got := p.end.Take(); len(got) > 0 {
		p.sc.t.Fatalf("%s: %s: got %s, want nothing", p.name, why, brief(string(got)))
	}
	if !p.ended && p.end.EOF() {
		p.sc.t.Fatalf("%s: %s: got FIN, want nothing", p.name, why)
	}
	if !p.ended && p.end.WasReset() {
		p.sc.t.Fatalf("%s: %s: got RST, want nothing", p.name, why)
	}
}

// WantEOF: all that came has been looked at, and FIN stands behind it.
func (p *peer) WantEOF(why string) {
	p.sc.t.Helper()
	p.sc.settle()
	if got := p.end.Take(); len(got) > 0 {
		p.sc.t.Fatalf("%s: %s: got %s, want FIN", p.name, why, brief(string(got)))
	}
	if !p.end.EOF() || p.end.WasReset() {
		p.sc.t.Fatalf("%s: %s: want FIN; FIN %v, RST %v", p.name, why, p.end.EOF(), p.end.WasReset())
	}
	p.ended = true
}

// WantReset: RST came.
func (p *peer) WantReset(why string) {
	p.sc.t.Helper()
	p.sc.settle()
	if got := p.end.Take(); len(got) > 0 {
		p.sc.t.Fatalf("%s: %s: got %s, want RST", p.name, why, brief(string(got)))
	}
	if !p.end.WasReset() {
		p.sc.t.Fatalf("%s: %s: want RST; FIN %v", p.name, why, p.end.EOF())
	}
	p.ended = true
}

// CloseWrite sends FIN and goes on reading.
func (p *peer) CloseWrite() {
	p.end.CloseWrite()
	p.sc.settle()
}

// Close closes both ways.
func (p *peer) Close() {
	p.ended = true
	p.end.Close()
	p.sc.settle()
}

// Reset sends RST.
func (p *peer) Reset() {
	p.ended = true
	p.end.Reset()
	p.sc.settle()
}

// A scriptServer is a listener that the script plays.
type scriptServer struct {
	sc    *script
	name  string
	srv   *simkernel.Server
	conns []*peer
}

// Accept takes the oldest connection that was not looked at yet.
func (s *scriptServer) Accept(why string) *peer {
	s.sc.t.Helper()
	s.sc.settle()
	end := s.srv.Accept()
	if end == nil {
		s.sc.t.Fatalf("server %s: %s: no connection came", s.name, why)
	}
	p := &peer{sc: s.sc, name: "server " + s.name, end: end}
	s.conns = append(s.conns, p)
	return p
}

// WantNoConnection: none has come that was not looked at.
func (s *scriptServer) WantNoConnection(why string) {
	s.sc.t.Helper()
	if end := s.srv.Accept(); end != nil {
		s.sc.t.Fatalf("server %s: %s: a connection came", s.name, why)
	}
}

// last is the latest connection; the first is accepted when first asked for.
func (s *scriptServer) last(why string) *peer {
	s.sc.t.Helper()
	if len(s.conns) == 0 {
		return s.Accept(why)
	}
	return s.conns[len(s.conns)-1]
}

// These are about the latest connection.

func (s *scriptServer) Send(text string) {
	s.sc.t.Helper()
	s.last("it is to send " + brief(text)).Send(text)
}

func (s *scriptServer) Want(why, want string) {
	s.sc.t.Helper()
	s.last(why).Want(why, want)
}

func (s *scriptServer) WantEOF(why string) {
	s.sc.t.Helper()
	s.last(why).WantEOF(why)
}

func (s *scriptServer) WantReset(why string) {
	s.sc.t.Helper()
	s.last(why).WantReset(why)
}

func (s *scriptServer) Close()      { s.last("it is to close").Close() }
func (s *scriptServer) CloseWrite() { s.last("it is to send FIN").CloseWrite() }
func (s *scriptServer) Reset()      { s.last("it is to reset").Reset() }
