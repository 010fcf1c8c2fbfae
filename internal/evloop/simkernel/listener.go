package simkernel

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
)

// A listener holds connections until they are accepted, or hands them to a
// scripted server.
type listener struct {
	watch
	k       *Kernel
	addr    evloop.Addr
	backlog int
	queue   []*sock
	server  *Server // nil: a descriptor's
}

// Listen opens a listening socket, as package listener would, and returns its
// descriptor. Port 0 is replaced; see ListenAddr. Several may share an address.
func (k *Kernel) Listen(addr evloop.Addr) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.newListener(addr)
	fd, errno := k.install(l)
	if errno != 0 {
		panic("simkernel: listen: " + errno.Error())
	}
	return fd
}

// ListenAddr is the address of a descriptor from Listen.
func (k *Kernel) ListenAddr(fd int) evloop.Addr {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.file("getsockname", fd).(*listener).addr
}

func (k *Kernel) newListener(addr evloop.Addr) *listener {
	if addr.Path == "" && addr.IP.Port() == 0 {
		addr = evloop.Addr{IP: netip.AddrPortFrom(addr.IP.Addr(), k.address(netip.AddrPort{}, addr).IP.Port())}
	}
	l := &listener{k: k, addr: addr, backlog: k.Backlog}
	k.bound[addr] = append(k.bound[addr], l)
	return l
}

func (l *listener) poll() evloop.Ready {
	if len(l.queue) > 0 {
		return evloop.ReadyIn
	}
	return 0
}

// release resets the connections that nobody has accepted.
func (l *listener) release() {
	rest := slices.DeleteFunc(l.k.bound[l.addr], func(b *listener) bool { return b == l })
	l.k.bound[l.addr] = rest
	if len(rest) == 0 && l.addr.Path == "" {
		delete(l.k.bound, l.addr) // the path of a UNIX socket stays: refused, not ENOENT
	}
	for _, s := range l.queue {
		if s.unix && s.state == sockOpen {
			s.releaseUnix(true)
			continue
		}
		s.abort()
	}
	l.queue = nil
}

func (l *listener) String() string {
	return fmt.Sprintf("listener at %s, %d waiting", describe(l.addr), len(l.queue))
}

// Accept implements evloop.Kernel.
func (k *Kernel) Accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.file("accept", fd).(*listener)
	if !ok {
		return -1, netip.AddrPort{}, syscall.EINVAL
	}
	if len(l.queue) == 0 {
		return -1, netip.AddrPort{}, syscall.EAGAIN
	}
	if k.roll(k.Faults.Abort) {
		return -1, netip.AddrPort{}, syscall.ECONNABORTED
	}
	s := l.queue[0]
	conn, errno := k.install(s)
	if errno != 0 {
		return -1, netip.AddrPort{}, errno // it stays in the queue
	}
	l.queue = l.queue[1:]
	return conn, s.far.IP, 0
}

func anyOf(a netip.AddrPort) netip.AddrPort {
	if a.Addr().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())
}
