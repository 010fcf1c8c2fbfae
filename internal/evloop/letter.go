package evloop

import "sync/atomic"

// A Letter carries a word from any goroutine to a handler of a loop. It is
// embedded by value in what is waited for, and is in the mailbox at most once, so
// that mailboxes are bounded by the number of owners and never allocate.
//
// Kind, Arg and Obj belong to the poster until Post returns true, and to the
// handler from HandleLetter on. The letter may be posted again as soon as
// HandleLetter has been entered: who lets several goroutines post one letter must
// leave the three fields constant and keep what is to be told elsewhere.
type Letter struct {
	next    *Letter
	handler Handler
	Obj     any
	Arg     uint64
	posted  atomic.Bool
	Kind    uint8
}

// Posted reports whether m is under way. Memory that holds such a letter must not
// be put to another use.
func (m *Letter) Posted() bool { return m.posted.Load() }

// controlMax bounds the functions given to Do that have not run yet.
const controlMax = 1024

// Post hands m to h on l's goroutine; from any goroutine. It returns false, and
// does nothing, when m is already under way. Letters from one goroutine arrive in
// the order in which they were posted. What is posted after Stop may never arrive.
func (l *Loop) Post(m *Letter, h Handler) bool {
	if !m.posted.CompareAndSwap(false, true) {
		return false
	}
	m.handler = h
	for {
		head := l.mail.head.Load()
		m.next = head
		if l.mail.head.CompareAndSwap(head, m) {
			break
		}
	}
	// The loop says that it will sleep, then looks at the mailbox; we fill the
	// mailbox, then look whether it sleeps. One of the two sees the other.
	if l.mail.asleep.Load() && l.mail.asleep.CompareAndSwap(true, false) {
		l.kernel.Wake(l.wakefd)
	}
	return true
}

// Do runs f on l's goroutine, for rare control work; from any goroutine. It
// allocates. It returns false when controlMax functions wait already.
func (l *Loop) Do(f func()) bool {
	if l.mail.controls.Add(1) > controlMax {
		l.mail.controls.Add(-1)
		return false
	}
	return l.Post(&Letter{Kind: controlDo, Obj: f}, controlHandler{l})
}

// Stop makes Run return after the current turn; from any goroutine.
func (l *Loop) Stop() { l.Post(&l.stop, controlHandler{l}) }

// A mailbox is a stack that any goroutine pushes to and the loop takes whole. It
// has its own cache lines: other cores write to it.
type mailbox struct {
	_        [64]byte
	head     atomic.Pointer[Letter]
	asleep   atomic.Bool  // the loop is or will be in a blocking Wait: a poster has to Wake it
	controls atomic.Int32 // functions under way
	_        [64]byte
}

// deliver hands over the letters that are there now, oldest first.
func (l *Loop) deliver() int {
	if l.mail.head.Load() == nil {
		return 0
	}
	m := oldestFirst(l.mail.head.Swap(nil))
	n := 0
	for m != nil {
		next, h := m.next, m.handler
		m.next, m.handler = nil, nil
		m.posted.Store(false)
		h.HandleLetter(l.now, m)
		m = next
		n++
	}
	return n
}

func oldestFirst(m *Letter) *Letter {
	var list *Letter
	for m != nil {
		m.next, list, m = list, m, m.next
	}
	return list
}

const (
	controlStop uint8 = iota // the zero Kind, of Loop.stop
	controlDo                // Obj is a func()
)

// A controlHandler receives the loop's letters to itself.
type controlHandler struct{ l *Loop }

func (c controlHandler) HandleLetter(_ Time, m *Letter) {
	if m.Kind == controlStop {
		c.l.stopped = true
		return
	}
	c.l.mail.controls.Add(-1)
	m.Obj.(func())()
}

func (c controlHandler) HandleReady(Time, *FD)      {}
func (c controlHandler) HandleTimeout(Time, *Timer) {}
