package balancer

import (
	"math/bits"
	"slices"
)

// A ring is the tree of "hash-type consistent": each server stands at as many points as its weight has units of
// 1/weightScale, and a key belongs to the point that is closest on either side (the one before it if both are as close).
// Point k of a server is avalanche(id * ringPoints + k). All this was found by asking HAProxy's binary for keys between
// two points until the borders were known to the bit (testdata/record).
type ring struct {
	keys   []uint32 // ascending
	owners []uint16 // index of the server that stands at keys[k]
	first  []int32  // first[top bits of a key] is the first point with these or higher top bits
	shift  uint
}

const ringPoints = weightMax * weightScale // numbers set apart for each server

// newRing is for servers with these ids and weights; weight zero leaves one out.
func newRing(ids []int, weights []int32) *ring {
	n := 0
	for _, w := range weights {
		n += int(w)
	}
	points := make([]uint64, 0, n)
	for i, w := range weights {
		for k := uint32(0); k < uint32(w); k++ {
			points = append(points, uint64(avalanche(uint32(ids[i])*ringPoints+k))<<32|uint64(i))
		}
	}
	slices.Sort(points)
	r := &ring{keys: make([]uint32, n), owners: make([]uint16, n)}
	for i, p := range points {
		r.keys[i], r.owners[i] = uint32(p>>32), uint16(p)
	}
	r.index()
	return r
}

// index makes the table that saves most of the search: about one entry per point.
func (r *ring) index() {
	r.shift = uint(32 - min(bits.Len(uint(len(r.keys))), 20))
	r.first = make([]int32, 1<<(32-r.shift)+1)
	at := 0
	for top := range r.first {
		for at < len(r.keys) && uint64(r.keys[at]) < uint64(top)<<r.shift {
			at++
		}
		r.first[top] = int32(at)
	}
}

// find gives the place of the point to which a key belongs. The ring must not be empty.
func (r *ring) find(key uint32) int {
	top := key >> r.shift
	at, end := int(r.first[top]), int(r.first[top+1])
	for at < end && r.keys[at] < key {
		at++
	}
	next := at
	if next == len(r.keys) {
		next = 0
	}
	before := at - 1
	if before < 0 {
		before = len(r.keys) - 1
	}
	if key-r.keys[before] <= r.keys[next]-key {
		return before
	}
	return next
}
