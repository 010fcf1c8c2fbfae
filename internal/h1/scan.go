package h1

import (
	"encoding/binary"
	"math/bits"

	"github.com/weir-lb/weir/internal/message"
)

// Bytes are scanned in words of eight (SWAR) where runs are long.
const (
	lowBits   = 0x0101010101010101
	highBits  = 0x8080808080808080
	spaceWord = 0x20 * lowBits
	delWord   = 0x7f * lowBits
)

// scanValue gives the offset of the first byte at or after i that may not stand
// in a field value (a control character but HT), or len(b).
func scanValue(b []byte, i int) int {
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			del := w ^ delWord
			// The high bit of every byte below 0x20 or equal to 0x7f; only
			// the lowest one found is exact, and that is the one we want.
			stop := ((w-spaceWord)&^w | (del-lowBits)&^del) & highBits
			if stop != 0 {
				i += bits.TrailingZeros64(stop) >> 3
				if b[i] != '\t' {
					return i
				}
				i++
				continue
			}
			i += 8
		}
		for i < len(b) {
			if !message.IsValue(b[i]) {
				return i
			}
			i++
		}
		return i
	}
}

// scanTarget gives the offset of the first byte at or after i that may not
// stand in a request target, or len(b).
func scanTarget(b []byte, i int, lenient bool) int {
	for i < len(b) && message.IsTarget(b[i]) {
		i++
	}
	if lenient {
		for i < len(b) && message.IsLoose(b[i]) {
			i++
		}
	}
	return i
}

// scanName gives the offset of the first byte at or after i that may not stand
// in a field name, or len(b).
func scanName(b []byte, i int, lenient bool) int {
	for i < len(b) && message.IsToken(b[i]) {
		i++
	}
	if lenient {
		for i < len(b) && message.IsLoose(b[i]) && b[i] != ':' {
			i++
		}
	}
	return i
}
