package pattern

import (
	"bytes"
	"slices"
)

// affixTable holds prefixes or suffixes and finds the longest that fits.
//
// The strings are sorted (suffixes written backwards), and each has a link to
// the longest other one that it begins with. The longest prefix of b is then
// the greatest string that is not above b, or one that its links lead to: all
// strings between a prefix of b and b itself begin with that prefix.
type affixTable struct {
	suffix bool
	bytes  []byte
	ends   []uint32
	index  []int32
	parent []int32 // -1: none
}

func newAffixTable(texts []text, suffix bool) *affixTable {
	t := &affixTable{suffix: suffix}
	sorted := slices.Clone(texts)
	if suffix {
		for i := range sorted {
			sorted[i].s = backwards(sorted[i].s)
		}
	}
	slices.SortStableFunc(sorted, func(a, b text) int { return bytes.Compare([]byte(a.s), []byte(b.s)) })
	sorted = slices.CompactFunc(sorted, func(a, b text) bool { return a.s == b.s })
	for _, e := range sorted {
		t.bytes = append(t.bytes, e.s...)
		t.ends = append(t.ends, uint32(len(t.bytes)))
		t.index = append(t.index, e.index)
		t.parent = append(t.parent, t.enclosing(int32(len(t.parent))-1, e.s))
	}
	return t
}

// enclosing follows the links from string i to one that s begins with.
func (t *affixTable) enclosing(i int32, s string) int32 {
	for i >= 0 && !bytes.HasPrefix([]byte(s), t.at(i)) {
		i = t.parent[i]
	}
	return i
}

func (t *affixTable) at(i int32) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.bytes[from:t.ends[i]]
}

func (t *affixTable) find(b []byte) int {
	lo, hi := 0, len(t.ends) // strings below lo are not above b, those from hi on are
	for lo < hi {
		mid := (lo + hi) / 2
		if t.above(t.at(int32(mid)), b) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	for i := int32(lo) - 1; i >= 0; i = t.parent[i] {
		if t.fits(t.at(i), b) {
			return int(t.index[i])
		}
	}
	return -1
}

// above reports whether s sorts after b, which is read backwards for suffixes.
func (t *affixTable) above(s, b []byte) bool {
	if !t.suffix {
		return bytes.Compare(s, b) > 0
	}
	for i, c := range s {
		if i == len(b) {
			return true
		}
		if d := b[len(b)-1-i]; c != d {
			return c > d
		}
	}
	return false
}

// fits reports whether b begins with s or, for suffixes, ends with s backwards.
func (t *affixTable) fits(s, b []byte) bool {
	if !t.suffix {
		return bytes.HasPrefix(b, s)
	}
	if len(s) > len(b) {
		return false
	}
	for i, c := range s {
		if b[len(b)-1-i] != c {
			return false
		}
	}
	return true
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
