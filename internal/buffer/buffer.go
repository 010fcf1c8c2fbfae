package buffer

// A Buffer is a window on an array: bytes are put in at its end (Free, Filled)
// and taken out at its start (Bytes, Consume).
type Buffer struct {
	B    []byte // the whole array
	r, w int    // unread: B[r:w]

	next  *Buffer // free list
	class uint8
	mark  mark
}

// Bytes are the unread bytes.
func (b *Buffer) Bytes() []byte { return b.B[b.r:b.w] }

// Free is the room after the unread bytes.
func (b *Buffer) Free() []byte { return b.B[b.w:] }

// Len is the number of unread bytes.
func (b *Buffer) Len() int { return b.w - b.r }

// Cap is the size of the array.
func (b *Buffer) Cap() int { return len(b.B) }

// Filled tells that n bytes of Free have been written.
func (b *Buffer) Filled(n int) {
	if n < 0 || n > len(b.B)-b.w {
		panic("buffer: filled more than was free")
	}
	b.w += n
}

// Consume drops the first n unread bytes. An empty buffer starts over at the
// front of its array.
func (b *Buffer) Consume(n int) {
	if n < 0 || n > b.w-b.r {
		panic("buffer: consumed more than was unread")
	}
	b.r += n
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
}

// Append copies as much of p as Free takes, and returns how much that was.
func (b *Buffer) Append(p []byte) int {
	n := copy(b.B[b.w:], p)
	b.w += n
	return n
}

// Compact moves the unread bytes to the front, so that all room is in Free.
func (b *Buffer) Compact() {
	if b.r > 0 {
		b.w = copy(b.B, b.B[b.r:b.w])
		b.r = 0
	}
}

// Reset drops all unread bytes.
func (b *Buffer) Reset() { b.r, b.w = 0, 0 }
