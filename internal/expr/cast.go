package expr

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"

	"github.com/weir-lb/weir/internal/message"
)

const (
	intTextMax  = 20 // "-9223372036854775808"
	ipv6TextMax = 45 // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
)

// castable reports whether a value of kind from can be made one of kind to, as
// far as the types tell.
func castable(from, to Kind) bool {
	switch {
	case from == to, from == KindAny, to == KindAny:
		return true
	case to == KindStr:
		return true
	case to == KindBool, to == KindInt:
		return from == KindInt || from == KindBool || from == KindStr || from == KindIP
	case to == KindIP:
		return from == KindStr || from == KindInt
	case to == KindBin:
		return true
	case to == KindMethod:
		return from == KindStr
	}
	return false
}

// cast makes v a value of kind to.
func (e *Env) cast(v Value, to Kind) (Value, bool) {
	if v.Kind == to || to == KindAny {
		return v, true
	}
	switch to {
	case KindStr:
		return e.castStr(v)
	case KindInt, KindBool:
		return castInt(v, to)
	case KindIP:
		return castIP(v)
	case KindBin:
		return e.castBin(v)
	case KindMethod:
		if v.Kind == KindStr {
			return MethodValue(message.MethodOf(v.Bytes), v.Bytes), true
		}
	}
	return Value{}, false
}

// castStr writes v as text. A block of bytes ends at its first zero, as it does
// in HAProxy.
func (e *Env) castStr(v Value) (Value, bool) {
	switch v.Kind {
	case KindBool, KindInt:
		p := e.Scratch.room(intTextMax)
		if p == nil {
			return Value{}, false
		}
		return Str(e.Scratch.keep(strconv.AppendInt(p, v.Int, 10))), true
	case KindIP:
		p := e.Scratch.room(ipv6TextMax)
		if p == nil {
			return Value{}, false
		}
		return Str(e.Scratch.keep(appendIP(p, v.IP))), true
	case KindBin:
		if i := bytes.IndexByte(v.Bytes, 0); i >= 0 {
			return Str(v.Bytes[:i]), true
		}
		return Str(v.Bytes), true
	case KindMethod:
		return Str(v.Bytes), true
	}
	return Value{}, false
}

func castInt(v Value, to Kind) (Value, bool) {
	out := Value{Kind: to, Int: v.Int}
	switch v.Kind {
	case KindBool, KindInt:
	case KindStr:
		n, ok := parseInt(v.Bytes)
		if !ok {
			return Value{}, false
		}
		out.Int = n
	case KindIP:
		if !v.IP.Is4() {
			return Value{}, false
		}
		b := v.IP.As4()
		out.Int = int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
	default:
		return Value{}, false
	}
	if to == KindBool && out.Int != 0 {
		out.Int = 1
	}
	return out, true
}

func castIP(v Value) (Value, bool) {
	switch v.Kind {
	case KindStr:
		return parseIPValue(v.Bytes)
	case KindInt:
		n := uint32(v.Int)
		return IP(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})), true
	}
	return Value{}, false
}

func (e *Env) castBin(v Value) (Value, bool) {
	switch v.Kind {
	case KindStr, KindMethod:
		return Bin(v.Bytes), true
	case KindBool, KindInt:
		p := e.Scratch.room(8)
		if p == nil {
			return Value{}, false
		}
		n := uint64(v.Int)
		for shift := 56; shift >= 0; shift -= 8 {
			p = append(p, byte(n>>shift))
		}
		return Bin(e.Scratch.keep(p)), true
	case KindIP:
		p := e.Scratch.room(16)
		if p == nil {
			return Value{}, false
		}
		if v.IP.Is4() {
			b := v.IP.As4()
			return Bin(e.Scratch.keep(append(p, b[:]...))), true
		}
		b := v.IP.As16()
		return Bin(e.Scratch.keep(append(p, b[:]...))), true
	}
	return Value{}, false
}

// parseInt reads the number that b begins with, as HAProxy does: text without
// one is 0, one that is too large is the largest, and only empty text fails.
func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		if n = n*10 + uint64(c-'0'); n > math.MaxInt64 {
			return saturated(neg), true
		}
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

func saturated(neg bool) int64 {
	if neg {
		return math.MinInt64
	}
	return math.MaxInt64
}

// parseIPValue reads an address without allocating; zones are refused.
func parseIPValue(b []byte) (Value, bool) {
	if ip, ok := parseIPv4(b); ok {
		return IP(ip), true
	}
	ip, ok := parseIPv6(b)
	return IP(ip), ok
}

// parseIPv4 reads four decimal numbers without leading zeros.
func parseIPv4(b []byte) (netip.Addr, bool) {
	var a [4]byte
	part, n, digits := 0, 0, 0
	for _, c := range b {
		switch {
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(n)
			part, n, digits = part+1, 0, 0
		case '0' <= c && c <= '9' && (digits == 0 || n > 0):
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return netip.Addr{}, false
			}
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	a[3] = byte(n)
	return netip.AddrFrom4(a), true
}

// parseIPv6 reads the forms of RFC 4291 section 2.2.
func parseIPv6(b []byte) (netip.Addr, bool) {
	var a [16]byte
	if len(b) < 2 || len(b) > ipv6TextMax {
		return netip.Addr{}, false
	}
	at, gap := 0, -1 // bytes written; where "::" stood
	if b[0] == ':' {
		if b[1] != ':' {
			return netip.Addr{}, false
		}
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if at == 16 {
			return netip.Addr{}, false
		}
		group, rest, ok := hexGroup(b)
		if ok && len(rest) > 0 && rest[0] == '.' {
			v4, ok := parseIPv4(b)
			if !ok || at > 12 {
				return netip.Addr{}, false
			}
			four := v4.As4()
			copy(a[at:], four[:])
			at, b = at+4, nil
			break
		}
		if !ok {
			return netip.Addr{}, false
		}
		a[at], a[at+1] = byte(group>>8), byte(group)
		at += 2
		if b, gap, ok = afterGroup(rest, at, gap); !ok {
			return netip.Addr{}, false
		}
	}
	if gap >= 0 && at < 16 {
		n := copy(a[16-(at-gap):], a[gap:at])
		clear(a[gap : 16-n])
		at = 16
	} else if gap >= 0 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16(a), at == 16
}

// afterGroup reads the colon or colons after a group.
func afterGroup(rest []byte, at, gap int) ([]byte, int, bool) {
	if len(rest) == 0 {
		return nil, gap, true
	}
	if rest[0] != ':' || len(rest) == 1 {
		return nil, gap, false
	}
	if rest[1] != ':' {
		return rest[1:], gap, true
	}
	if gap >= 0 {
		return nil, gap, false
	}
	return rest[2:], at, true
}

// hexGroup reads one to four hexadecimal digits.
func hexGroup(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 4; i++ {
		d := unhex(b[i])
		if d < 0 {
			break
		}
		n = n<<4 | d
	}
	return n, b[i:], i > 0
}

// unhex gives the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendIP writes an address as inet_ntop(3) does.
func appendIP(b []byte, a netip.Addr) []byte {
	if a.Is6() && !a.Is4In6() {
		raw := a.As16()
		if compat := isZero(raw[:12]) && (raw[12] != 0 || raw[13] != 0); compat {
			b = append(b, "::"...)
			return netip.AddrFrom4([4]byte(raw[12:])).AppendTo(b)
		}
	}
	return a.AppendTo(b)
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
