package evloop

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (s *system) Accept(fd int) (conn int, from netip.AddrPort, errno syscall.Errno) {
	for {
		s.addrN = unix.SizeofSockaddrAny
		s.addr.Addr.Family = unix.AF_UNSPEC // UNIX clients have no name: nothing is written
		n, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&s.addr)),
			uintptr(unsafe.Pointer(&s.addrN)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if errno == 0 {
			return int(n), s.fromSystem(), 0
		}
		if errno != syscall.EINTR {
			return -1, netip.AddrPort{}, errno
		}
	}
}

func (s *system) LocalAddr(fd int) netip.AddrPort {
	s.addrN = unix.SizeofSockaddrAny
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&s.addr)),
		uintptr(unsafe.Pointer(&s.addrN)))
	if errno != 0 {
		return netip.AddrPort{}
	}
	return s.fromSystem()
}

func (s *system) Bind(fd int, to Addr) syscall.Errno { return s.withAddr(unix.SYS_BIND, fd, to) }

func (s *system) Connect(fd int, to Addr) syscall.Errno { return s.withAddr(unix.SYS_CONNECT, fd, to) }

// withAddr makes a call that takes an address. EINTR from connect(2) means that
// it goes on in the background.
func (s *system) withAddr(call uintptr, fd int, to Addr) syscall.Errno {
	if !s.toSystem(to) {
		return syscall.EINVAL
	}
	_, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&s.addr)), uintptr(s.addrN))
	if errno == syscall.EINTR && call == unix.SYS_CONNECT {
		return syscall.EINPROGRESS
	}
	return errno
}

// toSystem fills s.addr; false when to cannot be expressed.
func (s *system) toSystem(to Addr) bool {
	ip := to.IP.Addr()
	switch {
	case to.Path != "":
		return s.pathToSystem(to.Path)
	case ip.Is4():
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.addr))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(to.IP.Port()), Addr: ip.As4()}
		s.addrN = unix.SizeofSockaddrInet4
	case ip.Is6():
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.addr))
		*sa = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(to.IP.Port()), Addr: ip.As16()}
		if zone := ip.Zone(); zone != "" {
			sa.Scope_id = scope(zone)
		}
		s.addrN = unix.SizeofSockaddrInet6
	default:
		return false
	}
	return true
}

// pathToSystem writes a path with its final zero byte; an abstract name begins
// with a zero byte and is padded to the full length, as HAProxy and listener
// bind it: the padding is part of the name (unix(7)).
func (s *system) pathToSystem(path string) bool {
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&s.addr))
	abstract := path[0] == '@'
	if len(path) > len(sa.Path) || !abstract && len(path) == len(sa.Path) {
		return false
	}
	*sa = unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range len(path) {
		sa.Path[i] = int8(path[i])
	}
	s.addrN = uint32(unsafe.Offsetof(sa.Path)) + uint32(len(path)) + 1
	if abstract {
		sa.Path[0] = 0
		s.addrN = uint32(unsafe.Sizeof(*sa))
	}
	return true
}

// scope is the number of a zone, which may be an interface's name; rare enough to
// ask the system each time.
func scope(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}

// A port stands in memory with its high byte first.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	b[0], b[1] = byte(port>>8), byte(port)
	return *(*uint16)(unsafe.Pointer(&b))
}

func hostOrder(port uint16) uint16 {
	b := *(*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
