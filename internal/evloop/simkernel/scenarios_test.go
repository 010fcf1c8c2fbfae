package simkernel_test

import (
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

type scenario struct {
	name string
	only string // "tcp", "unix"; empty: both
	play func(s *stage)
}

var scenarios = []scenario{
	{"each arrival is an edge", "", func(s *stage) {
		s.connected()
		s.send(s.a, "hello", 0)
		s.want("b", "bytes came", in|out)
		s.quiet()
		s.send(s.a, "hello", 0)
		s.want("b", "more bytes came, though none were read", in|out)
		s.recv(s.b, 3, "hel", 0)
		s.quiet()
		s.recv(s.b, 100, "lohello", 0)
		s.recv(s.b, 100, "", syscall.EAGAIN)
		s.wantReadByOther("a", out)
		s.quiet()
		s.send(s.a, "again", 0)
		s.want("b", "new bytes", in|out)
		s.recv(s.b, 5, "again", 0)
		s.wantReadByOther("a", out)
		s.quiet()
	}},
	{"peek leaves the bytes", "", func(s *stage) {
		s.connected()
		s.send(s.a, "hello", 0)
		s.want("b", "bytes came", in|out)
		p := make([]byte, 3)
		if n, errno := s.Peek(s.b, p); n != 3 || errno != 0 {
			s.Fatalf("peek: %d, %v", n, errno)
		}
		s.recv(s.b, 10, "hello", 0)
		if n, errno := s.Peek(s.b, p); n != 0 || errno != syscall.EAGAIN {
			s.Fatalf("peek: %d, %v", n, errno)
		}
	}},
	{"writev sends all parts", "", func(s *stage) {
		s.connected()
		if n, errno := s.Writev(s.a, []byte("one"), nil, []byte("three")); n != 8 || errno != 0 {
			s.Fatalf("writev: %d, %v", n, errno)
		}
		s.want("b", "bytes came", in|out)
		s.recv(s.b, 100, "onethree", 0)
	}},
	{"what says that more follows waits for it", "tcp", func(s *stage) {
		s.connected()
		more := func(a, b string) {
			if n, errno := s.WriteMore(s.a, []byte(a), []byte(b)); n != len(a)+len(b) || errno != 0 {
				s.Fatalf("write: %d, %v", n, errno)
			}
		}
		more("one", "two")
		s.quiet()
		s.recv(s.b, 100, "", syscall.EAGAIN)
		s.send(s.a, "three", 0)
		s.want("b", "all of it", in|out)
		s.recv(s.b, 100, "onetwothree", 0)
		s.wantReadByOther("a", out)
		more("bye", "")
		s.recv(s.b, 100, "", syscall.EAGAIN)
		s.Close(s.a)
		s.want("b", "bytes and FIN", in|out|hup)
		s.recv(s.b, 100, "bye", 0)
		s.recv(s.b, 100, "", 0)
	}},
	{"FIN stands behind the bytes", "", func(s *stage) {
		s.connected()
		s.send(s.a, "bye", 0)
		must(s.T, "shutdown", s.Shutdown(s.a))
		s.want("a", "shutdown wakes its own epoll", out)
		s.want("b", "bytes and FIN", in|out|hup)
		s.recv(s.b, 2, "by", 0)
		s.recv(s.b, 100, "e", 0)
		s.recv(s.b, 100, "", 0)
		s.recv(s.b, 100, "", 0)
		s.wantReadByOther("a", out)
		s.quiet()
	}},
	{"a half-closed connection still carries the other direction", "", func(s *stage) {
		s.connected()
		must(s.T, "shutdown", s.Shutdown(s.a))
		s.want("a", "own shutdown", out)
		s.want("b", "FIN", in|out|hup)
		s.send(s.a, "x", syscall.EPIPE)
		s.send(s.b, "late", 0)
		s.want("a", "bytes came", in|out)
		s.recv(s.a, 100, "late", 0)
		must(s.T, "shutdown", s.Shutdown(s.b))
		s.want("a", "both directions ended", all)
		s.want("b", "both directions ended", all)
		s.recv(s.a, 100, "", 0)
		if errno := s.SocketError(s.a); errno != 0 {
			s.Fatalf("that is no error, got %v", errno)
		}
	}},
	{"close sends FIN, and RST to what comes after", "tcp", func(s *stage) {
		s.connected()
		s.Close(s.a)
		s.want("b", "FIN", in|out|hup)
		s.recv(s.b, 100, "", 0)
		s.quiet()
		s.send(s.b, "x", 0)
		s.want("b", "RST", all)
		s.recv(s.b, 100, "", 0)
		s.send(s.b, "x", syscall.EPIPE)
		s.send(s.b, "x", syscall.EPIPE)
		if errno := s.SocketError(s.b); errno != 0 {
			s.Fatalf("the error was told, and is told again: %v", errno)
		}
		s.recv(s.b, 100, "", 0)
	}},
	{"close ends both directions", "unix", func(s *stage) {
		s.connected()
		s.send(s.a, "bye", 0)
		s.Close(s.a)
		s.want("b", "closed", all)
		s.send(s.b, "x", syscall.EPIPE)
		s.recv(s.b, 100, "bye", 0)
		s.recv(s.b, 100, "", 0)
		s.recv(s.b, 100, "", 0)
	}},
	{"what was sent before close arrives", "", func(s *stage) {
		s.connected()
		n := s.fill(s.a)
		s.want("b", "bytes came", in|out)
		s.Close(s.a)
		s.drain(s.b, n)
		for range 1000 { // the FIN follows the last bytes
			if _, errno := s.Peek(s.b, make([]byte, 1)); errno == 0 {
				break
			}
			s.poll(s.patience / 1000)
		}
		s.recv(s.b, 100, "", 0)
	}},
	{"close with unread bytes is a RST", "", func(s *stage) {
		s.connected()
		s.send(s.b, "unread", 0)
		s.want("a", "bytes came", in|out)
		s.Close(s.a)
		s.want("b", "RST", all)
		s.recv(s.b, 100, "", syscall.ECONNRESET)
		s.recv(s.b, 100, "", 0)
		s.send(s.b, "x", syscall.EPIPE)
	}},
	{"RST leaves what was received", "tcp", func(s *stage) {
		s.connected()
		s.send(s.a, "read me", 0)
		s.want("b", "bytes came", in|out)
		s.Reset(s.a)
		s.want("b", "RST", all)
		s.recv(s.b, 4, "read", 0)
		s.recv(s.b, 100, " me", 0)
		s.recv(s.b, 100, "", syscall.ECONNRESET)
		s.recv(s.b, 100, "", 0)
		s.recv(s.b, 100, "", 0)
	}},
	{"RST is told once, to a write as well", "tcp", func(s *stage) {
		s.connected()
		s.Reset(s.a)
		s.want("b", "RST", all)
		s.send(s.b, "x", syscall.ECONNRESET)
		s.send(s.b, "x", syscall.EPIPE)
		s.recv(s.b, 100, "", 0)
		if errno := s.Shutdown(s.b); errno != syscall.ENOTCONN {
			s.Fatalf("shutdown: %v", errno)
		}
	}},
	{"RST is told to SO_ERROR", "tcp", func(s *stage) {
		s.connected()
		s.Reset(s.a)
		s.want("b", "RST", all)
		if first, second := s.SocketError(s.b), s.SocketError(s.b); first != syscall.ECONNRESET || second != 0 {
			s.Fatalf("errors %v, %v", first, second)
		}
	}},
	{"RST after FIN is EPIPE", "tcp", func(s *stage) {
		s.connected()
		must(s.T, "shutdown", s.Shutdown(s.a))
		s.want("b", "FIN", in|out|hup)
		s.Reset(s.a)
		s.want("b", "RST", all)
		s.recv(s.b, 100, "", 0)
		if errno := s.SocketError(s.b); errno != syscall.EPIPE {
			s.Fatalf("error %v", errno)
		}
		s.recv(s.b, 100, "", 0)
	}},
	{"RST after FINs of both is not told", "tcp", func(s *stage) {
		s.connected()
		must(s.T, "shutdown", s.Shutdown(s.a))
		must(s.T, "shutdown", s.Shutdown(s.b))
		s.want("a", "both FINs", all)
		s.want("b", "both FINs", all)
		s.Reset(s.a)
		s.quiet()
		s.recv(s.b, 100, "", 0)
		if errno := s.SocketError(s.b); errno != 0 {
			s.Fatalf("error %v", errno)
		}
	}},
	{"a full socket reports when there is room", "", func(s *stage) {
		s.connected()
		n := s.fill(s.a)
		s.want("b", "bytes came", in|out)
		s.poll(0)
		if r, told := s.pending["a"]; told {
			s.Fatalf("reported %s, though full", bits(r))
		}
		s.drain(s.b, n)
		s.want("a", "room again", out)
		s.send(s.a, "x", 0)
	}},
	{"connect to nobody is refused", "tcp", func(s *stage) {
		s.Close(s.listener)
		s.listener = -1
		fd := s.dial()
		defer s.Close(fd)
		s.watch("a", fd)
		s.want("a", "refused", all)
		if first, second := s.SocketError(fd), s.SocketError(fd); first != syscall.ECONNREFUSED || second != 0 {
			s.Fatalf("errors %v, %v", first, second)
		}
		s.recv(fd, 100, "", 0)
		s.send(fd, "x", syscall.EPIPE)
	}},
	{"a refused connection told by write", "tcp", func(s *stage) {
		s.Close(s.listener)
		s.listener = -1
		fd := s.dial()
		defer s.Close(fd)
		s.watch("a", fd)
		s.want("a", "refused", all)
		s.send(fd, "x", syscall.ECONNREFUSED)
		s.send(fd, "x", syscall.EPIPE)
	}},
	{"connect to a path", "unix", func(s *stage) {
		fd := s.socket()
		defer s.Close(fd)
		if errno := s.Connect(fd, evloop.Addr{Path: s.addr.Path + "none"}); errno != syscall.ENOENT {
			s.Fatalf("no such path: %v", errno)
		}
		s.Close(s.listener)
		s.listener = -1
		if errno := s.Connect(fd, s.addr); errno != syscall.ECONNREFUSED {
			s.Fatalf("nobody listens: %v", errno)
		}
	}},
	{"an idle socket is hung up", "tcp", func(s *stage) {
		fd := s.socket()
		defer s.Close(fd)
		s.watch("a", fd)
		s.want("a", "not connected", out|bad)
		if errno := s.Shutdown(fd); errno != syscall.ENOTCONN {
			s.Fatalf("shutdown: %v", errno)
		}
		s.recv(fd, 1, "", syscall.ENOTCONN)
		s.send(fd, "x", syscall.EPIPE)
		if errno := s.Connect(fd, s.addr); errno != syscall.EINPROGRESS {
			s.Fatalf("connect: %v", errno)
		}
		s.want("a", "connected", out)
		s.Close(s.accept())
	}},
	{"an idle socket cannot be used", "unix", func(s *stage) {
		fd := s.socket()
		defer s.Close(fd)
		s.watch("a", fd)
		s.want("a", "not connected", out|bad)
		s.recv(fd, 1, "", syscall.EINVAL)
		s.send(fd, "x", syscall.ENOTCONN)
		must(s.T, "connect", s.Connect(fd, s.addr))
		if errno := s.Connect(fd, s.addr); errno != syscall.EISCONN {
			s.Fatalf("connect again: %v", errno)
		}
		s.Close(s.accept())
	}},
	{"bytes before accept wait", "", func(s *stage) {
		a := s.dial()
		defer s.Close(a)
		s.watch("a", a)
		s.want("a", "connected", out)
		s.send(a, "early", 0)
		must(s.T, "shutdown", s.Shutdown(a))
		b := s.accept()
		defer s.Close(b)
		s.watch("b", b)
		s.want("b", "all came before it was watched", in|out|hup)
		s.recv(b, 100, "early", 0)
		s.recv(b, 100, "", 0)
	}},
	{"a listener is level-triggered", "", func(s *stage) {
		s.watch("listener", s.listener)
		s.quiet()
		a1, a2 := s.dial(), s.dial()
		defer s.Close(a1)
		defer s.Close(a2)
		for range 2 {
			s.want("listener", "a connection waits", in)
			s.want("listener", "it still does", in)
			s.Close(s.accept())
		}
		s.quiet()
		if _, _, errno := s.Accept(s.listener); errno != syscall.EAGAIN {
			s.Fatalf("accept: %v", errno)
		}
		must(s.T, "epoll_ctl", s.EpollDel(s.epfd, s.listener))
		a3 := s.dial()
		defer s.Close(a3)
		s.Close(s.accept())
		s.quiet()
	}},
	{"a listener that closes resets who waits", "", func(s *stage) {
		a := s.dial()
		defer s.Close(a)
		s.watch("a", a)
		s.want("a", "connected", out)
		s.Close(s.listener)
		s.listener = -1
		s.want("a", "reset", all)
		s.recv(a, 100, "", syscall.ECONNRESET)
	}},
	{"the client's address is told", "tcp", func(s *stage) {
		fd := s.dial()
		defer s.Close(fd)
		s.watch("listener", s.listener)
		s.want("listener", "a connection waits", in)
		b, from, errno := s.Accept(s.listener)
		must(s.T, "accept", errno)
		defer s.Close(b)
		if from != s.LocalAddr(fd) || s.LocalAddr(b) != s.addr.IP {
			s.Fatalf("from %v, want %v; local %v, want %v", from, s.LocalAddr(fd), s.LocalAddr(b), s.addr.IP)
		}
	}},
	{"a closed descriptor reports no more", "", func(s *stage) {
		s.connected()
		s.send(s.a, "x", 0)
		s.Close(s.b)
		s.poll(0)
		if r, told := s.pending["b"]; told {
			s.Fatalf("reported %s, though closed", bits(r))
		}
	}},
	{"registration is once, and can be undone", "", func(s *stage) {
		s.connected()
		if errno := s.EpollAdd(s.epfd, s.b, 9, false); errno != syscall.EEXIST {
			s.Fatalf("second registration: %v", errno)
		}
		must(s.T, "epoll_ctl", s.EpollDel(s.epfd, s.b))
		if errno := s.EpollDel(s.epfd, s.b); errno != syscall.ENOENT {
			s.Fatalf("second removal: %v", errno)
		}
		s.send(s.a, "x", 0)
		s.quiet()
		s.watch("b again", s.b)
		s.want("b again", "bytes stand there", in|out)
	}},
	{"a wake is an edge without draining", "", func(s *stage) {
		fd, errno := s.WakeCreate()
		must(s.T, "eventfd", errno)
		defer s.Close(fd)
		s.watch("wake", fd)
		s.want("wake", "can be written", out)
		s.quiet()
		for range 3 {
			s.Wake(fd)
			s.Wake(fd)
			s.want("wake", "woken", in|out)
			s.quiet()
		}
	}},
	{"splice moves bytes and tells why not", "", playSplice},
	{"splice to a broken connection fails like a write", "tcp", func(s *stage) {
		s.connected()
		r, w := s.pipe(0)
		s.send(s.a, "data", 0)
		s.want("b", "bytes came", in|out)
		if n, errno := s.Splice(s.b, w, 100); n != 4 || errno != 0 {
			s.Fatalf("splice: %d, %v", n, errno)
		}
		s.Reset(s.a)
		s.want("b", "RST", all)
		if _, errno := s.Splice(r, s.b, 4); errno != syscall.ECONNRESET {
			s.Fatalf("splice: %v", errno)
		}
		if _, errno := s.Splice(r, s.b, 4); errno != syscall.EPIPE {
			s.Fatalf("splice: %v", errno)
		}
	}},
	{"write after own shutdown", "", func(s *stage) {
		s.connected()
		must(s.T, "shutdown", s.Shutdown(s.a))
		s.send(s.a, "x", syscall.EPIPE)
		must(s.T, "second shutdown", s.Shutdown(s.a))
	}},
	{"binding gives the client its address", "tcp", func(s *stage) {
		fd := s.socket()
		defer s.Close(fd)
		must(s.T, "bind", s.Bind(fd, evloop.Addr{IP: addrPort("127.0.0.2:0")}))
		if errno := s.Connect(fd, s.addr); errno != syscall.EINPROGRESS {
			s.Fatalf("connect: %v", errno)
		}
		s.watch("listener", s.listener)
		s.want("listener", "a connection waits", in)
		b, from, errno := s.Accept(s.listener)
		must(s.T, "accept", errno)
		defer s.Close(b)
		if from.Addr().String() != "127.0.0.2" || from != s.LocalAddr(fd) {
			s.Fatalf("from %v", from)
		}
		other := s.socket()
		defer s.Close(other)
		if errno := s.Bind(other, evloop.Addr{IP: s.LocalAddr(fd)}); errno != syscall.EADDRINUSE {
			s.Fatalf("bind to a taken address: %v", errno)
		}
	}},
	{"options are taken", "", func(s *stage) {
		s.connected()
		must(s.T, "setsockopt", s.SetInt(s.a, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	}},
}

func (s *stage) pipe(size int) (r, w int) {
	s.Helper()
	r, w, errno := s.Pipe(size)
	must(s.T, "pipe", errno)
	s.Cleanup(func() {
		s.Close(r)
		s.Close(w)
	})
	return r, w
}

// wantReadByOther: a UNIX socket reports room each time that the other side has
// read, even when there always was room.
func (s *stage) wantReadByOther(name string, ready evloop.Ready) {
	s.Helper()
	if s.unix {
		s.want(name, "the other side has read", ready)
	}
}

func playSplice(s *stage) {
	s.connected()
	r, w := s.pipe(0)
	splice := func(from, to, most, want int, wantErrno syscall.Errno) {
		s.Helper()
		if n, errno := s.Splice(from, to, most); n != want || errno != wantErrno {
			s.Fatalf("splice: %d, %v, want %d, %v", n, errno, want, wantErrno)
		}
	}
	splice(s.b, w, 100, 0, syscall.EAGAIN) // nothing came
	splice(r, s.b, 100, 0, syscall.EAGAIN) // nothing in the pipe
	s.send(s.a, "hello", 0)
	s.want("b", "bytes came", in|out)
	splice(s.b, w, 3, 3, 0)
	splice(s.b, w, 100, 2, 0)
	splice(r, s.b, 4, 4, 0)
	splice(r, s.b, 100, 1, 0)
	s.want("a", "the echo", in|out)
	s.recv(s.a, 100, "hello", 0)

	r, w = s.pipe(4096)
	page := make([]byte, 4096)
	s.send(s.a, string(page)+"rest", 0)
	s.want("b", "bytes came", in|out)
	filled := 0
	for {
		n, errno := s.Splice(s.b, w, 1<<20)
		if errno == syscall.EAGAIN { // no room, though bytes are there
			break
		}
		must(s.T, "splice", errno)
		filled += n
	}
	if filled == 0 || filled >= 4100 {
		s.Fatalf("%d bytes went into a pipe of a page", filled)
	}
	splice(r, s.b, 1<<20, filled, 0)
	s.want("a", "the echo", in|out)
	must(s.T, "shutdown", s.Shutdown(s.a))
	s.want("b", "FIN", in|out|hup)
	for left := 4100 - filled; left > 0; {
		n, errno := s.Splice(s.b, w, 1<<20)
		must(s.T, "splice", errno)
		left -= n
		splice(r, s.b, 1<<20, n, 0)
	}
	splice(s.b, w, 100, 0, 0) // the end
}
