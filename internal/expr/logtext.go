package expr

import (
	"net/netip"
	"strconv"
)

// byteSet is a set of bytes that are written as "#" and two hexadecimal digits.
type byteSet [256]bool

// Sets of section 8.6 of the manual. A sharp is always encoded so that the rest
// is unambiguous.
var (
	notInLine   = encodedBytes("\"#")    // request lines
	notInHeader = encodedBytes("\"#{|}") // captured headers
	lineBreaks  = onlyBytes("\x00\r\n")  // expressions in log lines
	noBytes     byteSet                  // nothing is encoded
	escaped     = onlyBytes("\"\\]")     // what the flag E puts a backslash before
)

func onlyBytes(list string) (s byteSet) {
	for i := range len(list) {
		s[list[i]] = true
	}
	return s
}

func encodedBytes(list string) (s byteSet) {
	s = onlyBytes(list)
	for c := range s {
		s[c] = s[c] || c < ' ' || c > '~'
	}
	return s
}

// appendText writes text with the flags Q and E; empty text is a dash where
// the string is a log line.
func appendText(dst, text []byte, f flag, encode *byteSet) []byte {
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	} else if len(text) == 0 && f&flagDash != 0 {
		return append(dst, '-')
	}
	dst = appendEncoded(dst, text, f, encode)
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	}
	return dst
}

func appendEncoded(dst, text []byte, f flag, encode *byteSet) []byte {
	for _, c := range text {
		if encode[c] {
			dst = append(dst, '#', upperDigits[c>>4], upperDigits[c&15])
			continue
		}
		if f&flagEscape != 0 && escaped[c] {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// appendString is appendText for a string that needs no encoding.
func appendString(dst []byte, s string, f flag) []byte {
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	} else if s == "" && f&flagDash != 0 {
		return append(dst, '-')
	}
	for i := range len(s) {
		if f&flagEscape != 0 && escaped[s[i]] {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	}
	return dst
}

// appendDash writes what stands for a value that is not there.
func appendDash(dst []byte, f flag) []byte {
	if f&flagDash != 0 {
		return append(dst, '-')
	}
	return dst
}

// appendAddr writes an address; with X in hexadecimal digits.
func appendAddr(dst []byte, a netip.AddrPort, f flag) []byte {
	ip := a.Addr().Unmap()
	if !ip.IsValid() {
		return appendText(dst, nil, f, &noBytes)
	}
	if f&flagHex != 0 {
		if ip.Is4() {
			b := ip.As4()
			return appendHexBytes(dst, b[:])
		}
		b := ip.As16()
		return appendHexBytes(dst, b[:])
	}
	if f&flagQuote == 0 {
		return appendIP(dst, ip)
	}
	return append(appendIP(append(dst, '"'), ip), '"')
}

func appendHexBytes(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, upperDigits[c>>4], upperDigits[c&15])
	}
	return dst
}

// appendPort writes a port, as four digits with X.
func appendPort(dst []byte, a netip.AddrPort, f flag) []byte {
	if !a.IsValid() {
		return appendDash(dst, f)
	}
	return appendCount(dst, int64(a.Port()), f)
}

// appendCount writes a number, with X in at least four hexadecimal digits.
func appendCount(dst []byte, n int64, f flag) []byte {
	if f&flagHex != 0 {
		return appendHex(dst, uint64(n), 4)
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendHex(dst []byte, n uint64, width int) []byte {
	digits := 1
	for m := n >> 4; m != 0; m >>= 4 {
		digits++
	}
	for digits = max(digits, width); digits > 0; digits-- {
		dst = append(dst, upperDigits[n>>(4*(digits-1))&15])
	}
	return dst
}
