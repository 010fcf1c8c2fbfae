package balancer

import (
	"encoding/binary"
	"hash/crc32"
)

// hashFuncs are the functions of "hash-type". All give 32 bits, and with sdbm, djb2 and crc32 the same as HAProxy's
// converters of these names (testdata/record compares them).
var hashFuncs = map[string]func([]byte) uint32{
	"sdbm":  sdbm,
	"djb2":  djb2,
	"crc32": crc32.ChecksumIEEE,
	"none":  number,
}

// sdbm is the hash of the public-domain sdbm library.
func sdbm(p []byte) uint32 {
	var h uint32
	for _, c := range p {
		h = uint32(c) + h<<6 + h<<16 - h
	}
	return h
}

// djb2 is Bernstein's hash, times 33 and add.
func djb2(p []byte) uint32 {
	h := uint32(5381)
	for _, c := range p {
		h = h*33 + uint32(c)
	}
	return h
}

// number takes the key as the number that it is: its last four bytes, highest first, which is where an integer sample has its value.
func number(p []byte) uint32 {
	var h uint32
	for _, c := range p {
		h = h<<8 | uint32(c)
	}
	return h
}

// avalanche is the modifier of "hash-type". The manual names its author, Bob Jenkins, whose page of public-domain
// functions (burtleburtle.net/bob/hash/integer.html, "6 shifts") has it but for the last line: HAProxy's results differ
// from the page's by minus the two lowest bits moved to the top.
func avalanche(a uint32) uint32 {
	a = (a + 0x7ed55d16) + a<<12
	a = (a ^ 0xc761c23c) ^ a>>19
	a = (a + 0x165667b1) + a<<5
	a = (a + 0xd3a2646c) ^ a<<9
	a = (a + 0xfd7046c5) + a<<3
	a = (a ^ 0xb55a4f09) ^ a>>16
	return a - a<<30
}

// addressHash folds an address as "balance source" does: the 32-bit words in network order, combined by exclusive or.
// No function of "hash-type" is applied to it, only the avalanche.
func addressHash(p []byte) uint32 {
	var h uint32
	for len(p) >= 4 {
		h ^= binary.BigEndian.Uint32(p)
		p = p[4:]
	}
	return h ^ number(p)
}

// HashKey hashes a key as the backend's "balance" and "hash-type" say. For Source the key is the address, 4 or 16 bytes
// in network order; for Hash it is the text, or the 8 bytes in network order of an integer sample.
func (b *Backend) HashKey(p []byte) uint64 {
	var h uint32
	if b.spec.Algorithm == Source {
		h = addressHash(p)
	} else {
		h = b.hashFunc(p)
	}
	if b.spec.Avalanche {
		h = avalanche(h)
	}
	return uint64(h)
}
