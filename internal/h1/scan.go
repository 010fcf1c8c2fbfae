package h1

import (
	"encoding/binary"
	"math/bits"

	"github.com/weir-lb/weir/internal/message"
)

// Runs of bytes are scanned in words of eight (SWAR). In each formula the high
// bit of a byte tells that the byte stops the scan; only the lowest one found
// is exact, since a borrow may set those above it, and that is the one wanted.
const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
)

// stopsValue marks the bytes of w below 0x20 and equal to 0x7f.
func stopsValue(w uint64) uint64 {
	return ((w-0x20*ones)&^w | ((w&^highBits)+ones)&^w) & highBits
}

// stopsTarget marks the bytes of w that no target has: up to 0x20, "#", and
// from 0x7f on.
func stopsTarget(w uint64) uint64 {
	hash := w ^ '#'*ones
	return ((w-0x21*ones)&^w | ((w &^ highBits) + ones | w) | (hash-ones)&^hash) & highBits
}

// scanValue gives the offset of the first byte at or after i that may not stand
// in a field value (a control character but HT), or len(b).
func scanValue(b []byte, i int) int {
	for i+8 <= len(b) {
		stop := stopsValue(binary.LittleEndian.Uint64(b[i:]))
		if stop == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(stop) >> 3
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && message.IsValue(b[i]) {
		i++
	}
	return i
}

// scanTarget gives the offset of the first byte at or after i that may not
// stand in a request target, or len(b).
func scanTarget(b []byte, i int, loose bool) int {
	if loose {
		for i < len(b) && message.IsLoose(b[i]) {
			i++
		}
		return i
	}
	for ; i+8 <= len(b); i += 8 {
		if stop := stopsTarget(binary.LittleEndian.Uint64(b[i:])); stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
	}
	for i < len(b) && message.IsTarget(b[i]) {
		i++
	}
	return i
}

// scanToken gives the offset of the first byte at or after i that may not stand
// in a token, or len(b).
func scanToken(b []byte, i int) int {
	for i < len(b) && message.IsToken(b[i]) {
		i++
	}
	return i
}

// scanName is scanToken for a field name, with more characters when loose.
func scanName(b []byte, i int, loose bool) int {
	i = scanToken(b, i)
	if loose {
		for i < len(b) && message.IsLoose(b[i]) && b[i] != ':' {
			i++
		}
	}
	return i
}

// skipBlanks gives the offset of the first byte at or after i that is neither a
// space nor a tab, or len(b).
func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i
}
