package evloop

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// needRing fails where io_uring is not granted, unless who runs the tests said
// that it knows: WEIR_WITHOUT=io_uring.
func needRing(t testing.TB) bool {
	t.Helper()
	err := RingError()
	if err == nil {
		return true
	}
	if !strings.Contains(os.Getenv("WEIR_WITHOUT"), "io_uring") {
		t.Fatalf("%v; to go without it, set WEIR_WITHOUT=io_uring", err)
	}
	t.Logf("not run: %v", err)
	return false
}

func TestFastestIsTheSystemWhereNoRingIsGranted(t *testing.T) {
	_, batches := Fastest().(*batch)
	if granted := RingError() == nil; batches != granted {
		t.Errorf("batches %v, io_uring granted %v", batches, granted)
	}
}

// Without a descriptor there is no ring: the process has used up what it may have.
func TestRefusedRingIsTold(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	none := before
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := RingError()
	k := Fastest()
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	if err == nil || !strings.HasPrefix(err.Error(), "can't ") {
		t.Errorf("error %v", err)
	}
	if _, ok := k.(*system); !ok {
		t.Errorf("kernel %T, want the plain one", k)
	}
}

// A loop whose ring cannot be had after all works without.
func TestBatchWithoutARing(t *testing.T) {
	b := &batch{}
	epfd, errno := b.EpollCreate()
	if errno != 0 {
		t.Fatal(errno)
	}
	defer func() { b.Close(epfd) }()
	if b.ring != nil {
		b.ring.close()
		unix.Munmap(b.memory)
		b.ring, b.memory = nil, nil
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	defer b.Close(fds[0])
	if errno := b.EpollAdd(epfd, fds[0], 7, false); errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := b.Write(fds[0], []byte("hello")); n != 5 || errno != 0 {
		t.Fatalf("%d, %v", n, errno)
	}
	p := make([]byte, 10)
	if n, _ := unix.Read(fds[1], p); string(p[:n]) != "hello" {
		t.Errorf("arrived at once: %q", p[:max(n, 0)])
	}
	unix.Write(fds[1], p[:5])
	events := make([]Event, 4)
	if n, errno := b.Wait(epfd, events, -1); n != 1 || errno != 0 || events[0].Tag != 7 || events[0].Ready&ReadyIn == 0 {
		t.Fatalf("%d events, %v, first %+v", n, errno, events[0])
	}
	if n, errno := b.Read(fds[0], p); n != 5 || errno != 0 {
		t.Errorf("%d, %v", n, errno)
	}
}

// A kernel whose ring is broken takes no call: each is made the ordinary way.
func TestCallsThatTheRingDoesNotTakeAreMade(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 5)
	unix.Close(r.b.ring.fd)
	r.b.ring.fd = -1
	for round := range 3 {
		r.sayAll("question", round)
		r.turn()
		for i, s := range r.streams {
			r.wantRead(s, say("question", round, i))
			r.write(s, say("answer", round, i))
		}
		r.turn()
		for i, s := range r.streams {
			s.wantPeer(say("answer", round, i))
		}
	}
}

func TestCallsThatTheRingDoesNotTakeAreForgotten(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 1)
	s, ring := r.streams[0], r.b.ring
	fd := ring.fd
	ring.fd = -1
	copy(r.b.memory, "onetwo")
	ring.pushSend(s.fd, r.b.memory[:3], 1)
	if n := ring.submit(); n != 0 {
		t.Errorf("a broken ring took %d calls", n)
	}
	ring.fd = fd
	ring.pushSend(s.fd, r.b.memory[3:6], 2)
	if n := ring.submit(); n != 1 || ring.next() != nil {
		t.Errorf("the ring took %d calls", n)
	}
	s.wantPeer("two")
}
