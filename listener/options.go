package listener

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// bindPort sets what must stand before bind(2), and binds.
func (o *opener) bindPort(fd int, at netip.AddrPort) error {
	ip := at.Addr()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return failed("setsockopt SO_REUSEADDR", err)
	}
	if !o.opt.NoReusePort {
		// A process that takes over (-sf) binds beside the one that still listens.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return failed("setsockopt SO_REUSEPORT", err)
		}
	}
	if o.spec.Transparent {
		if err := setTransparent(fd, ip); err != nil {
			return err
		}
	}
	if o.spec.Interface != "" {
		if err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, o.spec.Interface); err != nil {
			return fmt.Errorf("interface %s: %w", o.spec.Interface, err)
		}
	}
	if ip.Is6() && (o.spec.V6Only || o.spec.V4V6) {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, flag(o.spec.V6Only)); err != nil {
			return failed("setsockopt IPV6_V6ONLY", err)
		}
	}
	return failed("bind", unix.Bind(fd, sockaddr(at)))
}

// setTransparent allows an address that is not the machine's. Without the
// privilege for that, IP_FREEBIND at least allows to bind it.
func setTransparent(fd int, ip netip.Addr) error {
	level, transparent, free := unix.IPPROTO_IP, unix.IP_TRANSPARENT, unix.IP_FREEBIND
	if ip.Is6() {
		level, transparent, free = unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT, unix.IPV6_FREEBIND
	}
	err := unix.SetsockoptInt(fd, level, transparent, 1)
	if err != nil && unix.SetsockoptInt(fd, level, free, 1) == nil {
		return nil
	}
	return failed("setsockopt IP_TRANSPARENT", err)
}

// deferSeconds is how long a connection without bytes is held back; the kernel
// rounds it up to a number of retransmits.
const deferSeconds = 1

// setPortOptions sets what accepted sockets inherit, and what the queue obeys. An
// inherited socket may carry other values from before, so zeros are set too.
// None of them decides whether the socket works.
func (o *opener) setPortOptions(fd int) {
	set := func(option, value int) { unix.SetsockoptInt(fd, unix.IPPROTO_TCP, option, value) }
	set(unix.TCP_NODELAY, 1)
	set(unix.TCP_QUICKACK, 1)
	set(unix.TCP_USER_TIMEOUT, int(o.spec.TCPUserTimeout/time.Millisecond))
	set(unix.TCP_DEFER_ACCEPT, deferSeconds*flag(o.spec.DeferAccept))
	set(unix.TCP_FASTOPEN, o.backlog()*flag(o.spec.TFO))
	if o.spec.MSS > 0 {
		set(unix.TCP_MAXSEG, o.spec.MSS)
	}
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	ip := at.Addr()
	if ip.Is4() {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: ip.As4()}
	}
	return &unix.SockaddrInet6{Port: int(at.Port()), Addr: ip.As16(), ZoneId: zoneID(ip.Zone())}
}
