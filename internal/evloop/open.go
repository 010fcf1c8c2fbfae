package evloop

import "syscall"

// Open makes l watch the non-blocking socket num, which f owns from then on, for
// h. Of a new connection towards a server, connect(2) must have been called
// before: an idle socket counts as hung up. On error the descriptor stays the
// caller's.
func (l *Loop) Open(f *FD, num int, h Handler, which uint8) syscall.Errno {
	return l.open(f, num, h, FD{which: which})
}

// OpenListener makes l accept from the listening socket num, which it may share
// with other loops: of several that sleep, the kernel wakes one or a few.
// HandleReady is called in each turn that finds connections waiting.
func (l *Loop) OpenListener(f *FD, num int, h Handler, which uint8) syscall.Errno {
	return l.open(f, num, h, FD{which: which, flags: fdListening})
}

func (l *Loop) open(f *FD, num int, h Handler, as FD) syscall.Errno {
	l.check()
	if f.loop != nil {
		panic("evloop: Open of an open FD")
	}
	index, tag := l.slots.take(f)
	if errno := l.kernel.EpollAdd(l.epfd, num, tag, as.flags&fdListening != 0); errno != 0 {
		l.slots.put(index)
		return errno
	}
	f.loop, f.handler, f.num, f.slot = l, h, int32(num), index
	f.errno, f.ready, f.which, f.flags = 0, 0, as.which, as.flags
	return 0
}

// PauseListener stops f's HandleReady calls: connections wait in the backlog, or
// for other loops.
func (l *Loop) PauseListener(f *FD) {
	l.check()
	if f.loop == nil || f.flags&fdPaused != 0 {
		return
	}
	f.flags |= fdPaused
	l.kernel.EpollDel(l.epfd, int(f.num))
}

// ResumeListener ends PauseListener.
func (l *Loop) ResumeListener(f *FD) syscall.Errno {
	l.check()
	if f.loop == nil || f.flags&fdPaused == 0 {
		return 0
	}
	if errno := l.kernel.EpollAdd(l.epfd, int(f.num), l.slots.tag(f.slot), true); errno != 0 {
		return errno
	}
	f.flags &^= fdPaused
	return 0
}

// Close closes the descriptor. Events that were already taken for it and a
// pending Again are dropped; f may be opened again at once. A closed f is left
// alone.
func (l *Loop) Close(f *FD) {
	l.check()
	if f.loop == nil {
		return
	}
	num := l.forget(f)
	l.kernel.Close(num)
}

// Reset is Close that sends RST instead of FIN, and drops unsent bytes.
func (l *Loop) Reset(f *FD) {
	l.check()
	if f.loop == nil {
		return
	}
	num := l.forget(f)
	l.kernel.Reset(num)
}

// Detach ends l's watch and gives the descriptor, still open, to the caller; -1
// when f is closed.
func (l *Loop) Detach(f *FD) int {
	l.check()
	if f.loop == nil {
		return -1
	}
	listening := f.flags&fdListening != 0
	num := l.forget(f)
	if !listening {
		l.kernel.EpollDel(l.epfd, num)
	}
	return num
}

// forget makes f closed. Epoll forgets a connection when it is closed; but a
// listening socket may have duplicates here or in a new process, which would
// keep it registered, and level-triggered, for ever.
func (l *Loop) forget(f *FD) (num int) {
	num = int(f.num)
	if f.flags&(fdListening|fdPaused) == fdListening {
		l.kernel.EpollDel(l.epfd, num)
	}
	l.slots.put(f.slot)
	f.loop, f.handler = nil, nil
	f.ready, f.flags = 0, 0
	return num
}

// Again has f's HandleReady called once more after the events and letters of this
// turn, or, from an Again call or a timer, of the next turn: what a handler that
// has used up its share of the turn does instead of going on. Several calls count
// as one.
func (l *Loop) Again(f *FD) {
	l.check()
	if f.loop == nil || f.flags&fdAgain != 0 {
		return
	}
	f.flags |= fdAgain
	l.again = append(l.again, l.slots.tag(f.slot))
}
