package simkernel

import (
	"net/netip"
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
)

// Read implements evloop.Kernel.
func (k *Kernel) Read(fd int, p []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sock("read", fd)
	if eof, errno := s.receivable(); eof || errno != 0 {
		return 0, errno
	}
	n := copy(p, s.in)
	s.take(n)
	return n, 0
}

// Peek implements evloop.Kernel.
func (k *Kernel) Peek(fd int, p []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sock("peek", fd)
	if eof, errno := s.receivable(); eof || errno != 0 {
		return 0, errno
	}
	return copy(p, s.in), 0
}

// Write implements evloop.Kernel.
func (k *Kernel) Write(fd int, p []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.Writes++
	return k.sock("write", fd).give(p)
}

// Writev implements evloop.Kernel.
func (k *Kernel) Writev(fd int, a, b, c []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.Writes++
	all := append(append(append([]byte(nil), a...), b...), c...)
	return k.sock("writev", fd).give(all)
}

// WriteMore implements evloop.Kernel. Here the bytes wait for as long as nothing
// follows them, so that nobody can rely on the kernel's patience.
func (k *Kernel) WriteMore(fd int, a, b []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sock("write", fd)
	return s.queue(append(append([]byte(nil), a...), b...), !s.unix)
}

// Socket implements evloop.Kernel, for stream sockets.
func (k *Kernel) Socket(family, typ, _ int) (int, syscall.Errno) {
	if typ != syscall.SOCK_STREAM {
		return -1, syscall.EPROTONOSUPPORT
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.install(k.newSock(family == syscall.AF_UNIX))
}

// Bind implements evloop.Kernel.
func (k *Kernel) Bind(fd int, to evloop.Addr) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sock("bind", fd)
	if k.lookup(to) != nil || to.Path == "" && to.IP.Port() != 0 && k.localInUse(s, to) {
		return syscall.EADDRINUSE
	}
	s.local = to
	if to.Path == "" {
		s.local = k.address(to.IP, to)
	}
	return 0
}

// localInUse: a port may be shared when all who have it set SO_REUSEADDR.
func (k *Kernel) localInUse(by *sock, a evloop.Addr) bool {
	for _, f := range k.files {
		if s, ok := f.(*sock); ok && s != by && s.local == a && !(s.reuses() && by.reuses()) {
			return true
		}
	}
	return false
}

func (s *sock) reuses() bool {
	return s.options[[2]int{syscall.SOL_SOCKET, syscall.SO_REUSEADDR}] != 0
}

// pairInUse reports whether a socket is connected from and to these addresses.
func (k *Kernel) pairInUse(from, to evloop.Addr) bool {
	for _, f := range k.files {
		if s, ok := f.(*sock); ok && s.local == from && s.far == to && s.state != sockNew {
			return true
		}
	}
	return false
}

// Connect implements evloop.Kernel.
func (k *Kernel) Connect(fd int, to evloop.Addr) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sock("connect", fd)
	switch {
	case s.state == sockConnecting:
		return syscall.EALREADY
	case s.state != sockNew:
		return syscall.EISCONN
	case s.unix:
		return s.connectUnix(to)
	}
	if s.local.IP.Port() != 0 && k.pairInUse(s.local, to) {
		return syscall.EADDRNOTAVAIL
	}
	s.far = to
	s.local = k.address(s.local.IP, to)
	s.state = sockConnecting
	delay := k.serverAt(to).delayOrZero()
	s.dial(delay)
	return syscall.EINPROGRESS
}

// connectUnix is done at once, or not at all.
func (s *sock) connectUnix(to evloop.Addr) syscall.Errno {
	if _, ok := s.k.bound[to]; !ok {
		return syscall.ENOENT
	}
	s.far = to
	s.state = sockConnecting
	full := !s.handshake()
	switch {
	case full:
		s.state = sockNew
		return syscall.EAGAIN
	case s.state == sockDead:
		*s = sock{watch: s.watch, k: s.k, unix: true, local: s.local, inMax: s.inMax, outMax: s.outMax}
		return syscall.ECONNREFUSED
	}
	return 0
}

// SocketError implements evloop.Kernel.
func (k *Kernel) SocketError(fd int) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sock("getsockopt", fd).takeErr()
}

// LocalAddr implements evloop.Kernel.
func (k *Kernel) LocalAddr(fd int) netip.AddrPort {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch f := k.file("getsockname", fd).(type) {
	case *sock:
		return f.local.IP
	case *listener:
		return f.addr.IP
	}
	return netip.AddrPort{}
}

// SetInt implements evloop.Kernel. The option is only recorded; see Option.
func (k *Kernel) SetInt(fd, level, opt, value int) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, ok := k.file("setsockopt", fd).(*sock); ok {
		if s.options == nil {
			s.options = map[[2]int]int{}
		}
		s.options[[2]int{level, opt}] = value
	}
	return 0
}

// SetString implements evloop.Kernel; it does nothing.
func (k *Kernel) SetString(fd, _, _ int, _ string) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.file("setsockopt", fd)
	return 0
}

// Option returns what SetInt last set.
func (k *Kernel) Option(fd, level, opt int) (value int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	value, ok = k.sock("getsockopt", fd).options[[2]int{level, opt}]
	return value, ok
}

// Shutdown implements evloop.Kernel.
func (k *Kernel) Shutdown(fd int) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sock("shutdown", fd).shutdown()
}
