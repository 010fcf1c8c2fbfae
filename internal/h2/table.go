package h2

// A table is the dynamic table of a decoder (RFC 7541 section 2.3.2). Its entries
// stand one behind the other in one array, twice as long as they may be together,
// so that the oldest can go without moving the others each time.
type table struct {
	bytes   []byte
	entries []entry // a ring
	oldest  int     // in entries
	n       int     // entries in use
	size    int     // as RFC 7541 section 4.1 counts it
	max     int     // that size may be
}

// An entry is one field of the table.
type entry struct {
	off       uint32 // of the name in table.bytes
	name, val uint32 // lengths
	kind      fieldKind
}

const (
	entryOverhead = 32 // bytes that an entry counts more than its text (RFC 7541 section 4.1)
	tableFirst    = 1 << 10
)

// at gives entry i, 0 being the newest.
func (t *table) at(i int) *entry {
	j := t.oldest + t.n - 1 - i
	if j >= len(t.entries) {
		j -= len(t.entries)
	}
	return &t.entries[j]
}

func (t *table) nameOf(e *entry) []byte { return t.bytes[e.off : e.off+e.name : e.off+e.name] }

func (t *table) valueOf(e *entry) []byte {
	from := e.off + e.name
	return t.bytes[from : from+e.val : from+e.val]
}

// resize sets the size that the table may have.
func (t *table) resize(n int) {
	t.max = n
	t.evict(0)
}

// evict drops the oldest entries until there is room for size more.
func (t *table) evict(size int) {
	for t.n > 0 && t.size+size > t.max {
		e := &t.entries[t.oldest]
		t.size -= int(e.name) + int(e.val) + entryOverhead
		t.n--
		if t.oldest++; t.oldest == len(t.entries) {
			t.oldest = 0
		}
	}
}

// add puts a field in. Neither text may stand in the table itself. A field that is
// larger than the table empties it (RFC 7541 section 4.4).
func (t *table) add(name, value []byte, kind fieldKind) {
	text := len(name) + len(value)
	t.evict(text + entryOverhead)
	if text+entryOverhead > t.max {
		return
	}
	if t.n == len(t.entries) {
		t.growRing()
	}
	if cap(t.bytes)-len(t.bytes) < text {
		t.compact(text)
	}
	off := len(t.bytes)
	t.bytes = append(append(t.bytes, name...), value...)
	t.n++
	t.size += text + entryOverhead
	*t.at(0) = entry{uint32(off), uint32(len(name)), uint32(len(value)), kind}
}

// growRing makes room for more entries; their number is bounded by max.
func (t *table) growRing() {
	bigger := make([]entry, max(16, 2*len(t.entries)))
	for i := range t.n {
		bigger[i] = *t.at(t.n - 1 - i)
	}
	t.entries, t.oldest = bigger, 0
}

// compact moves the entries to the front of the array, which becomes longer as
// long as it may.
func (t *table) compact(more int) {
	live := t.size - t.n*entryOverhead
	to := t.bytes[:0]
	if want := live + more; cap(t.bytes) < 2*want {
		to = make([]byte, 0, max(tableFirst, 2*want, min(2*cap(t.bytes), 2*t.max)))
	}
	for i := t.n - 1; i >= 0; i-- {
		e := t.at(i)
		text := t.bytes[e.off : e.off+e.name+e.val]
		e.off = uint32(len(to))
		to = append(to, text...)
	}
	t.bytes = to
}
