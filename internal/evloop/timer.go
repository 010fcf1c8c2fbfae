package evloop

import (
	"math/bits"
	"time"
)

const (
	tick        = Time(time.Millisecond)
	wheelBits   = 6
	wheelSlots  = 1 << wheelBits // per level
	wheelLevels = 8              // 2^48 ticks: more than a Time can hold, so no deadline is too far
	tickNever   = ^uint64(0)
)

// A Timer is one deadline, embedded by value in what it bounds. The zero value is
// stopped. It must not be copied or overwritten while it is set.
//
// The deadline may move later without any work in the wheel: the timer stays in
// the slot of an earlier deadline, and is put where it belongs when that slot's
// time comes. So a deadline that activity pushes on costs one store.
type Timer struct {
	next, prev *Timer
	handler    Handler
	at         Time
	level      uint8 // in the wheel: 1 + level; 0: not in the wheel
	slot       uint8
	which      uint8
}

// Which is the tag last given to SetTimer.
func (t *Timer) Which() uint8 { return t.which }

// Deadline is what was last given to SetTimer; zero when stopped.
func (t *Timer) Deadline() Time { return t.at }

// SetTimer calls h.HandleTimeout once, at or up to about two milliseconds after
// at, unless t is set again or stopped before. A deadline in the past is due in
// this turn or in the next millisecond; at 0 stops t.
func (l *Loop) SetTimer(t *Timer, h Handler, which uint8, at Time) {
	l.check()
	if at == 0 {
		l.StopTimer(t)
		return
	}
	t.at, t.handler, t.which = at, h, which
	due := dueTick(at)
	if t.level != 0 {
		if due >= l.wheel.start(t.level-1, t.slot) {
			return
		}
		l.wheel.remove(t)
	}
	l.wheel.insert(t, due)
}

// StopTimer stops t; a stopped timer is left alone.
func (l *Loop) StopTimer(t *Timer) {
	l.check()
	if t.level != 0 {
		l.wheel.remove(t)
	}
	t.at = 0
	t.handler = nil
}

// NextTimer says until when the loop would sleep if nothing else happened: the
// next deadline, or an earlier time at which the wheel has to sort some.
func (l *Loop) NextTimer() (at Time, ok bool) {
	if l.wheel.next == tickNever {
		return 0, false
	}
	return Time(l.wheel.next) * tick, true
}

// dueTick is the first tick at which a deadline has passed.
func dueTick(at Time) uint64 {
	if at < 0 {
		return 0
	}
	return (uint64(at) + uint64(tick) - 1) / uint64(tick)
}

// A wheel holds timers in levels of 64 slots: level 0 has one slot per tick, each
// further level is 64 times coarser. A timer due at tick d stands in the level of
// the highest 6-bit digit in which d differs from now, in the slot of d's digit
// there. So all timers of a level are due before those of the levels above, the
// next one is found by two bit scans, and no slot ever holds timers of two
// different rounds. When a slot of a higher level comes, its timers sink.
type wheel struct {
	now    uint64 // the tick up to which all timers were called
	next   uint64 // no slot's time comes before this tick
	count  int
	levels uint64 // bit per level that is not empty
	slots  [wheelLevels]uint64
	heads  [wheelLevels][wheelSlots]*Timer
}

// start is the tick at which the wheel looks at a slot.
func (w *wheel) start(level, slot uint8) uint64 {
	shift := uint(level) * wheelBits
	return w.now>>(shift+wheelBits)<<(shift+wheelBits) | uint64(slot)<<shift
}

// insert adds t where it is looked at no later than at tick due, or at the next
// tick when that has passed.
func (w *wheel) insert(t *Timer, due uint64) {
	due = max(due, w.now+1)
	level := uint8(63-bits.LeadingZeros64(due^w.now)) / wheelBits
	slot := uint8(due>>(level*wheelBits)) % wheelSlots
	head := w.heads[level][slot]
	t.level, t.slot = level+1, slot
	t.next, t.prev = head, nil
	if head != nil {
		head.prev = t
	}
	w.heads[level][slot] = t
	w.slots[level] |= 1 << slot
	w.levels |= 1 << level
	w.count++
	w.next = min(w.next, w.start(level, slot))
}

// remove leaves w.next as it is: waking once too early is cheaper than a scan.
func (w *wheel) remove(t *Timer) {
	level, slot := t.level-1, t.slot
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		w.heads[level][slot] = t.next
		if t.next == nil {
			w.clear(level, slot)
		}
	}
	t.next, t.prev, t.level = nil, nil, 0
	w.count--
}

func (w *wheel) clear(level, slot uint8) {
	w.slots[level] &^= 1 << slot
	if w.slots[level] == 0 {
		w.levels &^= 1 << level
	}
}

// first is the slot whose time comes next.
func (w *wheel) first() (level, slot uint8, start uint64) {
	if w.levels == 0 {
		return 0, 0, tickNever
	}
	level = uint8(bits.TrailingZeros64(w.levels))
	slot = uint8(bits.TrailingZeros64(w.slots[level]))
	return level, slot, w.start(level, slot)
}

// expire calls the handlers of all timers that are due at now.
func (l *Loop) expire(now Time) int {
	w := &l.wheel
	to := uint64(now) / uint64(tick)
	called := 0
	for w.next <= to {
		level, slot, start := w.first()
		if start > to {
			w.next = start
			break
		}
		w.now = start
		called += l.expireSlot(level, slot, now)
		_, _, w.next = w.first()
	}
	w.now = max(w.now, to)
	return called
}

// expireSlot empties one slot, whose time is w.now. It takes one timer after the
// other, since a handler may stop or set any of them. None can come into this
// slot meanwhile: what is inserted is due after w.now, and what is due after the
// start of a slot of a higher level but within it belongs to a lower level.
func (l *Loop) expireSlot(level, slot uint8, now Time) int {
	w := &l.wheel
	called := 0
	for t := w.heads[level][slot]; t != nil; t = w.heads[level][slot] {
		w.remove(t)
		if due := dueTick(t.at); due > w.now {
			w.insert(t, due)
			continue
		}
		h := t.handler
		t.at, t.handler = 0, nil
		h.HandleTimeout(now, t)
		called++
	}
	return called
}
