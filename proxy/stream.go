package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/tls"
)

// A stream is a connection as sessions read and write it: a socket, or TLS over
// one. Its methods mean what those of evloop.FD mean; what those of FD do that
// have no counterpart here, they do to the socket itself.
type stream struct {
	evloop.FD
	tls *tls.Conn // nil: plain
}

// plain reports whether bytes may be moved past us, by splice(2).
func (s *stream) plain() bool { return s.tls == nil }

func (s *stream) Ready() evloop.Ready {
	if s.tls == nil {
		return s.FD.Ready()
	}
	return s.tls.Ready(&s.FD)
}

func (s *stream) Read(p []byte) (int, evloop.Result) {
	if s.tls == nil {
		return s.FD.Read(p)
	}
	return s.tls.Read(&s.FD, p)
}

func (s *stream) Peek(p []byte) (int, evloop.Result) {
	if s.tls == nil {
		return s.FD.Peek(p)
	}
	return s.tls.Peek(&s.FD, p)
}

func (s *stream) Write(p []byte) (int, evloop.Result) {
	if s.tls == nil {
		return s.FD.Write(p)
	}
	return s.tls.Write(&s.FD, p, nil, false)
}

// Writev sends head and body as one.
func (s *stream) Writev(head, body []byte) (int, evloop.Result) {
	if s.tls == nil {
		return s.FD.Writev(head, body, nil)
	}
	return s.tls.Write(&s.FD, head, body, false)
}

func (s *stream) WriteMore(head, body []byte) (int, evloop.Result) {
	if s.tls == nil {
		return s.FD.WriteMore(head, body)
	}
	return s.tls.Write(&s.FD, head, body, true)
}

// Shutdown says that we send no more.
func (s *stream) Shutdown() {
	if s.tls == nil {
		s.FD.Shutdown()
		return
	}
	s.tls.Shutdown(&s.FD)
}

// close ends the connection. rst: what was sent and not yet received is lost.
func (s *stream) close(loop *evloop.Loop, rst bool) {
	if s.tls != nil {
		s.tls.Close(&s.FD, !rst)
		s.tls = nil
	}
	if rst {
		loop.Reset(&s.FD)
	} else {
		loop.Close(&s.FD)
	}
}
