package evloop

import (
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// freeTime is how long the end of the loop waits for sockets that linger.
const freeTime = time.Second

// A lingering is a closed descriptor whose socket has not taken all its bytes.
type lingering struct {
	fd    int
	until Time
}

// EpollDel sends what waits for fd. What was read ahead stays here for Read.
func (b *batch) EpollDel(epfd, fd int) syscall.Errno {
	if w := b.stream(fd); w != nil {
		if w.sendsTurn == b.sendsTurn {
			b.flush()
		}
		if w.received == 0 && w.rest == 0 && w.errno == 0 {
			*w = watched{}
		}
	}
	return b.system.EpollDel(epfd, fd)
}

// Shutdown sends FIN after what waits for fd.
func (b *batch) Shutdown(fd int) syscall.Errno {
	if w := b.stream(fd); w != nil && b.end(fd, w, watchedFIN) {
		return 0
	}
	return b.system.Shutdown(fd)
}

// Close closes fd after what waits for it is sent. Its number is not free until
// then.
func (b *batch) Close(fd int) {
	if fd == b.epfd {
		b.free()
		return
	}
	w := b.stream(fd)
	if w == nil {
		b.system.Close(fd)
		return
	}
	b.dropReceived(w)
	if !b.end(fd, w, watchedClosed) {
		b.forget(w)
		b.system.Close(fd)
	}
}

// end marks how fd ends when its bytes have been sent; false: there are none.
func (b *batch) end(fd int, w *watched, how uint8) bool {
	waits := w.sendsTurn == b.sendsTurn
	if !waits && w.rest == 0 {
		return false
	}
	before := w.flags
	w.flags |= how
	switch {
	case !waits && how == watchedClosed:
		b.linger(fd)
	case waits && before&(watchedFIN|watchedClosed) == 0:
		b.ending = append(b.ending, fd)
	}
	return true
}

// finishEnds follows a flush.
func (b *batch) finishEnds() {
	for _, fd := range b.ending {
		w := b.watch(fd)
		if w.rest == 0 {
			b.finishEnd(fd, w)
		} else if w.flags&watchedClosed != 0 {
			b.linger(fd)
		}
	}
	b.ending = b.ending[:0]
}

// finishEnd does what Shutdown or Close had to put off.
func (b *batch) finishEnd(fd int, w *watched) {
	switch {
	case w.flags&watchedClosed != 0:
		b.lingering = slices.DeleteFunc(b.lingering, func(l lingering) bool { return l.fd == fd })
		b.forget(w)
		b.system.Close(fd)
	case w.flags&watchedFIN != 0:
		w.flags &^= watchedFIN
		b.system.Shutdown(fd)
	}
}

// linger gives a closed socket time to take its bytes, as the kernel would. The
// oldest has to make room for it.
func (b *batch) linger(fd int) {
	if len(b.lingering) == lingeringMax {
		b.Reset(b.lingering[0].fd)
	}
	b.lingering = append(b.lingering, lingering{fd, b.Now().Add(lingerTime)})
}

// untilLinger resets who has lingered too long and returns how long Wait may
// wait for the others.
func (b *batch) untilLinger(timeout time.Duration) time.Duration {
	if len(b.lingering) == 0 {
		return timeout
	}
	now := b.Now()
	for len(b.lingering) > 0 && b.lingering[0].until <= now {
		b.Reset(b.lingering[0].fd)
	}
	if len(b.lingering) == 0 {
		return timeout
	}
	if left := b.lingering[0].until.Sub(now); timeout < 0 || left < timeout {
		return left
	}
	return timeout
}

// Reset sends what waits before the RST, as if it had not waited.
func (b *batch) Reset(fd int) {
	if w := b.stream(fd); w != nil {
		if w.sendsTurn == b.sendsTurn {
			b.flush()
		}
		b.lingering = slices.DeleteFunc(b.lingering, func(l lingering) bool { return l.fd == fd })
		b.forget(w)
	}
	b.system.Reset(fd)
}

// forget gives back what w holds.
func (b *batch) forget(w *watched) {
	b.dropReceived(w)
	b.dropRest(w)
	*w = watched{}
}

// free gives everything back. Sockets that linger get a last chance.
func (b *batch) free() {
	b.flush()
	for deadline := b.Now().Add(freeTime); len(b.lingering) > 0; {
		fds := make([]unix.PollFd, len(b.lingering))
		for i, l := range b.lingering {
			fds[i] = unix.PollFd{Fd: int32(l.fd), Events: unix.POLLOUT}
		}
		left := deadline.Sub(b.Now())
		if n, err := unix.Poll(fds, max(milliseconds(left), 0)); n == 0 || err != nil && err != syscall.EINTR {
			break
		}
		for _, f := range fds {
			if f.Revents != 0 {
				b.sendRest(int(f.Fd), b.watch(int(f.Fd)))
			}
		}
	}
	for _, l := range b.lingering {
		b.system.Close(l.fd)
	}
	if b.ring != nil {
		b.ring.close()
		unix.Munmap(b.memory)
	}
	b.system.Close(b.epfd)
	*b = batch{epfd: -1}
}
