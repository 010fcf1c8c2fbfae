package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
)

// A half is one direction of a relay: bytes read from one socket and not yet
// written to the other. While nothing waits it holds no memory.
type half struct {
	buf   *buffer.Buffer // read, not written; nil when empty
	pipe  pipe           // the kernel's buffer of a spliced flow; zero when not spliced
	moved int64          // bytes written
	full  uint8          // reads in a row that filled the buffer: a long flow
	eof   bool           // the source has sent FIN
	shut  bool           // we have sent FIN on
	lost  bool           // the destination has gone; nothing more is moved
}

// A pipe is what splice(2) moves bytes through.
type pipe struct {
	r, w int32
	size int32
	held int32 // bytes in it
}

const (
	spliceAfterReads = 3         // full buffers in a row before a flow is spliced
	pipeSizeDefault  = 1 << 20   // bytes asked of the kernel; it may give less
	pipeSizeMin      = 1 << 16   // bytes that a flow may fill, however many flows there are
	pipesShare       = 256 << 20 // bytes that all pipes may hold, while each has more than pipeSizeMin
	splicePieceMin   = 256 << 10 // bytes for which a turn's second splice is worth its calls
	spliceDueMax     = 4         // with more who are due a spliced flow comes after them: short pieces cost much more than long ones
	spliceDiscount   = 4         // a spliced byte costs less than a copied one by at least this (decision 0014)
)

// A haltReason says why a half stopped moving bytes.
type haltReason uint8

const (
	haltIdle   haltReason = iota // the source has nothing more
	haltFull                     // the destination takes no more
	haltBudget                   // this turn's share is used up; more can be moved
	haltEOF                      // the source has ended and all is written
	haltSource                   // reading failed
	haltDest                     // writing failed
)

// move relays from src to dst until one of them blocks or the budget of bytes
// is used. Back-pressure is here: while bytes wait for dst, src is not read.
func (h *half) move(w *worker, src, dst *stream) haltReason {
	budget := w.relayShare()
	if h.pipe.size > 0 {
		budget = w.spliceBudget(budget)
	}
	for budget > 0 {
		if h.pipe.size > 0 {
			why, n := h.spliceOnce(w, src, dst, budget)
			budget -= n
			if why != haltBudget {
				return why
			}
			continue
		}
		if why := h.flush(w, dst); why != haltIdle {
			return why
		}
		if h.eof {
			return haltEOF
		}
		if src.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
			return haltIdle
		}
		why, n := h.copyOnce(w, src, dst)
		budget -= n
		if why != haltBudget {
			return why
		}
		if !w.p.tune.NoSplice && src.plain() && dst.plain() && h.full >= spliceAfterReads && h.buf == nil {
			h.pipe = w.takePipe()
			h.full = 0
		}
	}
	return haltBudget
}

// flush writes what waits. haltIdle: nothing waits any more.
func (h *half) flush(w *worker, dst *stream) haltReason {
	if h.buf == nil {
		return haltIdle
	}
	n, res := dst.Write(h.buf.Bytes())
	switch res {
	case evloop.Done:
		h.moved += int64(n)
		h.buf.Consume(n)
		if h.buf.Len() > 0 {
			return haltFull
		}
		w.pool.Put(h.buf)
		h.buf = nil
		return haltIdle
	case evloop.Again:
		return haltFull
	}
	return haltDest
}

// copyOnce reads once and writes once. What dst does not take is kept.
func (h *half) copyOnce(w *worker, src, dst *stream) (haltReason, int) {
	n, res := src.Read(w.in)
	switch res {
	case evloop.Again:
		return haltIdle, 0
	case evloop.EOF:
		h.eof = true
		return haltEOF, 0
	case evloop.Failed:
		return haltSource, 0
	}
	if n == len(w.in) {
		h.full = min(h.full+1, spliceAfterReads)
	} else {
		h.full = 0
	}
	wrote, res := dst.Write(w.in[:n])
	if res == evloop.Failed {
		return haltDest, n
	}
	h.moved += int64(wrote)
	if wrote < n {
		h.keep(w, w.in[wrote:n])
		return haltFull, n
	}
	return haltBudget, n
}

func (h *half) keep(w *worker, p []byte) {
	if len(p) == 0 {
		return
	}
	if h.buf == nil {
		h.buf = w.pool.Take(len(p))
	}
	h.buf.Append(p)
}

// prepend puts p, which does not count as moved, before what waits.
func (h *half) prepend(w *worker, p []byte) {
	rest := h.buf
	h.buf = w.pool.TakeLarge(len(p) + h.waiting())
	h.buf.Append(p)
	if rest != nil {
		h.buf.Append(rest.Bytes())
		w.pool.Put(rest)
	}
	h.moved -= int64(len(p))
}

func (h *half) waiting() int {
	if h.buf == nil {
		return 0
	}
	return h.buf.Len()
}

// idleTimes are the times that the two sides have left: while bytes wait for
// one of them alone, the other is not to blame.
func idleTimes(up, down *half, client, server time.Duration) (c, s time.Duration) {
	switch waits := down.pending(); {
	case waits == up.pending():
	case waits && client > 0:
		server = 0
	case !waits && server > 0:
		client = 0
	}
	return client, server
}

// broke takes the pending error of a connection that nobody reads from now.
// After FIN both ways a connection is ready for an error and has none.
func broke(fd *stream) bool {
	return fd.Ready()&evloop.ReadyErr != 0 && fd.SocketError() != 0
}

// spliceOnce fills the pipe from src and empties it into dst. A flow that has
// become short leaves the pipe, since two system calls per piece cost more
// than a copy.
func (h *half) spliceOnce(w *worker, src, dst *stream, budget int) (haltReason, int) {
	if h.pipe.held == 0 && h.eof { // its time was over while it was spliced
		h.leavePipe(w)
		return haltEOF, 0
	}
	if h.pipe.held == 0 {
		switch _, res := h.pipe.fill(src, spliceShare(budget)); res {
		case evloop.Again:
			h.leavePipe(w)
			return haltIdle, 0
		case evloop.EOF:
			h.eof = true
			h.leavePipe(w)
			return haltEOF, 0
		case evloop.Failed:
			return haltSource, 0
		}
	}
	n, res := h.pipe.drain(dst)
	switch res {
	case evloop.Again:
		return haltFull, 0
	case evloop.EOF, evloop.Failed:
		return haltDest, 0
	}
	h.moved += int64(n)
	return haltBudget, spliceEffort(n, budget) // a short splice proves nothing: only EAGAIN does
}

// spliceBudget is what a spliced flow has instead of budget, its share of a turn.
// Where many are due it has nothing now, and a whole turn's when it comes again:
// short pieces cost much more than long ones.
func (w *worker) spliceBudget(budget int) int {
	switch {
	case w.loop.Due() <= spliceDueMax:
		return budget
	case w.loop.Timed():
		return relayBytesPerTurn
	}
	return 0
}

// spliceShare is how many bytes may be spliced with budget left.
func spliceShare(budget int) int64 { return max(int64(budget)*spliceDiscount, pipeSizeMin) }

// spliceEffort is what n spliced bytes take of budget. Too little for another long
// piece is not left.
func spliceEffort(n, budget int) int {
	cost := n / spliceDiscount
	if budget-cost < splicePieceMin/spliceDiscount {
		return budget
	}
	return max(cost, 1)
}

// fill moves at most max bytes from src to p, which must be empty.
func (p *pipe) fill(src *stream, max int64) (int, evloop.Result) {
	n, res := src.SpliceFrom(int(p.w), int(min(int64(p.size), max)))
	p.held = int32(n)
	return n, res
}

// drain moves what p holds to dst.
func (p *pipe) drain(dst *stream) (int, evloop.Result) {
	n, res := dst.SpliceTo(int(p.r), int(p.held))
	p.held -= int32(n)
	return n, res
}

// leavePipe gives an empty pipe back.
func (h *half) leavePipe(w *worker) {
	w.putPipe(h.pipe)
	h.pipe = pipe{}
}

// pending reports whether bytes wait for the destination.
func (h *half) pending() bool { return h.buf != nil || h.pipe.held > 0 }

// release gives all memory and pipes back; waiting bytes are lost.
func (h *half) release(w *worker) {
	if h.buf != nil {
		w.pool.Put(h.buf)
		h.buf = nil
	}
	if h.pipe.size > 0 {
		w.putPipe(h.pipe)
		h.pipe = pipe{}
	}
}

// takePipe returns an empty pipe, or a zero one when the bound on pipes
// (maxpipes) or on descriptors is reached: the flow is then copied.
func (w *worker) takePipe() pipe {
	if n := len(w.pipes); n > 0 {
		p := w.pipes[n-1]
		w.pipes = w.pipes[:n-1]
		p.size = w.pipeSize()
		return p
	}
	if w.p.pipes.Add(1) > w.p.maxPipes {
		w.p.pipes.Add(-1)
		return pipe{}
	}
	ask := w.p.tune.PipeSize
	if ask == 0 {
		ask = pipeSizeDefault
	}
	r, wr, errno := w.loop.Kernel().Pipe(ask)
	if errno != 0 {
		w.p.pipes.Add(-1)
		return pipe{}
	}
	return pipe{r: int32(r), w: int32(wr), size: w.pipeSize()}
}

// pipeSize is how many bytes a flow may fill its pipe with: tune.pipesize, or a
// fair share of what all pipes may hold, since slow readers leave them full.
func (w *worker) pipeSize() int32 {
	if size := w.p.tune.PipeSize; size > 0 {
		return int32(size)
	}
	share := pipesShare / max(w.p.pipes.Load(), 1)
	return int32(min(max(share, pipeSizeMin), pipeSizeDefault))
}

// putPipe keeps an empty pipe for the next flow; one with bytes in it is
// closed.
func (w *worker) putPipe(p pipe) {
	if p.size == 0 {
		return
	}
	if p.held == 0 && len(w.pipes) < pipesKeptMax {
		w.pipes = append(w.pipes, p)
		return
	}
	w.closePipe(p)
}

func (w *worker) closePipe(p pipe) {
	k := w.loop.Kernel()
	k.Close(int(p.r))
	k.Close(int(p.w))
	w.p.pipes.Add(-1)
}

// closePipes closes those that are kept.
func (w *worker) closePipes() {
	for _, p := range w.pipes {
		w.closePipe(p)
	}
	w.pipes = nil
}
