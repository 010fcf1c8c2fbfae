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

// foldWord has bit 5 in every byte: it makes letters lower case, and leaves "-"
// and digits as they are.
const foldWord = 0x2020202020202020

// fieldSlot is what the hash finds. The words are those of nameWords.
type fieldSlot struct {
	first, second, last uint64
	id                  FieldID
	len                 uint8
}

// fieldSlots is read-only.
var fieldSlots = buildFieldSlots()

func buildFieldSlots() (slots [1 << fieldHashBits]fieldSlot) {
	for id := FieldOther + 1; id < fieldIDs; id++ {
		name := []byte(fieldNames[id])
		s := &slots[fieldHash(name)]
		s.id, s.len = id, uint8(len(name))
		s.first, s.second, s.last = nameWords(name)
	}
	return slots
}

func fieldHash(name []byte) uint32 {
	n := len(name)
	key := uint32(name[0]|0x20) | uint32(name[n-2]|0x20)<<8 | uint32(name[n-1]|0x20)<<16 | uint32(n)<<24
	return key * fieldHashFactor >> (32 - fieldHashBits)
}

// nameWords gives a name of fieldNameMin to fieldNameMax bytes as three words in
// lower case, which overlap unless there are 24 bytes.
func nameWords(name []byte) (first, second, last uint64) {
	n := len(name)
	switch {
	case n > 16:
		second = binary.LittleEndian.Uint64(name[8:]) | foldWord
		fallthrough
	case n >= 8:
		first = binary.LittleEndian.Uint64(name) | foldWord
		last = binary.LittleEndian.Uint64(name[n-8:]) | foldWord
	case n >= 4:
		first = uint64(binary.LittleEndian.Uint32(name)) | foldWord
		last = uint64(binary.LittleEndian.Uint32(name[n-4:])) | foldWord
	default:
		first = uint64(name[0]) | uint64(name[1])<<8 | foldWord
		last = uint64(name[n-1]) | foldWord
	}
	return first, second, last
}

// FieldIDOf finds the number of a field name in any case. The name must be a
// token (RFC 9110 section 5.6.2) or at least hold no control characters:
// folding is exact only for those.
func FieldIDOf(name []byte) FieldID {
	n := len(name)
	if n < fieldNameMin || n > fieldNameMax {
		return FieldOther
	}
	s := &fieldSlots[fieldHash(name)]
	if int(s.len) != n {
		return FieldOther
	}
	if first, second, last := nameWords(name); first != s.first || second != s.second || last != s.last {
		return FieldOther
	}
	return s.id
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
