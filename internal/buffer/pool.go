package buffer

import "slices"

const (
	smallSize  = 1 << 10 // bytes; most request heads
	mediumSize = 4 << 10 // bytes; a page
)

// A Pool hands out buffers of a few sizes and keeps those that come back.
type Pool struct {
	sizes   []int // ascending; the last is the pool's own
	keepMax int   // unused buffers per class
	lists   []list
	inUse   int
}

// A list holds the unused buffers of one class; the one that came back last,
// which the cache may still hold, goes out first.
type list struct {
	head *Buffer
	n    int
}

// NewPool makes a pool of buffers of 1 KiB, 4 KiB and size bytes, as far as those
// are smaller than size, that keeps at most keepMax unused buffers of each.
func NewPool(size, keepMax int) *Pool {
	if size <= 0 {
		panic("buffer: a pool's size must be positive")
	}
	p := &Pool{keepMax: keepMax}
	for _, s := range []int{smallSize, mediumSize} {
		if s < size {
			p.sizes = append(p.sizes, s)
		}
	}
	p.sizes = append(p.sizes, size)
	p.lists = make([]list, len(p.sizes))
	return p
}

// Size is the size of the largest buffers.
func (p *Pool) Size() int { return p.sizes[len(p.sizes)-1] }

// InUse is the number of buffers taken and not put back.
func (p *Pool) InUse() int { return p.inUse }

// Take returns an empty buffer of the smallest class that holds min bytes; nil
// when none does.
func (p *Pool) Take(min int) *Buffer {
	for class, size := range p.sizes {
		if size >= min {
			return p.take(class)
		}
	}
	return nil
}

// classLarge marks buffers that belong to no class.
const classLarge = 255

// TakeLarge is Take for what may, rarely, be larger than the pool's size: such a
// buffer is made when asked for and goes to the garbage collector when put back.
// The caller has a bound on min.
func (p *Pool) TakeLarge(min int) *Buffer {
	if b := p.Take(min); b != nil {
		return b
	}
	p.inUse++
	return &Buffer{B: make([]byte, min), class: classLarge}
}

func (p *Pool) take(class int) *Buffer {
	p.inUse++
	l := &p.lists[class]
	b := l.head
	if b == nil {
		return &Buffer{B: make([]byte, p.sizes[class]), class: uint8(class)}
	}
	l.head, b.next = b.next, nil
	l.n--
	b.noteTaken()
	return b
}

// Put gives b back; nil is left alone. The caller must have dropped all slices of
// b: under the tag weirdebug they are overwritten, and a second Put panics.
func (p *Pool) Put(b *Buffer) {
	if b == nil {
		return
	}
	b.notePut()
	p.inUse--
	if b.class == classLarge {
		return
	}
	l := &p.lists[b.class]
	if l.n >= p.keepMax {
		return
	}
	b.r, b.w = 0, 0
	b.next, l.head = l.head, b
	l.n++
}

// Grow moves b's unread bytes to a buffer that holds min bytes, and puts b back.
// When b holds min bytes itself they are only moved to its front. It returns nil,
// and leaves b alone, when min is more than the pool's size.
func (p *Pool) Grow(b *Buffer, min int) *Buffer {
	if min <= b.Cap() {
		b.Compact()
		return b
	}
	larger := p.Take(min)
	if larger == nil {
		return nil
	}
	larger.Append(b.Bytes())
	p.Put(b)
	return larger
}

// Trim gives up all unused buffers, for when memory is short.
func (p *Pool) Trim() { clear(p.lists) }

// Kept is the number of unused buffers of all classes.
func (p *Pool) Kept() int {
	n := 0
	for i := range p.lists {
		n += p.lists[i].n
	}
	return n
}

// Sizes are the sizes of the classes, ascending.
func (p *Pool) Sizes() []int { return slices.Clone(p.sizes) }
