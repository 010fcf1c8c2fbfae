package tls

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// wireMax bounds what waits between the socket and a handshake, each way. A
// ClientHello and a chain of certificates take a few KiB.
const wireMax = 64 << 10 // bytes

// A wire is the net.Conn that crypto/tls sees. During the handshake its Read
// waits, in the handshake's goroutine, for what the loop brings. Afterwards Read
// takes from the socket itself and says errNothing when that has nothing, and
// Write leaves records for the loop to send.
type wire struct {
	fd      *evloop.FD // nil during the handshake
	scratch *Scratch   // the loop's
	notify  func()     // wakes the loop

	mu    sync.Mutex
	in    []byte // received, not read
	out   []byte // written during the handshake, not sent
	more  chan struct{}
	ended error // why no more comes
	full  bool  // the loop stopped reading because in holds wireMax
	heard bool  // something was received
	over  bool  // the handshake has returned
	err   error // what it returned

	// What GetConfigForClient decided.
	site     *site
	shown    *entry
	helloSNI string
}

// unnamed is the address of both ends. crypto/tls finds sessions to be resumed
// by it when a server is asked for by no name; each server has a memory of its
// own for them.
type unnamed struct{}

func (unnamed) Network() string { return "tcp" }
func (unnamed) String() string  { return "unnamed" }

// nothing is the error of a Read that would have to wait. crypto/tls forgets it
// and keeps the record that it has a part of.
type nothing struct{}

func (nothing) Error() string   { return "nothing to be read for now" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

var errNothing net.Error = nothing{}

func (w *wire) Read(p []byte) (int, error) {
	if w.fd == nil {
		return w.await(p)
	}
	if len(w.in) > 0 {
		return w.take(p), nil
	}
	if w.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
		return 0, errNothing
	}
	n, res := w.fd.Read(p)
	switch res {
	case evloop.Done:
		return n, nil
	case evloop.Again:
		return 0, errNothing
	case evloop.EOF:
		return 0, io.EOF
	}
	return 0, w.fd.Errno()
}

func (w *wire) take(p []byte) int {
	n := copy(p, w.in)
	w.in = w.in[n:]
	if len(w.in) == 0 {
		w.in = nil
	}
	return n
}

// await is Read during the handshake.
func (w *wire) await(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.in) == 0 && w.ended == nil {
		w.mu.Unlock()
		<-w.more
		w.mu.Lock()
	}
	if len(w.in) == 0 {
		return 0, w.ended
	}
	n := w.take(p)
	if w.full {
		w.full = false
		w.notify()
	}
	return n, nil
}

// feed brings what the loop has received. It reports whether there is room for
// more.
func (w *wire) feed(p []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in, w.heard = append(w.in, p...), true
	w.full = len(w.in) >= wireMax
	w.signal()
	return !w.full
}

// end says that no more will come.
func (w *wire) end(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended == nil {
		w.ended = why
	}
	w.signal()
}

func (w *wire) signal() {
	select {
	case w.more <- struct{}{}:
	default: // it has not seen the last one yet
	}
}

func (w *wire) Write(p []byte) (int, error) {
	if w.fd != nil {
		w.scratch.records = append(w.scratch.records, p...)
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil && w.ended != io.EOF || len(w.out)+len(p) > wireMax {
		return 0, net.ErrClosed
	}
	w.out = append(w.out, p...)
	w.notify()
	return len(p), nil
}

// Close is never called: package proxy owns the socket.
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return unnamed{} }
func (w *wire) RemoteAddr() net.Addr             { return unnamed{} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
