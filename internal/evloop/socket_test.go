package evloop_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

// listen opens a TCP listener that lives as long as the test.
func listen(t testing.TB, k evloop.Kernel) (num int, addr evloop.Addr) {
	t.Helper()
	return listenAt(t, k, evloop.Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")})
}

func listenAt(t testing.TB, k evloop.Kernel, at evloop.Addr) (num int, addr evloop.Addr) {
	t.Helper()
	num, errno := k.Socket(familyOf(at), unix.SOCK_STREAM, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { unix.Close(num) })
	if errno := k.Bind(num, at); errno != 0 {
		t.Fatalf("bind to %v: %v", at, errno)
	}
	if err := unix.Listen(num, 64); err != nil {
		t.Fatal(err)
	}
	if at.Path == "" {
		at.IP = k.LocalAddr(num)
	}
	return num, at
}

func familyOf(a evloop.Addr) int {
	switch {
	case a.Path != "":
		return unix.AF_UNIX
	case a.IP.Addr().Is4():
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func TestAddressesOfAllFamilies(t *testing.T) {
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	k := evloop.System()
	for _, at := range []evloop.Addr{
		{IP: netip.MustParseAddrPort("127.0.0.1:0")},
		{IP: netip.MustParseAddrPort("127.3.2.1:0")},
		{IP: netip.MustParseAddrPort("[::1]:0")},
		{Path: filepath.Join(dir, "s")},
		{Path: fmt.Sprintf("@weir-%d", os.Getpid())},
	} {
		listener, addr := listenAt(t, k, at)
		client, _ := k.Socket(familyOf(at), unix.SOCK_STREAM, 0)
		defer unix.Close(client)
		if errno := k.Connect(client, addr); errno != 0 && errno != syscall.EINPROGRESS {
			t.Fatalf("%v: connect: %v", at, errno)
		}
		conn, from, errno := -1, netip.AddrPort{}, syscall.EAGAIN
		for errno == syscall.EAGAIN {
			conn, from, errno = k.Accept(listener)
		}
		if errno != 0 {
			t.Fatalf("%v: accept: %v", at, errno)
		}
		defer unix.Close(conn)
		if from != k.LocalAddr(client) || k.LocalAddr(conn) != addr.IP {
			t.Errorf("%v: from %v, want %v; local %v, want %v", at, from, k.LocalAddr(client), k.LocalAddr(conn), addr.IP)
		}
		flags, _ := unix.FcntlInt(uintptr(conn), unix.F_GETFL, 0)
		closing, _ := unix.FcntlInt(uintptr(conn), unix.F_GETFD, 0)
		if flags&unix.O_NONBLOCK == 0 || closing&unix.FD_CLOEXEC == 0 {
			t.Errorf("%v: an accepted socket has flags %x, %x", at, flags, closing)
		}
	}
}

func TestAddressesThatCannotBe(t *testing.T) {
	k := evloop.System()
	num, _ := k.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	defer unix.Close(num)
	if errno := k.Connect(num, evloop.Addr{Path: "/" + strings.Repeat("x", 107)}); errno != syscall.EINVAL {
		t.Errorf("a path of 108 bytes: %v", errno)
	}
	if errno := k.Connect(num, evloop.Addr{}); errno != syscall.EINVAL {
		t.Errorf("no address: %v", errno)
	}
	if got := k.LocalAddr(-1); got.IsValid() {
		t.Errorf("the address of no socket: %v", got)
	}
}

// A tcpPair is a connection both of whose ends l watches.
type tcpPair struct {
	l              *evloop.Loop
	client, server evloop.FD
}

func newTCPPair(t *testing.T) *tcpPair {
	t.Helper()
	l := newLoop(t)
	k := l.Kernel()
	p := &tcpPair{l: l}
	listener, addr := listen(t, k)
	num, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	k.Connect(num, addr)
	h := &handler{}
	if errno := l.Open(&p.client, num, h, 1); errno != 0 {
		t.Fatal(errno)
	}
	p.await(t, &p.client, evloop.ReadyOut)
	conn, _, errno := k.Accept(listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	if errno := l.Open(&p.server, conn, h, 2); errno != 0 {
		t.Fatal(errno)
	}
	p.await(t, &p.server, evloop.ReadyOut)
	t.Cleanup(func() {
		l.Close(&p.client)
		l.Close(&p.server)
	})
	return p
}

// await turns until f is ready for r.
func (p *tcpPair) await(t *testing.T, f *evloop.FD, r evloop.Ready) {
	t.Helper()
	for range 100 {
		if f.Ready()&r == r {
			return
		}
		p.l.Turn(100 * time.Millisecond)
	}
	t.Fatalf("ready for %v, want %v", f.Ready(), r)
}

func TestShortReadBeforeFINKeepsReadyIn(t *testing.T) {
	p := newTCPPair(t)
	p.client.Write([]byte("bye"))
	p.client.Shutdown()
	p.await(t, &p.server, evloop.ReadyIn|evloop.ReadyHup)
	buf := make([]byte, 100)
	if n, res := p.server.Read(buf); n != 3 || res != evloop.Done || p.server.Ready()&evloop.ReadyIn == 0 {
		t.Fatalf("read %d, %v, ready %v", n, res, p.server.Ready())
	}
	if _, res := p.server.Read(buf); res != evloop.EOF || p.server.Ready()&evloop.ReadyIn == 0 {
		t.Fatalf("%v, ready %v, want the end of file, again and again", res, p.server.Ready())
	}
	if n, res := p.server.Write([]byte("late")); n != 4 || res != evloop.Done {
		t.Fatalf("the other direction: %d, %v", n, res)
	}
	p.await(t, &p.client, evloop.ReadyIn)
	if n, _ := p.client.Read(buf); string(buf[:n]) != "late" {
		t.Fatalf("got %q", buf[:n])
	}
}

func TestResetIsTold(t *testing.T) {
	p := newTCPPair(t)
	p.l.Reset(&p.client)
	p.await(t, &p.server, evloop.ReadyErr)
	if _, res := p.server.Read(make([]byte, 10)); res != evloop.Failed || p.server.Errno() != syscall.ECONNRESET {
		t.Errorf("%v, %v", res, p.server.Errno())
	}
	if _, res := p.server.Write([]byte("x")); res != evloop.Failed || p.server.Errno() != syscall.EPIPE {
		t.Errorf("%v, %v", res, p.server.Errno())
	}
}

func TestConnectRefusedIsTold(t *testing.T) {
	l := newLoop(t)
	k := l.Kernel()
	reserved, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0) // bound, but does not listen
	defer unix.Close(reserved)
	k.Bind(reserved, evloop.Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")})
	num, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	k.Connect(num, evloop.Addr{IP: k.LocalAddr(reserved)})
	p := &tcpPair{l: l}
	l.Open(&p.client, num, &handler{}, 0)
	p.await(t, &p.client, evloop.ReadyErr)
	if errno := p.client.SocketError(); errno != syscall.ECONNREFUSED {
		t.Error(errno)
	}
	l.Close(&p.client)
}

func TestBackPressureAndItsEnd(t *testing.T) {
	p := newTCPPair(t)
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	sent := 0
	for p.client.Ready()&evloop.ReadyOut != 0 {
		n, res := p.client.Write(chunk)
		if res == evloop.Failed {
			t.Fatal(p.client.Errno())
		}
		sent += n
	}
	received := 0
	buf := make([]byte, 1<<20)
	for received < sent {
		p.await(t, &p.server, evloop.ReadyIn)
		n, _ := p.server.Read(buf)
		received += n
	}
	p.await(t, &p.client, evloop.ReadyOut)
}

func TestPeekIsCalledAgainWhenMoreCome(t *testing.T) {
	p := newTCPPair(t)
	buf := make([]byte, 10)
	p.client.Write([]byte("ab"))
	p.await(t, &p.server, evloop.ReadyIn)
	if n, res := p.server.Peek(buf); n != 2 || res != evloop.Done || p.server.Ready()&evloop.ReadyIn != 0 {
		t.Fatalf("%d, %v, ready %v", n, res, p.server.Ready())
	}
	p.client.Write([]byte("cd"))
	p.await(t, &p.server, evloop.ReadyIn)
	if n, _ := p.server.Peek(buf); string(buf[:n]) != "abcd" {
		t.Fatalf("%q", buf[:n])
	}
	p.server.Assume(evloop.ReadyIn)
	if n, res := p.server.Read(buf); n != 4 || res != evloop.Done {
		t.Fatalf("%d, %v", n, res)
	}
}

func TestSpliceMovesAStream(t *testing.T) {
	from, to := newTCPPair(t), newTCPPair(t)
	r, w, errno := from.l.Kernel().Pipe(0)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Close(r)
	defer unix.Close(w)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	var got []byte
	buf := make([]byte, 1<<16)
	sent, piped, eof := 0, 0, false
	for len(got) < len(data) {
		if sent < len(data) {
			n, _ := from.client.Write(data[sent:min(len(data), sent+30000)])
			if sent += n; sent == len(data) {
				from.client.Shutdown()
			}
		}
		if piped == 0 && !eof {
			n, res := from.server.SpliceFrom(w, 1<<20)
			piped, eof = n, res == evloop.EOF
		}
		if piped > 0 {
			n, res := to.client.SpliceTo(r, piped)
			if res == evloop.Failed {
				t.Fatal(to.client.Errno())
			}
			piped -= n
		}
		n, _ := to.server.Read(buf)
		got = append(got, buf[:n]...)
		from.l.Turn(0)
		to.l.Turn(0)
	}
	if !bytes.Equal(got, data) {
		t.Error("the bytes arrived changed")
	}
}
