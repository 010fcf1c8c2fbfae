package proxy

import (
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/tls"
)

// Bounds of one loop. Every list, batch and turn has one.
const (
	buffersKeptMax    = 256         // free buffers of one class kept by a loop
	exchangesKeptMax  = 1024        // finished exchanges kept for the next requests
	connsKeptMax      = 1024        // closed connection structures kept, of each kind
	relayBytesPerTurn = 1 << 18     // per session and event
	requestsPerTurn   = 16          // pipelined requests answered before others have their turn
	pipesKeptMax      = 64          // empty pipes kept for the next long flow
	tickInterval      = time.Second // rates are sampled, the wall clock is read
	lingerMax         = 8 << 10     // bytes read from a client after our last answer
	lingerTimeout     = time.Second // how long we read them
)

// A worker is one loop and what only its goroutine touches: connections,
// free lists, scratch memory. Nothing in it is locked.
type worker struct {
	p    *Proxy
	id   int
	loop *evloop.Loop
	pool *buffer.Pool

	in  []byte // where sockets are read when their connection holds no buffer
	out []byte // where heads and chunks are built before they are written
	env expr.Env
	bal balancer.Request
	key []byte // what a hashing algorithm hashes
	log []byte

	logData []byte      // structured data of a log line
	refused expr.Record // of a connection that ended before any session
	// payload is where rules see a chunked body without its chunks; nil until the
	// first does.
	payload []byte
	own     ownAnswer

	doors   []*doorWatch
	sealing *tls.Scratch   // of connections that speak TLS
	shakes  handshakeQueue // handshake.go
	clients clientList     // every client connection of this loop

	freeExchanges                   *exchange
	freeH1                          *h1Client
	freeTCP                         *tcpSession
	freeH2                          *h2Client
	freeH2Streams                   *h2Stream
	nH2, nH2Streams                 int
	h2                              *h2Scratch // nil until a client speaks HTTP/2
	freeServers                     *serverConn
	nExchanges, nH1, nTCP, nServers int
	made                            madeCounts
	pipes                           []pipe

	tick     evloop.Timer
	wallBase time.Time // wall clock at monoBase
	monoBase evloop.Time

	softStop     evloop.Letter
	resumeLetter evloop.Letter
	draining     bool    // no new connections, keep-alive ends with the next answer
	live         int     // client connections of this loop
	idle         int     // idle server connections of this loop
	requests     counter // and TCP sessions, of this loop
}

// madeCounts says how many structures of each kind were made so far. Those that
// are not in a free list are in use, as long as the lists are not full.
type madeCounts struct{ exchanges, h1, tcp, servers, h2, h2Streams int }

func newWorker(p *Proxy, id int, loop *evloop.Loop) *worker {
	t := p.tune
	w := &worker{
		p:    p,
		id:   id,
		loop: loop,
		pool: buffer.NewPool(t.BufSize, buffersKeptMax),
		in:   make([]byte, t.BufSize),
		out:  make([]byte, 0, 2*t.BufSize+1024),
		log:  make([]byte, 0, 4096),
	}
	w.sealing = tls.NewScratch(w.pool)
	w.softStop.Kind, w.resumeLetter.Kind = letterSoftStop, letterResume // here: several loops may post them at once
	w.env.Scratch = expr.NewScratch(uint64(id) + p.seed)
	w.env.Process = p.process
	w.env.Live = p
	w.env.Loop = id + 1
	w.setWallClock(loop.Now())
	return w
}

func (w *worker) setWallClock(now evloop.Time) {
	w.wallBase, w.monoBase = w.p.wallClock(), now
}

// wall is the date at t, a recent reading of the loop's clock.
func (w *worker) wall(t evloop.Time) time.Time {
	return w.wallBase.Add(t.Sub(w.monoBase))
}

// Worker letters.
const (
	letterSoftStop = 1 + iota // stop accepting, let sessions end
	letterResume              // a connection was closed: paused binds may accept again
)

func (w *worker) HandleReady(evloop.Time, *evloop.FD) {}

func (w *worker) HandleTimeout(now evloop.Time, t *evloop.Timer) {
	w.setWallClock(now)
	if w.id == 0 {
		w.p.sampleRates()
		w.p.tickBackends(now)
	}
	w.loop.SetTimer(&w.tick, w, 0, now.Add(tickInterval))
}

func (w *worker) HandleLetter(now evloop.Time, l *evloop.Letter) {
	switch l.Kind {
	case letterSoftStop:
		w.beginDrain(now)
	case letterResume:
		w.resumeDoors()
	}
}

// beginDrain closes the doors and the idle clients; busy ones leave with
// their next answer.
func (w *worker) beginDrain(now evloop.Time) {
	w.draining = true
	w.stopChecks()
	for _, d := range w.doors {
		d.close()
	}
	for c := w.clients.first; c != nil; {
		next := c.next
		c.owner.drain(now)
		c = next
	}
	if w.p.watching.Add(-1) == 0 {
		w.closeDoors(now)
	}
}

// cut ends every connection. The loop has stopped.
func (w *worker) cut() {
	now := w.loop.Now()
	for w.clients.first != nil {
		w.clients.first.owner.kill(now)
	}
	for _, be := range w.p.plan.Load().backends {
		for _, srv := range be.servers {
			for pool := &srv.live.pools[w.id]; pool.idle.first != nil; {
				pool.idle.first.reset()
			}
		}
	}
	for _, d := range w.doors {
		d.close()
	}
	w.closePipes()
	w.loop.StopTimer(&w.tick)
}

// A clientList holds a loop's client connections, newest first.
type clientList struct{ first *clientConn }

func (l *clientList) add(c *clientConn) {
	c.prev, c.next = nil, l.first
	if l.first != nil {
		l.first.prev = c
	}
	l.first = c
}

func (l *clientList) remove(c *clientConn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}
