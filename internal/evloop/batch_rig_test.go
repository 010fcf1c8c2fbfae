package evloop

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A batchRig is a batch that watches streams; the test holds their other ends.
type batchRig struct {
	t       *testing.T
	b       *batch
	epfd    int
	streams []*batchStream
	events  [batchEventsMax]Event
}

// A batchStream is one of them. What Wait reported of it is added up.
type batchStream struct {
	t        *testing.T
	fd, peer int
	ready    Ready
}

// newBatchRig has n streams, all of which were read to the end once, so that the
// batch may read ahead. At the end of the test nothing is held any more.
func newBatchRig(t *testing.T, n int) *batchRig {
	t.Helper()
	r := &batchRig{t: t, b: &batch{}}
	epfd, errno := r.b.EpollCreate()
	if errno != 0 {
		t.Fatal(errno)
	}
	r.epfd = epfd
	for range n {
		r.open(unixPair(t))
	}
	r.turn()
	t.Cleanup(r.finish)
	return r
}

// open has the batch watch fd.
func (r *batchRig) open(fd, peer int) *batchStream {
	r.t.Helper()
	s := &batchStream{t: r.t, fd: fd, peer: peer}
	if errno := r.b.EpollAdd(r.epfd, fd, uint64(fd), false); errno != 0 {
		r.t.Fatal(errno)
	}
	if _, errno := r.b.Read(fd, make([]byte, 1)); errno != syscall.EAGAIN {
		r.t.Fatalf("a new stream: %v", errno)
	}
	r.streams = append(r.streams, s)
	return s
}

func (r *batchRig) finish() {
	for _, s := range r.streams {
		if s.fd >= 0 {
			r.b.Close(s.fd)
		}
		unix.Close(s.peer)
	}
	r.b.flush()
	if b := r.b; b.ring != nil && (len(b.freeReceived) != receivedMax || len(b.freeRest) != len(b.remainders)) {
		r.t.Errorf("%d of %d read-ahead parts and %d of %d remainders are free", len(b.freeReceived), receivedMax, len(b.freeRest), len(b.remainders))
	}
	if r.b.epfd == r.epfd {
		r.b.Close(r.epfd)
	}
}

func unixPair(t *testing.T) (fd, peer int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

func tcpPairOf(t *testing.T) (fd, peer int) {
	t.Helper()
	k := &system{}
	listener, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	defer unix.Close(listener)
	if errno := k.Bind(listener, Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")}); errno != 0 {
		t.Fatal(errno)
	}
	if err := unix.Listen(listener, 1); err != nil {
		t.Fatal(err)
	}
	peer, _ = k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	k.Connect(peer, Addr{IP: k.LocalAddr(listener)})
	for {
		unix.Poll([]unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}, -1)
		if conn, _, errno := k.Accept(listener); errno == 0 {
			return conn, peer
		}
	}
}

// turn takes the events that are there.
func (r *batchRig) turn() {
	r.t.Helper()
	n, errno := r.b.Wait(r.epfd, r.events[:], 0)
	if errno != 0 {
		r.t.Fatal(errno)
	}
	for _, ev := range r.events[:n] {
		for _, s := range r.streams {
			if uint64(s.fd) == ev.Tag {
				s.ready |= ev.Ready
			}
		}
	}
}

// await turns until s is ready for all of what.
func (r *batchRig) await(s *batchStream, what Ready) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.ready&what != what; r.turn() {
		if time.Now().After(deadline) {
			r.t.Fatalf("ready for %v, want %v", s.ready, what)
		}
	}
}

func say(what string, round, stream int) string {
	return fmt.Sprintf("%s %d of stream %d", what, round, stream)
}

// sayAll has every peer write.
func (r *batchRig) sayAll(what string, round int) {
	r.t.Helper()
	for i, s := range r.streams {
		s.peerWrites(say(what, round, i))
	}
}

func (s *batchStream) peerWrites(text string) {
	s.t.Helper()
	if n, err := unix.Write(s.peer, []byte(text)); n != len(text) {
		s.t.Fatalf("the peer wrote %d of %d: %v", n, len(text), err)
	}
}

// wantPeer reads what the peer has, which must be text.
func (s *batchStream) wantPeer(text string) {
	s.t.Helper()
	p := make([]byte, len(text)+100)
	n, err := unix.Read(s.peer, p)
	if got := string(p[:max(n, 0)]); got != text {
		s.t.Errorf("the peer got %.50q (%v), want %.50q", got, err, text)
	}
}

// wantRead reads more than there should be.
func (r *batchRig) wantRead(s *batchStream, text string) {
	r.t.Helper()
	p := make([]byte, len(text)+100)
	n, errno := r.b.Read(s.fd, p)
	if errno != 0 || string(p[:n]) != text {
		r.t.Errorf("read %.50q, %v, want %.50q", p[:n], errno, text)
	}
}

func (r *batchRig) wantErrno(s *batchStream, want syscall.Errno) {
	r.t.Helper()
	if n, errno := r.b.Read(s.fd, make([]byte, 10)); n != 0 || errno != want {
		r.t.Errorf("read %d bytes, %v, want %v", n, errno, want)
	}
}

// write must take all of text.
func (r *batchRig) write(s *batchStream, text string) {
	r.t.Helper()
	if n, errno := r.b.Write(s.fd, []byte(text)); n != len(text) || errno != 0 {
		r.t.Fatalf("wrote %d of %d bytes, %v", n, len(text), errno)
	}
}

// isReadAhead reports whether the batch holds bytes of s.
func (r *batchRig) isReadAhead(s *batchStream) bool { return r.b.watch(s.fd).received != 0 }

// busy makes the batch batch: as if the last turn had had many events.
func (r *batchRig) busy() { r.b.waits = true }
