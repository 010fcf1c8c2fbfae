package evloop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A pendingReceive is a socket that the next receive reads.
type pendingReceive struct {
	fd    int32
	event int32  // its place among the events that Wait returns
	index uint16 // what watched.received will be
}

// receivedBytes are what was read ahead from one socket: at to end of its part of
// the memory.
type receivedBytes struct{ at, end uint16 }

// receivedMemory is the part of the memory that stands behind a watched.received.
func (b *batch) receivedMemory(index uint16) []byte {
	from := batchSendsMax*batchSendMax + int(index-1)*receivedSize
	return b.memory[from : from+receivedSize : from+receivedSize]
}

// mayReceive has fd read ahead if whoever reads it is likely to take what is
// there now: not one who was slow to, or who peeks, splices or reads whole
// buffers.
func (b *batch) mayReceive(fd int, w *watched, event int) {
	switch {
	case w.received != 0:
		w.flags |= watchedMore // its edge has been reported, there will be no other
	case w.flags&(watchedReader|watchedOver) == watchedReader:
		b.receives = append(b.receives, pendingReceive{fd: int32(fd), event: int32(event)})
	}
}

// receive reads ahead from the sockets in b.receives. A few are left to their
// Reads.
func (b *batch) receive(events []Event) {
	wanted := b.receives[:min(len(b.receives), len(b.freeReceived))]
	b.receives = b.receives[:0]
	if len(wanted) < batchEventsMin {
		return
	}
	for i := range wanted {
		r := &wanted[i]
		r.index = b.freeReceived[len(b.freeReceived)-1]
		b.freeReceived = b.freeReceived[:len(b.freeReceived)-1]
		b.ring.pushReceive(int(r.fd), b.receivedMemory(r.index), uint64(i))
	}
	taken := b.ring.submit()
	for res := b.ring.next(); res != nil; res = b.ring.next() {
		r := &wanted[res.data]
		events[r.event].Ready |= b.finishReceive(r, res.res)
	}
	for i := range wanted[taken:] {
		b.freeReceived = append(b.freeReceived, wanted[taken+i].index)
	}
}

// finishReceive keeps what a call of receive brought, and returns what is to be
// told besides that there are bytes. The end of the file is not kept: it can be
// read again.
func (b *batch) finishReceive(r *pendingReceive, res int32) Ready {
	w := b.watch(int(r.fd))
	if res > 0 {
		b.received[r.index-1] = receivedBytes{end: uint16(res)}
		w.received = r.index
		if res == receivedSize {
			w.flags |= watchedMore
		}
		return 0
	}
	b.freeReceived = append(b.freeReceived, r.index)
	switch errno := syscall.Errno(-res); errno {
	case 0, syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENOBUFS, syscall.EINVAL, syscall.ECANCELED:
		return 0 // not the connection's: Read will see
	default:
		w.errno = uint16(errno)
		return ReadyErr
	}
}

func (b *batch) Read(fd int, p []byte) (int, syscall.Errno) {
	w := b.stream(fd)
	if w == nil {
		return b.system.Read(fd, p)
	}
	n := 0
	if w.received != 0 {
		n = b.takeReceived(w, copy(p, b.unread(w)))
		if w.received != 0 || w.flags&watchedMore == 0 || n == len(p) {
			w.drained(n < len(p))
			return n, 0
		}
		w.flags &^= watchedMore
	}
	more, errno := b.system.Read(fd, p[n:])
	w.drained(n+more < len(p))
	return w.join(n, more, errno)
}

// unread is what was read ahead and not taken yet.
func (b *batch) unread(w *watched) []byte {
	r := b.received[w.received-1]
	return b.receivedMemory(w.received)[r.at:r.end]
}

// takeReceived uses up n bytes of unread.
func (b *batch) takeReceived(w *watched, n int) int {
	r := &b.received[w.received-1]
	if r.at += uint16(n); r.at == r.end {
		b.dropReceived(w)
	}
	return n
}

func (b *batch) dropReceived(w *watched) {
	if w.received != 0 {
		b.freeReceived = append(b.freeReceived, w.received)
		w.received = 0
	}
}

func (w *watched) drained(yes bool) {
	w.flags &^= watchedReader
	if yes {
		w.flags |= watchedReader
	}
}

// join gives the result of a read that found n bytes read ahead and then asked
// the socket. An error that comes behind bytes is kept for the next call; an
// error kept comes when there are no bytes left.
func (w *watched) join(n, more int, errno syscall.Errno) (int, syscall.Errno) {
	switch {
	case n+more > 0:
		if errno != 0 && errno != syscall.EAGAIN {
			w.errno = uint16(errno)
		}
		return n + more, 0
	case w.errno != 0:
		return 0, w.takeErrno()
	}
	return 0, errno
}

func (w *watched) takeErrno() syscall.Errno {
	errno := syscall.Errno(w.errno)
	w.errno = 0
	return errno
}

func (b *batch) Peek(fd int, p []byte) (int, syscall.Errno) {
	w := b.stream(fd)
	if w == nil {
		return b.system.Peek(fd, p)
	}
	w.drained(false)
	n := 0
	if w.received != 0 {
		n = copy(p, b.unread(w))
		if n == len(p) || w.flags&watchedMore == 0 {
			return n, 0
		}
	}
	more, errno := b.system.Peek(fd, p[n:])
	return w.join(n, more, errno)
}

// Splice writes to the pipe what has been read ahead from a socket, and sends to
// a socket what waits for it before the pipe's bytes.
func (b *batch) Splice(from, to, max int) (int, syscall.Errno) {
	if w := b.stream(from); w != nil {
		w.drained(false)
		if w.received != 0 {
			p := b.unread(w)
			p = p[:min(len(p), max)]
			n, errno := raw(unix.SYS_WRITE, uintptr(to), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
			if errno != 0 {
				return 0, errno
			}
			return b.takeReceived(w, n), 0
		}
		n, errno := b.system.Splice(from, to, max)
		return w.join(0, n, errno)
	}
	if w := b.stream(to); w != nil {
		if errno := b.sendBefore(to, w); errno != 0 {
			return 0, errno
		}
	}
	return b.system.Splice(from, to, max)
}

// SocketError gives what a batched call has taken from the socket before what
// stands there.
func (b *batch) SocketError(fd int) syscall.Errno {
	if w := b.stream(fd); w != nil && w.errno != 0 {
		return w.takeErrno()
	}
	return b.system.SocketError(fd)
}
