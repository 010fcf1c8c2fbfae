package h1

import (
	"encoding/binary"

	"github.com/weir-lb/weir/internal/message"
)

const hexDigits = "0123456789abcdef"

// AppendChunkHead begins a chunk of n bytes, n > 0.
func AppendChunkHead(dst []byte, n int) []byte {
	shift := 0
	for n>>shift > 15 {
		shift += 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[n>>shift&15])
	}
	return append(dst, "\r\n"...)
}

// AppendChunkEnd ends a chunk.
func AppendChunkEnd(dst []byte) []byte { return append(dst, "\r\n"...) }

// AppendLastChunk ends a body that has no trailers.
func AppendLastChunk(dst []byte) []byte { return append(dst, "0\r\n\r\n"...) }

// AppendTrailers ends a body with the fields of h that are not marked Drop.
func AppendTrailers(dst []byte, h *message.Head) []byte {
	dst = append(dst, "0\r\n"...)
	for i := range h.Fields {
		if f := &h.Fields[i]; !f.Drop {
			dst = AppendField(dst, h.Text(f.Name), h.Text(f.Value))
		}
	}
	return append(dst, "\r\n"...)
}

// AppendField appends a field line; letters of the name become lower case, as
// HAProxy sends them.
func AppendField(dst, name, value []byte) []byte {
	dst = appendLower(dst, name)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendEnd ends a head.
func AppendEnd(dst []byte) []byte { return append(dst, "\r\n"...) }

// AppendRequestLine appends a request line of HTTP/1.minor.
func AppendRequestLine(dst, method, target []byte, minor uint8) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	if minor == 0 {
		return append(dst, " HTTP/1.0\r\n"...)
	}
	return append(dst, " HTTP/1.1\r\n"...)
}

// AppendStatusLine appends a status line of HTTP/1.minor.
func AppendStatusLine(dst []byte, minor uint8, status int, reason []byte) []byte {
	if minor == 0 {
		dst = append(dst, "HTTP/1.0 "...)
	} else {
		dst = append(dst, "HTTP/1.1 "...)
	}
	dst = append(dst, byte('0'+status/100%10), byte('0'+status/10%10), byte('0'+status%10), ' ')
	dst = append(dst, reason...)
	return append(dst, "\r\n"...)
}

// appendLower appends name in lower case.
func appendLower(dst, name []byte) []byte {
	start := len(dst)
	dst = append(dst, name...)
	lowerName(dst[start:], len(name))
	return dst
}

// lowerName makes the first n bytes of b lower case, eight at a time where b
// goes on behind them. It sets bit 5 in every byte from A to Z: to the low seven
// bits it adds such numbers that the high bit tells >= 'A' and > 'Z'.
func lowerName(b []byte, n int) {
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		low := w &^ highBits
		upper := (low + (0x80-'A')*ones) &^ (low + (0x7f-'Z')*ones) &^ w & highBits
		if n <= 8 {
			upper &= 1<<(uint(8*n)&63) - 1 | -(uint64(n) >> 3)
			binary.LittleEndian.PutUint64(b, w|upper>>2)
			return
		}
		binary.LittleEndian.PutUint64(b, w|upper>>2)
		b, n = b[8:], n-8
	}
	for i, c := range b[:n] {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}
