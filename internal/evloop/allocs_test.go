//go:build !race && !weirdebug

package evloop_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

func wantNoAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	f() // grow what grows once
	if got := testing.AllocsPerRun(500, f); got != 0 {
		t.Errorf("%s allocates %v times, want 0", what, got)
	}
}

func TestTurnsDoNotAllocate(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	buf := make([]byte, 64)
	h := &handler{ready: func(_ evloop.Time, f *evloop.FD) {
		for {
			n, res := f.Read(buf)
			if res != evloop.Done {
				return
			}
			f.WriteMore(buf[:n], buf[:2])
			f.Writev(buf[:n], nil, buf[:1])
			l.Again(f)
		}
	}}
	theirs := openPair(t, l, &f, h)
	ping, pong := []byte("ping"), make([]byte, 64)
	wantNoAllocs(t, "an echo", func() {
		unix.Write(theirs, ping)
		settle(l)
		unix.Read(theirs, pong)
	})
	wantNoAllocs(t, "a sleep", func() { l.Turn(time.Nanosecond) })
}

func TestTimersDoNotAllocate(t *testing.T) {
	l := newLoop(t)
	var timers [10]evloop.Timer
	h := &handler{}
	wantNoAllocs(t, "setting, stopping and expiring timers", func() {
		for i := range timers {
			l.SetTimer(&timers[i], h, 0, l.Now().Add(time.Duration(i)*time.Second))
		}
		l.Turn(0)
		for i := range timers {
			l.StopTimer(&timers[i])
		}
	})
}

func TestLettersDoNotAllocate(t *testing.T) {
	l := newLoop(t)
	var letters [10]evloop.Letter
	h := &handler{}
	wantNoAllocs(t, "posting and delivering letters", func() {
		for i := range letters {
			l.Post(&letters[i], h)
		}
		l.Turn(0)
	})
}

func TestConnectionsDoNotAllocate(t *testing.T) {
	k := newKernel()
	l := newLoop(t)
	listener, addr := listen(t, k)
	var lf, cf, sf evloop.FD
	h := &handler{}
	if errno := l.OpenListener(&lf, listener, h, 0); errno != 0 {
		t.Fatal(errno)
	}
	defer l.Close(&lf)
	wantNoAllocs(t, "a connection from connect to close", func() {
		num, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		k.SetInt(num, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if errno := k.Connect(num, addr); errno != syscall.EINPROGRESS {
			t.Fatal(errno)
		}
		l.Open(&cf, num, h, 0)
		for {
			conn, from, res := lf.Accept()
			if res == evloop.Done {
				if from != k.LocalAddr(num) {
					t.Fatal("accepted from somewhere else")
				}
				l.Open(&sf, conn, h, 0)
				break
			}
			l.Turn(time.Second)
		}
		l.Turn(0)
		cf.SocketError()
		cf.Shutdown()
		l.Reset(&cf)
		l.Close(&sf)
	})
	path := evloop.Addr{Path: "@weir-no-such-name"}
	wantNoAllocs(t, "a failed connect to a path", func() {
		num, _ := k.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if errno := k.Connect(num, path); errno != syscall.ECONNREFUSED {
			t.Fatal(errno)
		}
		k.Close(num)
	})
}

func TestSpliceDoesNotAllocate(t *testing.T) {
	l := newLoop(t)
	var a, b evloop.FD
	h := &handler{}
	in, out := openPair(t, l, &a, h), openPair(t, l, &b, h)
	r, w, errno := l.Kernel().Pipe(1 << 20)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Close(r)
	defer unix.Close(w)
	data, got := []byte("some bytes"), make([]byte, 64)
	wantNoAllocs(t, "a splice", func() {
		unix.Write(in, data)
		n, _ := a.SpliceFrom(w, 1<<20)
		b.SpliceTo(r, n)
		if n, _ := unix.Read(out, got); n != len(data) {
			t.Fatalf("%d bytes came through", n)
		}
	})
}
