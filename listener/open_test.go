package listener

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// open opens a bind line that must work and closes it at the end of the test.
func open(t *testing.T, spec Spec, opt OpenOptions) []*Socket {
	t.Helper()
	socks, err := Open(spec, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range socks {
			s.Close()
		}
	})
	return socks
}

// meet connects to a socket and accepts on it.
func meet(t *testing.T, s *Socket, network, address string) (accepted int) {
	t.Helper()
	c, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err = c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	return accept(t, s)
}

func accept(t *testing.T, s *Socket) int {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(s.FD), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 5000); n != 1 {
		t.Fatalf("%v: nothing to accept: %v", s, err)
	}
	fd, _, err := unix.Accept4(s.FD, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func sockopt(t *testing.T, fd, level, opt int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, level, opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryAddressFormAccepts(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:0", "ipv4@127.0.0.1:0", "tcp@127.0.0.1:0", "tcp4@127.0.0.1:0", "stream+ipv4@127.0.0.1:0", "ip@127.0.0.1:0",
		"[::1]:0", "::1:0", "ipv6@::1:0", "tcp6@[::1]:0", "ipv4@localhost:0",
	} {
		t.Run(address, func(t *testing.T) {
			socks := open(t, Spec{Address: address}, OpenOptions{})
			if len(socks) != 1 || socks[0].Local.Port() == 0 || socks[0].UNIX || socks[0].Inherited {
				t.Fatalf("got %+v", socks[0])
			}
			meet(t, socks[0], "tcp", socks[0].Local.String())
		})
	}
}

func TestAnyAddressForms(t *testing.T) {
	for address, want := range map[string]string{
		":0": "0.0.0.0", "*:0": "0.0.0.0", "0.0.0.0:0": "0.0.0.0", ":::0": "::", "[::]:0": "::", "ipv6@:0": "::", "ipv6@*:0": "::",
	} {
		socks := open(t, Spec{Address: address}, OpenOptions{})
		if got := socks[0].Local.Addr().String(); got != want {
			t.Errorf("%s listens on %s, want %s", address, got, want)
		}
	}
}

func TestSocketsAreFitForLoops(t *testing.T) {
	s := open(t, Spec{Address: "127.0.0.1:0"}, OpenOptions{})[0]
	if fl, err := unix.FcntlInt(uintptr(s.FD), unix.F_GETFL, 0); err != nil || fl&unix.O_NONBLOCK == 0 {
		t.Errorf("blocking: %v", err)
	}
	if fl, err := unix.FcntlInt(uintptr(s.FD), unix.F_GETFD, 0); err != nil || fl&unix.FD_CLOEXEC == 0 {
		t.Errorf("stays open over exec: %v", err)
	}
	for name, opt := range map[string]int{"SO_REUSEADDR": unix.SO_REUSEADDR, "SO_REUSEPORT": unix.SO_REUSEPORT} {
		if sockopt(t, s.FD, unix.SOL_SOCKET, opt) != 1 {
			t.Errorf("%s is not set", name)
		}
	}
	plain := open(t, Spec{Address: "127.0.0.1:0"}, OpenOptions{NoReusePort: true})[0]
	if sockopt(t, plain.FD, unix.SOL_SOCKET, unix.SO_REUSEPORT) != 0 {
		t.Error("noreuseport: SO_REUSEPORT is set")
	}
}

func TestAcceptedSocketsInheritTheBindLine(t *testing.T) {
	spec := Spec{Address: "127.0.0.1:0", TCPUserTimeout: 3 * time.Second, MSS: 1200, DeferAccept: true, TFO: true, Backlog: 7}
	s := open(t, spec, OpenOptions{})[0]
	fd := meet(t, s, "tcp", s.Local.String())
	if sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_NODELAY) != 1 {
		t.Error("accepted socket delays small writes")
	}
	if got := sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); got != 3000 {
		t.Errorf("TCP_USER_TIMEOUT %d, want 3000", got)
	}
	if got := sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG); got > 1200 {
		t.Errorf("TCP_MAXSEG %d, want at most 1200", got)
	}
	if got := sockopt(t, s.FD, unix.IPPROTO_TCP, unix.TCP_FASTOPEN); got != 7 {
		t.Errorf("TCP_FASTOPEN queue %d, want the backlog", got)
	}
	if sockopt(t, s.FD, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT) == 0 {
		t.Error("defer-accept is not set")
	}
}

func TestV6OnlyWinsOverV4V6(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		want int
	}{
		{Spec{V6Only: true}, 1}, {Spec{V4V6: true}, 0}, {Spec{V4V6: true, V6Only: true}, 1},
	} {
		tt.spec.Address = ":::0"
		s := open(t, tt.spec, OpenOptions{})[0]
		if got := sockopt(t, s.FD, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY); got != tt.want {
			t.Errorf("%+v: IPV6_V6ONLY %d, want %d", tt.spec, got, tt.want)
		}
	}
}

// freeRange finds n ports in a row that nobody uses. It looks below those that
// the kernel gives to connections: other tests may have thousands of these.
func freeRange(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		if first := 15000 + rand.IntN(15000); rangeFree(first, n) {
			return first
		}
	}
	t.Fatal("no free range")
	return 0
}

func rangeFree(first, n int) bool {
	for i := range n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i))
		if err != nil {
			return false
		}
		defer l.Close()
	}
	return true
}

func TestPortRangeOpensOneSocketEach(t *testing.T) {
	first := freeRange(t, 3)
	socks := open(t, Spec{Address: fmt.Sprintf("127.0.0.1:%d-%d", first, first+2)}, OpenOptions{})
	if len(socks) != 3 {
		t.Fatalf("%d sockets, want 3", len(socks))
	}
	for i, s := range socks {
		if int(s.Local.Port()) != first+i {
			t.Errorf("socket %d listens on %v", i, s.Local)
		}
		meet(t, s, "tcp", s.Local.String())
	}
}

func TestShardsShareAPort(t *testing.T) {
	for _, tt := range []struct{ shards, loops, want int }{{3, 8, 3}, {3, 2, 2}, {-1, 4, 4}, {0, 4, 1}, {-1, 0, 1}} {
		socks := open(t, Spec{Address: "127.0.0.1:0", Shards: tt.shards}, OpenOptions{Loops: tt.loops})
		if len(socks) != tt.want {
			t.Errorf("shards %d with %d loops: %d sockets, want %d", tt.shards, tt.loops, len(socks), tt.want)
		}
		keys := map[string]bool{}
		for _, s := range socks {
			keys[s.Key()] = true
			if s.Local != socks[0].Local {
				t.Errorf("shards listen on %v and %v", socks[0].Local, s.Local)
			}
		}
		if len(keys) != len(socks) {
			t.Errorf("%d sockets have %d keys", len(socks), len(keys))
		}
	}
}

func TestSecondProcessMayBindBesideTheFirst(t *testing.T) {
	first := open(t, Spec{Address: "127.0.0.1:0"}, OpenOptions{})[0]
	second := open(t, Spec{Address: first.Local.String()}, OpenOptions{})[0]
	if first.Local != second.Local || first.Key() == second.Key() && first.FD == second.FD {
		t.Errorf("got %v and %v", first, second)
	}
}

func TestBindErrorsNameLineAddressAndCause(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	busy := taken.Addr().String()
	for _, tt := range []struct{ address, want string }{
		{busy, "x.cfg:41: can't bind " + busy + ": bind: address already in use"},
		{"192.0.2.1:80", "x.cfg:41: can't bind 192.0.2.1:80: bind: cannot assign requested address"},
		{"127.0.0.1", "x.cfg:41: can't bind 127.0.0.1: the port is missing"},
		{":70000", "x.cfg:41: can't bind :70000: a port is a number of 1 to 65535, a range is first-last, got \"70000\""},
		{":80-79", "x.cfg:41: can't bind :80-79: the port range \"80-79\" ends before it begins"},
		{":+80", "x.cfg:41: can't bind :+80: a port is a number"},
		{"127.0.0.1:1-", "x.cfg:41: can't bind 127.0.0.1:1-: a port is a number"},
		{"10.0.0.300:80", "x.cfg:41: can't bind 10.0.0.300:80: \"10.0.0.300\" is not an IPv4 address"},
		{"udp@:80", "x.cfg:41: can't bind udp@:80: \"udp@:80\": datagram and QUIC addresses can't be used here"},
		{"quic4@:80", "x.cfg:41: can't bind quic4@:80: \"quic4@:80\": datagram and QUIC addresses can't be used here"},
		{"fd@x", "x.cfg:41: can't bind fd@x: \"fd@x\": fd@ wants the number of a descriptor"},
		{"fd@1000000", "x.cfg:41: can't bind fd@1000000: no such descriptor was inherited"},
		{file, "x.cfg:41: can't bind unix@" + file + ": the path exists and is not a socket"},
		{"/nonexistent/x", "x.cfg:41: can't bind unix@/nonexistent/x: bind: no such file or directory"},
	} {
		socks, err := Open(Spec{Origin: "x.cfg:41", Address: tt.address}, OpenOptions{})
		var bind *BindError
		if err == nil || socks != nil || !strings.HasPrefix(err.Error(), tt.want) || !errors.As(err, &bind) {
			t.Errorf("%s: got %v, %v\nwant %s", tt.address, socks, err, tt.want)
		}
	}
	if _, err := Open(Spec{Address: busy}, OpenOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the cause can't be found in %v", err)
	}
}

func TestFailedRangeLeavesNothingOpen(t *testing.T) {
	first := freeRange(t, 2)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+1))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err = Open(Spec{Address: fmt.Sprintf("127.0.0.1:%d-%d", first, first+1)}, OpenOptions{}); err == nil {
		t.Fatal("the second port is taken")
	}
	if !rangeFree(first, 1) {
		t.Error("the first port is still open")
	}
}

func TestUnknownInterfaceIsAnError(t *testing.T) {
	_, err := Open(Spec{Address: "127.0.0.1:0", Interface: "weir-none"}, OpenOptions{})
	if err == nil || !strings.Contains(err.Error(), "interface weir-none") {
		t.Errorf("got %v, want an error that names the interface", err)
	}
}

func TestUnknownNamespaceIsAnError(t *testing.T) {
	_, err := Open(Spec{Address: "127.0.0.1:0", NS: "weir-none"}, OpenOptions{})
	if err == nil || !strings.Contains(err.Error(), `network namespace "weir-none"`) {
		t.Errorf("got %v, want an error that names the namespace", err)
	}
}

func TestInheritedDescriptorIsUsedAsItIs(t *testing.T) {
	given := open(t, Spec{Address: "127.0.0.1:0"}, OpenOptions{})[0]
	fd, err := unix.Dup(given.FD)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"fd@", "stream+fd@"} {
		address := form + strconv.Itoa(fd)
		socks, err := Open(Spec{Address: address}, OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s := socks[0]
		if s.FD != fd || !s.Inherited || s.Local != given.Local || s.Key() != "fd@"+strconv.Itoa(fd) {
			t.Errorf("%s: got %+v", address, s)
		}
		meet(t, s, "tcp", given.Local.String())
	}
	unix.Close(fd)
}

func TestUnfitDescriptorsAreRefusedAndLeftOpen(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	datagram, _ := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	unbound, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	file, err := os.Open("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for fd, want := range map[int]string{
		pair[0]: "connected, not listening", datagram: "not a stream socket", unbound: "not bound", int(file.Fd()): "not a socket",
	} {
		if _, err := Open(Spec{Address: "fd@" + strconv.Itoa(fd)}, OpenOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fd@%d: got %v, want %q", fd, err, want)
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			t.Errorf("fd@%d (%s) was closed", fd, want)
		}
	}
	for _, fd := range []int{pair[0], datagram, unbound} {
		unix.Close(fd)
	}
}

func TestBoundDescriptorMayNotListenYet(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	s := open(t, Spec{Address: "fd@" + strconv.Itoa(fd)}, OpenOptions{})[0]
	meet(t, s, "tcp", s.Local.String())
}

func TestAdoptedSocketKeepsItsQueue(t *testing.T) {
	old := open(t, Spec{Address: "127.0.0.1:0"}, OpenOptions{})[0]
	c, err := net.Dial("tcp", old.Local.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked := ""
	fd, _ := unix.Dup(old.FD)
	s := open(t, Spec{Address: old.Local.String()}, OpenOptions{Adopt: func(key string) (int, bool) {
		asked = key
		return fd, true
	}})[0]
	old.Close()
	if !s.Inherited || s.FD != fd || asked != "tcp@"+s.Local.String() || s.Key() != asked {
		t.Errorf("asked for %q, got %+v", asked, s)
	}
	accepted := accept(t, s)
	if _, err = unix.Write(accepted, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err = c.Read(b); err != nil || !bytes.Equal(b, []byte("hello")) {
		t.Errorf("the connection that waited in the queue got %q, %v", b, err)
	}
}

func TestKeysTellDifferentSocketsApart(t *testing.T) {
	seen := map[string]string{}
	for _, spec := range []Spec{
		{Address: ":::0"}, {Address: ":::0", V6Only: true}, {Address: ":::0", V4V6: true}, {Address: "[::1]:0"}, {Address: "127.0.0.1:0"},
		{Address: "127.0.0.1:0", Interface: "lo"},
	} {
		s := open(t, spec, OpenOptions{})[0]
		name := fmt.Sprintf("%+v", spec)
		if other, ok := seen[s.Key()]; ok {
			t.Errorf("%s and %s have the key %q", name, other, s.Key())
		}
		seen[s.Key()] = name
	}
}
