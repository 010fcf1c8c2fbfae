package simkernel

import (
	"fmt"
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
)

// A pipe is what splice moves bytes through.
type pipe struct {
	bytes []byte
	max   int
	ends  int // open
}

// A pipeEnd is one of its two descriptors.
type pipeEnd struct {
	watch
	*pipe
	writes bool
}

func (e *pipeEnd) poll() evloop.Ready { return 0 } // no loop watches pipes
func (e *pipeEnd) release()           { e.ends-- }
func (e *pipeEnd) String() string     { return fmt.Sprintf("pipe with %d bytes", len(e.bytes)) }

// Pipe implements evloop.Kernel.
func (k *Kernel) Pipe(size int) (r, w int, errno syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if size <= 0 {
		size = pipeDefault
	}
	p := &pipe{max: size, ends: 2}
	if r, errno = k.install(&pipeEnd{pipe: p}); errno != 0 {
		return -1, -1, errno
	}
	if w, errno = k.install(&pipeEnd{pipe: p, writes: true}); errno != 0 {
		k.remove("close", r)
		return -1, -1, errno
	}
	return r, w, 0
}

// Splice implements evloop.Kernel, between a socket and a pipe.
func (k *Kernel) Splice(from, to, max int) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, ok := k.file("splice", to).(*pipeEnd); ok && p.writes {
		return k.spliceIn(k.sock("splice", from), p, max)
	}
	if p, ok := k.file("splice", from).(*pipeEnd); ok && !p.writes {
		return k.spliceOut(p, k.sock("splice", to), max)
	}
	return 0, syscall.EINVAL
}

// spliceIn: a full pipe hides the end of file and errors.
func (k *Kernel) spliceIn(s *sock, p *pipeEnd, most int) (int, syscall.Errno) {
	if len(p.bytes) >= p.max {
		return 0, syscall.EAGAIN
	}
	if eof, errno := s.receivable(); eof || errno != 0 {
		return 0, errno
	}
	n := min(most, len(s.in), p.max-len(p.bytes))
	if n > 1 && k.roll(k.Faults.ShortRead) {
		n = 1 + k.rng.IntN(n) // out of pages; the socket is not drained
	}
	p.bytes = append(p.bytes, s.in[:n]...)
	s.take(n)
	return n, 0
}

func (k *Kernel) spliceOut(p *pipeEnd, s *sock, most int) (int, syscall.Errno) {
	if len(p.bytes) == 0 {
		if p.ends < 2 {
			return 0, 0
		}
		return 0, syscall.EAGAIN
	}
	n, errno := s.give(p.bytes[:min(most, len(p.bytes))])
	p.bytes = p.bytes[n:]
	return n, errno
}
