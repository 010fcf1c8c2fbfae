package evloop

import (
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System returns the Linux kernel, with scratch memory for one goroutine.
func System() Kernel { return &system{} }

// A system makes raw system calls: the scheduler does not hear of them, so they
// must not block. Only Wait with a timeout goes through it.
type system struct {
	events []unix.EpollEvent
	addr   unix.RawSockaddrAny
	addrN  uint32
	option int32
}

// epoch ties the run-time's clock, which is read without a system call, to
// CLOCK_MONOTONIC. It is the same for all loops, so that their times compare.
var epoch = newClock()

type clock struct {
	start time.Time
	at    Time
}

func newClock() clock {
	var ts unix.Timespec
	start := time.Now()
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return clock{start: start, at: 1}
	}
	return clock{start: start, at: Time(ts.Nano())}
}

func (s *system) Now() Time { return epoch.at + Time(time.Since(epoch.start)) }

func (s *system) EpollCreate() (int, syscall.Errno) {
	return raw(unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC, 0, 0)
}

func (s *system) EpollAdd(epfd, fd int, tag uint64, listening bool) syscall.Errno {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET}
	if listening {
		ev.Events = unix.EPOLLIN | unix.EPOLLEXCLUSIVE
	}
	// Fd and Pad are the two halves of epoll_data on both architectures, though
	// the struct is packed on amd64 only.
	ev.Fd, ev.Pad = int32(uint32(tag)), int32(uint32(tag>>32))
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epfd), unix.EPOLL_CTL_ADD, uintptr(fd),
		uintptr(unsafe.Pointer(&ev)), 0, 0)
	return errno
}

func (s *system) EpollDel(epfd, fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epfd), unix.EPOLL_CTL_DEL, uintptr(fd), 0, 0, 0)
	return errno
}

func (s *system) Wait(epfd int, events []Event, timeout time.Duration) (int, syscall.Errno) {
	if len(s.events) < len(events) {
		s.events = make([]unix.EpollEvent, len(events))
	}
	var n uintptr
	var errno syscall.Errno
	if timeout == 0 {
		n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(events)), 0, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(events)), uintptr(milliseconds(timeout)), 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	for i := range events[:n] {
		ev := &s.events[i]
		events[i] = Event{
			Tag:   uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32,
			Ready: readyOf(ev.Events),
		}
	}
	return int(n), 0
}

// milliseconds rounds up, so that a loop does not turn idly before a deadline.
func milliseconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return int(min(ms, 1<<31-1))
}

func readyOf(events uint32) Ready {
	var r Ready
	if events&unix.EPOLLIN != 0 {
		r |= ReadyIn
	}
	if events&unix.EPOLLOUT != 0 {
		r |= ReadyOut
	}
	if events&unix.EPOLLRDHUP != 0 {
		r |= ReadyHup
	}
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		r |= ReadyErr
	}
	return r
}

func (s *system) WakeCreate() (int, syscall.Errno) {
	return raw(unix.SYS_EVENTFD2, 0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK, 0)
}

// Wake cannot fail but by EAGAIN, after 2^64 wakes.
func (s *system) Wake(fd int) {
	one := uint64(1)
	for {
		_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), 8)
		if errno != syscall.EINTR {
			return
		}
	}
}

func (s *system) Read(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
}

func (s *system) Peek(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

func (s *system) Write(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), flags, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

func (s *system) Writev(fd int, a, b, c []byte) (int, syscall.Errno) {
	return gather(fd, [3][]byte{a, b, c}, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func (s *system) WriteMore(fd int, a, b []byte) (int, syscall.Errno) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_MORE
	if len(b) == 0 {
		return transfer(unix.SYS_SENDTO, fd, a, flags)
	}
	return gather(fd, [3][]byte{a, b}, flags)
}

func gather(fd int, parts [3][]byte, flags uintptr) (int, syscall.Errno) {
	var vec [3]unix.Iovec // on the stack, so that it holds no buffer alive
	n := 0
	for _, p := range parts {
		if len(p) > 0 {
			vec[n].Base = unsafe.SliceData(p)
			vec[n].SetLen(len(p))
			n++
		}
	}
	msg := unix.Msghdr{Iov: &vec[0]}
	msg.SetIovlen(n)
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), flags)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

func (s *system) Pipe(size int) (r, w int, errno syscall.Errno) {
	var fds [2]int32
	_, _, errno = syscall.RawSyscall(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&fds)), unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if errno != 0 {
		return -1, -1, errno
	}
	if size > 0 && !resizePipe(uintptr(fds[1]), size) {
		s.Close(int(fds[0]))
		s.Close(int(fds[1]))
		return -1, -1, syscall.ENOMEM
	}
	return int(fds[0]), int(fds[1]), 0
}

const pipeBytesMin = 64 << 10 // a smaller pipe costs more calls than it saves copies

// resizePipe gives a pipe size bytes, or less if the kernel refuses so much:
// pipe-max-size and pipe-user-pages-soft in /proc/sys/fs limit users without
// privileges, whose further pipes have two pages. False: less than pipeBytesMin.
func resizePipe(fd uintptr, size int) bool {
	least := min(size, pipeBytesMin)
	for {
		if _, _, errno := syscall.RawSyscall(unix.SYS_FCNTL, fd, unix.F_SETPIPE_SZ, uintptr(size)); errno == 0 {
			return true
		}
		if size == least {
			return false
		}
		size = max(size/2, least)
	}
}

func (s *system) Splice(from, to, max int) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(max),
			unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

func (s *system) Socket(family, typ, proto int) (int, syscall.Errno) {
	return raw(unix.SYS_SOCKET, uintptr(family), uintptr(typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC), uintptr(proto))
}

func (s *system) SocketError(fd int) syscall.Errno {
	var value int32
	size := uint32(4)
	_, _, errno := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ERROR,
		uintptr(unsafe.Pointer(&value)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return syscall.Errno(value)
}

func (s *system) SetInt(fd, level, opt, value int) syscall.Errno {
	s.option = int32(value)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(&s.option)), 4, 0)
	return errno
}

func (s *system) SetString(fd, level, opt int, value string) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(unsafe.StringData(value))), uintptr(len(value)), 0)
	return errno
}

func (s *system) Shutdown(fd int) syscall.Errno {
	_, errno := raw(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
	return errno
}

// Close does not look at the error: on Linux the descriptor is gone in any case.
func (s *system) Close(fd int) { syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func (s *system) Reset(fd int) {
	linger := unix.Linger{Onoff: 1, Linger: 0}
	syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
		uintptr(unsafe.Pointer(&linger)), unsafe.Sizeof(linger), 0)
	s.Close(fd)
}

// raw is a call without pointers that gives a number.
func raw(call, a, b, c uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(call, a, b, c)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return -1, errno
		}
	}
}

// fromSystem is the address in s.addr; the zero AddrPort unless it is IP. A
// v4-mapped address stays one, and the zone of a link-local one is left out.
func (s *system) fromSystem() netip.AddrPort {
	switch s.addr.Addr.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.addr))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), hostOrder(sa.Port))
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.addr))
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), hostOrder(sa.Port))
	}
	return netip.AddrPort{}
}
