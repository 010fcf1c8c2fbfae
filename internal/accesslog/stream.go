package accesslog

import (
	"net"
	"time"
)

const (
	dialTimeout = time.Second
	dialPause   = time.Second // after a connection that failed
)

// stream writes lines to a stream socket, one after the other. It connects when
// there are lines, and again when the connection breaks.
type stream struct {
	network, address string
	conn             net.Conn
	notBefore        time.Time // of the next attempt to connect
}

func newStream(network, address string) *stream {
	return &stream{network: network, address: address}
}

func (s *stream) write(buf []byte, ends []int) (lost int) {
	done := 0 // bytes that the socket took
	for attempt := 0; attempt < 2; attempt++ {
		if !s.connect() {
			break
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(writeWait)) // fails only on a closed connection, as the write does
		n, err := s.conn.Write(buf[done:])
		done += n
		if err == nil {
			return 0
		}
		s.conn.Close()
		s.conn = nil
		done = lineStart(ends, done)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			s.notBefore = time.Now().Add(dialPause)
			break
		}
	}
	for _, end := range ends {
		if end > done {
			lost++
		}
	}
	return lost
}

// lineStart gives the start of the line that the byte at lies in: a line that
// was cut is sent again whole.
func lineStart(ends []int, at int) int {
	start := 0
	for _, end := range ends {
		if end > at {
			break
		}
		start = end
	}
	return start
}

func (s *stream) connect() bool {
	if s.conn != nil {
		return true
	}
	if time.Now().Before(s.notBefore) {
		return false
	}
	conn, err := net.DialTimeout(s.network, s.address, dialTimeout)
	if err != nil {
		s.notBefore = time.Now().Add(dialPause)
		return false
	}
	s.conn = conn
	return true
}

func (s *stream) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}
