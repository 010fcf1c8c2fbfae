package listener

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/internal/evloop"
)

// UseSrc says which foreign address a connection to a server comes from
// (usesrc of the "source" keyword).
type UseSrc uint8

const (
	UseSrcNone     UseSrc = iota // none: the source address is our own
	UseSrcAddress                // a fixed foreign address
	UseSrcClient                 // the client's address and port
	UseSrcClientIP               // the client's address, any port
	UseSrcHeader                 // an address from a request header, any port
)

// A Source is a SourceSpec made ready to be bound. It may be shared by all
// loops.
type Source struct {
	// Set by ParseSource, then read-only.
	own       netip.Addr
	first     uint16 // of the ports; 0: the kernel chooses
	last      uint16
	useSrc    UseSrc
	foreign   netip.AddrPort
	header    string
	nth       int
	iface     string
	bindsAddr bool // own says more than "any address"

	// Atomic.
	turn atomic.Uint32 // ports tried so far
}

// ParseSource reads a "source" keyword. The empty spec gives nil: nothing to
// bind.
func ParseSource(spec SourceSpec) (*Source, error) {
	if spec == (SourceSpec{}) {
		return nil, nil
	}
	s := &Source{iface: spec.Interface}
	if err := s.parseOwn(spec.Address); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if err := s.parseUseSrc(spec.UseSrc); err != nil {
		return nil, fmt.Errorf("source: usesrc: %w", err)
	}
	return s, nil
}

func (s *Source) parseOwn(text string) error {
	if text == "" {
		return nil
	}
	a, ip, err := literal(text)
	if err != nil {
		return err
	}
	first, last, err := parsePortRange(a.port)
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	s.own, s.first, s.last = ip, first, last
	s.bindsAddr = !ip.IsUnspecified() || first > 0
	return nil
}

func (s *Source) parseUseSrc(text string) error {
	switch text {
	case "":
		return nil
	case "client":
		s.useSrc = UseSrcClient
		return nil
	case "clientip":
		s.useSrc = UseSrcClientIP
		return nil
	}
	if args, ok := strings.CutPrefix(text, "hdr_ip("); ok {
		return s.parseHeader(args)
	}
	a, ip, err := literal(text)
	if err != nil {
		return err
	}
	first, last, err := parsePortRange(a.port)
	if err != nil || first != last {
		return fmt.Errorf("%q wants one port or none", text)
	}
	s.useSrc, s.foreign = UseSrcAddress, netip.AddrPortFrom(ip, first)
	return nil
}

// parseHeader reads "name)" or "name,occurrence)".
func (s *Source) parseHeader(args string) error {
	inner, ok := strings.CutSuffix(args, ")")
	name, nth, counted := strings.Cut(inner, ",")
	s.useSrc, s.header, s.nth = UseSrcHeader, name, -1
	if counted {
		if _, err := fmt.Sscanf(nth, "%d", &s.nth); err != nil {
			ok = false
		}
	}
	if !ok || name == "" {
		return fmt.Errorf("hdr_ip wants (name) or (name,occurrence), got %q", "hdr_ip("+args)
	}
	if s.nth == 0 { // the manual: zero turns it off
		s.useSrc = UseSrcNone
	}
	return nil
}

func literal(text string) (address, netip.Addr, error) {
	a, err := splitAddress(text)
	if err != nil {
		return a, netip.Addr{}, err
	}
	if a.kind != kindIP {
		return a, netip.Addr{}, fmt.Errorf("%q: an IP address is needed", text)
	}
	ip, name, err := a.ip()
	if err == nil && name != "" {
		err = fmt.Errorf("%q is a name; an IP address is needed", name)
	}
	return a, ip, err
}

// UseSrc says what ServerTuning.Client must hold; for a header, its name and
// which of its addresses (negative: from the end).
func (s *Source) UseSrc() (use UseSrc, header string, nth int) {
	if s == nil {
		return UseSrcNone, "", 0
	}
	return s.useSrc, s.header, s.nth
}

const sourcePortTries = 256 // ports tried for one connection: less than a millisecond

func (s *Source) bind(k evloop.Kernel, fd int, o *ServerTuning) syscall.Errno {
	if s.iface != "" {
		if errno := k.SetString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, s.iface); errno != 0 {
			return errno
		}
	}
	if foreign := s.foreignFor(o.Client); foreign.IsValid() && foreign.Addr().Is6() == o.IPv6 {
		return bindForeign(k, fd, foreign)
	}
	if !s.bindsAddr || s.own.Is6() != o.IPv6 {
		return 0
	}
	if s.first == 0 {
		k.SetInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		return k.Bind(fd, evloop.Addr{IP: netip.AddrPortFrom(s.own, 0)})
	}
	return s.bindPort(k, fd, o.Sole)
}

// foreignFor is the address that usesrc asks for; invalid: none, or not known.
func (s *Source) foreignFor(client netip.AddrPort) netip.AddrPort {
	switch s.useSrc {
	case UseSrcAddress:
		return s.foreign
	case UseSrcClient:
		return netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	case UseSrcClientIP, UseSrcHeader:
		return netip.AddrPortFrom(client.Addr().Unmap(), 0)
	}
	return netip.AddrPort{}
}

// bindForeign binds an address that is not the machine's own (ip(7),
// IP_TRANSPARENT; needs CAP_NET_ADMIN).
func bindForeign(k evloop.Kernel, fd int, from netip.AddrPort) syscall.Errno {
	level, option := unix.IPPROTO_IP, unix.IP_TRANSPARENT
	if from.Addr().Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT
	}
	if errno := k.SetInt(fd, level, option, 1); errno != 0 {
		return errno
	}
	if from.Port() == 0 {
		k.SetInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	} else {
		k.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	return k.Bind(fd, evloop.Addr{IP: from})
}

// bindPort takes the next port of the range. SO_REUSEADDR lets several servers
// share a range: a port may be used towards another one. When it is used towards
// this one after all, connect(2) says EADDRNOTAVAIL, and the caller tries the
// next one. For a caller that does not, a port that nobody uses is looked for
// first.
func (s *Source) bindPort(k evloop.Kernel, fd int, sole bool) syscall.Errno {
	if sole {
		for range s.Ports() {
			if errno := k.Bind(fd, s.nextPort()); errno != syscall.EADDRINUSE {
				return errno
			}
		}
	}
	k.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	return k.Bind(fd, s.nextPort())
}

// Ports is how many ports of the range are tried for one connection: all of them,
// within a bound. Zero: there is no range.
func (s *Source) Ports() int {
	if s == nil || s.first == 0 {
		return 0
	}
	return min(int(s.last-s.first)+1, sourcePortTries)
}

func (s *Source) nextPort() evloop.Addr {
	size := uint32(s.last-s.first) + 1
	port := s.first + uint16((s.turn.Add(1)-1)%size)
	return evloop.Addr{IP: netip.AddrPortFrom(s.own, port)}
}
