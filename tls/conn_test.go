package tls

import (
	cryptotls "crypto/tls"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/tls/tlstest"
)

// A side is one end of a connection, on a loop that the test turns.
type side struct {
	fd   evloop.FD
	conn *Conn
}

func (s *side) HandleReady(evloop.Time, *evloop.FD)      {}
func (s *side) HandleTimeout(evloop.Time, *evloop.Timer) {}
func (s *side) HandleLetter(evloop.Time, *evloop.Letter) {}

// newSides gives a server and a client that have shaken hands.
func newSides(t *testing.T) (loop *evloop.Loop, server, client *side) {
	t.Helper()
	ca := tlstest.NewAuthority(t, "authority")
	path := ca.File(t.TempDir(), "site.pem", tlstest.Request{Names: []string{"example.com"}})
	srv, err := NewServer(&Spec{Sources: []Source{{Path: path}}, MinVersion: cryptotls.VersionTLS13}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := NewClient(&ClientSpec{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	loop, err = evloop.New(evloop.Config{Kernel: evloop.System()})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	scratch := NewScratch(buffer.NewPool(16384, 8))
	nobody := func() {} // the test looks by itself
	server, client = &side{conn: srv.NewConn(scratch, nobody)}, &side{conn: cl.NewConn(scratch, nobody, "example.com")}
	for i, s := range []*side{server, client} {
		if errno := loop.Open(&s.fd, pair[i], s, 0); errno != 0 {
			t.Fatal(errno)
		}
		go s.conn.Handshake()
	}
	t.Cleanup(func() {
		loop.Close(&server.fd)
		loop.Close(&client.fd)
		loop.Free()
	})
	buf := make([]byte, 16384)
	for over := 0; over < 2; {
		loop.Turn(0)
		over = 0
		for _, s := range []*side{server, client} {
			if s.conn.Pump(&s.fd, buf) {
				over++
			}
		}
	}
	for _, s := range []*side{server, client} {
		if err := s.conn.Settle(&s.fd); err != nil {
			t.Fatal(err)
		}
	}
	return loop, server, client
}

// Bytes that the socket does not take are owned up to when it has taken them, and
// arrive once.
func TestWriteOwnsUpToWhatWasTaken(t *testing.T) {
	loop, server, client := newSides(t)
	sent := make([]byte, 4<<20)
	for i := range sent {
		sent[i] = byte(i ^ i>>8 ^ i>>16)
	}
	at, got, buf := 0, 0, make([]byte, 10_000)
	refused := 0
	for got < len(sent) {
		if at < len(sent) {
			n, res := server.conn.Write(&server.fd, sent[at:min(at+50_000, len(sent))], nil, false)
			if res == evloop.Failed {
				t.Fatal("the write failed")
			}
			if at += n; n == 0 {
				refused++
			}
		}
		loop.Turn(0)
		n, res := client.conn.Read(&client.fd, buf)
		if res == evloop.Failed {
			t.Fatal("the read failed")
		}
		for i, b := range buf[:n] {
			if b != sent[got+i] {
				t.Fatalf("byte %d is wrong", got+i)
			}
		}
		if got += n; got > at+50_000 {
			t.Fatalf("%d bytes arrived, %d were owned up to", got, at)
		}
	}
	if refused == 0 {
		t.Error("the socket took everything: this shows nothing")
	}
	server.conn.Shutdown(&server.fd)
	for range 10 {
		loop.Turn(0)
		if _, res := client.conn.Read(&client.fd, buf); res == evloop.EOF {
			return
		}
	}
	t.Error("the client was not told of the end")
}

// What was peeked at is read once, and readiness tells of plaintext that the
// socket knows nothing of.
func TestPeekAndReadiness(t *testing.T) {
	loop, server, client := newSides(t)
	b := make([]byte, 10)
	server.conn.Read(&server.fd, b) // whatever the handshake left
	if r := server.conn.Ready(&server.fd); r&evloop.ReadyIn != 0 {
		t.Errorf("ready %b before anything came", r)
	}
	client.conn.Write(&client.fd, []byte("hello"), []byte(" world"), false)
	loop.Turn(0)
	if n, res := server.conn.Peek(&server.fd, b[:1]); n != 1 || res != evloop.Done || b[0] != 'h' {
		t.Fatalf("peeked at %q, %v", b[:n], res)
	}
	got := ""
	for server.conn.Ready(&server.fd)&evloop.ReadyIn != 0 {
		n, res := server.conn.Read(&server.fd, b[:4])
		if res == evloop.Again {
			break
		}
		got += string(b[:n])
	}
	if got != "hello world" {
		t.Errorf("read %q", got)
	}
	if n, res := server.conn.Peek(&server.fd, b); n != 0 || res != evloop.Again {
		t.Errorf("peeked at %d bytes where there are none, %v", n, res)
	}
	client.conn.Close(&client.fd, true)
	loop.Close(&client.fd)
	loop.Turn(0)
	if _, res := server.conn.Peek(&server.fd, b); res != evloop.EOF {
		t.Errorf("after close_notify: %v", res)
	}
	if r := server.conn.Ready(&server.fd); r&evloop.ReadyHup == 0 {
		t.Errorf("ready %b at the end: nobody would look", r)
	}
}
