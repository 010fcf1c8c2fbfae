package proxy

import (
	"syscall"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// A hunter is a session that wants a server. Each call may end the session.
type hunter interface {
	serverUser
	// huntRequest fills what the choice of a server depends on.
	huntRequest(r *balancer.Request)
	// huntReuse returns an idle connection that may carry the request, or nil.
	huntReuse(srv *server) *serverConn
	// huntRedirect sends the client to the server itself ("redir"); false: the
	// request is one that must be passed on.
	huntRedirect(now evloop.Time, srv *server) bool
	// huntDone: the connection is h.sc; nothing was sent on it.
	huntDone(now evloop.Time)
	// huntFailed: no server, no slot or no connection; all is given back.
	huntFailed(now evloop.Time, why Cause, at phase)
	// huntMailOver: the memory that end kept is free.
	huntMailOver()
	client() *clientConn
	record() *expr.Record
	fillEnv(now evloop.Time) *expr.Env
}

// A hunt is how one session or request gets its server: a slot, then a
// connection, with retries and redispatch (manual "retries", "option
// redispatch"). It is the same for every protocol.
type hunt struct {
	w      *worker
	owner  hunter
	be     *backend
	srv    *server
	sc     *serverConn
	waiter balancer.Waiter
	letter evloop.Letter
	timer  evloop.Timer

	state        huntState
	slot         bool // srv counts us
	reused       bool // sc carried requests before
	mailed       bool // a grant letter is under way: the memory must stay
	fresh        bool // no idle connection: the last one turned out to be dead
	redispatched bool
	left         int     // retries not yet used
	tries        int     // retries used
	avoid        *server // the server that failed last

	started   evloop.Time // entered the queue or asked for a slot
	granted   evloop.Time // got the slot; zero: never
	connected evloop.Time // has the connection; zero: never
}

// A huntState says what a hunt waits for.
type huntState uint8

const (
	huntIdle    huntState = iota // nothing: not started, or over
	huntQueued                   // a slot
	huntConnect                  // the end of connect(2)
	huntPause                    // the turn-around time before the same server is tried again
	huntHeld                     // nothing: the connection is in use and the slot is held
)

const (
	huntQueueTimer = iota // timeout queue
	huntPauseTimer        // turn-around before a retry on the same server
)

const retryPauseMax = time.Second // manual "retries"

func (h *hunt) init(w *worker, owner hunter) {
	h.w, h.owner = w, owner
	h.waiter.Granter = h
}

// start begins the hunt for a server of be.
func (h *hunt) start(now evloop.Time, be *backend) {
	h.be = be
	h.waiter.SrvPos, h.waiter.BackPos = 0, 0 // of an earlier request that queued
	h.left = be.retries
	h.started = now
	h.acquire(now)
}

func (h *hunt) acquire(now evloop.Time) {
	r := &h.w.bal
	*r = balancer.Request{Now: time.Duration(now)}
	h.owner.huntRequest(r)
	if h.avoid != nil && h.redispatched {
		r.Sticky, r.StickyStrict, r.Exclude = nil, false, h.avoid.bal
	}
	s, verdict := h.be.live.bal.Acquire(&h.waiter, r)
	switch verdict {
	case balancer.Granted:
		h.take(now, h.be.servers[s.Index()])
	case balancer.Queued:
		h.state = huntQueued
		if d := h.be.timeouts.queue; d > 0 {
			h.w.loop.SetTimer(&h.timer, h, huntQueueTimer, now.Add(d))
		}
	case balancer.QueueFull:
		h.be.live.counters[h.w.id].queueFull.inc()
		h.fail(now, CauseQueueFull, phaseQueue)
	case balancer.NoServer:
		h.fail(now, CauseNoServer, phaseConnect)
	}
}

// take uses the slot on srv: an idle connection if the session may, else a
// new one.
func (h *hunt) take(now evloop.Time, srv *server) {
	h.srv, h.slot, h.granted = srv, true, now
	if h.redispatched && srv != h.avoid {
		h.be.live.counters[h.w.id].redispatch.inc()
		srv.live.counters[h.w.id].redispatch.inc()
	}
	if srv.spec.Redirect != "" && h.owner.huntRedirect(now, srv) {
		return
	}
	if !h.fresh {
		if sc := h.owner.huntReuse(srv); sc != nil {
			h.sc, h.reused = sc, true
			h.owner.record().Reached(sc.dst, sc.src)
			h.hold(now)
			return
		}
	}
	h.connect(now)
}

func (h *hunt) connect(now evloop.Time) {
	h.reused = false
	sc, errno := h.w.dial(h.srv, h.owner)
	if errno != 0 {
		h.connectFailed(now, causeOfDial(errno))
		return
	}
	h.sc, h.state = sc, huntConnect
	if d := h.be.timeouts.connect; d > 0 && (sc.state == connOpening || h.srv.tls != nil) {
		sc.setDeadline(now.Add(d))
	}
	if sc.state == connBusy {
		sc.connected(now)
	}
}

// hold ends the hunt well.
func (h *hunt) hold(now evloop.Time) {
	h.state, h.connected = huntHeld, now
	h.owner.huntDone(now)
}

// causeOfDial tells our own lack of ports, descriptors or memory from the
// server's refusal.
func causeOfDial(errno syscall.Errno) Cause {
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EACCES, syscall.EPERM:
		return CauseResource
	}
	return CauseServerAbort
}

// connectFailed gives the attempt up and decides about the next one.
func (h *hunt) connectFailed(now evloop.Time, why Cause) {
	srv := h.srv
	h.dropConn()
	h.be.live.counters[h.w.id].connFailed.inc()
	srv.live.counters[h.w.id].connFailed.inc()
	if why != CauseResource {
		srv.observe(health.ObservedConnect)
	}
	if h.left <= 0 || why == CauseResource {
		h.releaseSlot()
		h.fail(now, why, phaseConnect)
		return
	}
	h.left--
	h.tries++
	h.avoid = srv
	if h.be.redispatchNow(h.left, h.tries) {
		h.redispatched = true
		h.releaseSlot()
		h.acquire(now)
		return
	}
	h.be.live.counters[h.w.id].retries.inc()
	srv.live.counters[h.w.id].retries.inc()
	h.state = huntPause
	pause := retryPauseMax
	if d := h.be.timeouts.connect; d > 0 && d < pause {
		pause = d
	}
	h.w.loop.SetTimer(&h.timer, h, huntPauseTimer, now.Add(pause))
}

func (h *hunt) fail(now evloop.Time, why Cause, at phase) {
	h.state = huntIdle
	h.owner.huntFailed(now, why, at)
}

// again starts over on a new connection: the idle one was dead before it
// could take the request.
func (h *hunt) again(now evloop.Time) {
	h.dropConn()
	h.fresh = true
	h.connect(now)
}

// SlotGranted is called from whichever goroutine released the slot.
func (h *hunt) SlotGranted(_ *balancer.Waiter, s *balancer.Server) {
	h.letter.Arg = uint64(s.Index())
	h.w.loop.Post(&h.letter, h)
}

// HandleLetter takes the slot, unless the session left meanwhile: leave has
// then given the slot back, and only waits for this letter to be over.
func (h *hunt) HandleLetter(now evloop.Time, l *evloop.Letter) {
	if h.mailed {
		h.mailed = false
		h.owner.huntMailOver()
		return
	}
	if h.state != huntQueued {
		panic("hunt: a slot was granted twice")
	}
	h.w.loop.StopTimer(&h.timer)
	h.take(now, h.be.servers[l.Arg])
}

func (h *hunt) HandleTimeout(now evloop.Time, t *evloop.Timer) {
	switch t.Which() {
	case huntQueueTimer:
		h.abandonQueue()
		h.be.live.counters[h.w.id].queueTimeout.inc()
		h.fail(now, CauseQueueTimeout, phaseQueue)
	case huntPauseTimer:
		h.retrySame(now)
	}
}

// retrySame tries the server of the last attempt again, if it still stands.
func (h *hunt) retrySame(now evloop.Time) {
	if h.srv.bal.State() == balancer.StateUp {
		h.connect(now)
		return
	}
	h.releaseSlot()
	h.acquire(now)
}

func (h *hunt) HandleReady(evloop.Time, *evloop.FD) {}

// abandonQueue leaves the queue; a grant that crossed us on its way is given
// back.
func (h *hunt) abandonQueue() {
	if s, granted := h.be.live.bal.Leave(&h.waiter); granted {
		h.be.live.bal.Release(s)
		h.mailed = true
	}
	h.state = huntIdle
}

// dropConn closes the connection, in use or being opened.
func (h *hunt) dropConn() {
	if h.sc != nil {
		h.sc.close()
		h.sc = nil
	}
}

func (h *hunt) releaseSlot() {
	if h.slot {
		h.slot = false
		h.be.live.bal.Release(h.srv.bal)
	}
}

// end gives back whatever the hunt holds, in any state. It reports whether
// the memory may be used again at once; if not, huntMailOver says when.
func (h *hunt) end() (free bool) {
	if h.state == huntQueued {
		h.abandonQueue()
	}
	h.w.loop.StopTimer(&h.timer)
	h.dropConn()
	h.releaseSlot()
	h.state = huntIdle
	return !h.mailed
}

// endedFree reports whether the memory of an ended hunt may be used again.
func (h *hunt) endedFree() bool { return !h.mailed }

// reset makes an ended hunt ready for another request of the same owner.
func (h *hunt) reset() {
	h.be, h.srv, h.sc, h.avoid = nil, nil, nil, nil
	h.state = huntIdle
	h.slot, h.reused, h.fresh, h.redispatched = false, false, false, false
	h.left, h.tries = 0, 0
	h.started, h.granted, h.connected = 0, 0, 0
}
