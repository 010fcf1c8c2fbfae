package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// This file is the pool of idle server connections (manual 5.2 pool-max-conn
// and pool-purge-delay, 4.2 http-reuse; docs/decisions/0012).

const (
	idleLookMax   = 64                   // connections looked at for one request
	purgeBatchMax = 256                  // connections closed per event of a purge
	purgePause    = 2 * time.Millisecond // between the batches of one purge
)

// A serverPool is what one loop has open to one server. Idle connections do not
// outnumber what demand has seen in use at once. While there are any, the timer
// runs; it goes off at the end of each window of demand and has half of those
// leave that are not needed, the least recently used first.
type serverPool struct {
	idle   serverList // most recently used first
	nIdle  int
	busy   serverList
	nBusy  int
	demand demand

	purge   evloop.Timer
	window  time.Duration // pool-purge-delay
	leaving int           // of the purge under way: still to be closed

	_ [64]byte // the next loop's pool is in another cache line
}

func (p *serverPool) addBusy(sc *serverConn) {
	p.demand.advance(sc.w.loop.Now(), sc.srv.purgeDelay, p.nBusy)
	p.busy.add(sc)
	p.nBusy++
	p.demand.saw(p.nBusy)
}

func (p *serverPool) removeBusy(sc *serverConn) {
	p.demand.advance(sc.w.loop.Now(), sc.srv.purgeDelay, p.nBusy)
	p.busy.remove(sc)
	p.nBusy--
}

func (p *serverPool) addIdle(sc *serverConn) {
	p.idle.add(sc)
	p.nIdle++
	sc.w.idle++
	p.window = sc.srv.purgeDelay
	if p.purge.Deadline() == 0 {
		sc.w.loop.SetTimer(&p.purge, p, 0, p.demand.ends)
	}
}

func (p *serverPool) removeIdle(sc *serverConn) {
	p.idle.remove(sc)
	p.nIdle--
	sc.w.idle--
	if sc.counted {
		sc.counted = false
		sc.srv.live.parked.Add(-1)
	}
	if p.nIdle == 0 {
		p.leaving = 0
		sc.w.loop.StopTimer(&p.purge)
	}
}

// surplus is how many connections are open beyond what may be needed. All of
// them are idle, for those in use are needed.
func (p *serverPool) surplus() int { return max(p.nIdle+p.nBusy-p.demand.needed(), 0) }

// HandleTimeout is the purge.
func (p *serverPool) HandleTimeout(now evloop.Time, _ *evloop.Timer) {
	p.demand.advance(now, p.window, p.nBusy)
	surplus := p.surplus()
	if p.leaving == 0 {
		p.leaving = (surplus + 1) / 2
	}
	p.leaving = min(p.leaving, surplus)
	n := min(p.leaving, purgeBatchMax)
	p.leaving -= n
	next := p.demand.ends
	if p.leaving > 0 {
		next = now.Add(purgePause)
	}
	if n < p.nIdle {
		p.idle.first.w.loop.SetTimer(&p.purge, p, 0, next)
	}
	for range n {
		p.idle.last.reset()
	}
}

func (p *serverPool) HandleReady(evloop.Time, *evloop.FD)      {}
func (p *serverPool) HandleLetter(evloop.Time, *evloop.Letter) {}

// takeIdle gives user the most recently used idle connection to srv, or nil.
// reusedOnly asks for one that has carried more than one request
// (http-reuse aggressive).
func (w *worker) takeIdle(srv *server, user serverUser, reusedOnly bool) *serverConn {
	pool := &srv.live.pools[w.id]
	sc := pool.idle.first
	for looked := 1; sc != nil && (sc.spoke() || sc.srv.addr != srv.addr || reusedOnly && sc.requests < 2); looked++ {
		if looked == idleLookMax {
			return nil
		}
		sc = sc.next
	}
	if sc == nil {
		return nil
	}
	pool.removeIdle(sc)
	sc.state, sc.user, sc.srv = connBusy, user, srv
	pool.addBusy(sc)
	return sc
}

// spoke reports whether bytes or an end are known to have come on a connection
// that nobody uses. Its own event, in the same turn, closes it.
func (sc *serverConn) spoke() bool {
	return sc.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) != 0
}

// putIdle parks a connection whose last response was complete. It is closed
// instead when it may not be used again or there is no room for it.
func (w *worker) putIdle(now evloop.Time, sc *serverConn) {
	spec := sc.srv.spec
	spent := spec.MaxReuse > 0 && int(sc.requests) >= spec.MaxReuse
	none := spec.PoolNone || spec.PoolPurgeDelay < 0
	if none || spent || w.draining || sc.spoke() && !sc.drained() || !w.roomFor(now, sc) {
		sc.reset()
		return
	}
	pool := &sc.srv.live.pools[w.id]
	pool.removeBusy(sc)
	sc.state, sc.user = connIdle, nil
	pool.addIdle(sc)
}

// drained reports whether a connection that may have unread input has none:
// only EAGAIN proves it.
func (sc *serverConn) drained() bool {
	if sc.fd.Ready()&(evloop.ReadyHup|evloop.ReadyErr) != 0 {
		return false
	}
	_, res := sc.fd.Peek(sc.w.in[:1])
	return res == evloop.Again
}

// roomFor reports whether a connection that is done may become idle. When not,
// it is the one that leaves, as with HAProxy.
func (w *worker) roomFor(now evloop.Time, sc *serverConn) bool {
	pool := &sc.srv.live.pools[w.id]
	pool.demand.advance(now, sc.srv.purgeDelay, pool.nBusy)
	return pool.surplus() == 0 && w.idle < w.p.idlePerLoop && (sc.srv.spec.PoolMaxConn <= 0 || sc.count())
}

// count takes one of the places of pool-max-conn, which all loops share.
func (sc *serverConn) count() bool {
	parked := &sc.srv.live.parked
	if parked.Add(1) > int32(sc.srv.spec.PoolMaxConn) {
		parked.Add(-1)
		return false
	}
	sc.counted = true
	return true
}

type serverList struct{ first, last *serverConn }

func (l *serverList) add(sc *serverConn) {
	sc.prev, sc.next = nil, l.first
	if l.first != nil {
		l.first.prev = sc
	} else {
		l.last = sc
	}
	l.first = sc
}

func (l *serverList) remove(sc *serverConn) {
	if sc.prev != nil {
		sc.prev.next = sc.next
	} else {
		l.first = sc.next
	}
	if sc.next != nil {
		sc.next.prev = sc.prev
	} else {
		l.last = sc.prev
	}
	sc.prev, sc.next = nil, nil
}

var _ evloop.Handler = (*serverPool)(nil)
