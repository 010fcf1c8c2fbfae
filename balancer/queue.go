package balancer

import "time"

// A Granter is told that its waiter holds a slot.
type Granter interface {
	// SlotGranted is called once per grant, by the goroutine that freed the slot, with no lock held. It must not
	// block: it passes the news to the loop of the session.
	SlotGranted(w *Waiter, s *Server)
}

// A Waiter is a session's place in a queue. It is embedded in the session, so that queueing needs no memory.
//
// Between Queued and SlotGranted (or a Leave that returns granted == false) it belongs to the Backend. A Leave that
// returns granted == true crossed with the grant: SlotGranted has been called or will be, so the waiter must stay alive
// and unused until then.
type Waiter struct {
	Granter Granter

	// SrvPos and BackPos are the number of sessions ahead at the moment of queueing (log variables %sq and %bq).
	SrvPos, BackPos int

	// Guarded by Backend.mu.
	next, prev *Waiter
	list       *waiterList
	chain      *Waiter // next waiter of the same round of grants
	server     *Server // whose slot was granted
	stuck      *Server // the only server that it may have (StickyStrict)
	age        uint64  // order of arrival
	since      time.Duration
	key        uint64
	hasKey     bool
	granted    bool
	untold     bool // SlotGranted is still to be called
}

// A waiterList is a queue in order of arrival.
type waiterList struct {
	head, tail *Waiter
	len        int
}

func (l *waiterList) append(w *Waiter) {
	w.list, w.prev, w.next = l, l.tail, nil
	if l.tail != nil {
		l.tail.next = w
	} else {
		l.head = w
	}
	l.tail = w
	l.len++
}

func (l *waiterList) remove(w *Waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.tail = w.prev
	}
	w.list, w.prev, w.next = nil, nil, nil
	l.len--
}
