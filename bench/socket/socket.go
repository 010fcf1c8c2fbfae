package socket

import (
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Backlog is the queue of a listening socket; the kernel cuts it at
// net.core.somaxconn.
const Backlog = 8192

// Read reads what is there. It returns 0 and no error at the end of the stream.
func Read(fd int, p []byte) (int, syscall.Errno) {
	return result(unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// Discard takes up to max received bytes away without copying them.
func Discard(fd, max int) (int, syscall.Errno) {
	return result6(unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), 0, uintptr(max), unix.MSG_TRUNC, 0, 0))
}

// Write writes as much as fits.
func Write(fd int, p []byte) (int, syscall.Errno) {
	return Send(fd, p, 0)
}

// Send writes as much as fits; flags may hold unix.MSG_MORE.
func Send(fd int, p []byte, flags int) (int, syscall.Errno) {
	return result6(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		uintptr(flags|unix.MSG_NOSIGNAL), 0, 0))
}

// SendFile sends n bytes of file from *offset on, and moves the offset.
func SendFile(fd, file int, offset *int64, n int) (int, syscall.Errno) {
	return result6(unix.RawSyscall6(unix.SYS_SENDFILE, uintptr(fd), uintptr(file), uintptr(unsafe.Pointer(offset)), uintptr(n), 0, 0))
}

// Splice moves up to n bytes between a socket and a pipe.
func Splice(from, to, n int) (int, syscall.Errno) {
	return result6(unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n),
		unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE))
}

// Accept takes a connection, non-blocking.
func Accept(fd int) (int, syscall.Errno) {
	return result6(unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0))
}

// Close closes a descriptor.
func Close(fd int) {
	unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}

func result(n, _ uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func result6(n, r2 uintptr, errno syscall.Errno) (int, syscall.Errno) { return result(n, r2, errno) }

// NoDelay sends small pieces at once.
func NoDelay(fd int) {
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // a socket that cannot is slow, not wrong
}

// Listen opens a non-blocking listening socket that other loops may open too.
func Listen(addr netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("can't open a socket: %w", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // bind says what is wrong if this mattered
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	NoDelay(fd) // accepted connections inherit it
	if err := unix.Bind(fd, Sockaddr(addr)); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("can't bind %v: %w", addr, err)
	}
	if err := unix.Listen(fd, Backlog); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("can't listen on %v: %w", addr, err)
	}
	return fd, nil
}

// DeferAccept shows a connection only once its client has sent something.
func DeferAccept(fd int) {
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferSeconds) // without it there is one more event
}

const deferSeconds = 10

// ListenUDP opens a non-blocking datagram socket.
func ListenUDP(addr netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("can't open a socket: %w", err)
	}
	if err := unix.Bind(fd, Sockaddr(addr)); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("can't bind %v: %w", addr, err)
	}
	return fd, nil
}

// Connect begins a connection; the descriptor is writable once it stands.
func Connect(to unix.Sockaddr) (int, error) { return ConnectFrom(nil, to, 0) }

// ConnectFrom begins a connection from an address, unless that is nil, with a
// receive buffer of so many bytes, unless that is 0.
func ConnectFrom(from *unix.SockaddrInet4, to unix.Sockaddr, buffer int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	NoDelay(fd)
	if buffer > 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer) // the kernel may choose another
	}
	if from != nil {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) // without it ports run out sooner
		if err := unix.Bind(fd, from); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Sockaddr is addr for the kernel. Addresses of the benchmark are IPv4.
func Sockaddr(addr netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
}
