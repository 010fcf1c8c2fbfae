package evloop

import "syscall"

// A pendingSend is a write that waits for flush.
type pendingSend struct {
	fd   int32
	from int32 // its bytes in batch.memory
	to   int32
}

// A remainder is what a socket did not take of a pendingSend.
type remainder struct {
	bytes []byte // from the socket's next byte on
	all   []byte // batchSendMax bytes of memory, kept for the next remainder
}

func (b *batch) Write(fd int, p []byte) (int, syscall.Errno) {
	w := b.stream(fd)
	if w == nil {
		return b.system.Write(fd, p)
	}
	if room, errno := b.waitingRoom(fd, w, len(p)); room != nil || errno != 0 {
		return copy(room, p), errno
	}
	return b.system.Write(fd, p)
}

func (b *batch) Writev(fd int, a, c, d []byte) (int, syscall.Errno) {
	w := b.stream(fd)
	if w == nil {
		return b.system.Writev(fd, a, c, d)
	}
	if room, errno := b.waitingRoom(fd, w, len(a)+len(c)+len(d)); room != nil || errno != 0 {
		n := copy(room, a)
		n += copy(room[n:], c)
		n += copy(room[n:], d)
		return n, errno
	}
	return b.system.Writev(fd, a, c, d)
}

// WriteMore does not wait: what follows it, a close or a long body, would have
// to flush it at once.
func (b *batch) WriteMore(fd int, a, c []byte) (int, syscall.Errno) {
	if w := b.stream(fd); w != nil {
		if errno := b.sendBefore(fd, w); errno != 0 {
			return 0, errno
		}
	}
	return b.system.WriteMore(fd, a, c)
}

// waitingRoom is where n bytes for fd wait for the flush; nil if they have to be
// written at once, which is then allowed.
func (b *batch) waitingRoom(fd int, w *watched, n int) ([]byte, syscall.Errno) {
	waits := w.sendsTurn == b.sendsTurn
	if waits && b.isLast(fd, n) {
		last := &b.sends[len(b.sends)-1]
		room := b.memory[last.to : int(last.to)+n]
		last.to += int32(n)
		b.sendBytes += n
		return room, 0
	}
	direct := !b.waits || n > batchSendMax || w.flags&watchedOver != 0
	if waits || direct || w.rest != 0 || w.errno != 0 {
		if errno := b.sendBefore(fd, w); errno != 0 || direct {
			return nil, errno
		}
	}
	if len(b.sends) == batchSendsMax {
		b.flush()
	}
	if len(b.sends)+len(b.remainders)-len(b.freeRest) >= remaindersMax {
		return nil, 0
	}
	room := b.memory[b.sendBytes : b.sendBytes+n]
	b.sends = append(b.sends, pendingSend{fd: int32(fd), from: int32(b.sendBytes), to: int32(b.sendBytes + n)})
	b.sendBytes += n
	w.sendsTurn = b.sendsTurn
	return room, 0
}

// isLast reports whether the last write that waits is one of fd, and n bytes may
// be added to it.
func (b *batch) isLast(fd, n int) bool {
	last := &b.sends[len(b.sends)-1]
	return int(last.fd) == fd && int(last.to-last.from)+n <= batchSendMax
}

// sendBefore sends what waits for fd, so that a direct call comes behind it.
// EAGAIN: the socket has no room even for that.
func (b *batch) sendBefore(fd int, w *watched) syscall.Errno {
	if w.sendsTurn == b.sendsTurn {
		b.flush()
	}
	if w.rest != 0 && !b.sendRest(fd, w) {
		return syscall.EAGAIN
	}
	return w.takeErrno()
}

// flush makes the writes that wait, then the closes. One write alone is made by
// an ordinary call, which costs less.
func (b *batch) flush() {
	if len(b.sends) == 0 {
		return
	}
	b.sendsTurn++
	taken := 0
	if len(b.sends) > 1 {
		taken = b.sendByRing()
	}
	for i := range b.sends[taken:] {
		s := &b.sends[taken+i]
		n, errno := b.system.Write(int(s.fd), b.memory[s.from:s.to])
		b.sent(s, n, errno)
	}
	b.sends, b.sendBytes = b.sends[:0], 0
	b.finishEnds()
}

// sendByRing makes the first writes that wait, normally all, and returns how
// many.
func (b *batch) sendByRing() int {
	for i := range b.sends {
		s := &b.sends[i]
		b.ring.pushSend(int(s.fd), b.memory[s.from:s.to], uint64(i))
	}
	taken := b.ring.submit()
	for res := b.ring.next(); res != nil; res = b.ring.next() {
		s := &b.sends[res.data]
		if errno := syscall.Errno(-res.res); res.res >= 0 {
			b.sent(s, int(res.res), 0)
		} else if errno == syscall.EINTR || errno == syscall.ECANCELED { // the ring's, not the socket's
			n, errno := b.system.Write(int(s.fd), b.memory[s.from:s.to])
			b.sent(s, n, errno)
		} else {
			b.sent(s, 0, errno)
		}
	}
	return taken
}

// sent keeps what the socket did not take, or its error.
func (b *batch) sent(s *pendingSend, n int, errno syscall.Errno) {
	left := b.memory[int(s.from)+n : s.to]
	if len(left) == 0 {
		return
	}
	w := b.watch(int(s.fd))
	if errno != 0 && errno != syscall.EAGAIN {
		w.errno = uint16(errno)
		b.fail(int(s.fd), w)
		return
	}
	if len(b.freeRest) == 0 {
		b.remainders = append(b.remainders, remainder{all: make([]byte, batchSendMax)})
		b.freeRest = append(b.freeRest, uint16(len(b.remainders)))
	}
	w.rest = b.freeRest[len(b.freeRest)-1]
	b.freeRest = b.freeRest[:len(b.freeRest)-1]
	r := &b.remainders[w.rest-1]
	r.bytes = r.all[:copy(r.all, left)]
}

// fail has the next Wait tell of w.errno: the edge that epoll has for it may
// have been reported before.
func (b *batch) fail(fd int, w *watched) {
	if w.flags&(watchedFailed|watchedClosed) == 0 {
		w.flags |= watchedFailed
		b.failed = append(b.failed, fd)
	}
}

// tellFailed makes an event of each failure, and returns how many.
func (b *batch) tellFailed(events []Event) int {
	n := 0
	for len(b.failed) > 0 && n < len(events) {
		w := b.watch(b.failed[len(b.failed)-1])
		b.failed = b.failed[:len(b.failed)-1]
		if w.flags&watchedFailed != 0 { // not closed since
			w.flags &^= watchedFailed
			events[n] = Event{Tag: w.tag, Ready: ReadyIn | ReadyOut | ReadyErr}
			n++
		}
	}
	return n
}

// sendRest sends what the socket did not take before. False: it does not take
// all of it now either.
func (b *batch) sendRest(fd int, w *watched) bool {
	r := &b.remainders[w.rest-1]
	n, errno := b.system.Write(fd, r.bytes)
	r.bytes = r.bytes[n:]
	if errno == syscall.EAGAIN || errno == 0 && len(r.bytes) > 0 {
		return false
	}
	w.errno = uint16(errno)
	b.dropRest(w)
	b.finishEnd(fd, w)
	return true
}

func (b *batch) dropRest(w *watched) {
	if w.rest != 0 {
		b.remainders[w.rest-1].bytes = nil
		b.freeRest = append(b.freeRest, w.rest)
		w.rest = 0
	}
}

// roomAgain sends what the socket did not take, when epoll has reported r, and
// returns what is left to report.
func (b *batch) roomAgain(fd int, w *watched, r Ready) Ready {
	switch {
	case !b.sendRest(fd, w):
		return r &^ ReadyOut
	case w.errno != 0:
		return r | ReadyIn | ReadyOut | ReadyErr
	}
	return r
}
