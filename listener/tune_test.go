package listener

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/internal/evloop"
)

// A recorder is a kernel that writes down what is asked of it. The other calls
// of the interface are not made here: they would panic.
type recorder struct {
	evloop.Kernel
	calls []string
	bind  []syscall.Errno // answers of Bind; 0 when used up
	fail  map[string]syscall.Errno
}

func (r *recorder) SetInt(_, level, opt, value int) syscall.Errno {
	call := fmt.Sprintf("%d/%d=%d", level, opt, value)
	r.calls = append(r.calls, call)
	return r.fail[call]
}

func (r *recorder) SetString(_, level, opt int, value string) syscall.Errno {
	call := fmt.Sprintf("%d/%d=%s", level, opt, value)
	r.calls = append(r.calls, call)
	return r.fail[call]
}

func (r *recorder) Bind(_ int, to evloop.Addr) (errno syscall.Errno) {
	r.calls = append(r.calls, "bind "+to.IP.String())
	if len(r.bind) > 0 {
		errno, r.bind = r.bind[0], r.bind[1:]
	}
	return errno
}

func opt(level, option, value int) string { return fmt.Sprintf("%d/%d=%d", level, option, value) }

var (
	noDelay   = opt(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	noPort    = opt(unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	foreign4  = opt(unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1)
	foreign6  = opt(unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT, 1)
	reuseAddr = opt(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
)

func TestPlainClientCostsNoSystemCall(t *testing.T) {
	var r recorder
	TuneClient(&r, 3, ClientTuning{})
	if len(r.calls) > 0 {
		t.Errorf("calls: %v", r.calls)
	}
}

func TestOptionsReachTheSocket(t *testing.T) {
	keep := KeepAlive{On: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 4}
	var r recorder
	TuneClient(&r, 3, ClientTuning{KeepAlive: keep, RcvBuf: 1000, SndBuf: 2000})
	want := []string{
		opt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), opt(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4),
		opt(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30), opt(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 5),
		opt(unix.SOL_SOCKET, unix.SO_RCVBUF, 1000), opt(unix.SOL_SOCKET, unix.SO_SNDBUF, 2000),
	}
	if !slices.Equal(r.calls, want) {
		t.Errorf("client: got %v, want %v", r.calls, want)
	}
	r = recorder{}
	errno := TuneServer(&r, 3, ServerTuning{
		KeepAlive: KeepAlive{On: true}, UserTimeout: 2 * time.Second, MSS: 1200, FastOpen: true, RcvBuf: 1000, SndBuf: 2000,
	})
	want = []string{
		opt(unix.SOL_SOCKET, unix.SO_RCVBUF, 1000), opt(unix.SOL_SOCKET, unix.SO_SNDBUF, 2000), noDelay,
		opt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), opt(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 2000),
		opt(unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1200), opt(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1),
	}
	if errno != 0 || !slices.Equal(r.calls, want) {
		t.Errorf("server: got %v, %v, want %v", errno, r.calls, want)
	}
	r = recorder{}
	if errno = TuneServer(&r, 3, ServerTuning{UNIX: true, MSS: 1, FastOpen: true, KeepAlive: keep}); errno != 0 || len(r.calls) > 0 {
		t.Errorf("a UNIX socket was given TCP options: %v", r.calls)
	}
}

func source(t *testing.T, spec SourceSpec) *Source {
	t.Helper()
	s, err := ParseSource(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSourceIsBound(t *testing.T) {
	client := netip.MustParseAddrPort("10.9.9.9:4000")
	for _, tt := range []struct {
		name string
		spec SourceSpec
		o    ServerTuning
		want []string // after TCP_NODELAY
	}{
		{"nothing", SourceSpec{}, ServerTuning{}, nil},
		{"any address", SourceSpec{Address: "0.0.0.0"}, ServerTuning{}, nil},
		{"own address", SourceSpec{Address: "127.0.0.1"}, ServerTuning{}, []string{noPort, "bind 127.0.0.1:0"}},
		{"address and port", SourceSpec{Address: "127.0.0.1:7000"}, ServerTuning{}, []string{reuseAddr, "bind 127.0.0.1:7000"}},
		{"address and port, one attempt", SourceSpec{Address: "127.0.0.1:7000"}, ServerTuning{Sole: true}, []string{"bind 127.0.0.1:7000"}},
		{"any address, a port", SourceSpec{Address: "*:7000"}, ServerTuning{}, []string{reuseAddr, "bind 0.0.0.0:7000"}},
		{"other family", SourceSpec{Address: "127.0.0.1"}, ServerTuning{IPv6: true}, nil},
		{"IPv6", SourceSpec{Address: "[::1]:7000"}, ServerTuning{IPv6: true}, []string{reuseAddr, "bind [::1]:7000"}},
		{"interface", SourceSpec{Interface: "eth7"}, ServerTuning{}, []string{fmt.Sprintf("%d/%d=eth7", unix.SOL_SOCKET, unix.SO_BINDTODEVICE)}},
		{"client", SourceSpec{UseSrc: "client"}, ServerTuning{Client: client}, []string{foreign4, reuseAddr, "bind 10.9.9.9:4000"}},
		{"mapped client", SourceSpec{UseSrc: "client"}, ServerTuning{Client: netip.MustParseAddrPort("[::ffff:10.9.9.9]:4000")},
			[]string{foreign4, reuseAddr, "bind 10.9.9.9:4000"}},
		{"client address", SourceSpec{UseSrc: "clientip"}, ServerTuning{Client: client}, []string{foreign4, noPort, "bind 10.9.9.9:0"}},
		{"header address", SourceSpec{UseSrc: "hdr_ip(x-forwarded-for,-1)"}, ServerTuning{Client: client}, []string{foreign4, noPort, "bind 10.9.9.9:0"}},
		{"no header: own address", SourceSpec{Address: "127.0.0.1", UseSrc: "hdr_ip(x)"}, ServerTuning{}, []string{noPort, "bind 127.0.0.1:0"}},
		{"client of other family", SourceSpec{UseSrc: "client"}, ServerTuning{Client: client, IPv6: true}, nil},
		{"foreign address", SourceSpec{UseSrc: "[2001:db8::1]:9"}, ServerTuning{IPv6: true}, []string{foreign6, reuseAddr, "bind [2001:db8::1]:9"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r recorder
			tt.o.Source = source(t, tt.spec)
			errno := TuneServer(&r, 3, tt.o)
			if errno != 0 || !slices.Equal(r.calls, append([]string{noDelay}, tt.want...)) {
				t.Errorf("got %v, %v, want %v", errno, r.calls, tt.want)
			}
		})
	}
}

func TestSourceThatCantBeHadIsAnError(t *testing.T) {
	r := recorder{fail: map[string]syscall.Errno{foreign4: syscall.EPERM}}
	o := ServerTuning{Source: source(t, SourceSpec{UseSrc: "1.2.3.4"})}
	if errno := TuneServer(&r, 3, o); errno != syscall.EPERM {
		t.Errorf("got %v, want EPERM", errno)
	}
	r = recorder{bind: []syscall.Errno{syscall.EADDRNOTAVAIL}}
	o = ServerTuning{Source: source(t, SourceSpec{Address: "192.0.2.1:80"})}
	if errno := TuneServer(&r, 3, o); errno != syscall.EADDRNOTAVAIL {
		t.Errorf("got %v, want EADDRNOTAVAIL", errno)
	}
}

func TestSourcePortsAreTakenInTurn(t *testing.T) {
	busy := syscall.EADDRINUSE
	s := source(t, SourceSpec{Address: "127.0.0.1:7000-7002"})
	if n := s.Ports(); n != 3 {
		t.Errorf("%d ports are tried, want 3", n)
	}
	r := recorder{bind: []syscall.Errno{0, busy, 0, 0}}
	for n, want := range []syscall.Errno{0, busy, 0, 0} {
		if errno := s.bind(&r, 3, &ServerTuning{}); errno != want {
			t.Errorf("attempt %d: got %v, want %v", n, errno, want)
		}
	}
	var want []string
	for _, port := range []string{"7000", "7001", "7002", "7000"} {
		want = append(want, reuseAddr, "bind 127.0.0.1:"+port)
	}
	if !slices.Equal(r.calls, want) {
		t.Errorf("got %v, want %v", r.calls, want)
	}
}

func TestSoleAttemptLooksForAPortThatNobodyUses(t *testing.T) {
	busy := syscall.EADDRINUSE
	s := source(t, SourceSpec{Address: "127.0.0.1:7000-7002"})
	r := recorder{bind: []syscall.Errno{busy, busy, 0}}
	if errno := s.bind(&r, 3, &ServerTuning{Sole: true}); errno != 0 || slices.Contains(r.calls, reuseAddr) {
		t.Errorf("got %v after %v", errno, r.calls)
	}
	r = recorder{bind: []syscall.Errno{busy, busy, busy, 0}}
	if errno := s.bind(&r, 3, &ServerTuning{Sole: true}); errno != 0 || !slices.Contains(r.calls, reuseAddr) {
		t.Errorf("all ports busy: got %v, %v; want a port shared with another server's connection", errno, r.calls)
	}
}

func TestSourceWithoutARangeHasNoPortsToTry(t *testing.T) {
	var none *Source
	wide := source(t, SourceSpec{Address: "127.0.0.1:1024-65535"})
	if a, b, c := none.Ports(), source(t, SourceSpec{Address: "127.0.0.1"}).Ports(), wide.Ports(); a != 0 || b != 0 || c != sourcePortTries {
		t.Errorf("got %d, %d and %d ports", a, b, c)
	}
}

func TestWrongSourcesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		spec SourceSpec
		want string
	}{
		{SourceSpec{Address: "host.example"}, "an IP address is needed"},
		{SourceSpec{Address: "/path"}, "an IP address is needed"},
		{SourceSpec{Address: "1.2.3.4:9-8"}, "ends before it begins"},
		{SourceSpec{Address: "1.2.3.4:x"}, "a port is a number"},
		{SourceSpec{UseSrc: "hdr_ip("}, "hdr_ip wants"},
		{SourceSpec{UseSrc: "hdr_ip(a,b)"}, "hdr_ip wants"},
		{SourceSpec{UseSrc: "1.2.3.4:1-2"}, "one port or none"},
		{SourceSpec{UseSrc: "nobody"}, "an IP address is needed"},
	} {
		if s, err := ParseSource(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %+v, %v; want %q", tt.spec, s, err, tt.want)
		}
	}
}

func TestUseSrcTellsTheHeader(t *testing.T) {
	use, header, nth := source(t, SourceSpec{UseSrc: "hdr_ip(X-Real-IP,2)"}).UseSrc()
	if use != UseSrcHeader || header != "X-Real-IP" || nth != 2 {
		t.Errorf("got %v %q %d", use, header, nth)
	}
	if use, _, _ = source(t, SourceSpec{UseSrc: "hdr_ip(x,0)"}).UseSrc(); use != UseSrcNone {
		t.Errorf("occurrence 0 turns it off; got %v", use)
	}
	if use, _, _ = (*Source)(nil).UseSrc(); use != UseSrcNone {
		t.Errorf("no source: got %v", use)
	}
}

func TestConnectionComesFromTheSource(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first := freeRange(t, 2)
	k := evloop.System()
	src := source(t, SourceSpec{Address: fmt.Sprintf("127.0.0.1:%d-%d", first, first+1)})
	for i := range 2 {
		fd, errno := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		defer k.Close(fd)
		if errno = TuneServer(k, fd, ServerTuning{Source: src}); errno != 0 {
			t.Fatal(errno)
		}
		if errno = k.Connect(fd, evloop.Addr{IP: l.Addr().(*net.TCPAddr).AddrPort()}); errno != 0 && errno != syscall.EINPROGRESS {
			t.Fatal(errno)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.RemoteAddr().(*net.TCPAddr).Port; got != first+i {
			t.Errorf("connection %d comes from port %d, want %d", i, got, first+i)
		}
	}
}
