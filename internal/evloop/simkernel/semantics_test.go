package simkernel_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
	"golang.org/x/sys/unix"
)

// The scenarios below run on the real kernel and on the simulated one, with the
// same expectations: that is what makes the simulated one worth testing against.

const (
	in  = evloop.ReadyIn
	out = evloop.ReadyOut
	hup = evloop.ReadyHup
	bad = evloop.ReadyErr
	all = in | out | hup | bad
)

// A machine is a kernel with a way to listen.
type machine struct {
	evloop.Kernel
	name     string
	listen   func(addr evloop.Addr) (fd int, bound evloop.Addr)
	patience time.Duration // how long what must happen may take; simulated things need none
}

func machines(t *testing.T) []machine {
	real := machine{Kernel: evloop.System(), name: "real", patience: 10 * time.Second}
	real.listen = func(addr evloop.Addr) (int, evloop.Addr) {
		family := unix.AF_INET
		if addr.Path != "" {
			family = unix.AF_UNIX
		}
		fd, errno := real.Socket(family, unix.SOCK_STREAM, 0)
		must(t, "socket", errno)
		must(t, "bind", real.Bind(fd, addr))
		if err := unix.Listen(fd, 16); err != nil {
			t.Fatal(err)
		}
		if addr.Path == "" {
			addr.IP = real.LocalAddr(fd)
		}
		return fd, addr
	}
	sk := simkernel.New(1)
	sim := machine{Kernel: sk, name: "sim"}
	sim.listen = func(addr evloop.Addr) (int, evloop.Addr) {
		fd := sk.Listen(addr)
		return fd, sk.ListenAddr(fd)
	}
	return []machine{real, sim}
}

func must(t *testing.T, call string, errno syscall.Errno) {
	t.Helper()
	if errno != 0 {
		t.Fatalf("%s: %v", call, errno)
	}
}

// A stage is one connection between descriptors a and b, both watched by one
// epoll, and the listener that it came from.
type stage struct {
	*testing.T
	machine
	unix     bool
	listener int
	addr     evloop.Addr
	epfd     int
	a, b     int
	names    map[uint64]string
	pending  map[string]evloop.Ready // last report not asked for yet
}

func newStage(t *testing.T, m machine, network string) *stage {
	s := &stage{T: t, machine: m, unix: network == "unix"}
	s.names, s.pending = map[uint64]string{}, map[string]evloop.Ready{}
	addr := evloop.Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")}
	if s.unix {
		addr = evloop.Addr{Path: filepath.Join(shortTempDir(t), "s")}
	}
	s.listener, s.addr = m.listen(addr)
	t.Cleanup(func() {
		if s.listener >= 0 {
			m.Close(s.listener)
		}
	})
	var errno syscall.Errno
	s.epfd, errno = m.EpollCreate()
	must(t, "epoll_create", errno)
	t.Cleanup(func() { m.Close(s.epfd) })
	return s
}

// shortTempDir is for paths of sockets, which may have 107 bytes only.
func shortTempDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// connected makes the pair, watches both and takes the first reports.
func (s *stage) connected() {
	s.Helper()
	s.a = s.dial()
	s.b = s.accept()
	s.watch("a", s.a)
	s.watch("b", s.b)
	s.want("a", "a connection can be written to", out)
	s.want("b", "an accepted one as well", out)
	s.quiet()
}

func (s *stage) socket() int {
	s.Helper()
	family := unix.AF_INET
	if s.unix {
		family = unix.AF_UNIX
	}
	fd, errno := s.Socket(family, unix.SOCK_STREAM, 0)
	must(s.T, "socket", errno)
	return fd
}

// dial begins a connection to the listener; of TCP it is in progress.
func (s *stage) dial() int {
	s.Helper()
	fd := s.socket()
	errno := s.Connect(fd, s.addr)
	if s.unix && errno != 0 || !s.unix && errno != syscall.EINPROGRESS {
		s.Fatalf("connect: %v", errno)
	}
	return fd
}

func (s *stage) accept() int {
	s.Helper()
	for until := time.Now().Add(s.patience); ; {
		fd, _, errno := s.Accept(s.listener)
		if errno == 0 {
			return fd
		}
		if errno != syscall.EAGAIN || time.Now().After(until) {
			s.Fatalf("accept: %v", errno)
		}
	}
}

func (s *stage) watch(name string, fd int) {
	s.Helper()
	tag := uint64(len(s.names) + 1)
	s.names[tag] = name
	must(s.T, "epoll_ctl", s.EpollAdd(s.epfd, fd, tag, name == "listener"))
}

// poll takes reports; a later one of the same name supersedes an earlier.
func (s *stage) poll(timeout time.Duration) {
	s.Helper()
	var events [8]evloop.Event
	n, errno := s.Wait(s.epfd, events[:], timeout)
	if errno != 0 && errno != syscall.EINTR {
		s.Fatalf("epoll_wait: %v", errno)
	}
	for _, ev := range events[:n] {
		s.pending[s.names[ev.Tag]] = ev.Ready
	}
}

// want waits until the last report about name is ready.
func (s *stage) want(name, why string, ready evloop.Ready) {
	s.Helper()
	s.poll(0)
	for until := time.Now().Add(s.patience); s.pending[name] != ready; {
		if !time.Now().Before(until) {
			s.Fatalf("%s: %s: reported %s, want %s", why, name, bits(s.pending[name]), bits(ready))
		}
		s.poll(s.patience / 10)
	}
	delete(s.pending, name)
}

// quiet checks that nothing more is reported.
func (s *stage) quiet() {
	s.Helper()
	s.poll(0)
	for name, r := range s.pending {
		s.Fatalf("%s reported %s, want nothing", name, bits(r))
	}
}

func bits(r evloop.Ready) string {
	text := ""
	for i, name := range []string{"in ", "out ", "hup ", "err "} {
		if r&(1<<i) != 0 {
			text += name
		}
	}
	return "[ " + text + "]"
}

// recv reads up to n bytes and wants these, or this error ("" and 0: the end).
func (s *stage) recv(fd, n int, want string, wantErrno syscall.Errno) {
	s.Helper()
	p := make([]byte, n)
	got, errno := s.Read(fd, p)
	if string(p[:got]) != want || errno != wantErrno {
		s.Fatalf("read gave %q, %v, want %q, %v", p[:got], errno, want, wantErrno)
	}
}

func (s *stage) send(fd int, text string, wantErrno syscall.Errno) {
	s.Helper()
	n, errno := s.Write(fd, []byte(text))
	if errno != wantErrno || errno == 0 && n != len(text) {
		s.Fatalf("write gave %d, %v, want all of %d, %v", n, errno, len(text), wantErrno)
	}
}

// fill writes until there is no room, and returns how much that was.
func (s *stage) fill(fd int) (total int) {
	s.Helper()
	chunk := bytes.Repeat([]byte("x"), 16<<10)
	for {
		n, errno := s.Write(fd, chunk)
		total += n
		if errno == syscall.EAGAIN {
			return total
		}
		must(s.T, "write", errno)
	}
}

// drain reads n bytes, waiting for them.
func (s *stage) drain(fd, n int) {
	s.Helper()
	p := make([]byte, 64<<10)
	for until := time.Now().Add(s.patience); n > 0; {
		got, errno := s.Read(fd, p[:min(len(p), n)])
		n -= got
		if errno != 0 && errno != syscall.EAGAIN || errno == syscall.EAGAIN && !time.Now().Before(until) {
			s.Fatalf("read: %v with %d bytes missing", errno, n)
		}
	}
}

func TestSimulatedKernelActsLikeLinux(t *testing.T) {
	for _, sc := range scenarios {
		for _, network := range []string{"tcp", "unix"} {
			if sc.only != "" && sc.only != network {
				continue
			}
			for _, m := range machines(t) {
				t.Run(sc.name+"/"+network+"/"+m.name, func(t *testing.T) { sc.play(newStage(t, m, network)) })
			}
		}
	}
}

func addrPort(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
