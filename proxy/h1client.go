package proxy

import (
	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// An h1Client drives one client connection that speaks HTTP/1: it reads heads,
// hands each to an exchange, and writes what the exchange answers. While no
// request is under way it holds no memory but itself.
type h1Client struct {
	clientConn                 // client.go
	httpSession                // httpclient.go
	x           *exchange      // the request under way; nil while idle
	in          *buffer.Buffer // read, not used up; also holds the head of x
	more        *buffer.Buffer // read after the head of x, not used up; nil when empty
	out         *buffer.Buffer // to be written; nil when empty
	state       clientState
	lastWords   bool      // what is written now ends the connection: nobody waits for the client's FIN
	stepping    bool      // step is on the stack: whoever ends an exchange need not call it
	eof         bool      // the client has sent FIN
	moreFresh   bool      // more holds bytes that the body of x has not seen
	h2          *h2Client // the protocol is HTTP/2: all events are its own
	nextFree    *h1Client
}

// A clientState says what an HTTP/1 client connection waits for.
type clientState uint8

const (
	clientGreet  clientState = iota // the PROXY header, and the end of the TLS handshake
	clientIdle                      // the first byte of a request
	clientHead                      // the rest of a request head
	clientBusy                      // the exchange, and room for its answer
	clientFlush                     // room for the last bytes of an answer, then the end
	clientLinger                    // FIN from the client, after our own
	clientH2                        // what h2 waits for
	clientClosed                    // nothing
)

func (s clientState) String() string {
	return [...]string{"greet", "idle", "head", "busy", "flush", "linger", "h2", "closed"}[s]
}

// clientNext[s] holds the states that may follow s. Any state may go to
// clientClosed.
var clientNext = [...]uint8{
	clientGreet:  1 << clientIdle,
	clientIdle:   1<<clientHead | 1<<clientFlush | 1<<clientH2,
	clientHead:   1<<clientBusy | 1<<clientFlush | 1<<clientIdle | 1<<clientLinger | 1<<clientH2,
	clientBusy:   1<<clientIdle | 1<<clientFlush | 1<<clientLinger,
	clientFlush:  1 << clientLinger,
	clientLinger: 0,
	clientH2:     1 << clientFlush,
	clientClosed: 1 << clientGreet,
}

func (c *h1Client) setState(next clientState) {
	if next != clientClosed && clientNext[c.state]&(1<<next) == 0 {
		panic("h1 client: " + c.state.String() + " -> " + next.String())
	}
	c.state = next
}

func (w *worker) takeH1() *h1Client {
	c := w.freeH1
	if c == nil {
		w.made.h1++
		return &h1Client{state: clientClosed}
	}
	w.freeH1, c.nextFree = c.nextFree, nil
	w.nH1--
	return c
}

func (c *h1Client) begin(now evloop.Time) {
	if c.state == clientClosed {
		c.setState(clientGreet)
		c.ended = c.accepted
	}
	if c.greeting && !c.readGreeting(now) || c.securing && !c.secure(now) {
		if !c.fd.IsOpen() {
			c.freed()
		}
		return
	}
	fe := c.frontend()
	if len(fe.tcpSession) > 0 && !c.w.admit(fe, &c.clientConn, fe.tcpSession) {
		c.refuse(now, false)
		return
	}
	c.setState(clientIdle)
	if c.door.spec.HTTP2 || c.papers != nil && c.papers.told.ALPN == "h2" {
		c.startH2(now, nil)
		return
	}
	c.setDeadline(after(now, fe.timeouts.httpRequest))
	c.step(now)
}

// frontend looks the frontend up in the plan of the moment.
func (c *h1Client) frontend() *frontend {
	return c.w.p.plan.Load().frontends[c.door.index]
}

func (c *h1Client) HandleReady(now evloop.Time, _ *evloop.FD) {
	switch c.state {
	case clientGreet:
		c.begin(now)
	case clientIdle, clientHead:
		c.step(now)
	case clientBusy:
		if c.fd.Ready()&evloop.ReadyErr != 0 && c.x.state != exchangeTunnel { // after FIN both ways it is no error
			c.x.clientGone(now)
			return
		}
		c.x.clientReady(now)
	case clientFlush:
		c.flushLast(now)
	case clientLinger:
		c.linger()
	case clientH2:
		c.h2.ready(now)
	case clientClosed:
		panic("h1 client: event after close")
	}
}

func (c *h1Client) HandleTimeout(now evloop.Time, _ *evloop.Timer) {
	switch c.state {
	case clientHead:
		c.x.requestTimeout(now)
	case clientBusy:
		c.x.clientTimeout(now)
	case clientIdle:
		if c.requests == 0 {
			c.silentFirst(now, CauseClientTimeout)
			return
		}
		c.close(false)
	case clientGreet:
		c.greetingTimeout(now)
		c.freed()
	case clientFlush, clientLinger:
		c.close(false)
	case clientH2:
		c.h2.timeout(now)
	case clientClosed:
	}
}

func (c *h1Client) HandleLetter(evloop.Time, *evloop.Letter) {}

// step reads and starts requests until one is under way, the socket is
// drained, or the turn's share is used up.
func (c *h1Client) step(now evloop.Time) {
	if c.stepping || c.out != nil && !c.answersOut(now) {
		return
	}
	c.stepping = true
	again := true
	for n := c.w.share(requestsPerTurn, turnRequests); again && n > 0; n-- {
		again = c.state <= clientHead && c.out == nil && c.readRequest(now)
	}
	c.stepping = false
	switch {
	case c.state == clientClosed:
		c.recycle()
	case again && c.state <= clientHead:
		c.w.loop.Again(&c.fd.FD)
	}
}

// answersOut writes what is left of our answers to requests before. Until that
// is done, no further request is read.
func (c *h1Client) answersOut(now evloop.Time) bool {
	if !c.flush() {
		c.close(true)
		return false
	}
	if c.out != nil {
		return false
	}
	if c.w.draining {
		c.finishAfterFlush(now)
		return false
	}
	c.setDeadline(after(now, c.frontend().timeouts.keepAlive))
	return true
}

// readRequest takes bytes and parses. It reports whether it is worth calling
// again at once.
func (c *h1Client) readRequest(now evloop.Time) bool {
	b, more := c.headBytes(now)
	if !more {
		return false
	}
	if c.state == clientIdle {
		if c.in == nil || c.in.Len() == len(b) {
			c.startExchange(now)
		}
	}
	x := c.x
	if c.requests == 0 && b[0] == 'P' && c.foundH2(now, b) {
		return false
	}
	n, st := x.parser.Request(b, &x.req, &x.fe.limits)
	switch st {
	case h1.Complete:
		c.keepInput(b)
		x.req.Raw = c.in.Bytes()[:n]
		c.in.Consume(n)
		c.setState(clientBusy)
		x.handleRequest(now)
		return c.state <= clientHead
	case h1.NeedMore:
		c.keepInput(b)
		x.req.Raw = c.in.Bytes() // not the scratch memory: the log may look at what there is
		if c.eof {
			x.clientGoneEarly(now)
			return false
		}
		return c.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) != 0
	}
	c.keepInput(b)
	x.badRequest(now, st)
	return false
}

// headBytes gives all bytes of the head so far, with at least one new one.
// Bytes of a first read stand in the loop's scratch memory; only what has to
// outlive the turn is kept in a buffer.
func (c *h1Client) headBytes(now evloop.Time) (b []byte, more bool) {
	if c.in != nil && c.state == clientIdle && c.in.Len() > 0 {
		return c.in.Bytes(), true // pipelined
	}
	if c.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
		return nil, false
	}
	dst := c.w.in
	if c.in != nil {
		if dst = c.room(); len(dst) == 0 {
			return c.in.Bytes(), true // the parser says that the head is too large
		}
	}
	n, res := c.fd.Read(dst)
	switch res {
	case evloop.Done:
		if c.in == nil {
			return dst[:n], true
		}
		c.in.Filled(n)
		return c.in.Bytes(), true
	case evloop.Again:
		return nil, false
	}
	c.endOfInput(now, res)
	return nil, false
}

// endOfInput: the client has closed between requests, or in a head.
func (c *h1Client) endOfInput(now evloop.Time, res evloop.Result) {
	c.eof = true
	if c.state == clientHead {
		c.x.clientGoneEarly(now)
		return
	}
	if c.requests == 0 {
		c.silentFirst(now, CauseClientAbort)
		return
	}
	c.close(res == evloop.Failed)
}

// keepInput moves bytes that stand in scratch memory into a buffer of the
// connection's own.
func (c *h1Client) keepInput(b []byte) {
	if c.in == nil {
		c.in = c.w.pool.Take(len(b))
		c.in.Append(b)
	}
}

// room is free space for more bytes of a head; the buffer grows up to
// tune.bufsize.
func (c *h1Client) room() []byte {
	if free := c.in.Free(); len(free) > 0 {
		return free
	}
	if c.in.Len() < c.in.Cap() {
		c.in.Compact()
		return c.in.Free()
	}
	bigger := c.w.pool.Take(min(4*c.in.Cap(), c.w.p.tune.BufSize))
	if bigger == nil || bigger.Cap() <= c.in.Cap() {
		if bigger != nil {
			c.w.pool.Put(bigger)
		}
		return nil
	}
	bigger.Append(c.in.Bytes())
	c.w.pool.Put(c.in)
	c.in = bigger
	return c.in.Free()
}

// startExchange: the first byte of a request has come.
func (c *h1Client) startExchange(now evloop.Time) {
	c.setState(clientHead)
	fe := c.frontend()
	c.x = c.w.takeExchange(c, fe, now)
	c.x.began = c.ended
	if fe.sessVars && c.sess == nil {
		c.sess = new(expr.Vars)
	}
	if c.requests > 0 {
		c.setDeadline(after(now, fe.timeouts.httpRequest))
	}
}

// releaseInput gives the input buffer back when all of it is used up.
func (c *h1Client) releaseInput() {
	if c.in != nil && c.in.Len() == 0 {
		c.w.pool.Put(c.in)
		c.in = nil
	}
}

// write sends head and body as one and keeps what the socket does not take.
// It reports whether the connection still stands.
func (c *h1Client) write(head, body []byte) bool {
	if c.out != nil {
		c.queue(head)
		c.queue(body)
		return true
	}
	n, res := c.w.send(&c.fd, head, body, c.lastWords)
	if res == evloop.Failed {
		return false
	}
	if n < len(head) {
		c.queue(head[n:])
		c.queue(body)
	} else if n < len(head)+len(body) {
		c.queue(body[n-len(head):])
	}
	return true
}

// joinMax is the largest body that is copied behind its head: one send(2) costs
// less than gathering two pieces does.
const joinMax = 2048 // bytes

// send writes head and body as one. head may have room behind it in the
// loop's scratch memory; body must not stand there. The last of it may wait for
// what follows at once, if there is more.
func (w *worker) send(fd *stream, head, body []byte, more bool) (int, evloop.Result) {
	if len(body) <= joinMax && len(body) <= cap(head)-len(head) {
		head, body = append(head, body...), nil
	}
	switch {
	case more:
		return fd.WriteMore(head, body)
	case len(body) == 0:
		return fd.Write(head)
	}
	return fd.Writev(head, body)
}

func (c *h1Client) queue(p []byte) { c.out = c.w.queue(c.out, p) }

// queue appends p to out, which grows through the size classes. Nothing more is
// read while something waits here, so that one read and one rewritten head are
// its bound.
func (w *worker) queue(out *buffer.Buffer, p []byte) *buffer.Buffer {
	if len(p) == 0 {
		return out
	}
	if out == nil {
		out = w.pool.TakeLarge(len(p))
	} else if len(out.Free()) < len(p) {
		out.Compact()
		if len(out.Free()) < len(p) {
			bigger := w.pool.TakeLarge(out.Len() + len(p))
			bigger.Append(out.Bytes())
			w.pool.Put(out)
			out = bigger
		}
	}
	out.Append(p)
	return out
}

// flush writes what waits. ok is false when the connection broke.
func (c *h1Client) flush() (ok bool) {
	if c.out == nil {
		return true
	}
	n, res := c.fd.Write(c.out.Bytes())
	if res == evloop.Failed {
		return false
	}
	c.out.Consume(n)
	if c.out.Len() == 0 {
		c.w.pool.Put(c.out)
		c.out = nil
	}
	return true
}

// exchangeCut: nothing more can be written well.
func (c *h1Client) exchangeCut(_ evloop.Time, how cut) {
	c.x = nil
	if how.atOnce {
		c.close(how.rst)
		return
	}
	if c.out != nil {
		c.flush()
	}
	c.close(false)
}

// exchangeOver: the response is written or queued. The connection goes on
// with the next request, or ends.
func (c *h1Client) exchangeOver(now evloop.Time, keep bool) {
	c.x = nil
	c.ended = now
	c.requests++
	if !keep || c.w.draining || c.eof {
		c.finishAfterFlush(now)
		return
	}
	c.setState(clientIdle)
	c.releaseInput()
	if c.out != nil {
		c.setDeadline(after(now, c.frontend().timeouts.client))
		return
	}
	c.setDeadline(after(now, c.frontend().timeouts.keepAlive))
	c.step(now)
}

// finishAfterFlush ends the connection once the last bytes are out.
func (c *h1Client) finishAfterFlush(now evloop.Time) {
	c.setState(clientFlush)
	c.flushLast(now)
}

func (c *h1Client) flushLast(now evloop.Time) {
	if !c.flush() {
		c.close(true)
		return
	}
	if c.out != nil {
		c.setDeadline(after(now, c.frontend().timeouts.client))
		return
	}
	if c.eof || c.lastWords && c.silent() {
		c.close(false)
		return
	}
	// Bytes of the client that we never read would turn our close into a RST,
	// which may take the answer with it (RFC 9112 section 9.6).
	c.fd.Shutdown()
	c.setState(clientLinger)
	c.setDeadline(now.Add(lingerTimeout))
	c.linger()
}

// saysGoodbye reports whether nothing will come from the client behind the
// request of x: it said so (RFC 9112 section 9.6), and nothing stands there.
// Requests with a body are left out, since some clients send a line end too many.
func (c *h1Client) saysGoodbye(x *exchange) bool {
	return x.headDone != 0 && !x.req.Persistent() && x.req.Framing == message.BodyNone && c.silent()
}

func (c *h1Client) silent() bool {
	return (c.in == nil || c.in.Len() == 0) && c.more == nil &&
		c.fd.Ready()&(evloop.ReadyIn|evloop.ReadyErr) == 0
}

// linger reads and forgets a bounded number of bytes until the client has
// seen our FIN.
func (c *h1Client) linger() {
	for read := 0; read < lingerMax; {
		n, res := c.fd.Read(c.w.in)
		switch res {
		case evloop.Done:
			read += n
		case evloop.Again:
			return
		default:
			c.close(false)
			return
		}
	}
	c.close(true)
}

// drain: an idle client is told goodbye; a busy one leaves with its answer.
func (c *h1Client) drain(now evloop.Time) {
	if c.h2 != nil {
		c.h2.drain(now)
		return
	}
	if c.state != clientIdle || c.requests == 0 || c.in != nil || c.out != nil {
		return
	}
	if _, res := c.fd.Peek(c.w.in[:1]); res == evloop.Done {
		// A request has come that we have not been told of: it is the last one.
		c.fd.Assume(evloop.ReadyIn)
		c.step(now)
		return
	}
	c.close(false)
}

// kill ends the connection whatever it is doing.
func (c *h1Client) kill(now evloop.Time) {
	if c.h2 != nil {
		c.h2.kill(now)
		return
	}
	if c.x != nil {
		c.x.abort(now, CauseKilled, c.x.phase())
		return
	}
	c.close(false)
}

// refuse ends a connection that a connection or session rule rejected.
func (c *h1Client) refuse(_ evloop.Time, rst bool) {
	c.frontend().counters(c.w).denied.inc()
	c.state = clientIdle
	c.close(rst)
}

// silentFirst: the connection ends before its first byte.
func (c *h1Client) silentFirst(now evloop.Time, why Cause) {
	fe := c.frontend()
	if fe.spec.HTTPIgnoreProbes {
		c.close(false)
		return
	}
	c.startExchange(now)
	if why == CauseClientTimeout {
		c.x.requestTimeout(now)
		return
	}
	c.x.clientGoneEarly(now)
}

// close ends the connection at once. No exchange may be under way.
func (c *h1Client) close(rst bool) {
	w := c.w
	if c.in != nil {
		w.pool.Put(c.in)
	}
	if c.out != nil {
		w.pool.Put(c.out)
	}
	if c.pinned != nil {
		c.pinned.reset()
	}
	if c.sess != nil {
		c.sess.Reset(w.env.Scratch)
	}
	c.shut(rst)
	c.freed()
}

// freed forgets everything; memory that step still looks at is recycled by it.
func (c *h1Client) freed() {
	w, stepping := c.w, c.stepping
	*c = h1Client{state: clientClosed, stepping: stepping}
	c.w = w
	if !stepping {
		c.recycle()
	}
}

// recycle puts the closed connection on the free list.
func (c *h1Client) recycle() {
	if w := c.w; w.nH1 < connsKeptMax {
		c.nextFree, w.freeH1 = w.freeH1, c
		w.nH1++
	}
}
