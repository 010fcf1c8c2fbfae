package evloop

import (
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestManyReadySocketsAreReadAtOnce(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 5)
	for round := range 3 {
		r.sayAll("hello", round)
		r.turn()
		for i, s := range r.streams {
			if !r.isReadAhead(s) {
				t.Fatalf("round %d: stream %d was not read ahead", round, i)
			}
			r.wantRead(s, say("hello", round, i))
			r.wantErrno(s, syscall.EAGAIN)
		}
	}
}

func TestFewReadySocketsAreLeftToTheirReads(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 5)
	for _, s := range r.streams[:batchEventsMin-1] {
		s.peerWrites("hello")
	}
	r.turn()
	for _, s := range r.streams[:batchEventsMin-1] {
		if r.isReadAhead(s) {
			t.Error("read ahead, though it saves nothing")
		}
		r.wantRead(s, "hello")
	}
}

// Who has not read, peeks, splices or fills his buffer may not want the bytes in
// memory.
func TestOnlyWhoReadsToTheEndIsReadAhead(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 8)
	p := make([]byte, 4)
	r.sayAll("hello", 0)
	r.turn()
	for _, s := range r.streams[4:] {
		r.wantRead(s, say("hello", 0, r.index(s)))
	}
	r.b.Peek(r.streams[4].fd, p)
	fresh, peer := unixPair(t)
	r.b.EpollAdd(r.epfd, fresh, uint64(fresh), false)
	silent := &batchStream{t: t, fd: fresh, peer: peer}
	r.streams = append(r.streams, silent)
	first := r.streams[0]
	r.b.Read(first.fd, p) // a part only
	r.sayAll("again", 1)
	r.turn()
	for i, s := range r.streams {
		want := i != 4 && s != silent
		if r.isReadAhead(s) != want {
			t.Errorf("stream %d: read ahead %v, want %v", i, !want, want)
		}
	}
	r.wantRead(first, say("hello", 0, 0)[4:]+say("again", 1, 0))
	for i, s := range r.streams[1:4] { // nobody read them in time
		r.wantRead(s, say("hello", 0, i+1)+say("again", 1, i+1))
	}
	r.wantRead(r.streams[4], say("again", 1, 4))
	r.wantRead(silent, say("again", 1, 8))
}

func (r *batchRig) index(s *batchStream) int {
	for i, other := range r.streams {
		if other == s {
			return i
		}
	}
	return -1
}

func TestMoreThanWasReadAheadComesInOneRead(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 4)
	long := strings.Repeat("0123456789", 1000)
	for _, s := range r.streams {
		s.peerWrites(long)
	}
	r.turn()
	for i, s := range r.streams {
		if !r.isReadAhead(s) {
			t.Fatal("not read ahead")
		}
		switch i {
		case 0:
			r.wantRead(s, long)
		case 1: // in pieces that end before, at and behind the end of what was read ahead
			r.readExactly(s, long[:receivedSize-1])
			r.readExactly(s, long[receivedSize-1:receivedSize])
			r.wantRead(s, long[receivedSize:])
		case 2:
			p := make([]byte, len(long)+1)
			if n, errno := r.b.Peek(s.fd, p); string(p[:n]) != long || errno != 0 {
				t.Errorf("peeked at %d bytes, %v", n, errno)
			}
			r.wantRead(s, long)
		case 3:
			r.readExactly(s, long[:receivedSize])
			r.wantRead(s, long[receivedSize:])
		}
		r.wantErrno(s, syscall.EAGAIN)
	}
}

func (r *batchRig) readExactly(s *batchStream, text string) {
	r.t.Helper()
	p := make([]byte, len(text))
	if n, errno := r.b.Read(s.fd, p); errno != 0 || string(p[:n]) != text {
		r.t.Errorf("read %.30q, %v, want %.30q", p[:n], errno, text)
	}
}

func TestEndOfFileBehindBytes(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 4)
	r.sayAll("last words", 0)
	r.turn()
	for _, s := range r.streams {
		unix.Shutdown(s.peer, unix.SHUT_WR)
	}
	r.turn()
	for i, s := range r.streams {
		if s.ready&(ReadyIn|ReadyHup) != ReadyIn|ReadyHup {
			t.Errorf("ready for %v", s.ready)
		}
		r.wantRead(s, say("last words", 0, i))
		r.wantErrno(s, 0)
		r.wantErrno(s, 0)
	}
}

func TestResetBehindBytes(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 0)
	for range 4 {
		r.open(tcpPairOf(t))
	}
	r.turn()
	r.sayAll("last words", 0)
	for _, s := range r.streams {
		r.await(s, ReadyIn)
		unix.SetsockoptLinger(s.peer, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		unix.Close(s.peer)
		s.peer = -1
	}
	for i, s := range r.streams {
		r.await(s, ReadyErr)
		r.wantRead(s, say("last words", 0, i))
		r.wantErrno(s, syscall.ECONNRESET)
	}
}

// The error of a socket that breaks between epoll's report and the read ahead.
func TestErrorOfAReadAheadIsKept(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 2)
	for i, s := range r.streams {
		w := r.b.watch(s.fd)
		pending := pendingReceive{fd: int32(s.fd), index: r.b.freeReceived[len(r.b.freeReceived)-1]}
		r.b.freeReceived = r.b.freeReceived[:len(r.b.freeReceived)-1]
		if got := r.b.finishReceive(&pending, -int32(syscall.ECONNRESET)); got != ReadyErr {
			t.Errorf("told %v", got)
		}
		if i == 0 {
			r.wantErrno(s, syscall.ECONNRESET)
		} else if errno := r.b.SocketError(s.fd); errno != syscall.ECONNRESET {
			t.Errorf("SO_ERROR %v", errno)
		}
		if w.errno != 0 || r.b.SocketError(s.fd) != 0 {
			t.Error("told twice")
		}
	}
}

func TestSpliceFindsWhatWasReadAhead(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 4)
	long := strings.Repeat("0123456789", 300)
	for _, s := range r.streams {
		s.peerWrites(long)
	}
	r.turn()
	s := r.streams[0]
	pipeR, pipeW, errno := r.b.Pipe(0)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Close(pipeR)
	defer unix.Close(pipeW)
	var got strings.Builder
	p := make([]byte, 4096)
	for got.Len() < len(long) {
		n, errno := r.b.Splice(s.fd, pipeW, 1000)
		if errno != 0 || n == 0 || n > 1000 {
			t.Fatalf("after %d bytes: %d, %v", got.Len(), n, errno)
		}
		n, _ = unix.Read(pipeR, p)
		got.Write(p[:n])
	}
	if got.String() != long {
		t.Error("the bytes arrived changed")
	}
	if n, errno := r.b.Splice(s.fd, pipeW, 1000); n != 0 || errno != syscall.EAGAIN {
		t.Errorf("%d, %v", n, errno)
	}
	for _, s := range r.streams[1:] {
		r.wantRead(s, long)
	}
}

// Who never reads keeps a part of the memory; when all are kept, the others are
// read as ever.
func TestReadAheadIsBounded(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, receivedMax+40)
	for range (receivedMax + 40) / batchEventsMax {
		r.turn() // the rest of the new streams' events
	}
	r.sayAll("hello", 0)
	held := 0
	for range (receivedMax+40)/batchEventsMax + 1 {
		r.turn()
	}
	for i, s := range r.streams {
		if r.isReadAhead(s) {
			held++
		}
		if s.ready&ReadyIn == 0 {
			t.Errorf("stream %d: nothing was told", i)
		}
		r.wantRead(s, say("hello", 0, i))
	}
	if held != receivedMax {
		t.Errorf("%d read ahead, want %d", held, receivedMax)
	}
}

func TestCloseAndDetachOfWhatWasReadAhead(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 4)
	r.sayAll("hello", 0)
	r.turn()
	closed, detached, reset, lost := r.streams[0], r.streams[1], r.streams[2], r.streams[3]
	r.b.Close(closed.fd)
	closed.fd = -1
	if errno := r.b.EpollDel(r.epfd, detached.fd); errno != 0 {
		t.Fatal(errno)
	}
	r.wantRead(detached, say("hello", 0, 1))
	r.b.Reset(reset.fd)
	reset.fd = -1
	fd, peer := unixPair(t) // its numbers stay free of the others'
	unix.Dup2(fd, lost.fd)  // closed by somebody else, and opened again
	unix.Close(fd)
	unix.Close(lost.peer)
	lost.peer = peer
	if errno := r.b.EpollAdd(r.epfd, lost.fd, uint64(lost.fd), false); errno != 0 {
		t.Fatal(errno)
	}
	r.wantErrno(lost, syscall.EAGAIN)
}
