package pattern

import (
	"bytes"
	"hash/maphash"
)

// linearMax is up to how many strings comparing with each one is faster than a
// hash table.
const linearMax = 6

// equalList is a short list of exact strings.
type equalList []text

func (l equalList) find(b []byte) int {
	for i := range l {
		if len(l[i].s) == len(b) && l[i].s == string(b) {
			return int(l[i].index)
		}
	}
	return -1
}

// hashTable is a set of exact strings: open addressing over one array of
// bytes, so that a million of them cost little more than their letters. The
// seed is random: no client can choose strings that collide.
type hashTable struct {
	seed  maphash.Seed
	bytes []byte
	ends  []uint32 // end of string i in bytes; it begins where i-1 ends
	index []int32  // of the entry
	slots []uint32 // 1 + number of the string; 0 is free; the length is a power of two
	mask  uint64
}

func newHashTable(texts []text) *hashTable {
	t := &hashTable{seed: maphash.MakeSeed()}
	size, total := 8, 0
	for size < 2*len(texts) {
		size *= 2
	}
	for _, e := range texts {
		total += len(e.s)
	}
	t.slots, t.mask = make([]uint32, size), uint64(size-1)
	t.bytes = make([]byte, 0, total)
	t.ends, t.index = make([]uint32, 0, len(texts)), make([]int32, 0, len(texts))
	for _, e := range texts {
		t.insert(e)
	}
	return t
}

// insert adds e; of equal strings the first stays.
func (t *hashTable) insert(e text) {
	h := maphash.String(t.seed, e.s)
	for ; t.slots[h&t.mask] != 0; h++ {
		if string(t.at(t.slots[h&t.mask]-1)) == e.s {
			return
		}
	}
	t.bytes = append(t.bytes, e.s...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
	t.index = append(t.index, e.index)
	t.slots[h&t.mask] = uint32(len(t.ends))
}

func (t *hashTable) at(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.bytes[from:t.ends[i]]
}

func (t *hashTable) find(b []byte) int {
	for h := maphash.Bytes(t.seed, b); ; h++ {
		slot := t.slots[h&t.mask]
		if slot == 0 {
			return -1
		}
		if bytes.Equal(t.at(slot-1), b) {
			return int(t.index[slot-1])
		}
	}
}

// partList holds the patterns of "sub".
type partList []text

func (l partList) find(b []byte) int {
	for i := range l {
		if containsString(b, l[i].s) {
			return int(l[i].index)
		}
	}
	return -1
}

// containsString is bytes.Contains for a string.
func containsString(b []byte, s string) bool { return indexString(b, s) >= 0 }

// indexString is bytes.Index for a string.
func indexString(b []byte, s string) int {
	if len(s) == 0 {
		return 0
	}
	for from := 0; len(b)-from >= len(s); from++ {
		i := bytes.IndexByte(b[from:len(b)-len(s)+1], s[0])
		if i < 0 {
			return -1
		}
		from += i
		if string(b[from:from+len(s)]) == s {
			return from
		}
	}
	return -1
}
