package listener

import (
	"bytes"
	"net/netip"
)

const proxyV1Max = 107 // bytes with CRLF (PROXY 2.1, worst case)

// parseProxyV1 reads the text form. The whole line is looked at again on each
// call; it is short enough for that to be bounded.
func parseProxyV1(b []byte, info *ProxyInfo) (int, ProxyStatus) {
	const prefix = "PROXY "
	k := min(len(b), len(prefix))
	if string(b[:k]) != prefix[:k] {
		return 0, ProxyBad
	}
	window := b[:min(len(b), proxyV1Max)]
	end := bytes.IndexAny(window, "\r\n")
	switch {
	case end < 0 && len(window) == proxyV1Max:
		return 0, ProxyBad
	case end < 0:
		return 0, ProxyNeedMore
	case window[end] == '\n':
		return 0, ProxyBad
	case end+1 == len(window) && len(window) < proxyV1Max:
		return 0, ProxyNeedMore
	case end+1 == len(window) || window[end+1] != '\n':
		return 0, ProxyBad
	}
	info.Version = 1
	if end < len(prefix) || !parseProxyLine(window[len(prefix):end], info) {
		return 0, ProxyBad
	}
	return end + 2, ProxyComplete
}

// parseProxyLine reads what stands between "PROXY " and CRLF.
func parseProxyLine(line []byte, info *ProxyInfo) bool {
	family, rest, more := bytes.Cut(line, []byte(" "))
	parse := parseIPv6
	switch string(family) {
	case "UNKNOWN":
		info.Local = true // whatever follows must be ignored
		return true
	case "TCP4":
		parse = parseIPv4
	case "TCP6":
	default:
		return false
	}
	var field [4][]byte
	for i := range field {
		if !more {
			return false
		}
		field[i], rest, more = bytes.Cut(rest, []byte(" "))
	}
	src, ok1 := parse(field[0])
	dst, ok2 := parse(field[1])
	sport, ok3 := parsePort(field[2])
	dport, ok4 := parsePort(field[3])
	info.Src = netip.AddrPortFrom(src.Unmap(), sport)
	info.Dst = netip.AddrPortFrom(dst.Unmap(), dport)
	return ok1 && ok2 && ok3 && ok4 && !more
}

// AppendProxyV1 appends the text form of info. Endpoints that it cannot tell
// make it UNKNOWN.
func AppendProxyV1(dst []byte, info *ProxyInfo) []byte {
	src, to := info.Src.Addr(), info.Dst.Addr()
	if info.Local || info.UNIX || !src.IsValid() || !to.IsValid() {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	if src.Is4() && to.Is4() {
		dst = append(dst, "PROXY TCP4 "...)
	} else {
		src, to = netip.AddrFrom16(src.As16()), netip.AddrFrom16(to.As16())
		dst = append(dst, "PROXY TCP6 "...)
	}
	dst = append(src.AppendTo(dst), ' ')
	dst = append(to.AppendTo(dst), ' ')
	dst = append(appendDecimal(dst, info.Src.Port()), ' ')
	dst = appendDecimal(dst, info.Dst.Port())
	return append(dst, "\r\n"...)
}

func appendDecimal(dst []byte, n uint16) []byte {
	var digits [5]byte
	i := len(digits)
	for {
		i--
		digits[i] = '0' + byte(n%10)
		n /= 10
		if n == 0 {
			return append(dst, digits[i:]...)
		}
	}
}
