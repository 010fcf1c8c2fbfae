package expr

import (
	"encoding/binary"
	"math/bits"
)

// xxHash, as its public description says
// (github.com/Cyan4973/xxHash/doc/xxhash_spec.md).

const (
	xx32Prime1 uint32 = 0x9e3779b1
	xx32Prime2 uint32 = 0x85ebca77
	xx32Prime3 uint32 = 0xc2b2ae3d
	xx32Prime4 uint32 = 0x27d4eb2f
	xx32Prime5 uint32 = 0x165667b1

	xx64Prime1 uint64 = 0x9e3779b185ebca87
	xx64Prime2 uint64 = 0xc2b2ae3d27d4eb4f
	xx64Prime3 uint64 = 0x165667b19e3779f9
	xx64Prime4 uint64 = 0x85ebca77c2b2ae63
	xx64Prime5 uint64 = 0x27d4eb2f165667c5
)

func convXXH32(_ *Env, in Value, a []Arg) (Value, bool) {
	return Int(int64(xxh32(in.Bytes, uint32(a[0].Int)))), true
}

func convXXH64(_ *Env, in Value, a []Arg) (Value, bool) {
	return Int(int64(xxh64(in.Bytes, uint64(a[0].Int)))), true
}

// XXH64 is the 64-bit xxHash of b.
func XXH64(b []byte, seed uint64) uint64 { return xxh64(b, seed) }

func xx32Round(acc, lane uint32) uint32 {
	return bits.RotateLeft32(acc+lane*xx32Prime2, 13) * xx32Prime1
}

func xxh32(b []byte, seed uint32) uint32 {
	size := uint32(len(b))
	h := seed + xx32Prime5
	if len(b) >= 16 {
		p1, p2 := xx32Prime1, xx32Prime2
		v1, v2, v3, v4 := seed+p1+p2, seed+p2, seed, seed-p1
		for ; len(b) >= 16; b = b[16:] {
			v1 = xx32Round(v1, binary.LittleEndian.Uint32(b))
			v2 = xx32Round(v2, binary.LittleEndian.Uint32(b[4:]))
			v3 = xx32Round(v3, binary.LittleEndian.Uint32(b[8:]))
			v4 = xx32Round(v4, binary.LittleEndian.Uint32(b[12:]))
		}
		h = bits.RotateLeft32(v1, 1) + bits.RotateLeft32(v2, 7) + bits.RotateLeft32(v3, 12) + bits.RotateLeft32(v4, 18)
	}
	h += size
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*xx32Prime3, 17) * xx32Prime4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*xx32Prime5, 11) * xx32Prime1
	}
	h = (h ^ h>>15) * xx32Prime2
	h = (h ^ h>>13) * xx32Prime3
	return h ^ h>>16
}

func xx64Round(acc, lane uint64) uint64 {
	return bits.RotateLeft64(acc+lane*xx64Prime2, 31) * xx64Prime1
}

func xx64Merge(acc, v uint64) uint64 {
	return (acc^xx64Round(0, v))*xx64Prime1 + xx64Prime4
}

func xxh64(b []byte, seed uint64) uint64 {
	size := uint64(len(b))
	h := seed + xx64Prime5
	if len(b) >= 32 {
		p1, p2 := xx64Prime1, xx64Prime2
		v1, v2, v3, v4 := seed+p1+p2, seed+p2, seed, seed-p1
		for ; len(b) >= 32; b = b[32:] {
			v1 = xx64Round(v1, binary.LittleEndian.Uint64(b))
			v2 = xx64Round(v2, binary.LittleEndian.Uint64(b[8:]))
			v3 = xx64Round(v3, binary.LittleEndian.Uint64(b[16:]))
			v4 = xx64Round(v4, binary.LittleEndian.Uint64(b[24:]))
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		h = xx64Merge(xx64Merge(xx64Merge(xx64Merge(h, v1), v2), v3), v4)
	}
	h += size
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xx64Round(0, binary.LittleEndian.Uint64(b)), 27)*xx64Prime1 + xx64Prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xx64Prime1, 23)*xx64Prime2 + xx64Prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xx64Prime5, 11) * xx64Prime1
	}
	h = (h ^ h>>33) * xx64Prime2
	h = (h ^ h>>29) * xx64Prime3
	return h ^ h>>32
}
