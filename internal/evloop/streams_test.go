package evloop_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

// FuzzStreams: over either kernel, what both sides of several streams write
// arrives whole and in order, however it is written, read and peeked at, in
// whatever turns; and who waits for readiness never waits for ever.
func FuzzStreams(f *testing.F) {
	for seed := range uint64(8) {
		script := make([]byte, 3000)
		source := rand.New(rand.NewPCG(seed, 1))
		for i := range script {
			script[i] = byte(source.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		for _, k := range []evloop.Kernel{evloop.System(), evloop.Fastest()} {
			runStreams(t, k, script)
		}
	})
}

const streamsMax = 6

// A testStream is one FD and the test's end of its socket.
type testStream struct {
	t    *testing.T
	fd   evloop.FD
	peer int

	written, arrived   int // by the FD, at the peer
	said, read         int // by the peer, at the FD
	shut, peerShut     bool
	sawEnd, peerSawEnd bool
}

func runStreams(t *testing.T, k evloop.Kernel, script []byte) {
	l, err := evloop.New(evloop.Config{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Free()
	var streams [streamsMax]testStream
	for i := range streams {
		s := &streams[i]
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.t, s.peer = t, fds[1]
		defer unix.Close(s.peer)
		if i%2 == 0 { // little room: many short writes
			unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, 1)
		}
		if errno := l.Open(&s.fd, fds[0], &handler{}, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	for ; len(script) > 2; script = script[3:] {
		size := int(script[1])<<8 | int(script[2])
		if script[0]&0x80 == 0 {
			size %= 300
		}
		if script[0]%13 == 0 { // a busy turn
			for i := range streams {
				streams[i].readAndCheck(1 << 16)
				streams[i].say(size%5000 + i + 1)
			}
			l.Turn(0)
		}
		streams[script[0]%streamsMax].act(l, script[0]/streamsMax%11, size%9000+1)
	}
	for i := range streams {
		streams[i].finish(l)
	}
}

// act does one thing, if the readiness that is known allows it.
func (s *testStream) act(l *evloop.Loop, what byte, size int) {
	switch what {
	case 0, 1:
		s.write(size, int(what)+size%2*2)
	case 2, 3:
		s.readAndCheck(size)
	case 4:
		s.peek(size)
	case 5, 6:
		s.say(size)
	case 7:
		s.listen(size)
	case 8:
		if s.fd.IsOpen() && !s.shut && size%16 == 0 {
			s.shut = true
			s.fd.Shutdown()
		}
	case 9:
		if size%64 == 0 {
			l.Close(&s.fd)
		}
	case 10:
		l.Turn(0)
	}
}

// text makes the bytes from..to of a stream.
func text(from, to int) []byte {
	p := make([]byte, to-from)
	for i := range p {
		p[i] = byte((from + i) * 7 >> 3)
	}
	return p
}

func (s *testStream) check(what string, p []byte, from int) {
	s.t.Helper()
	if string(p) != string(text(from, from+len(p))) {
		s.t.Fatalf("%s: %d bytes from %d on are not what was sent", what, len(p), from)
	}
}

func (s *testStream) write(size, how int) {
	if !s.fd.IsOpen() || s.shut || s.fd.Ready()&evloop.ReadyOut == 0 {
		return
	}
	p := text(s.written, s.written+size)
	n, res := 0, evloop.Done
	switch how {
	case 0, 2:
		n, res = s.fd.Write(p)
	case 1:
		n, res = s.fd.Writev(p[:size/3], nil, p[size/3:])
	case 3:
		n, res = s.fd.WriteMore(p[:size/3+1], p[size/3+1:])
	}
	if res == evloop.Failed && !s.peerSawEnd {
		s.t.Fatal(s.fd.Errno())
	}
	s.written += n
}

func (s *testStream) readAndCheck(size int) {
	s.t.Helper()
	if !s.fd.IsOpen() || s.fd.Ready()&evloop.ReadyIn == 0 {
		return
	}
	p := make([]byte, size)
	n, res := s.fd.Read(p)
	switch res {
	case evloop.Failed:
		s.t.Fatal(s.fd.Errno())
	case evloop.EOF:
		s.sawEnd = true
		if s.read != s.said || !s.peerShut {
			s.t.Fatalf("the end after %d of %d bytes", s.read, s.said)
		}
	}
	s.check("read", p[:n], s.read)
	s.read += n
}

func (s *testStream) peek(size int) {
	s.t.Helper()
	if !s.fd.IsOpen() || s.fd.Ready()&evloop.ReadyIn == 0 {
		return
	}
	p := make([]byte, size)
	n, res := s.fd.Peek(p)
	s.check("peek", p[:n], s.read)
	if res == evloop.Done {
		s.fd.Assume(evloop.ReadyIn)
	}
}

// say has the peer write.
func (s *testStream) say(size int) {
	if s.peerShut || !s.fd.IsOpen() {
		return
	}
	if size%32 == 0 {
		s.peerShut = true
		unix.Shutdown(s.peer, unix.SHUT_WR)
		return
	}
	n, err := unix.Write(s.peer, text(s.said, s.said+size))
	if err != nil && err != unix.EAGAIN {
		s.t.Fatal(err)
	}
	s.said += max(n, 0)
}

// listen has the peer read.
func (s *testStream) listen(size int) {
	s.t.Helper()
	p := make([]byte, size)
	n, err := unix.Read(s.peer, p)
	if n == 0 && err == nil || err == unix.ECONNRESET { // unread bytes were there when we closed
		s.peerSawEnd = true
		if s.arrived != s.written || s.fd.IsOpen() && !s.shut {
			s.t.Fatalf("the peer's end after %d of %d bytes", s.arrived, s.written)
		}
	}
	n = max(n, 0)
	s.check("arrived", p[:n], s.arrived)
	s.arrived += n
}

// finish takes what is under way.
func (s *testStream) finish(l *evloop.Loop) {
	s.t.Helper()
	for range 10_000 {
		open := s.fd.IsOpen()
		if s.arrived == s.written && (s.peerSawEnd || open && !s.shut) &&
			(!open || s.read == s.said && (s.sawEnd || !s.peerShut)) {
			l.Close(&s.fd)
			return
		}
		l.Turn(0)
		s.readAndCheck(1000)
		s.listen(1000)
	}
	s.t.Fatalf("nothing happens any more: %+v", *s)
}
