package accesslog

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// output is where a target's lines go. Only the writer uses it.
type output interface {
	// write sends the lines of buf, which end at ends, and gives how many of them
	// were lost. It may wait for writeWait.
	write(buf []byte, ends []int) (lost int)
	close()
}

const (
	portDefault    = 514
	resolveTimeout = 5 * time.Second
)

// openOutput reads an address (manual, "log") and opens it.
func openOutput(address string) (output, error) {
	family, rest, ok := strings.Cut(address, "@")
	if !ok {
		family, rest = "", address
	}
	switch {
	case address == "":
		return nil, fmt.Errorf("the address is empty")
	case address == "stdout":
		return openFD(1)
	case address == "stderr":
		return openFD(2)
	case address[0] == '/':
		return openUnix(address)
	}
	switch family {
	case "fd":
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not the number of a descriptor", rest)
		}
		return openFD(n)
	case "unix", "uxdg":
		return openUnix(rest)
	case "uxst":
		return newStream("unix", rest), nil
	case "abns":
		return openUnix("@" + rest)
	case "tcp", "tcp4", "tcp6":
		return newStream(family, withPort(rest)), nil
	case "ring":
		return nil, fmt.Errorf("ring buffers are not supported yet; use stdout, a socket or a file descriptor")
	case "", "udp", "udp4", "udp6", "ipv4", "ipv6":
		to, err := resolve(family, rest)
		if err != nil {
			return nil, err
		}
		return openUDP(to)
	}
	return nil, fmt.Errorf("address family %q is unknown; udp@, tcp@, unix@, uxst@, abns@ and fd@ are possible", family)
}

// withPort adds the syslog port to an address without one.
func withPort(address string) string {
	host, port := splitPort(address)
	return net.JoinHostPort(host, port)
}

// splitPort cuts "host:port", "[v6]:port", "v6:port" and "host". A bare IPv6
// address needs its colon and port, as in HAProxy.
func splitPort(address string) (host, port string) {
	host, port = address, strconv.Itoa(portDefault)
	if i := strings.LastIndexByte(address, ':'); i >= 0 && !strings.HasSuffix(address, "]") {
		host = address[:i]
		if address[i+1:] != "" {
			port = address[i+1:]
		}
	}
	return strings.Trim(host, "[]"), port
}

// resolve finds the address of a UDP target, once.
func resolve(family, address string) (netip.AddrPort, error) {
	host, port := splitPort(address)
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not a port", port)
	}
	if host == "" || host == "*" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
	}
	network := "ip"
	switch family {
	case "udp4", "ipv4":
		network = "ip4"
	case "udp6", "ipv6":
		network = "ip6"
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil || len(ips) == 0 {
		return netip.AddrPort{}, fmt.Errorf("can't resolve host name %q", host)
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(n)), nil
}
