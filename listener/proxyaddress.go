package listener

import (
	"bytes"
	"net/netip"
)

// The readers here take bytes and allocate nothing, which netip's parsers
// cannot promise for what came from the wire. They accept what netip accepts,
// less zones and leading zeros (FuzzAddressText compares them).

// parsePort reads a decimal number of 0 to 65535 without leading zeros.
func parsePort(b []byte) (uint16, bool) {
	if len(b) == 0 || len(b) > 5 || b[0] == '0' && len(b) > 1 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n <= 65535
}

func parseIPv4(b []byte) (netip.Addr, bool) {
	var ip [4]byte
	for i := range ip {
		part, rest, dot := bytes.Cut(b, []byte("."))
		n, ok := parsePort(part)
		if !ok || n > 255 || dot != (i < 3) {
			return netip.Addr{}, false
		}
		ip[i], b = byte(n), rest
	}
	return netip.AddrFrom4(ip), true
}

// parseIPv6 reads groups of hexadecimal digits, with one "::" for at least one
// group of zeros, and the dotted form of the last 32 bits (RFC 4291 section
// 2.2), which HAProxy itself prints for v4-mapped addresses.
func parseIPv6(b []byte) (netip.Addr, bool) {
	var ip [16]byte
	at, gap := 0, -1 // bytes filled; where "::" stands
	if bytes.HasPrefix(b, []byte("::")) {
		gap, b = 0, b[2:]
	}
	for at < 16 && len(b) > 0 {
		n, digits := hexGroup(b)
		if digits == 0 {
			return netip.Addr{}, false
		}
		if digits < len(b) && b[digits] == '.' {
			v4, ok := parseIPv4(b)
			if !ok || at > 12 {
				return netip.Addr{}, false
			}
			tail := v4.As4()
			at, b = at+copy(ip[at:], tail[:]), nil
			break
		}
		ip[at], ip[at+1] = byte(n>>8), byte(n)
		at, b = at+2, b[digits:]
		if len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return netip.Addr{}, false
		}
		b = b[1:]
		if b[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, b = at, b[1:]
		}
	}
	if len(b) > 0 || (at == 16) == (gap >= 0) {
		return netip.Addr{}, false
	}
	if gap >= 0 {
		moved := at - gap
		copy(ip[16-moved:], ip[gap:at])
		clear(ip[gap : 16-moved])
	}
	return netip.AddrFrom16(ip), true
}

// hexGroup reads one to four hexadecimal digits; digits is 0 when there are
// none or more.
func hexGroup(b []byte) (n uint32, digits int) {
	for digits < len(b) {
		c := b[digits]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return n, digits
		}
		if digits == 4 {
			return 0, 0
		}
		n = n<<4 | uint32(c)
		digits++
	}
	return n, digits
}
