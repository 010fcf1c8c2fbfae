package proxy

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
)

// A door is one listening socket with the frontend behind it. It outlives
// plans: each new request looks its frontend up in the plan of the moment.
type door struct {
	socket   *listener.Socket
	spec     listener.Spec
	name     string // of the frontend
	index    int    // of the frontend in the plan
	front    *liveFrontend
	conns    atomic.Int64 // bind maxconn
	counters []frontCounters
	proxy    bool        // accept-proxy
	tls      *tls.Server // nil: clear
}

// A doorWatch is a door as one loop watches it.
type doorWatch struct {
	w      *worker
	door   *door
	fd     evloop.FD
	timer  evloop.Timer // after an accept that failed for lack of descriptors
	paused bool
}

const acceptRetry = 100 * time.Millisecond // before accept is tried again when descriptors ran out

// HandleReady takes a bounded number of connections; the socket is
// level-triggered, so the rest comes back with the next turn.
func (d *doorWatch) HandleReady(now evloop.Time, fd *evloop.FD) {
	for range d.w.p.tune.MaxAccept {
		if d.w.p.full(d.door) {
			d.pause()
			if d.w.p.full(d.door) {
				return
			}
			d.resume() // who left between the two looks may have seen no paused door
		}
		num, from, errno := d.w.loop.Kernel().Accept(fd.Num())
		if errno != 0 {
			d.acceptFailed(now, errno)
			return
		}
		d.w.accept(now, d.door, num, from)
	}
}

func (d *doorWatch) acceptFailed(now evloop.Time, errno syscall.Errno) {
	switch errno {
	case syscall.EAGAIN, syscall.ECONNABORTED, syscall.EINTR, syscall.EPROTO:
		return
	}
	// Out of descriptors or memory: level-triggered readiness would spin.
	d.w.p.acceptFailures.Add(1)
	d.w.p.warnResource(errno)
	d.pause()
	d.w.loop.SetTimer(&d.timer, d, 0, now.Add(acceptRetry))
}

func (d *doorWatch) HandleTimeout(evloop.Time, *evloop.Timer) { d.resume() }

func (d *doorWatch) HandleLetter(evloop.Time, *evloop.Letter) {}

func (d *doorWatch) pause() {
	if !d.paused {
		d.paused = true
		d.w.loop.PauseListener(&d.fd)
		d.w.p.pausedDoors.Add(1)
	}
}

func (d *doorWatch) resume() {
	if d.paused && d.fd.IsOpen() {
		d.paused = false
		d.w.p.pausedDoors.Add(-1)
		d.w.loop.ResumeListener(&d.fd)
	}
}

// close stops watching. The socket itself belongs to the Proxy: closing it
// here would reset what waits in its queue for other loops.
func (d *doorWatch) close() {
	if !d.fd.IsOpen() {
		return
	}
	d.w.loop.StopTimer(&d.timer)
	d.w.loop.Detach(&d.fd)
	if d.paused {
		d.paused = false
		d.w.p.pausedDoors.Add(-1)
	}
}

// closeDoors is for the last loop that stops accepting: who waits in the queue
// of a socket would be reset by its end, so all that fit come in first.
func (w *worker) closeDoors(now evloop.Time) {
	for _, d := range w.p.doors {
		for !w.p.full(d) {
			num, from, errno := w.loop.Kernel().Accept(d.socket.FD)
			if errno != 0 {
				break
			}
			w.accept(now, d, num, from)
		}
	}
	w.p.closeSockets()
}

func (w *worker) resumeDoors() {
	for _, d := range w.doors {
		d.resume()
	}
}

// full reports whether a limit forbids one more connection through d: the
// process's, the frontend's or the bind's maxconn.
func (p *Proxy) full(d *door) bool {
	return p.conns.Load() >= p.maxConn ||
		d.front.conns.Load() >= d.front.maxConn.Load() ||
		d.spec.MaxConn > 0 && d.conns.Load() >= int64(d.spec.MaxConn)
}

func (p *Proxy) enter(d *door) {
	p.conns.Add(1)
	d.front.conns.Add(1)
	d.conns.Add(1)
}

// leave frees one place; if a door was paused, all loops look again.
func (w *worker) leave(d *door) {
	p := w.p
	p.conns.Add(-1)
	d.front.conns.Add(-1)
	d.conns.Add(-1)
	if p.pausedDoors.Load() > 0 {
		p.resumeAll()
	}
}

// accept starts a session on a connection.
func (w *worker) accept(now evloop.Time, d *door, num int, from netip.AddrPort) {
	w.p.enter(d)
	pl := w.p.plan.Load()
	fe := pl.frontends[d.index]
	counters := &d.front.counters[w.id]
	counters.accepted.inc()
	var s clientSession
	switch fe.mode {
	case ModeHTTP:
		s = w.takeH1()
	case ModeTCP:
		s = w.takeTCP()
	}
	c := s.conn()
	c.src = unmapped(from)
	if !d.socket.UNIX {
		fe.tuneClient(w, num)
	}
	if !c.open(w, s, d, num) {
		s.freed()
		w.leave(d)
		return
	}
	if len(fe.tcpConnection) > 0 && !w.admit(fe, c, fe.tcpConnection) {
		s.refuse(now, true)
		return
	}
	c.greeting, c.securing = d.proxy, d.tls != nil
	if c.greeting || c.securing {
		if t := fe.timeouts.client; t > 0 {
			c.setDeadline(now.Add(t))
		}
	}
	// Most clients have sent their request by now (always with
	// defer-accept): look at once instead of waiting for the event.
	s.begin(now)
}
