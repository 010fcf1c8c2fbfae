package accesslog

import (
	"encoding/binary"
	"sync/atomic"
)

// ringBytes bounds what one loop may have waiting to be written; what comes
// while it is full is dropped and counted.
const ringBytes = 1 << 19

const recordHead = 12 // bytes before a line: length and level, then the time

// A ring carries lines from one goroutine to the writer. The producer owns
// tail, the writer head; neither waits for the other.
type ring struct {
	buf     []byte
	head    atomic.Uint64 // next byte to be read
	_       [56]byte
	tail    atomic.Uint64 // next byte to be written
	dropped atomic.Uint64
}

func newRing() *ring { return &ring{buf: make([]byte, ringBytes)} }

// put appends one record; false when there is no room.
func (r *ring) put(level Level, at int64, line []byte) bool {
	tail := r.tail.Load()
	need := uint64(recordHead + len(line))
	if need > uint64(len(r.buf))-(tail-r.head.Load()) {
		r.dropped.Add(1)
		return false
	}
	var h [recordHead]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(line))<<3|uint32(level))
	binary.LittleEndian.PutUint64(h[4:], uint64(at))
	r.copyIn(tail, h[:])
	r.copyIn(tail+recordHead, line)
	r.tail.Store(tail + need)
	return true
}

func (r *ring) copyIn(at uint64, p []byte) {
	i := at % uint64(len(r.buf))
	n := copy(r.buf[i:], p)
	copy(r.buf, p[n:])
}

// take appends the oldest line to dst; ok is false when there is none.
func (r *ring) take(dst []byte) (line []byte, level Level, at int64, ok bool) {
	head := r.head.Load()
	if head == r.tail.Load() {
		return dst, 0, 0, false
	}
	var h [recordHead]byte
	r.copyOut(head, h[:])
	word := binary.LittleEndian.Uint32(h[:])
	n := int(word >> 3)
	from := len(dst)
	for cap(dst) < from+n {
		dst = append(dst[:cap(dst)], 0)
	}
	dst = dst[:from+n]
	r.copyOut(head+recordHead, dst[from:])
	r.head.Store(head + recordHead + uint64(n))
	return dst, Level(word & 7), int64(binary.LittleEndian.Uint64(h[4:])), true
}

func (r *ring) copyOut(at uint64, p []byte) {
	i := at % uint64(len(r.buf))
	n := copy(p, r.buf[i:])
	copy(p[n:], r.buf)
}

func (r *ring) empty() bool { return r.head.Load() == r.tail.Load() }
