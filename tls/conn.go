package tls

import (
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
)

// A Scratch is memory of one loop that all its connections share.
type Scratch struct {
	pool    *buffer.Pool
	records []byte // made by one call, to be sent by it
	joined  []byte // pieces of one record
}

// NewScratch makes one for a loop with that pool.
func NewScratch(pool *buffer.Pool) *Scratch {
	return &Scratch{pool: pool, records: make([]byte, 0, batchMax+4096), joined: make([]byte, 0, recordMax)}
}

// batchMax is how much plaintext one Write seals before it sends.
const batchMax = 2 * recordMax

// A Conn is TLS over a socket that a loop watches. Its methods for reading and
// writing mean what those of evloop.FD mean, for plaintext.
type Conn struct {
	wire wire
	tls  *cryptotls.Conn

	out     *buffer.Buffer // records that the socket did not take; nil: none
	owed    int            // plaintext in out that Write has not owned up to
	ahead   []byte         // plaintext that was only peeked at
	pending bool           // there may be plaintext, whatever the socket says
	eof     bool           // close_notify or FIN
	closing bool           // FIN has to follow out
}

// NewConn is a connection whose client has not been heard yet. notify is called
// from the goroutine of the handshake when Pump has something to do.
func (s *Server) NewConn(scratch *Scratch, notify func()) *Conn {
	c := &Conn{wire: wire{scratch: scratch, notify: notify, more: make(chan struct{}, 1), site: s.site}}
	c.tls = cryptotls.Server(&c.wire, s.outer)
	return c
}

// Handshake does what its name says, and returns when that has come to an end.
// It is for a goroutine of its own.
func (c *Conn) Handshake() {
	err := c.tls.Handshake()
	w := &c.wire
	w.mu.Lock()
	w.over, w.err = true, err
	w.mu.Unlock()
	w.notify()
}

// Pump brings the handshake what the client sent, and the client what the
// handshake wrote. It reports whether the handshake is over: then Settle tells
// how. buf is where the socket is read.
func (c *Conn) Pump(fd *evloop.FD, buf []byte) (over bool) {
	w := &c.wire
	w.mu.Lock()
	out, over, full := w.out, w.over, w.full
	w.out = nil
	w.mu.Unlock()
	if c.out != nil || len(out) > 0 {
		w.scratch.records = append(w.scratch.records, out...)
		if c.send(fd, false) == evloop.Failed {
			w.end(errBroken)
		}
	}
	if over {
		return true
	}
	for !full && fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) != 0 {
		n, res := fd.Read(buf)
		switch res {
		case evloop.Done:
			full = !w.feed(buf[:n])
		case evloop.Again:
			return false
		case evloop.EOF:
			w.end(io.EOF)
			return false
		case evloop.Failed:
			w.end(errBroken)
			return false
		}
	}
	return false
}

var errBroken = errors.New("the connection is broken")

// Abandon ends the handshake: nobody waits for it any more.
func (c *Conn) Abandon() { c.wire.end(net.ErrClosed) }

// Settle ends the time of two goroutines: from now on the Conn is the loop's. The
// error is the handshake's.
func (c *Conn) Settle(fd *evloop.FD) error {
	w := &c.wire
	w.fd = fd
	w.more = nil
	c.pending = true // the client may have sent a request behind its last word
	return w.err
}

// Ready is what can be done without blocking.
func (c *Conn) Ready(fd *evloop.FD) evloop.Ready {
	r := fd.Ready()
	switch {
	case c.eof:
		r |= evloop.ReadyIn | evloop.ReadyHup
	case c.pending, len(c.ahead) > 0, c.out != nil && c.owed == 0:
		r |= evloop.ReadyIn
	}
	return r
}

// Read gives plaintext. Like FD.Read it has drained the connection when it
// returns less than asked for.
func (c *Conn) Read(fd *evloop.FD, p []byte) (int, evloop.Result) {
	if len(p) == 0 {
		return 0, evloop.Again
	}
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil
		}
		return n, evloop.Done
	}
	if c.out != nil && c.owed == 0 && c.send(fd, false) == evloop.Failed {
		return 0, evloop.Failed
	}
	if c.eof {
		return 0, evloop.EOF
	}
	n := 0
	for n < len(p) {
		m, err := c.tls.Read(p[n:])
		n += m
		if err == nil {
			continue
		}
		c.pending = false
		return n, c.readEnded(fd, n, err)
	}
	c.pending = true
	return n, evloop.Done
}

// readEnded says what an error of crypto/tls means to who reads, and sends what
// the read gave rise to: an alert, or the answer to a change of keys.
func (c *Conn) readEnded(fd *evloop.FD, n int, err error) evloop.Result {
	if len(c.wire.scratch.records) > 0 {
		c.send(fd, false)
	}
	switch {
	case err == io.EOF:
		c.eof = true
	case err != errNothing && n == 0:
		return evloop.Failed
	case err != errNothing:
		c.pending = true // the error stays, and is told by the next read
	}
	switch {
	case n > 0:
		return evloop.Done
	case c.eof:
		return evloop.EOF
	}
	return evloop.Again
}

// Peek is Read that leaves the bytes for the next one.
func (c *Conn) Peek(fd *evloop.FD, p []byte) (int, evloop.Result) {
	if len(c.ahead) == 0 {
		n, res := c.Read(fd, p)
		if res != evloop.Done {
			return n, res
		}
		c.ahead = append([]byte(nil), p[:n]...)
	}
	return copy(p, c.ahead), evloop.Done
}

// Write seals and sends a and b as one. It owns up to bytes only when the socket
// has taken their records whole: who is told less must come again with the rest,
// unchanged, as from any full socket. more: something follows at once.
func (c *Conn) Write(fd *evloop.FD, a, b []byte, more bool) (int, evloop.Result) {
	want, done := len(a)+len(b), 0
	if c.out != nil {
		if res := c.send(fd, more); c.out != nil || res == evloop.Failed {
			return 0, res
		}
		done, c.owed = min(c.owed, want), 0
	}
	s := c.wire.scratch
	for done < want {
		batch := 0
		for batch < batchMax && done+batch < want {
			p := s.piece(a, b, done+batch)
			if _, err := c.tls.Write(p); err != nil {
				s.records = s.records[:0]
				return done, evloop.Failed
			}
			batch += len(p)
		}
		if c.send(fd, more) == evloop.Failed {
			return done, evloop.Failed
		}
		if c.out != nil {
			c.owed = batch
			break
		}
		done += batch
	}
	if done == 0 && want > 0 {
		return 0, evloop.Again
	}
	return done, evloop.Done
}

// piece is the plaintext of the next record, from offset on. It joins the end of
// a with the beginning of b.
func (s *Scratch) piece(a, b []byte, offset int) []byte {
	if offset >= len(a) {
		b = b[offset-len(a):]
		return b[:min(len(b), recordMax)]
	}
	a = a[offset:]
	if len(b) == 0 || len(a) >= recordMax {
		return a[:min(len(a), recordMax)]
	}
	s.joined = append(append(s.joined[:0], a...), b[:min(len(b), recordMax-len(a))]...)
	return s.joined
}

// send writes out and the records of the loop's scratch memory, and keeps what
// the socket does not take. Again: something is kept.
func (c *Conn) send(fd *evloop.FD, more bool) evloop.Result {
	s := c.wire.scratch
	records := s.records
	s.records = s.records[:0]
	if c.out != nil {
		n, res := fd.Write(c.out.Bytes())
		if res == evloop.Failed {
			return res
		}
		c.out.Consume(n)
		if c.out.Len() > 0 {
			return c.keep(records)
		}
		s.pool.Put(c.out)
		c.out = nil
	}
	if len(records) == 0 {
		c.finishClosing(fd)
		return evloop.Done
	}
	n, res := 0, evloop.Done
	if more {
		n, res = fd.WriteMore(records, nil)
	} else {
		n, res = fd.Write(records)
	}
	if res == evloop.Failed {
		return res
	}
	if n < len(records) {
		return c.keep(records[n:])
	}
	return evloop.Done
}

// outMax bounds out: a batch, and what a client that does not read makes us say
// in answer to its changes of keys.
const outMax = 4 * batchMax

func (c *Conn) keep(records []byte) evloop.Result {
	if len(records) == 0 {
		return evloop.Again
	}
	pool := c.wire.scratch.pool
	switch {
	case c.out == nil:
		c.out = pool.TakeLarge(len(records))
	case c.out.Len()+len(records) > outMax:
		return evloop.Failed
	case len(c.out.Free()) < len(records):
		larger := pool.TakeLarge(c.out.Len() + len(records))
		larger.Append(c.out.Bytes())
		pool.Put(c.out)
		c.out = larger
	}
	c.out.Append(records)
	return evloop.Again
}

// Shutdown says that we send no more: close_notify, then FIN.
func (c *Conn) Shutdown(fd *evloop.FD) {
	c.tls.CloseWrite() // its error is that of a broken connection, which the next read tells
	c.send(fd, true)
	c.closing = true
	c.finishClosing(fd)
}

func (c *Conn) finishClosing(fd *evloop.FD) {
	if c.closing && c.out == nil {
		c.closing = false
		fd.Shutdown()
	}
}

// Close gives memory back. An orderly end is told to the client first, as far as
// the socket takes it. The socket itself is the caller's to close.
func (c *Conn) Close(fd *evloop.FD, orderly bool) {
	if orderly && c.wire.fd != nil && c.out == nil {
		c.tls.CloseWrite()
		c.send(fd, true)
	}
	if c.out != nil {
		c.wire.scratch.pool.Put(c.out)
		c.out = nil
	}
}

// Over reports whether Handshake has returned.
func (c *Conn) Over() bool {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	return c.wire.over
}
