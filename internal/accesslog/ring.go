package accesslog

import (
	"encoding/binary"
	"sync/atomic"
)

const (
	ringBytes   = 512 << 10 // of lines that wait, per loop; a power of two
	recordHead  = 24        // bytes before the texts of a record
	recordAlign = 8         // records begin at multiples of this
	cacheLine   = 64        // bytes that processors share at once
)

// ring is a queue of records with one writer and one reader. A record lies in
// one piece: where it would not fit before the end, the rest is skipped.
type ring struct {
	buf []byte

	_       [cacheLine]byte
	tail    atomic.Uint64 // bytes written; only the writer changes it
	dropped atomic.Uint64 // lines without room

	_    [cacheLine]byte
	head atomic.Uint64 // bytes read; only the reader changes it
	told uint64        // of dropped; reader
}

// record is one line in the queue. The slices point into the ring.
type record struct {
	time  int64 // nanoseconds since 1970
	level Level
	text  []byte
	data  []byte // RFC 5424 structured data, if any
}

func newRing() *ring { return &ring{buf: make([]byte, ringBytes)} }

// put copies a line into the ring; false when there is no room.
func (r *ring) put(rec *record) bool {
	size := recordSize(rec)
	tail := r.tail.Load()
	at := tail % ringBytes
	need := size
	if ringBytes-at < size {
		need += ringBytes - at
	}
	if size > ringBytes/2 || tail+need-r.head.Load() > ringBytes {
		r.dropped.Add(1)
		return false
	}
	if need != size {
		binary.LittleEndian.PutUint64(r.buf[at:], 0) // size 0: go on at the start
		at = 0
	}
	b := r.buf[at : at+size]
	binary.LittleEndian.PutUint32(b, uint32(size))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(rec.text)))
	binary.LittleEndian.PutUint64(b[8:], uint64(rec.time))
	binary.LittleEndian.PutUint32(b[16:], uint32(len(rec.data)))
	b[20] = byte(rec.level)
	copy(b[recordHead:], rec.text)
	copy(b[recordHead+len(rec.text):], rec.data)
	r.tail.Store(tail + need)
	return true
}

func recordSize(rec *record) uint64 {
	n := uint64(recordHead + len(rec.text) + len(rec.data))
	return (n + recordAlign - 1) &^ (recordAlign - 1)
}

// get reads the record at the place at, which begins as head; next is the place
// after it. ok is false when there is none. The record is valid until free.
func (r *ring) get(at uint64) (rec record, next uint64, ok bool) {
	if at == r.tail.Load() {
		return record{}, at, false
	}
	b := r.buf[at%ringBytes:]
	size := uint64(binary.LittleEndian.Uint32(b))
	if size == 0 {
		at += ringBytes - at%ringBytes
		b = r.buf
		size = uint64(binary.LittleEndian.Uint32(b))
	}
	textEnd := recordHead + uint64(binary.LittleEndian.Uint32(b[4:]))
	dataEnd := textEnd + uint64(binary.LittleEndian.Uint32(b[16:]))
	rec = record{
		time: int64(binary.LittleEndian.Uint64(b[8:])), level: Level(b[20]),
		text: b[recordHead:textEnd], data: b[textEnd:dataEnd],
	}
	return rec, at + size, true
}

// free gives the room of all records before the place at back.
func (r *ring) free(at uint64) { r.head.Store(at) }

// empty reports whether nothing waits.
func (r *ring) empty() bool { return r.head.Load() == r.tail.Load() }

// lost gives how many lines were dropped since it was last asked.
func (r *ring) lost() uint64 {
	n := r.dropped.Load()
	lost := n - r.told
	r.told = n
	return lost
}
