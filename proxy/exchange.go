package proxy

import (
	"github.com/weir-lb/weir/health"
	"syscall"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// An exchange is one request and its response: rules, backend, server,
// rewrite, relay, log. It is taken from a free list at the first byte of a
// request and put back when the response has ended.
type exchange struct {
	w    *worker
	c    httpClient
	fe   *frontend // of the plan that was current at the first byte
	be   *backend  // nil until one is chosen
	hunt hunt      // hunt.go: slot and connection

	state                exchangeState
	parser               h1.Parser // of the request, then of the response
	req                  message.Head
	res                  message.Head
	resIn                *buffer.Buffer // a response head that is not complete
	up                   body           // body.go: the request's
	probe                body           // reads ahead of up, for option http-buffer-request
	probed               int            // bytes that probe has seen
	down                 body           // body.go: the response's
	rest                 []byte         // what came behind the response head, while rules look at it
	upSplice, downSplice bodySplice     // exchange_splice.go

	tunnel *tunnel // after 101 or a CONNECT that was accepted

	headOnly     bool // the client asked with HEAD
	keep         bool // the client connection may carry another request
	serverKeep   bool // the server connection may
	requestSent  bool // at least the head went out on this connection
	answering    bool // the response head went out: no other answer can be given
	local        bool // the answer is our own
	interimSeen  bool // the server has begun to answer with a 1xx
	bodyCut      bool // the client has sent FIN before the end of its body, which is awaited
	logged       bool // the line was written
	left         bool // the backend does not count us any more
	serverEOF    bool // the server has sent FIN
	held         bool // the server is not read before the client has made room
	mailWait     bool // over, but a grant letter is still under way
	tarpitted    bool
	tarpitAnswer *answer
	cookieServer *server     // named by the persistence cookie
	cookieStands bool        // cookieServer was up when a slot was asked for
	cookieDates  cookieDates // of the client's cookie, if it counts
	logLevel     int         // set-log-level: 0 default, -1 silent, else level+1

	began    evloop.Time // when the request before had ended, or the connection was accepted
	first    evloop.Time // first byte of the request
	headDone evloop.Time // head complete
	answered evloop.Time // response head complete
	sentUp   evloop.Time // the whole request is sent

	rec      expr.Record
	vars     expr.Vars
	line     []byte // copy of the request line, for the log
	captures [2]*expr.Captures
	cookies  [2][]byte // capture cookie: of the request, of the response
	uniqueID []byte
	nextFree *exchange
}

// An exchangeState says what a request waits for.
type exchangeState uint8

const (
	exchangeHead   exchangeState = iota // the client: the rest of the head
	exchangeBody                        // the client: the body, for option http-buffer-request (exchange_body.go)
	exchangeHunt                        // a slot and a connection
	exchangeWait                        // the response head; the request body may still be moving
	exchangeRelay                       // the response body
	exchangeTunnel                      // bytes either way
	exchangeTarpit                      // the end of the tarpit
	exchangeOver                        // nothing
)

func (s exchangeState) String() string {
	return [...]string{"head", "body", "hunt", "wait", "relay", "tunnel", "tarpit", "over"}[s]
}

// exchangeNext[s] holds the states that may follow s. Any state may go to
// exchangeOver.
var exchangeNext = [...]uint8{
	exchangeHead:   1<<exchangeBody | 1<<exchangeHunt | 1<<exchangeTarpit,
	exchangeBody:   1<<exchangeHunt | 1<<exchangeTarpit,
	exchangeHunt:   1 << exchangeWait,
	exchangeWait:   1<<exchangeRelay | 1<<exchangeTunnel | 1<<exchangeHunt,
	exchangeRelay:  1 << exchangeTunnel,
	exchangeTunnel: 0,
	exchangeTarpit: 0,
	exchangeOver:   1 << exchangeHead,
}

func (x *exchange) setState(next exchangeState) {
	if next != exchangeOver && exchangeNext[x.state]&(1<<next) == 0 {
		panic("exchange: " + x.state.String() + " -> " + next.String())
	}
	x.state = next
}

func (w *worker) takeExchange(c httpClient, fe *frontend, now evloop.Time) *exchange {
	x := w.freeExchanges
	if x == nil {
		x = &exchange{w: w, state: exchangeOver}
		w.made.exchanges++
		x.hunt.init(w, x)
		x.req.Fields = make([]message.Field, 0, w.p.tune.HTTPMaxHdr)
		x.res.Fields = make([]message.Field, 0, w.p.tune.HTTPMaxHdr)
	} else {
		w.freeExchanges, x.nextFree = x.nextFree, nil
		w.nExchanges--
	}
	x.setState(exchangeHead)
	x.c, x.fe = c, fe
	x.first, x.began = now, now
	x.parser.Reset()
	x.rec.Reset()
	return x
}

// freed puts a finished exchange back, once no letter for it is under way.
func (x *exchange) freed() {
	w := x.w
	if !x.hunt.endedFree() {
		x.mailWait = true
		return
	}
	x.hunt.reset()
	x.vars.Reset(w.env.Scratch)
	x.c, x.fe, x.be, x.tunnel, x.cookieServer = nil, nil, nil, nil, nil
	x.req.Raw, x.res.Raw, x.rest = nil, nil, nil
	x.up, x.down, x.probe, x.probed = body{}, body{}, body{}, 0
	x.keep, x.serverKeep, x.requestSent, x.answering, x.local = false, false, false, false, false
	x.interimSeen, x.bodyCut, x.cookieStands, x.held = false, false, false, false
	x.serverEOF, x.mailWait, x.tarpitted, x.logged, x.left = false, false, false, false, false
	x.logLevel, x.cookieDates = 0, cookieDates{}
	x.headDone, x.answered, x.sentUp = 0, 0, 0
	x.line, x.uniqueID = x.line[:0], x.uniqueID[:0]
	x.cookies[0], x.cookies[1] = x.cookies[0][:0], x.cookies[1][:0]
	if w.nExchanges < exchangesKeptMax {
		x.nextFree, w.freeExchanges = w.freeExchanges, x
		w.nExchanges++
	}
}

func (x *exchange) huntMailOver() {
	if x.mailWait {
		x.freed()
	}
}

func (x *exchange) client() *clientConn { return x.c.conn() }

// handleRequest: the head is complete. Rules, backend, then the hunt.
func (x *exchange) handleRequest(now evloop.Time) {
	x.up.begin(&x.req, &x.fe.limits)
	x.probe, x.headOnly = x.up, x.req.Method == message.MethodHead
	if x.up.framing == message.BodyChunked && !x.up.plain && !x.chunksLookRight() {
		x.badRequest(now, h1.BadRequest)
		return
	}
	x.headDone = now
	x.keep = x.req.Persistent() && x.fe.connMode != ConnClose && !x.w.draining
	x.fe.counters(x.w).sessions.inc()
	x.noteRequest()
	if !x.greetFrontend(now) || x.fe.spec.HTTPBufferRequest && !x.bodyReady(now) {
		return
	}
	x.enterFrontend(now)
}

// enterFrontend: what the frontend's rules may look at is here.
func (x *exchange) enterFrontend(now evloop.Time) {
	if !x.applyFrontend(now) {
		return
	}
	x.be = x.chooseBackend()
	if x.be == nil {
		x.headDone = 0
		x.fail(now, 503, CauseNoServer, phaseConnect)
		return
	}
	x.be.counters(x.w).sessions.add(1)
	x.be.counters(x.w).total.inc()
	if x.be.spec.HTTPBufferRequest && !x.bodyReady(now) {
		return
	}
	x.enterBackend(now)
}

// enterBackend: what the backend's rules may look at is here.
func (x *exchange) enterBackend(now evloop.Time) {
	switch {
	case !x.applyBackend(now):
	case x.bodyCut:
		x.abort(now, CauseClientAbort, phaseRequest)
	default:
		x.startHunt(now)
	}
}

func (x *exchange) startHunt(now evloop.Time) {
	x.setState(exchangeHunt)
	x.c.setDeadline(0)
	x.hunt.start(now, x.be)
}

// huntReuse applies http-reuse: which idle connections may carry this
// request.
func (x *exchange) huntReuse(srv *server) *serverConn {
	c := x.c.shared()
	if p := c.pinned; p != nil {
		c.pinned = nil
		if p.srv.live == srv.live && !p.spoke() && srv.asksFor(p, x.w.loop.Now(), x) {
			p.user, p.state, p.pinnedTo = x, connBusy, nil
			return p
		}
		p.close()
	}
	if srv.private {
		return nil
	}
	first := c.requests == 0
	switch x.be.reuse {
	case ReuseNever:
		return nil
	case ReuseSafe:
		if first {
			return nil
		}
	case ReuseAggressive:
		return x.w.takeIdle(srv, x, first)
	}
	return x.w.takeIdle(srv, x, false)
}

func (x *exchange) serverConnected(now evloop.Time) { x.hunt.hold(now) }

func (x *exchange) serverConnectFailed(now evloop.Time, why syscall.Errno) {
	x.hunt.connectFailed(now, causeOfDial(why))
}

func (x *exchange) serverConnectTimeout(now evloop.Time) {
	x.hunt.connectFailed(now, CauseServerTimeout)
}

// huntFailed: HAProxy's answer is 503 for every reason.
func (x *exchange) huntFailed(now evloop.Time, why Cause, at phase) {
	if why == CauseServerTimeout && at == phaseConnect {
		x.fail(now, 503, why, at)
		return
	}
	x.fail(now, 503, why, at)
}

// huntDone: the connection stands. The head goes out with as much of the
// body as is here.
func (x *exchange) huntDone(now evloop.Time) {
	x.setState(exchangeWait)
	sc, srv := x.hunt.sc, x.hunt.srv
	if x.hunt.reused {
		x.be.counters(x.w).reused.inc()
		srv.live.counters[x.w.id].reused.inc()
	} else {
		srv.observe(health.ObservedOK)
	}
	if x.passedOver() && !x.hunt.redispatched {
		x.be.counters(x.w).redispatch.inc()
		srv.live.counters[x.w.id].redispatch.inc()
	}
	srv.live.counters[x.w.id].total.inc()
	sc.requests++
	x.parser.Reset()
	if len(x.be.sendName) > 0 {
		x.req.Set(x.be.sendName, srv.nameBytes)
	}
	x.serverKeep = x.be.connMode == ConnKeepAlive && x.fe.connMode == ConnKeepAlive
	head := x.requestHead(x.w.out[:0])
	x.w.out = head[:0]
	if srv.spec.SendProxy != ProxyNone && sc.requests == 1 && srv.tls == nil {
		sc.out = x.w.queue(sc.out, x.w.proxyHeader(srv, x.client()))
	}
	x.requestSent = true
	x.sendRequest(now, head)
}

// requestHead builds what the server shall see from the view that the rules
// left of what the client sent.
func (x *exchange) requestHead(dst []byte) []byte {
	rw := h1.Rewrite{Framing: x.req.Framing, Minor: x.req.Minor, Connection: h1.ConnectionNone}
	switch {
	case x.req.ConnUpgrade && x.req.Upgrade.Len > 0 && !x.upgradeRefused():
		rw.Connection = h1.ConnectionUpgrade
	case !x.serverKeep && !x.be.spec.PretendKeepAlive:
		rw.Connection = h1.ConnectionClose
		if x.req.Minor == 0 {
			rw.Connection = h1.ConnectionNone
		}
	case x.req.Minor == 0 && x.serverKeep:
		rw.Connection = h1.ConnectionKeepAlive
	}
	dst = h1.AppendRequest(dst, &x.req, rw)
	return h1.AppendEnd(dst)
}

// upgradeRefused: h2c must not be negotiated through us: what follows would
// not be what the rules saw. Nor can a tunnel begin while a body is under way.
func (x *exchange) upgradeRefused() bool {
	return x.req.Framing != message.BodyNone || message.EqualFold(x.req.Text(x.req.Upgrade), h2cToken)
}

var h2cToken = []byte("h2c")

func (x *exchange) huntRequest(r *balancer.Request) {
	r.Sticky = nil
	if s := x.cookieServer; s != nil {
		r.Sticky = s.bal
		// Without option redispatch a session waits for its server, and fails
		// with it.
		st := s.bal.State()
		x.cookieStands = st == balancer.StateUp || st == balancer.StateDrain
		r.StickyStrict = x.be.redispatch == 0 && x.cookieStands
	} else if p := x.c.shared().pinned; x.be.spec.PreferLastServer && p != nil {
		r.Prefer = p.srv.bal
	}
	x.hashRequest(r)
}

// clientReady: the client sent bytes, has room, or went away.
func (x *exchange) clientReady(now evloop.Time) {
	switch x.state {
	case exchangeHead, exchangeOver:
	case exchangeBody:
		x.bufferBody(now)
	case exchangeHunt, exchangeTarpit:
		x.clientWhileWaiting(now)
	case exchangeWait:
		x.clientBeforeAnswer(now)
	case exchangeRelay:
		x.pumpBoth(now)
	case exchangeTunnel:
		x.tunnel.move(now)
	}
}

// clientBeforeAnswer: an interim answer finds room now, or more of the body is
// here.
func (x *exchange) clientBeforeAnswer(now evloop.Time) {
	c := x.c
	if x.held || c.waiting() {
		if !c.flush() {
			x.clientGone(now)
			return
		}
		if !c.waiting() {
			x.held = false
			c.setDeadline(0)
			x.hunt.sc.setDeadline(after(now, x.be.timeouts.server))
			x.readResponse(now)
			if x.state != exchangeWait {
				return
			}
		}
	}
	if !x.up.done || x.hunt.sc.out != nil {
		x.pumpRequest(now)
	} else {
		x.clientWhileWaiting(now)
	}
}

// clientWhileWaiting looks whether the client has gone. A FIN alone does not
// say so, unless option abortonclose takes it that way.
func (x *exchange) clientWhileWaiting(now evloop.Time) {
	if !x.be.abortsOnClose() || !x.c.hasLeft() {
		return
	}
	x.keep = false
	if x.hunt.state == huntQueued {
		x.clientGone(now)
		return
	}
	x.fail(now, 400, CauseClientAbort, x.phase())
}

func (be *backend) abortsOnClose() bool { return be != nil && be.spec.AbortOnClose }

// clientGone: the client aborted; nothing can be answered.
func (x *exchange) clientGone(now evloop.Time) {
	x.abort(now, CauseClientAbort, x.phase())
}

// clientTimeout: the client did not send its body, or did not take the
// answer, in time.
func (x *exchange) clientTimeout(now evloop.Time) {
	switch x.state {
	case exchangeBody:
		x.headDone = 0 // the request is not complete
		x.fail(now, 408, CauseClientTimeout, phaseRequest)
	case exchangeTarpit:
		x.tarpitOver(now)
	case exchangeWait:
		if !x.answering && !x.held && !x.c.waiting() {
			x.fail(now, 408, CauseClientTimeout, phaseData)
			return
		}
		x.abort(now, CauseClientTimeout, x.phase())
	default:
		x.abort(now, CauseClientTimeout, x.phase())
	}
}

// phase is where the exchange stands, for the log.
func (x *exchange) phase() phase {
	switch x.state {
	case exchangeHead:
		return phaseRequest
	case exchangeBody:
		return phaseRequest
	case exchangeHunt:
		if x.hunt.state == huntQueued {
			return phaseQueue
		}
		return phaseConnect
	case exchangeWait:
		if !x.up.done {
			return phaseData
		}
		return phaseHeaders
	case exchangeTarpit:
		return phaseTarpit
	case exchangeRelay:
		if x.down.done {
			return phaseLast
		}
		return phaseData
	case exchangeTunnel:
		return phaseData
	}
	return phaseNone
}
