package listener

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/weir-lb/weir/internal/evloop"
)

// A ServerAddress is where a server line points to.
type ServerAddress struct {
	// Addr is the address as far as it is known: a UNIX path, or an IP address
	// and port. The IP address is not valid before Resolve when Host is set.
	Addr evloop.Addr

	Host       string // the name to resolve; empty when Addr is known
	HasPort    bool   // the port is the server's own, not the client's
	PortOffset int    // with MapPort: added to the port that the client connected to
	MapPort    bool   // the port is the one that the client connected to
	ClientDst  bool   // "*" or 0.0.0.0: the address is the one that the client connected to

	family family
}

// ParseServerAddress reads the address of a server line, in all forms of the
// manual's "server" keyword and chapter 11. It does not resolve names.
func ParseServerAddress(s string) (ServerAddress, error) {
	a, err := splitAddress(s)
	if err != nil {
		return ServerAddress{}, err
	}
	switch a.kind {
	case kindPath:
		return ServerAddress{Addr: evloop.Addr{Path: a.path}}, nil
	case kindDescriptor:
		return ServerAddress{}, fmt.Errorf("%q: a descriptor can't be the address of a server", s)
	}
	out := ServerAddress{family: a.family}
	port, err := out.parsePort(s, a.port)
	if err != nil {
		return ServerAddress{}, err
	}
	ip, host, err := a.ip()
	if err != nil {
		return ServerAddress{}, fmt.Errorf("%q: %w", s, err)
	}
	out.Host = host
	out.ClientDst = host == "" && ip.IsUnspecified()
	out.Addr.IP = netip.AddrPortFrom(ip, port)
	return out, nil
}

// parsePort reads "", "0", "80", "+80" or "-80".
func (a *ServerAddress) parsePort(s, port string) (uint16, error) {
	offset := port != "" && (port[0] == '+' || port[0] == '-')
	digits := port
	if offset {
		digits = port[1:]
	}
	n, ok := uint16(0), true
	if digits != "" {
		n, ok = parsePort([]byte(digits))
	}
	if !ok || offset && digits == "" {
		return 0, fmt.Errorf("%q: a server's port is a number of 1 to 65535 or an offset like +80, got %q", s, port)
	}
	switch {
	case offset && port[0] == '-':
		a.MapPort, a.PortOffset = true, -int(n)
	case offset:
		a.MapPort, a.PortOffset = true, int(n)
	case n == 0:
		a.MapPort = true
	default:
		a.HasPort = true
		return n, nil
	}
	return 0, nil
}

// Resolve asks the system's resolver for Host, if there is one, and fills Addr.
// It may block.
func (a *ServerAddress) Resolve(ctx context.Context) error {
	if a.Host == "" {
		return nil
	}
	ip, err := resolve(ctx, net.DefaultResolver, a.Host, a.family)
	if err != nil {
		return err
	}
	a.Addr.IP = netip.AddrPortFrom(ip, a.Addr.IP.Port())
	return nil
}

// Towards is the address for a client that connected to dst: with the port or
// the address taken from there, where the server line says so.
func (a *ServerAddress) Towards(dst netip.AddrPort) evloop.Addr {
	if a.Addr.Path != "" || !a.MapPort && !a.ClientDst {
		return a.Addr
	}
	ip, port := a.Addr.IP.Addr(), a.Addr.IP.Port()
	if a.ClientDst && dst.IsValid() {
		ip = dst.Addr()
	}
	if a.MapPort {
		port = uint16(int(dst.Port()) + a.PortOffset)
	}
	return evloop.Addr{IP: netip.AddrPortFrom(ip, port)}
}
