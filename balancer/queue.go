package balancer

import (
	"sync/atomic"
	"time"
)

// A Granter is told that its waiter holds a slot.
type Granter interface {
	// SlotGranted is called once per grant, by the goroutine that freed the slot or changed the servers, with no lock
	// held. It must not block: it passes the news to the loop of the session.
	SlotGranted(w *Waiter, s *Server)
}

// A Waiter is a session's place in a queue. It is embedded in the session, so that queueing needs no memory. The zero
// Waiter with a Granter is ready for use.
//
// From the verdict Queued to SlotGranted, or to a Leave that returns granted == false, it belongs to the Backend. A Leave
// that returns granted == true has crossed with a grant: SlotGranted has been called or is about to be, and until then the
// waiter must stay alive and must not be used for another Acquire.
type Waiter struct {
	Granter Granter

	// SrvPos and BackPos are the places at which this one was queued, from 1 (log variables %sq and %bq): in the
	// queue of its server, or in that of the backend. They may be read once the session has its slot or has left.
	SrvPos, BackPos int

	// Guarded by Backend.mu.
	next, prev *Waiter
	list       *waiterList
	home       *Server       // in whose queue it stands; nil: in the backend's
	slot       *Server       // granted, and not yet handed out by Leave
	age        uint64        // order of arrival
	since      time.Duration // time of arrival
	key        uint32
	hasKey     bool
	tie        tie

	// Written before untold is set, read by the goroutine that tells.
	chain *Waiter // next one to be told
	news  *Server

	untold atomic.Bool // SlotGranted is still to be called
}

// A tie says how firmly a waiter stands in a server's queue.
type tie uint8

const (
	tieNone   tie = iota // chosen by the algorithm: leaves it when the server gets no new sessions
	tieSticky            // by a cookie or a table: leaves it when the server is down
	tieStrict            // stays, come what may
)

// A waiterList is a queue in order of arrival.
type waiterList struct {
	head, tail *Waiter
	len        int
}

// insert puts w before at; at the end if at is nil.
func (l *waiterList) insert(w, at *Waiter) {
	w.list, w.next = l, at
	if at != nil {
		w.prev, at.prev = at.prev, w
	} else {
		w.prev, l.tail = l.tail, w
	}
	if w.prev != nil {
		w.prev.next = w
	} else {
		l.head = w
	}
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

// Leave takes a waiter out of its queue: the client has gone, or its time is up. If the slot was granted meanwhile, it
// is the caller's, to use or Release. A waiter that stands in no queue and has no slot to fetch is left alone.
func (b *Backend) Leave(w *Waiter) (s *Server, granted bool) {
	b.mu.Lock()
	if w.list == nil {
		s, w.slot = w.slot, nil
		b.mu.Unlock()
		return s, s != nil
	}
	home := w.home
	b.dequeueLocked(w)
	b.stats.left.Add(1)
	if home != nil {
		home.waits.left.Add(1)
		b.refreshLocked(home)
	}
	b.loadLocked(-1)
	b.mu.Unlock()
	return nil, false
}

// enqueueLocked puts w into the queue of home, or of the backend if home is nil. False: QueueMax is reached, or
// there is no waiter.
func (b *Backend) enqueueLocked(w *Waiter, r *Request, home *Server, tie tie) bool {
	if w == nil || b.spec.QueueMax > 0 && b.waiting >= b.spec.QueueMax {
		return false
	}
	if w.list != nil || w.untold.Load() {
		panic("balancer: a waiter is used twice at a time")
	}
	b.age++
	w.age, w.since, w.tie, w.slot = b.age, r.Now, tie, nil
	key, hasKey := b.keyOf(r)
	w.key, w.hasKey = uint32(key), hasKey
	w.SrvPos, w.BackPos = 0, 0
	if home != nil {
		w.SrvPos = home.queue.len + 1
		b.standLocked(w, home, nil)
		b.refreshLocked(home)
	} else {
		w.BackPos = b.queue.len + 1
		b.standLocked(w, nil, nil)
	}
	b.waiting++
	b.stats.queued.Store(int32(b.waiting))
	b.stats.queuedMax.Store(max(b.stats.queuedMax.Load(), int32(b.waiting)))
	return true
}

// standLocked puts w into the queue of home, or of the backend if home is nil, before at.
func (b *Backend) standLocked(w *Waiter, home *Server, at *Waiter) {
	w.home = home
	if home == nil {
		b.queue.insert(w, at)
		return
	}
	home.queue.insert(w, at)
	b.stuck++
	n := int32(home.queue.len)
	home.queued.Store(n)
	home.waits.queuedMax.Store(max(home.waits.queuedMax.Load(), n))
}

// unstandLocked takes w out of the queue in which it stands.
func (b *Backend) unstandLocked(w *Waiter) {
	w.list.remove(w)
	if w.home != nil {
		b.stuck--
		w.home.queued.Store(int32(w.home.queue.len))
		w.home = nil
	}
}

// dequeueLocked ends a wait.
func (b *Backend) dequeueLocked(w *Waiter) {
	b.unstandLocked(w)
	b.waiting--
	b.stats.queued.Store(int32(b.waiting))
}

// displaceLocked gives the waiters of a server that no longer takes them to the backend, where they keep their age.
func (b *Backend) displaceLocked(s *Server) {
	stays := tieNone // the weakest tie that holds
	switch {
	case !s.State().accepts():
		stays = tieStrict
	case !s.member.Load():
		stays = tieSticky
	}
	at, place := b.queue.head, 1
	for w := s.queue.head; w != nil; {
		next := w.next
		if w.tie < stays {
			b.unstandLocked(w)
			for at != nil && at.age < w.age {
				at = at.next
				place++
			}
			b.standLocked(w, nil, at)
			w.BackPos = place
			place++
		}
		w = next
	}
}

// nextWaiterLocked is the longest waiter that may have a slot of s: the older of two heads, that of the server's queue and,
// if the server takes part in the balancing, that of the backend's.
func (b *Backend) nextWaiterLocked(s *Server) *Waiter {
	own, common := s.queue.head, b.queue.head
	switch {
	case common == nil || !s.member.Load():
		return own
	case own == nil || common.age < own.age:
		return common
	}
	return own
}

// serveServerLocked grants the free slots of a server. The caller refreshes it.
func (b *Backend) serveServerLocked(s *Server) {
	for s.freeLocked() {
		w := b.nextWaiterLocked(s)
		if w == nil {
			return
		}
		b.grantLocked(w, s)
	}
}

func (b *Backend) grantLocked(w *Waiter, s *Server) {
	b.dequeueLocked(w)
	s.take()
	w.slot, w.news = s, s
	w.untold.Store(true)
	w.chain, b.grants = b.grants, w
}

// serveLocked grants every free slot that someone waits for, spreading the backend's waiters as the algorithm says.
func (b *Backend) serveLocked() {
	for b.queue.head != nil && b.openServers > 0 {
		head := b.queue.head
		s := b.picker.choose(choice{key: head.key, hasKey: head.hasKey, open: true})
		b.grantLocked(b.nextWaiterLocked(s), s)
		b.refreshLocked(s)
	}
	if b.stuck == 0 {
		return
	}
	for _, s := range b.servers {
		if s.queue.head != nil && s.freeLocked() {
			b.serveServerLocked(s)
			b.refreshLocked(s)
		}
	}
}

// takeGrantsLocked hands over those who must be told, the longest waiter first.
func (b *Backend) takeGrantsLocked() *Waiter {
	var first *Waiter
	for w := b.grants; w != nil; {
		w.chain, first, w = first, w, w.chain
	}
	b.grants = nil
	return first
}

// tell calls the granters of a chain. No lock is held. Once told, a waiter may be gone.
func (w *Waiter) tell() {
	for w != nil {
		next, s := w.chain, w.news
		w.chain, w.news = nil, nil
		w.untold.Store(false)
		w.Granter.SlotGranted(w, s)
		w = next
	}
}
