package message

import "encoding/binary"

// A name is looked up by a perfect hash over its length and its first, last
// but one and last bytes, then compared word by word without regard to case.
// fieldHashFactor was found by search; TestFieldHashIsPerfect guards it when
// names are added.
const (
	fieldHashFactor = 0x4752c551
	fieldHashBits   = 7
	fieldNameMin    = 2  // bytes of the shortest known name
	fieldNameMax    = 19 // bytes of the longest known name
)

const foldWord = 0x2020202020202020

// fieldSlot is what the hash finds: a name in lower case.
type fieldSlot struct {
	id   FieldID
	len  uint8
	name [fieldNameMax + 1]byte
}

var fieldSlots = buildFieldSlots()

func buildFieldSlots() (slots [1 << fieldHashBits]fieldSlot) {
	for id := FieldOther + 1; id < fieldIDs; id++ {
		name := fieldNames[id]
		s := &slots[fieldHash([]byte(name))]
		s.id, s.len = id, uint8(len(name))
		copy(s.name[:], name)
	}
	return slots
}

func fieldHash(name []byte) uint32 {
	n := len(name)
	key := uint32(name[0]|0x20) | uint32(name[n-2]|0x20)<<8 | uint32(name[n-1]|0x20)<<16 | uint32(n)<<24
	return key * fieldHashFactor >> (32 - fieldHashBits)
}

// FieldIDOf finds the number of a field name in any case. The name must be a
// token (RFC 9110 section 5.6.2): folding is exact only for those.
func FieldIDOf(name []byte) FieldID {
	n := len(name)
	if n < fieldNameMin || n > fieldNameMax {
		return FieldOther
	}
	s := &fieldSlots[fieldHash(name)]
	if int(s.len) != n || !s.matches(name) {
		return FieldOther
	}
	return s.id
}

// matches compares in words that overlap at the end, so that no byte is
// treated alone but in the shortest names.
func (s *fieldSlot) matches(name []byte) bool {
	n := len(name)
	if n >= 8 {
		i := 0
		for ; i+8 <= n; i += 8 {
			if binary.LittleEndian.Uint64(name[i:])|foldWord != binary.LittleEndian.Uint64(s.name[i:]) {
				return false
			}
		}
		i = n - 8
		return binary.LittleEndian.Uint64(name[i:])|foldWord == binary.LittleEndian.Uint64(s.name[i:])
	}
	if n >= 4 {
		i := n - 4
		return binary.LittleEndian.Uint32(name)|uint32(foldWord&0xffffffff) == binary.LittleEndian.Uint32(s.name[:]) &&
			binary.LittleEndian.Uint32(name[i:])|uint32(foldWord&0xffffffff) == binary.LittleEndian.Uint32(s.name[i:])
	}
	for i := range name {
		if name[i]|0x20 != s.name[i] {
			return false
		}
	}
	return true
}

// EqualFold compares two names without regard to the case of ASCII letters.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if x, y := a[i], b[i]; x != y && lowerByte(x) != lowerByte(y) {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
