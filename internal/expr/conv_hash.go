package expr

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash/crc32"
)

// hashed gives a 32-bit hash as a number, mixed once more when the argument says
// so.
func hashed(h uint32, a []Arg) (Value, bool) {
	if a[0].Int != 0 {
		h = avalanche(h)
	}
	return Int(int64(h)), true
}

func convSDBM(_ *Env, in Value, a []Arg) (Value, bool) { return hashed(hashSDBM(in.Bytes), a) }
func convDJB2(_ *Env, in Value, a []Arg) (Value, bool) { return hashed(hashDJB2(in.Bytes), a) }

func convCRC32(_ *Env, in Value, a []Arg) (Value, bool) {
	return hashed(crc32.ChecksumIEEE(in.Bytes), a)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func convCRC32C(_ *Env, in Value, a []Arg) (Value, bool) {
	return hashed(crc32.Checksum(in.Bytes, castagnoli), a)
}

// hashSDBM is the hash of the public-domain sdbm library.
func hashSDBM(b []byte) uint32 {
	var h uint32
	for _, c := range b {
		h = uint32(c) + h<<6 + h<<16 - h
	}
	return h
}

// hashDJB2 is Bernstein's hash: times 33, add.
func hashDJB2(b []byte) uint32 {
	h := uint32(5381)
	for _, c := range b {
		h = h*33 + uint32(c)
	}
	return h
}

// avalanche is Bob Jenkins' public-domain integer hash in six shifts, with the
// last step that HAProxy's results show (see package balancer, which hashes
// alike).
func avalanche(h uint32) uint32 {
	h = (h + 0x7ed55d16) + h<<12
	h = (h ^ 0xc761c23c) ^ h>>19
	h = (h + 0x165667b1) + h<<5
	h = (h + 0xd3a2646c) ^ h<<9
	h = (h + 0xfd7046c5) + h<<3
	h = (h ^ 0xb55a4f09) ^ h>>16
	return h - h<<30
}

func convSHA1(env *Env, in Value, _ []Arg) (Value, bool) {
	sum := sha1.Sum(in.Bytes)
	return digest(env, sum[:])
}

func checkSHA2(a []Arg) error {
	switch a[0].Int {
	case 224, 256, 384, 512:
		return nil
	}
	if !a[0].Set {
		a[0].Int = 256
		return nil
	}
	return fmt.Errorf("%d bits are not possible, 224, 256, 384 and 512 are", a[0].Int)
}

func convSHA2(env *Env, in Value, a []Arg) (Value, bool) {
	switch a[0].Int {
	case 224:
		sum := sha256.Sum224(in.Bytes)
		return digest(env, sum[:])
	case 384:
		sum := sha512.Sum384(in.Bytes)
		return digest(env, sum[:])
	case 512:
		sum := sha512.Sum512(in.Bytes)
		return digest(env, sum[:])
	}
	sum := sha256.Sum256(in.Bytes)
	return digest(env, sum[:])
}

func digest(env *Env, sum []byte) (Value, bool) {
	p := env.Scratch.room(len(sum))
	if p == nil {
		return Value{}, false
	}
	return Bin(env.Scratch.keep(append(p, sum...))), true
}
