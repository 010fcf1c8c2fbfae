package evloop

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wantEnd: the peer's next read is the end of the file.
func (s *batchStream) wantEnd() {
	s.t.Helper()
	if n, err := unix.Read(s.peer, make([]byte, 10)); n != 0 || err != nil {
		s.t.Errorf("read %d, %v, want the end of the file", n, err)
	}
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

func TestShutdownAndCloseComeBehindWhatWaits(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 4)
	r.busy()
	for i, s := range r.streams {
		r.write(s, say("bye", 0, i))
	}
	both, closed, shut := r.streams[0], r.streams[1], r.streams[2]
	r.b.Shutdown(both.fd)
	r.b.Close(both.fd)
	r.b.Close(closed.fd)
	if errno := r.b.Shutdown(shut.fd); errno != 0 {
		t.Errorf("shutdown: %v", errno)
	}
	r.turn()
	for i, s := range r.streams[:3] {
		s.wantPeer(say("bye", 0, i))
		s.wantEnd()
	}
	if isOpen(both.fd) || isOpen(closed.fd) || !isOpen(shut.fd) {
		t.Error("the wrong descriptors are open")
	}
	both.fd, closed.fd = -1, -1
	shut.peerWrites("still here")
	r.await(shut, ReadyIn)
	r.wantRead(shut, "still here")
	if _, errno := r.b.Write(shut.fd, []byte("x")); errno != 0 && errno != syscall.EPIPE {
		t.Errorf("a write behind FIN: %v", errno)
	}
	r.streams[3].wantPeer(say("bye", 0, 3))
}

// restOf makes a stream with a remainder; the text is all that the peer shall get.
func (r *batchRig) restOf(s *batchStream) (text string) {
	r.t.Helper()
	text = r.fill(s) + strings.Repeat("t", batchSendMax)
	r.write(s, text[len(text)-batchSendMax:])
	r.b.flush()
	if r.b.watch(s.fd).rest == 0 {
		r.t.Fatal("the socket took it all: the test has lost its point")
	}
	return text
}

func TestClosedStreamLingersUntilItsRestIsGone(t *testing.T) {
	if !needRing(t) {
		return
	}
	for name, end := range map[string]func(r *batchRig, s *batchStream) string{
		"close with a rest": func(r *batchRig, s *batchStream) string {
			text := r.restOf(s)
			r.b.Close(s.fd)
			return text
		},
		"shutdown and close with a rest": func(r *batchRig, s *batchStream) string {
			text := r.restOf(s)
			r.b.Shutdown(s.fd)
			r.b.Close(s.fd)
			return text
		},
		"close before the rest is known": func(r *batchRig, s *batchStream) string {
			text := r.fill(s) + strings.Repeat("t", batchSendMax)
			r.write(s, text[len(text)-batchSendMax:])
			r.b.Shutdown(s.fd)
			r.b.Close(s.fd)
			return text
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBatchRig(t, 2)
			s := r.streams[0]
			text := end(r, s)
			r.turn()
			if len(r.b.lingering) != 1 || !isOpen(s.fd) {
				t.Fatalf("%d linger, open %v", len(r.b.lingering), isOpen(s.fd))
			}
			fd := s.fd
			s.fd, s.ready = -1, 0
			r.drain(s, text)
			s.wantEnd()
			if len(r.b.lingering) != 0 || isOpen(fd) {
				t.Errorf("%d linger, open %v", len(r.b.lingering), isOpen(fd))
			}
		})
	}
}

func TestShutdownWaitsForTheRest(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	s := r.streams[0]
	text := r.restOf(s)
	r.b.Shutdown(s.fd)
	r.drain(s, text)
	s.wantEnd()
	s.peerWrites("thanks")
	r.await(s, ReadyIn)
	r.wantRead(s, "thanks")
}

func TestLingeringEnds(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	s := r.streams[0]
	r.restOf(s)
	r.b.Close(s.fd)
	if left := r.b.untilLinger(-1); left <= 0 || left > lingerTime {
		t.Errorf("Wait may wait %v", left)
	}
	if left := r.b.untilLinger(time.Millisecond); left != time.Millisecond {
		t.Errorf("Wait may wait %v, want what the caller said", left)
	}
	r.b.lingering[0].until = r.b.Now()
	r.turn()
	if len(r.b.lingering) != 0 || isOpen(s.fd) || r.b.untilLinger(-1) != -1 {
		t.Errorf("%d linger, open %v", len(r.b.lingering), isOpen(s.fd))
	}
	s.fd = -1
}

func TestLingeringIsBounded(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 1)
	first := r.streams[0]
	r.restOf(first)
	r.b.Close(first.fd)
	for range lingeringMax - 1 {
		r.b.lingering = append(r.b.lingering, lingering{fd: -1, until: r.b.Now().Add(time.Hour)})
	}
	second := r.open(unixPair(t))
	r.turn()
	r.restOf(second)
	r.b.Close(second.fd)
	if len(r.b.lingering) != lingeringMax || isOpen(first.fd) || !isOpen(second.fd) {
		t.Errorf("%d linger, the first %v, the last %v", len(r.b.lingering), isOpen(first.fd), isOpen(second.fd))
	}
	r.b.lingering = r.b.lingering[lingeringMax-1:]
	r.b.Reset(second.fd)
	first.fd, second.fd = -1, -1
}

func TestPeerOfALingeringStreamGoes(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 1)
	s := r.streams[0]
	r.restOf(s)
	r.b.Close(s.fd)
	unix.Close(s.peer)
	s.peer = -1
	r.turn()
	if len(r.b.lingering) != 0 || isOpen(s.fd) {
		t.Errorf("%d linger, open %v", len(r.b.lingering), isOpen(s.fd))
	}
	s.fd = -1
}

func TestResetComesBehindWhatWaits(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 0)
	s := r.open(tcpPairOf(t))
	r.turn()
	r.busy()
	r.write(s, "before")
	r.b.Shutdown(s.fd)
	r.b.Reset(s.fd)
	if isOpen(s.fd) {
		t.Error("still open")
	}
	s.fd = -1
	peer := []unix.PollFd{{Fd: int32(s.peer), Events: unix.POLLIN | unix.POLLRDHUP}}
	unix.Poll(peer, 10_000)
	s.wantPeer("before")
}

func TestEndOfTheLoopSendsWhatWaits(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 3)
	r.busy()
	for i, s := range r.streams {
		r.write(s, say("bye", 0, i))
		r.b.Close(s.fd)
		s.fd = -1
	}
	r.b.Close(r.epfd)
	for i, s := range r.streams {
		s.wantPeer(say("bye", 0, i))
		s.wantEnd()
	}
}

// The peer of a stream that lingers has a last chance to read.
func TestEndOfTheLoopWaitsForTheRest(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	s := r.streams[0]
	text := r.restOf(s)
	r.b.Close(s.fd)
	s.fd = -1
	got := make(chan string)
	unix.SetNonblock(s.peer, false)
	go func() {
		var b strings.Builder
		p := make([]byte, 4096)
		for {
			n, _ := unix.Read(s.peer, p)
			if n <= 0 {
				got <- b.String()
				return
			}
			b.Write(p[:n])
		}
	}()
	r.b.Close(r.streams[1].fd)
	r.streams[1].fd = -1
	r.b.Close(r.epfd)
	if all := <-got; all != text {
		t.Errorf("%d bytes arrived, want %d", len(all), len(text))
	}
}
