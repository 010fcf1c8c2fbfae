package accesslog

import (
	"strconv"
	"time"
)

const (
	batchLines = 64                     // lines given to a target at once
	linger     = time.Millisecond       // how long the writer stays awake after lines: loops need not wake it again
	writeWait  = 200 * time.Millisecond // for a target that takes nothing
	writePause = 2 * time.Millisecond   // between two attempts to write to it
)

// writer empties the rings. All of it belongs to one goroutine.
type writer struct {
	s       *Sink
	records []record
	places  []uint64 // of each ring: read, not yet freed
	buf     []byte
	ends    []int // of the lines in buf
}

func newWriter(s *Sink) *writer {
	return &writer{
		s: s, records: make([]record, 0, batchLines), places: make([]uint64, len(s.rings)),
		buf: make([]byte, 0, 64<<10), ends: make([]int, 0, batchLines),
	}
}

func (w *writer) run() {
	defer close(w.s.closed)
	for {
		if w.drain() {
			select {
			case <-w.s.closing:
			case done := <-w.s.flushes:
				w.drain()
				close(done)
			default:
				time.Sleep(linger)
			}
			continue
		}
		if !w.wait() {
			break
		}
	}
	w.drain()
	for _, t := range w.s.targets {
		t.out.close()
	}
}

// wait sleeps until a loop, a flush or the end wakes it; false is the end.
func (w *writer) wait() bool {
	s := w.s
	s.asleep.Store(true)
	if !w.idle() {
		s.asleep.Store(false) // a line came between the last look and the store
		return true
	}
	select {
	case <-s.wake:
	case done := <-s.flushes:
		w.drain()
		close(done)
	case <-s.closing:
		return false
	}
	s.asleep.Store(false)
	return true
}

func (w *writer) idle() bool {
	for _, r := range w.s.rings {
		if !r.empty() {
			return false
		}
	}
	return true
}

// drain sends what waits in all rings and tells what was lost. It reports
// whether there was anything.
func (w *writer) drain() bool {
	any := false
	for i, r := range w.s.rings {
		for w.batch(i, r) {
			any = true
		}
		if lost := r.lost(); lost > 0 {
			w.tell(lost)
		}
	}
	return any
}

// batch sends some lines of one ring.
func (w *writer) batch(i int, r *ring) bool {
	at := w.places[i]
	w.records = w.records[:0]
	for len(w.records) < batchLines {
		rec, next, ok := r.get(at)
		if !ok {
			break
		}
		w.records, at = append(w.records, rec), next
	}
	if len(w.records) == 0 {
		return false
	}
	w.send()
	w.places[i] = at
	r.free(at)
	return true
}

// send gives the records to each target.
func (w *writer) send() {
	for _, t := range w.s.targets {
		w.buf, w.ends = w.buf[:0], w.ends[:0]
		for i := range w.records {
			rec := w.records[i]
			if rec.level > t.max || !t.sample.take() {
				continue
			}
			rec.level = max(rec.level, t.min)
			w.buf = t.appendLine(w.buf, &rec)
			w.ends = append(w.ends, len(w.buf))
		}
		if len(w.ends) == 0 {
			continue
		}
		if lost := t.out.write(w.buf, w.ends); lost > 0 {
			w.s.failed.Add(uint64(lost))
		}
	}
}

// tell writes a line about lost lines.
func (w *writer) tell(lost uint64) {
	text := strconv.AppendUint(nil, lost, 10)
	text = append(text, " log lines dropped: the log targets are too slow"...)
	w.records = append(w.records[:0], record{time: w.s.now(), level: LevelWarning, text: text})
	w.send()
}
