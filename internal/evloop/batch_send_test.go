package evloop

import (
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestShortWritesWaitForTheEndOfABusyTurn(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 5)
	for round := range 3 {
		r.sayAll("question", round)
		r.turn()
		for i, s := range r.streams {
			r.wantRead(s, say("question", round, i))
			r.write(s, say("answer", round, i))
			if n, err := unix.Read(s.peer, make([]byte, 1)); err != unix.EAGAIN {
				t.Fatalf("the peer got %d bytes (%v) before the end of the turn", n, err)
			}
		}
		r.turn()
		for i, s := range r.streams {
			s.wantPeer(say("answer", round, i))
		}
	}
}

func TestWritesOfAQuietTurnAreMadeAtOnce(t *testing.T) {
	r := newBatchRig(t, 5)
	r.turn()
	r.write(r.streams[0], "hello")
	r.streams[0].wantPeer("hello")
}

func TestWritesKeepTheirOrder(t *testing.T) {
	if !needRing(t) {
		return
	}
	long := strings.Repeat("x", batchSendMax+1)
	for name, row := range map[string][]string{
		"short after short":  {"a", "b", "c"},
		"long after short":   {"a", long, "b", long},
		"full messages":      {long[1:], "a", long[1:], "b"},
		"another in between": {"a", "/", "b", "/", "c"},
		"more announced":     {"a", "+", "b", "+", "+", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBatchRig(t, 2)
			r.busy()
			want := [2]string{}
			for i, text := range row {
				to := 0
				if text == "/" {
					to = 1
				}
				want[to] += text
				if text == "+" {
					if n, errno := r.b.WriteMore(r.streams[to].fd, []byte(text), nil); n != 1 || errno != 0 {
						t.Fatalf("%d, %v", n, errno)
					}
				} else if i%2 == 0 {
					r.write(r.streams[to], text)
				} else if n, errno := r.b.Writev(r.streams[to].fd, []byte(text[:1]), nil, []byte(text[1:])); n != len(text) || errno != 0 {
					t.Fatalf("%d, %v", n, errno)
				}
			}
			r.turn()
			r.streams[0].wantPeer(want[0])
			if want[1] != "" {
				r.streams[1].wantPeer(want[1])
			}
		})
	}
}

// A turn may have more writes than a batch holds.
func TestMoreWritesThanABatchHolds(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2*batchSendsMax+3)
	r.busy()
	for i, s := range r.streams {
		r.write(s, say("hello", 0, i))
	}
	r.turn()
	for i, s := range r.streams {
		s.wantPeer(say("hello", 0, i))
	}
}

// fill writes until s takes no more, then has the peer make some room, less than
// a batched write wants. It returns what the peer has not read yet.
func (r *batchRig) fill(s *batchStream) string {
	r.t.Helper()
	unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1) // the least there is
	r.b.waits = false
	filler := strings.Repeat("f", 1000)
	sent := 0
	for {
		n, errno := r.b.Write(s.fd, []byte(filler))
		sent += n
		if errno == syscall.EAGAIN {
			break
		}
	}
	r.turn()
	n, err := unix.Read(s.peer, make([]byte, 1000))
	if err != nil {
		r.t.Fatal(err)
	}
	r.busy()
	s.ready = 0
	return strings.Repeat("f", sent-n)
}

// drain reads what the peer has, turning in between, until want has arrived.
func (r *batchRig) drain(s *batchStream, want string) {
	r.t.Helper()
	var got strings.Builder
	p := make([]byte, 700)
	for range 1000 {
		n, _ := unix.Read(s.peer, p)
		got.Write(p[:max(n, 0)])
		r.turn()
		if got.Len() >= len(want) {
			break
		}
	}
	if got.String() != want {
		r.t.Errorf("the peer got %d bytes, want %d; same start %v", got.Len(), len(want), strings.HasPrefix(want, got.String()))
	}
}

func TestRestOfAWriteGoesBeforeAllOthers(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 3)
	s := r.streams[0]
	want := r.fill(s)
	text := strings.Repeat("t", batchSendMax)
	r.write(s, text)
	r.write(r.streams[1], "one")
	r.write(r.streams[2], "two")
	r.b.flush()
	if r.b.watch(s.fd).rest == 0 {
		t.Fatal("the socket took it all: the test has lost its point")
	}
	r.streams[1].wantPeer("one")
	r.streams[2].wantPeer("two")
	for _, p := range []string{"short", strings.Repeat("l", batchSendMax+1)} {
		if n, errno := r.b.Write(s.fd, []byte(p)); n != 0 || errno != syscall.EAGAIN {
			t.Errorf("a write behind the rest: %d, %v, want EAGAIN", n, errno)
		}
	}
	if s.ready&ReadyOut != 0 {
		t.Error("ready for more before the rest is gone")
	}
	r.drain(s, want+text)
	r.await(s, ReadyOut)
	r.write(s, "end")
	r.turn()
	s.wantPeer("end")
}

// A second write must not find room that the first did not: what waits for a
// socket is one call.
func TestWritesAreOneCallOrWaitForTheFirst(t *testing.T) {
	if !needRing(t) {
		return
	}
	for name, row := range map[string]struct {
		between bool
		parts   []int
	}{
		"one after the other":      {false, []int{3000, batchSendMax - 3000, 1}},
		"another stream's between": {true, []int{batchSendMax - 100, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBatchRig(t, 2)
			s := r.streams[0]
			want := r.fill(s)
			last := len(row.parts) - 1
			for i, n := range row.parts[:last] {
				text := strings.Repeat(string(rune('a'+i)), n)
				r.write(s, text)
				want += text
			}
			if row.between {
				r.write(r.streams[1], "x")
			}
			if n, errno := r.b.Write(s.fd, make([]byte, row.parts[last])); n != 0 || errno != syscall.EAGAIN {
				t.Errorf("the last write: %d, %v, want EAGAIN", n, errno)
			}
			r.drain(s, want)
		})
	}
}

func TestReadyOutIsToldWhenTheRestIsGone(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 1)
	s := r.streams[0]
	r.restOf(s)
	w := r.b.watch(s.fd)
	if got := r.b.roomAgain(s.fd, w, ReadyIn|ReadyOut); got != ReadyIn {
		t.Errorf("told %v, want no ReadyOut: there is no room yet", got)
	}
	unix.Close(s.peer)
	s.peer = -1
	if got := r.b.roomAgain(s.fd, w, ReadyOut); got != ReadyIn|ReadyOut|ReadyErr || w.errno != uint16(syscall.EPIPE) {
		t.Errorf("told %v, errno %d", got, w.errno)
	}
}

// Epoll has nothing to report of a stream whose own end was shut down.
func TestFailureThatEpollDoesNotSeeIsTold(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 3)
	s := r.streams[0]
	r.b.Shutdown(s.fd)
	r.turn()
	s.ready = 0
	for range 2 {
		r.busy()
		r.write(s, "into the void")
		r.b.flush()
		if _, errno := r.b.Write(s.fd, []byte("x")); errno != syscall.EPIPE {
			t.Errorf("%v, want EPIPE", errno)
		}
	}
	if len(r.b.failed) != 1 {
		t.Errorf("%d failures to be told, want 1", len(r.b.failed))
	}
	if n, errno := r.b.Wait(r.epfd, r.events[:], -1); n != 1 || errno != 0 || r.events[0].Tag != uint64(s.fd) || r.events[0].Ready&ReadyErr == 0 {
		t.Errorf("%d events, %v, first %+v", n, errno, r.events[0])
	}
}

func TestSpliceGoesBehindWhatWaits(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	pipeR, pipeW, _ := r.b.Pipe(0)
	defer unix.Close(pipeR)
	defer unix.Close(pipeW)
	unix.Write(pipeW, []byte(" behind"))
	r.busy()
	r.write(r.streams[0], "first")
	if n, errno := r.b.Splice(pipeR, r.streams[0].fd, 100); n != 7 || errno != 0 {
		t.Fatalf("%d, %v", n, errno)
	}
	r.streams[0].wantPeer("first behind")

	s := r.streams[1]
	want := r.fill(s) + strings.Repeat("t", batchSendMax)
	r.write(s, want[len(want)-batchSendMax:])
	r.b.flush()
	unix.Write(pipeW, []byte(" behind"))
	if n, errno := r.b.Splice(pipeR, s.fd, 100); n != 0 || errno != syscall.EAGAIN {
		t.Errorf("%d, %v, want EAGAIN", n, errno)
	}
	r.drain(s, want)
	if n, errno := r.b.Splice(pipeR, s.fd, 100); n != 7 || errno != 0 {
		t.Errorf("%d, %v", n, errno)
	}
	s.wantPeer(" behind")
}

func TestFailureOfAWriteThatWaitedIsTold(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 3)
	for name, next := range map[string]func(s *batchStream) syscall.Errno{
		"read": func(s *batchStream) syscall.Errno {
			_, errno := r.b.Read(s.fd, make([]byte, 1))
			return errno
		},
		"write": func(s *batchStream) syscall.Errno {
			_, errno := r.b.Write(s.fd, []byte("x"))
			return errno
		},
		"long write": func(s *batchStream) syscall.Errno {
			_, errno := r.b.Write(s.fd, make([]byte, batchSendMax+1))
			return errno
		},
		"SO_ERROR": func(s *batchStream) syscall.Errno { return r.b.SocketError(s.fd) },
	} {
		s := r.open(unixPair(t))
		r.turn()
		s.ready = 0
		unix.Close(s.peer)
		s.peer = -1
		r.busy()
		r.write(s, "into the void")
		r.write(r.streams[0], name)
		r.turn()
		if s.ready&(ReadyIn|ReadyErr) != ReadyIn|ReadyErr {
			t.Errorf("%s: ready for %v", name, s.ready)
		}
		if errno := next(s); errno != syscall.EPIPE {
			t.Errorf("%s: %v, want EPIPE", name, errno)
		}
		r.streams[0].wantPeer(name)
	}
}

// A failure that nobody can be told of any more is forgotten.
func TestFailureOfAClosedStream(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 3)
	s := r.streams[0]
	unix.Close(s.peer)
	s.peer = -1
	r.busy()
	r.write(s, "into the void")
	r.write(r.streams[1], "hello")
	r.b.flush()
	r.b.Close(s.fd)
	again, peer := unixPair(t)
	if again != s.fd {
		t.Fatalf("got descriptor %d, want %d once more", again, s.fd)
	}
	s.fd, s.peer, s.ready = again, peer, 0
	r.b.EpollAdd(r.epfd, again, uint64(again), false)
	r.turn()
	if s.ready&ReadyErr != 0 {
		t.Error("a new stream was told of the old one's failure")
	}
}

// What a read finds broken while it waits to be sent is told by the write.
func TestNothingWaitsForAStreamThatIsOver(t *testing.T) {
	r := newBatchRig(t, 3)
	s := r.streams[0]
	unix.Close(s.peer)
	s.peer = -1
	r.turn()
	r.busy()
	if _, errno := r.b.Write(s.fd, []byte("x")); errno != syscall.EPIPE {
		t.Errorf("%v, want EPIPE", errno)
	}
}

func TestRemaindersAreBounded(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	for range remaindersMax - 1 {
		r.b.remainders = append(r.b.remainders, remainder{})
	}
	r.busy()
	r.write(r.streams[0], "the last that may leave a rest")
	r.write(r.streams[1], "at once")
	r.streams[1].wantPeer("at once")
	r.turn()
	r.streams[0].wantPeer("the last that may leave a rest")
	r.b.remainders = nil
}
