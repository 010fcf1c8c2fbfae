package pattern

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// wide is an IPv6 address, or an IPv4 one in the lowest 32 bits, as a number.
type wide struct{ hi, lo uint64 }

func (a wide) above(b wide) bool { return a.hi > b.hi || a.hi == b.hi && a.lo > b.lo }

// network is the addresses from first to last. Networks never overlap but by
// containing each other.
type network struct {
	first, last wide
	index       int32
	parent      int32 // the smallest other network around it, -1: none
}

// maskedIPv4 is an IPv4 network whose mask is not a prefix (0.0.0.255).
type maskedIPv4 struct {
	addr, mask uint32
	index      int32
}

// networkTable holds the patterns of "ip" and finds the smallest network around
// an address.
type networkTable struct {
	v4, v6 []network
	masked []maskedIPv4
}

// add reads an address or network: the manual's forms of 7.1.6.
func (t *networkTable) add(s string, index int, resolve Resolve) error {
	host, mask, hasMask := strings.Cut(strings.TrimRight(s, " \t"), "/")
	addr, err := ParseIP(host)
	if err != nil {
		return t.addHost(s, index, resolve)
	}
	addr = addr.WithZone("")
	if !hasMask {
		t.insert(netip.PrefixFrom(addr, addr.BitLen()), index)
		return nil
	}
	if bits, err := strconv.Atoi(mask); err == nil {
		p := netip.PrefixFrom(addr, bits)
		if !p.IsValid() || mask[0] == '+' {
			return fmt.Errorf("%q: a prefix of %s has 0 to %d bits", s, host, addr.BitLen())
		}
		t.insert(p.Masked(), index)
		return nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !addr.Is4() {
		return fmt.Errorf("%q is not an IPv4 or IPv6 network", s)
	}
	t.insertMask(addr, ipv4Number(m), index)
	return nil
}

func (t *networkTable) addHost(s string, index int, resolve Resolve) error {
	if resolve == nil || strings.ContainsAny(s, "/:") || strings.Trim(s, "0123456789.") == "" {
		return fmt.Errorf("%q is not an IPv4 or IPv6 address", s)
	}
	addrs, err := resolve(s)
	if err != nil || len(addrs) == 0 {
		return fmt.Errorf("%q is neither an address nor a host name that can be resolved", s)
	}
	for _, a := range addrs {
		a = a.Unmap()
		t.insert(netip.PrefixFrom(a, a.BitLen()), index)
	}
	return nil
}

// insertMask adds a network whose mask is written as an address.
func (t *networkTable) insertMask(addr netip.Addr, mask uint32, index int) {
	for bits := 0; bits <= 32; bits++ {
		if uint32(uint64(0xffffffff)<<(32-bits)) == mask {
			t.insert(netip.PrefixFrom(addr, bits).Masked(), index)
			return
		}
	}
	t.masked = append(t.masked, maskedIPv4{ipv4Number(addr) & mask, mask, int32(index)})
}

func (t *networkTable) insert(p netip.Prefix, index int) {
	a := p.Addr()
	first := number(a)
	free := a.BitLen() - p.Bits()
	last := first
	last.lo |= lowBits(min(free, 64))
	last.hi |= lowBits(max(free-64, 0))
	n := network{first: first, last: last, index: int32(index)}
	if a.Is4() {
		t.v4 = append(t.v4, n)
	} else {
		t.v6 = append(t.v6, n)
	}
}

// lowBits is a number whose lowest n bits are set.
func lowBits(n int) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return 1<<n - 1
}

// sort prepares find.
func (t *networkTable) sort() {
	t.v4, t.v6 = linkNetworks(t.v4), linkNetworks(t.v6)
}

func linkNetworks(list []network) []network {
	slices.SortStableFunc(list, func(a, b network) int {
		switch {
		case a.first == b.first && a.last == b.last:
			return 0
		case b.first.above(a.first), a.first == b.first && a.last.above(b.last):
			return -1 // larger networks stand before those inside them
		}
		return 1
	})
	list = slices.CompactFunc(list, func(a, b network) bool { return a.first == b.first && a.last == b.last })
	for i := range list {
		p := int32(i) - 1
		for p >= 0 && list[i].first.above(list[p].last) {
			p = list[p].parent
		}
		list[i].parent = p
	}
	return list
}

// find looks for the smallest network around a. An IPv6 address that stands for
// an IPv4 one (::ffff:1.2.3.4, 2002:102:304::, ::1.2.3.4) is compared with both
// kinds, and an IPv4 one with IPv6 networks as ::ffff:1.2.3.4.
func (t *networkTable) find(a netip.Addr) int {
	if !a.IsValid() {
		return -1
	}
	if a.Is4() {
		n := ipv4Number(a)
		if i := t.findIPv4(n); i >= 0 {
			return i
		}
		return search(t.v6, wide{0, 0xffff<<32 | uint64(n)})
	}
	n := number(a)
	if i := search(t.v6, n); i >= 0 {
		return i
	}
	switch {
	case n.hi == 0 && (n.lo>>32 == 0xffff || n.lo>>32 == 0):
		return t.findIPv4(uint32(n.lo))
	case n.hi>>48 == 0x2002:
		return t.findIPv4(uint32(n.hi >> 16))
	}
	return -1
}

func (t *networkTable) findIPv4(n uint32) int {
	if i := search(t.v4, wide{0, uint64(n)}); i >= 0 {
		return i
	}
	for i := range t.masked {
		if n&t.masked[i].mask == t.masked[i].addr {
			return int(t.masked[i].index)
		}
	}
	return -1
}

func search(list []network, n wide) int {
	lo, hi := 0, len(list) // those below lo begin at or before n
	for lo < hi {
		mid := (lo + hi) / 2
		if list[mid].first.above(n) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	for i := int32(lo) - 1; i >= 0; i = list[i].parent {
		if !n.above(list[i].last) {
			return int(list[i].index)
		}
	}
	return -1
}

func number(a netip.Addr) wide {
	if a.Is4() {
		return wide{0, uint64(ipv4Number(a))}
	}
	b := a.As16()
	var n wide
	for i := range 8 {
		n.hi = n.hi<<8 | uint64(b[i])
		n.lo = n.lo<<8 | uint64(b[8+i])
	}
	return n
}

func ipv4Number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// ParseIP reads an address as patterns have it: IPv6, IPv4, or IPv4 with zero
// bytes left out before the last one ("10.12" is 10.0.0.12). Numbers with
// leading zeros, which other programs take for octal, are refused.
func ParseIP(s string) (netip.Addr, error) {
	if strings.Contains(s, ":") {
		if strings.Contains(s, "%") {
			return netip.Addr{}, fmt.Errorf("%q has a zone", s)
		}
		return netip.ParseAddr(s)
	}
	if n := strings.Count(s, "."); n == 1 || n == 2 {
		last := strings.LastIndexByte(s, '.')
		s = s[:last] + strings.Repeat(".0", 3-n) + s[last:]
	}
	return netip.ParseAddr(s)
}
