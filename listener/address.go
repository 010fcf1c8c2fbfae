package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// kind is what an address names.
type kind uint8

const (
	kindIP         kind = iota // an IP address or a host name, with a port
	kindPath                   // a UNIX socket; @ begins an abstract name
	kindDescriptor             // an inherited descriptor
)

// family restricts an IP address.
type family uint8

const (
	familyAny family = iota // as it is written; a name: what the resolver prefers
	familyV4                // IPv4 only
	familyV6                // IPv6 only
)

// An address is one address of a bind or server line, split but not resolved.
type address struct {
	kind   kind
	family family
	host   string // as written: "", "*", an IP address with or without brackets, or a name
	port   string // as written; what stands behind the last colon
	path   string
	fd     int
}

const pathMax = 107 // bytes of a UNIX socket's path or name (sun_path less its zero)

// splitAddress takes an address apart (manual chapter 11): prefixes, then a
// path, a descriptor, or host and port.
func splitAddress(s string) (address, error) {
	var a address
	rest := s
	typed, after, ok := strings.Cut(rest, "+")
	stream := ok && typed == "stream"
	if stream {
		rest = after
	}
	if ok && typed == "dgram" || datagram(rest) {
		return a, fmt.Errorf("%q: datagram and QUIC addresses can't be used here; a stream address is needed, such as tcp@", s)
	}
	prefix, after, ok := strings.Cut(rest, "@")
	if !ok || strings.ContainsAny(prefix, "/:.[") {
		if stream {
			return a, fmt.Errorf("%q: stream+ wants a family, such as stream+ipv4@", s)
		}
		prefix, after = "", rest
	} else if prefix == "" || !a.prefix(prefix) {
		return a, fmt.Errorf("%q: unknown address prefix %q; known: ip@ ipv4@ ipv6@ tcp@ tcp4@ tcp6@ unix@ uxst@ abns@ fd@", s, prefix+"@")
	}
	return a, a.split(s, prefix, after)
}

func datagram(s string) bool {
	for _, p := range [...]string{"udp@", "udp4@", "udp6@", "uxdg@", "quic@", "quic4@", "quic6@", "quic+", "dgram+"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func (a *address) prefix(p string) bool {
	switch p {
	case "ip", "tcp":
	case "ipv4", "tcp4":
		a.family = familyV4
	case "ipv6", "tcp6":
		a.family = familyV6
	case "unix", "uxst", "abns":
		a.kind = kindPath
	case "fd":
		a.kind = kindDescriptor
	default:
		return false
	}
	return true
}

func (a *address) split(s, prefix, rest string) error {
	if prefix == "" && strings.HasPrefix(rest, "/") {
		a.kind = kindPath
	}
	switch a.kind {
	case kindPath:
		return a.splitPath(s, prefix, rest)
	case kindDescriptor:
		fd, err := strconv.ParseUint(rest, 10, 31)
		if err != nil {
			return fmt.Errorf("%q: fd@ wants the number of a descriptor, got %q", s, rest)
		}
		a.fd = int(fd)
		return nil
	}
	// A port stands behind the last colon; [v6] may go without.
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || strings.HasSuffix(rest, "]") {
		a.host = rest
		return nil
	}
	a.host, a.port = rest[:i], rest[i+1:]
	return nil
}

func (a *address) splitPath(s, prefix, rest string) error {
	if rest == "" {
		return fmt.Errorf("%q: the path of a UNIX socket is missing", s)
	}
	a.path = rest
	if prefix == "abns" {
		a.path = "@" + rest
	} else if rest[0] == '@' {
		a.path = "./" + rest // a file of that name, not an abstract socket
	}
	if len(a.path) > pathMax {
		return fmt.Errorf("%q: the path of a UNIX socket has at most %d bytes", s, pathMax)
	}
	return nil
}

// ip returns the IP address that host is, or the name to be resolved.
func (a *address) ip() (ip netip.Addr, name string, err error) {
	host := a.host
	if host == "" || host == "*" {
		if a.family == familyV6 {
			return netip.IPv6Unspecified(), "", nil
		}
		return netip.IPv4Unspecified(), "", nil
	}
	bracketed := len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']'
	if bracketed {
		host = host[1 : len(host)-1]
	}
	ip, err = netip.ParseAddr(host)
	switch {
	case err != nil && (bracketed || strings.ContainsAny(host, ":[]/@ ")):
		return netip.Addr{}, "", fmt.Errorf("%q is not an IP address", a.host)
	case err != nil && numeric(host):
		return netip.Addr{}, "", fmt.Errorf("%q is not an IPv4 address (four numbers of 0 to 255)", a.host)
	case err != nil:
		return netip.Addr{}, host, nil
	case bracketed && !ip.Is6(), a.family == familyV6 && !ip.Is6():
		return netip.Addr{}, "", fmt.Errorf("%q is not an IPv6 address", a.host)
	case a.family == familyV4 && !ip.Is4():
		return netip.Addr{}, "", fmt.Errorf("%q is not an IPv4 address", a.host)
	}
	return ip, "", nil
}

// numeric host names do not exist: what looks so is a mistyped IPv4 address.
// (HAProxy reads "1.2.3" as 1.2.0.3, as inet_aton does.)
func numeric(host string) bool {
	return strings.Trim(host, "0123456789.") == ""
}

// resolve returns the first address of a name.
func resolve(ctx context.Context, r *net.Resolver, host string, f family) (netip.Addr, error) {
	network := [...]string{familyAny: "ip", familyV4: "ip4", familyV6: "ip6"}[f]
	addrs, err := r.LookupNetIP(ctx, network, host)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) {
			return netip.Addr{}, fmt.Errorf("can't resolve %q: %s", host, dns.Err)
		}
		return netip.Addr{}, fmt.Errorf("can't resolve %q: %w", host, err)
	}
	if len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("can't resolve %q: no address", host)
	}
	return addrs[0].Unmap(), nil
}
