package evloop

const (
	slotChunkBits = 10
	slotChunk     = 1 << slotChunkBits // slots per chunk: 16 KiB
	slotNone      = ^uint32(0)         // end of the free list; as an index, the tag of the loop's own eventfd
)

// A slot is what the low half of an event's tag points at.
type slot struct {
	fd         *FD    // nil while free
	generation uint32 // moves on at each put: the high half of the tags that are still valid
	next       uint32 // free list
}

// slots is a table that grows in chunks, so that it never moves, and hands out
// the slot that was freed last, which is still in the cache.
type slots struct {
	chunks []*[slotChunk]slot
	free   uint32
	inUse  int
}

func (s *slots) at(index uint32) *slot {
	return &s.chunks[index>>slotChunkBits][index&(slotChunk-1)]
}

// take gives f a slot and returns its index and the tag for its events.
func (s *slots) take(f *FD) (index uint32, tag uint64) {
	if s.free == slotNone {
		s.grow()
	}
	index = s.free
	sl := s.at(index)
	s.free = sl.next
	sl.fd = f
	s.inUse++
	return index, uint64(sl.generation)<<32 | uint64(index)
}

func (s *slots) put(index uint32) {
	sl := s.at(index)
	sl.fd = nil
	sl.generation++
	sl.next = s.free
	s.free = index
	s.inUse--
}

// tag is the valid tag of a slot in use.
func (s *slots) tag(index uint32) uint64 {
	return uint64(s.at(index).generation)<<32 | uint64(index)
}

// lookup returns the FD that a tag was made for, nil if it has been closed since.
func (s *slots) lookup(tag uint64) *FD {
	sl := s.at(uint32(tag))
	if sl.generation != uint32(tag>>32) {
		return nil
	}
	return sl.fd
}

func (s *slots) grow() {
	base := uint32(len(s.chunks)) << slotChunkBits
	chunk := new([slotChunk]slot)
	for i := range chunk {
		chunk[i].next = base + uint32(i) + 1
	}
	chunk[slotChunk-1].next = s.free
	s.chunks = append(s.chunks, chunk)
	s.free = base
}
