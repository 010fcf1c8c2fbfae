package accesslog

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// datagrams sends each line as one datagram, many with one system call. The
// socket is not connected: a syslog server that comes back under its address or
// path is found again without any doing.
type datagrams struct {
	fd   int
	name []byte // socket address as the kernel has it
	msgs [batchLines]mmsghdr
	iovs [batchLines]unix.Iovec
	slow bool   // the last wait was in vain: do not wait again
	path string // of a UNIX socket
	next output // the same path as a stream, when it turned out to be one
}

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

func openUDP(to netip.AddrPort) (output, error) {
	if to.Addr().Is6() {
		return newDatagrams(unix.AF_INET6, rawInet6(to))
	}
	return newDatagrams(unix.AF_INET, rawInet4(to))
}

func openUnix(path string) (output, error) {
	name := make([]byte, 2, 2+len(path)+1)
	*(*uint16)(unsafe.Pointer(&name[0])) = unix.AF_UNIX
	if len(path) == 0 || len(path) >= unix.SizeofSockaddrUnix-2 {
		return nil, fmt.Errorf("%q is empty or too long for the path of a socket", path)
	}
	if path[0] == '@' {
		name = append(append(name, 0), path[1:]...)
	} else {
		name = append(append(name, path...), 0)
	}
	d, err := newDatagrams(unix.AF_UNIX, name)
	if err != nil {
		return nil, err
	}
	d.path = path
	return d, nil
}

func newDatagrams(family int, name []byte) (*datagrams, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("can't open a socket: %w", err)
	}
	_ = unix.Shutdown(fd, unix.SHUT_RD) // nothing is read; fails on sockets without a name, harmlessly
	d := &datagrams{fd: fd, name: name}
	for i := range d.msgs {
		h := &d.msgs[i].hdr
		h.Name, h.Namelen = &d.name[0], uint32(len(d.name))
		h.Iov = &d.iovs[i]
		h.SetIovlen(1)
	}
	return d, nil
}

func (d *datagrams) write(buf []byte, ends []int) (lost int) {
	if d.next != nil {
		return d.next.write(buf, ends)
	}
	start := 0
	for i, end := range ends {
		d.iovs[i].Base = &buf[start]
		d.iovs[i].SetLen(end - start)
		start = end
	}
	sent, waited := 0, time.Duration(0)
	for sent < len(ends) {
		n, errno := d.sendmmsg(sent, len(ends))
		switch {
		case n > 0:
			sent, d.slow = sent+n, false
		case errno == unix.EINTR:
		case errno == unix.EPROTOTYPE && d.path != "":
			d.next = newStream("unix", d.path)
			return lost + d.next.write(rest(buf, ends, sent))
		case errno == unix.EAGAIN && !d.slow && waited < writeWait:
			// poll(2) can't tell when the queue of a UNIX socket that we are not
			// connected to has room.
			time.Sleep(writePause)
			waited += writePause
		case errno == unix.EAGAIN:
			d.slow = true
			return lost + len(ends) - sent
		default:
			sent, lost = sent+1, lost+1 // this line can't be sent; the next one may
		}
	}
	return lost
}

// rest gives the lines from number n on.
func rest(buf []byte, ends []int, n int) ([]byte, []int) {
	if n == 0 {
		return buf, ends
	}
	cut := ends[n-1]
	tail := make([]int, 0, len(ends)-n)
	for _, e := range ends[n:] {
		tail = append(tail, e-cut)
	}
	return buf[cut:], tail
}

func (d *datagrams) sendmmsg(from, to int) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(d.fd), uintptr(unsafe.Pointer(&d.msgs[from])),
		uintptr(to-from), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func (d *datagrams) close() {
	if d.next != nil {
		d.next.close()
	}
	unix.Close(d.fd)
}

// waitWritable waits until fd can be written, at most for a time.
func waitWritable(fd int, timeout time.Duration) bool {
	set := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(set[:], int(timeout/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		return n == 1 && err == nil && set[0].Revents&unix.POLLOUT != 0
	}
}

func rawInet4(to netip.AddrPort) []byte {
	sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	sa.Port = bigEndian(to.Port())
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))...)
}

func rawInet6(to netip.AddrPort) []byte {
	sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16()}
	sa.Port = bigEndian(to.Port())
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))...)
}

// bigEndian gives the number whose bytes in memory are n, highest first.
func bigEndian(n uint16) uint16 {
	b := [2]byte{byte(n >> 8), byte(n)}
	return *(*uint16)(unsafe.Pointer(&b))
}
