package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/h2"
	"github.com/weir-lb/weir/internal/message"
)

// An h2Client is what an h1Client becomes when its connection speaks HTTP/2: it
// reads frames, has an exchange for each stream, and gathers what they send, so
// that the answers of one turn leave with one system call. The connection itself,
// its timer and its place in the lists stay the h1Client's.
type h2Client struct {
	c     *h1Client
	proto h2.Conn
	in    *buffer.Buffer // what was read and not looked at: with unread, whole frames; nil when empty
	out   *buffer.Buffer // to be written; nil when empty
	// Streams with an exchange, those that were served last at the end.
	first, lastStream *h2Stream

	due      bool   // a stream waits for the connection to make room, or for its next turn
	share    int    // requests that may begin in this turn
	unread   bool   // in holds frames for which this turn had no time
	wait     h2Wait // what the connection's deadline is for
	leaving  bool   // the connection ends with its last stream
	lost     bool   // nothing that comes is looked at any more
	broken   bool   // nothing can be written any more
	stepping bool   // step is on the stack
	nextFree *h2Client
}

// An h2Wait is what the deadline of an HTTP/2 connection is for.
type h2Wait uint8

const (
	waitNothing h2Wait = iota // the deadlines of streams are enough
	waitFirst                 // the preface and the first request
	waitIdle                  // the next request, when there is none under way
	waitFrame                 // the rest of a frame or of a header block
	waitRoom                  // the client to read what we write
)

// h2OutMax is how many bytes wait for the client before its streams count as
// blocked: their servers are not read, nor are its frames.
const h2OutMax = 32 << 10 // bytes

// An h2Scratch is a loop's memory for its HTTP/2 connections.
type h2Scratch struct {
	limits h2.Limits
	blocks *h2.Scratch
	in     []byte // what was read, behind the front of a frame that came before
	ev     h2.Event
	own    ownHead
	first  []byte // of a body, while it is sent with its head
}

func (w *worker) h2Scratch() *h2Scratch {
	if w.h2 == nil {
		t := &w.p.tune
		lim := t.h2Limits()
		w.h2 = &h2Scratch{
			limits: lim, blocks: h2.NewScratch(lim.HeadMax, lim.FieldsMax),
			in: make([]byte, h2.FrameHeadLen+lim.FrameSize+t.BufSize),
		}
	}
	return w.h2
}

// h2Limits are the limits of HTTP/2 connections.
func (t *Tune) h2Limits() h2.Limits {
	return h2.Limits{
		HeaderTable: t.H2.HeaderTable, Window: t.H2.FrontWindow, Streams: t.H2.FrontStreams, FrameSize: t.H2.FrameSize,
		HeadMax: t.BufSize - t.MaxRewrite, FieldsMax: t.HTTPMaxHdr,
	}
}

// startH2 has the connection go on as HTTP/2; b is what came of it. It is for a
// connection on which nothing has been answered.
func (c *h1Client) startH2(now evloop.Time, b []byte) {
	w := c.w
	m := w.freeH2
	if m == nil {
		m = new(h2Client)
		w.made.h2++
	} else {
		w.freeH2, m.nextFree = m.nextFree, nil
		w.nH2--
	}
	sc := w.h2Scratch()
	m.c, c.h2 = c, m
	c.setState(clientH2)
	m.proto.Init(&sc.limits, sc.blocks, m.proto.Out[:0])
	m.setWait(now, waitFirst)
	m.leaving = w.draining
	n := copy(sc.in, b)
	m.step(now, n)
}

// foundH2 looks for the preface of HTTP/2 where a request line is expected. It
// reports whether b is its own matter: HTTP/2 from now on, or not known yet.
func (c *h1Client) foundH2(now evloop.Time, b []byte) bool {
	const sure = len("PRI * HTTP/2.0\r\n")
	if c.x.fe.spec.DisableH2Upgrade {
		return false
	}
	if n := min(len(b), len(h2.Preface)); string(b[:n]) != h2.Preface[:n] || n < len("PRI ") {
		return false
	} else if n < sure {
		c.keepInput(b)
		c.x.req.Raw = c.in.Bytes()
		if c.eof {
			c.x.clientGoneEarly(now)
		}
		return true
	}
	w := c.w
	n := copy(w.h2Scratch().in, b)
	if c.in != nil {
		w.pool.Put(c.in)
		c.in = nil
	}
	x := c.x
	c.x = nil
	x.state = exchangeOver
	x.freed()
	c.startH2(now, w.h2.in[:n])
	return true
}

// ready: bytes, room, the end, or frames that wait to be written.
func (m *h2Client) ready(now evloop.Time) {
	if m.c.fd.Ready()&evloop.ReadyErr != 0 {
		m.broken = true
	}
	m.step(now, 0)
}

// step writes what waits, then reads and acts, n bytes of the loop's memory having
// been read already.
func (m *h2Client) step(now evloop.Time, n int) {
	m.stepping = true
	m.send(now)
	if m.due && !m.congested() {
		m.resume(now, nil)
	}
	m.share = m.c.w.share(requestsPerTurn, turnRequests)
	if n > 0 {
		m.handle(now, n)
	}
	again := true
	for turns := m.share; again && turns > 0 && m.share > 0; turns-- {
		again = !m.lost && !m.broken && !m.congested() && m.read(now)
	}
	m.stepping = false
	if m.settle(now) && again {
		m.c.again()
	}
}

// read takes bytes from the socket. It reports whether it is worth calling again.
func (m *h2Client) read(now evloop.Time) bool {
	c, sc := m.c, m.c.w.h2Scratch()
	kept := 0
	if m.in != nil {
		kept = copy(sc.in, m.in.Bytes())
	}
	if m.unread {
		m.unread = false
		c.w.pool.Put(m.in)
		m.in = nil
		m.handle(now, kept)
		return true
	}
	if c.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) == 0 {
		return false
	}
	n, res := c.fd.Read(sc.in[kept : kept+c.w.p.tune.BufSize])
	switch res {
	case evloop.Done:
		if m.in != nil {
			c.w.pool.Put(m.in)
			m.in = nil
		}
		m.handle(now, kept+n)
		return true
	case evloop.EOF:
		m.leave(now)
		c.eof = true
	case evloop.Failed:
		m.broken = true
	}
	return false
}

// handle acts on the first n bytes of the loop's memory, as far as the turn's share
// of requests goes.
func (m *h2Client) handle(now evloop.Time, n int) {
	sc := m.c.w.h2Scratch()
	b := sc.in[:n]
	for !m.lost && !m.broken {
		used := m.proto.Next(time.Duration(now), b, &sc.ev)
		if sc.ev.Kind == h2.EventNone {
			b = b[used:]
			break
		}
		m.handleEvent(now, &sc.ev)
		b = b[used:]
		if m.share <= 0 && len(b) > 0 {
			m.unread = true
			break
		}
	}
	if m.lost || m.broken {
		m.unread = false
	} else if len(b) > 0 {
		m.in = m.c.w.pool.TakeLarge(len(b))
		m.in.Append(b)
	}
}

func (m *h2Client) handleEvent(now evloop.Time, ev *h2.Event) {
	switch ev.Kind {
	case h2.EventRequest:
		m.share--
		m.request(now, ev)
	case h2.EventData:
		ev.Stream.Owner.(*h2Stream).data(now, ev)
	case h2.EventTrailers:
		ev.Stream.Owner.(*h2Stream).trailers(now)
	case h2.EventReset:
		ev.Stream.Owner.(*h2Stream).gone(now, CauseClientAbort)
	case h2.EventWindow:
		m.resume(now, ev.Stream)
	case h2.EventGoAway:
		m.leaving = true
	case h2.EventLost:
		m.c.frontend().counters(m.c.w).badRequest.inc()
		m.lost, m.leaving = true, true
		m.abortAll(now, CauseClientAbort)
	}
}

// resume goes on with streams that had to wait: one, or all in turn.
func (m *h2Client) resume(now evloop.Time, one *h2.Stream) {
	if one != nil {
		if s := one.Owner.(*h2Stream); s.blocked() {
			s.resume(now)
		}
		return
	}
	m.due = false
	last := m.lastStream
	for s := m.first; s != nil; {
		next, end := s.next, s == last
		if s.blocked() || s.stalled {
			if m.congested() {
				m.due = true
				return
			}
			s.stalled = false
			m.remove(s)
			m.add(s) // who is served now comes last the next time
			s.resume(now)
		}
		if s = next; end {
			return
		}
	}
}

// congested reports whether the client has to read before more is made for it.
func (m *h2Client) congested() bool { return m.out != nil && m.out.Len() >= h2OutMax }

// room gives free memory for n bytes behind what waits to be written.
func (m *h2Client) room(n int) []byte {
	w := m.c.w
	if m.out == nil {
		m.out = w.pool.TakeLarge(max(n, w.p.tune.BufSize))
	}
	if len(m.out.Free()) >= n {
		return m.out.Free()
	}
	if !m.broken {
		m.write(nil)
	}
	switch {
	case m.out == nil:
		return m.room(n)
	case len(m.out.Free()) < n:
		m.out.Compact()
	}
	if len(m.out.Free()) < n {
		larger := w.pool.TakeLarge(2*m.out.Len() + n)
		larger.Append(m.out.Bytes())
		w.pool.Put(m.out)
		m.out = larger
	}
	return m.out.Free()
}

// takeAnswers moves what the protocol itself says behind what waits.
func (m *h2Client) takeAnswers() {
	if len(m.proto.Out) > 0 {
		m.room(len(m.proto.Out))
		m.out.Append(m.proto.Out)
		m.proto.Out = m.proto.Out[:0]
	}
}

// wrote has what was put into out sent: at the end of the step or, from outside,
// of the turn, with what the others of this connection have to say.
func (m *h2Client) wrote() {
	if !m.stepping {
		m.c.again()
	}
}

// write sends what waits and p behind it; what the socket does not take is kept.
func (m *h2Client) write(p []byte) {
	w := m.c.w
	var head []byte
	if m.out != nil {
		head = m.out.Bytes()
	}
	if len(head)+len(p) == 0 {
		return
	}
	n, res := w.send(&m.c.fd, head, p, false)
	if res == evloop.Failed {
		m.broken = true
		m.drop()
		return
	}
	if m.out != nil {
		m.out.Consume(min(n, len(head)))
	}
	if rest := p[max(n-len(head), 0):]; len(rest) > 0 {
		m.out = w.queue(m.out, rest)
	}
	if m.out != nil && m.out.Len() == 0 {
		w.pool.Put(m.out)
		m.out = nil
	}
	if n > 0 && m.wait == waitRoom {
		m.wait = waitNothing // it makes progress: its time begins anew
	}
}

// send writes all that waits.
func (m *h2Client) send(evloop.Time) {
	if m.broken {
		return
	}
	m.takeAnswers()
	m.write(nil)
}

// drop forgets what waits: nobody will read it.
func (m *h2Client) drop() {
	if m.out != nil {
		m.c.w.pool.Put(m.out)
		m.out = nil
	}
	m.proto.Out = m.proto.Out[:0]
}

// settle ends a step: it writes, ends the connection if it is over, or says what
// it waits for. It reports whether the connection still stands.
func (m *h2Client) settle(now evloop.Time) bool {
	if m.leaving && m.first == nil {
		m.proto.GoAway(h2.NoError)
	}
	m.send(now)
	if m.broken {
		m.abortAll(now, CauseClientAbort)
		m.close(true)
		return false
	}
	if m.leaving && m.first == nil {
		m.finish(now)
		return false
	}
	switch {
	case m.out != nil:
		m.setWait(now, waitRoom)
	case m.in != nil && !m.unread || m.proto.InBlock():
		if m.wait != waitFirst {
			m.setWait(now, waitFrame)
		}
	case m.first != nil:
		m.setWait(now, waitNothing)
	case m.wait != waitFirst:
		m.setWait(now, waitIdle)
	}
	return true
}

// setWait sets the deadline when what is waited for has changed.
func (m *h2Client) setWait(now evloop.Time, wait h2Wait) {
	if m.wait == wait && wait != waitNothing {
		return
	}
	m.wait = wait
	t := &m.c.frontend().timeouts
	switch wait {
	case waitNothing:
		m.c.setDeadline(0)
	case waitFirst, waitFrame:
		m.c.setDeadline(after(now, t.httpRequest))
	case waitIdle:
		m.c.setDeadline(after(now, t.keepAlive))
	case waitRoom:
		m.c.setDeadline(after(now, t.client))
	}
}

// timeout: what the connection waited for has not come.
func (m *h2Client) timeout(now evloop.Time) {
	why := CauseClientTimeout
	if m.wait == waitRoom {
		m.abortAll(now, why)
		m.close(true)
		return
	}
	m.stepping = true
	if m.wait == waitFrame {
		m.lost = true
		m.abortAll(now, why)
	}
	m.leaving = true
	m.stepping = false
	m.settle(now)
}

// leave: no more requests are taken; those whose bodies can't come any more end.
func (m *h2Client) leave(now evloop.Time) {
	m.lost, m.leaving = true, true
	for s := m.first; s != nil; {
		next := s.next
		if !s.whole || !s.alive() {
			s.gone(now, CauseClientAbort)
		}
		s = next
	}
}

// abortAll ends all streams: the client is gone.
func (m *h2Client) abortAll(now evloop.Time, why Cause) {
	for m.first != nil {
		m.first.gone(now, why)
	}
}

// drain ends the connection with its last stream; further ones the client has to
// ask for elsewhere.
func (m *h2Client) drain(now evloop.Time) {
	m.leaving = true
	m.proto.GoAway(h2.NoError)
	m.settle(now)
}

// kill ends the connection whatever it is doing.
func (m *h2Client) kill(now evloop.Time) {
	m.stepping = true
	m.abortAll(now, CauseKilled)
	m.close(false)
}

// finish writes the last bytes and ends the connection as HTTP/1 does.
func (m *h2Client) finish(now evloop.Time) {
	c := m.c
	c.out, m.out = m.out, nil
	m.release()
	c.finishAfterFlush(now)
}

func (m *h2Client) close(rst bool) {
	c := m.c
	m.release()
	c.close(rst)
}

// release gives all memory back; there are no streams any more.
func (m *h2Client) release() {
	c, w := m.c, m.c.w
	m.drop()
	if m.in != nil {
		w.pool.Put(m.in)
	}
	c.h2 = nil
	*m = h2Client{proto: m.proto}
	if w.nH2 < connsKeptMax {
		m.nextFree, w.freeH2 = w.freeH2, m
		w.nH2++
	}
}

func (m *h2Client) add(s *h2Stream) {
	s.prev, s.next = m.lastStream, nil
	if m.lastStream != nil {
		m.lastStream.next = s
	} else {
		m.first = s
	}
	m.lastStream = s
}

func (m *h2Client) remove(s *h2Stream) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		m.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		m.lastStream = s.prev
	}
	s.prev, s.next = nil, nil
}

// request begins an exchange.
func (m *h2Client) request(now evloop.Time, ev *h2.Event) {
	c, w := m.c, m.c.w
	fe := c.frontend()
	head := &w.h2.blocks.Head
	switch {
	case m.leaving:
		m.proto.Refuse(ev, h2.RefusedStream)
		return
	case head.Method == message.MethodConnect: // no tunnels in streams yet
		m.proto.Refuse(ev, h2.HTTP11Required)
		return
	}
	if m.wait == waitFirst {
		m.wait = waitNothing
	}
	s := w.takeH2Stream()
	s.m, s.whole = m, ev.End
	s.Owner = s
	m.proto.Accept(&s.Stream, ev)
	m.add(s)
	if fe.sessVars && c.sess == nil {
		c.sess = new(expr.Vars)
	}
	x := w.takeExchange(s, fe, now)
	if c.requests == 0 {
		x.began = c.accepted
	}
	s.x = x
	x.req, *head = *head, x.req
	s.head = w.pool.TakeLarge(len(x.req.Raw))
	s.head.Append(x.req.Raw)
	x.req.Raw = s.head.Bytes()
	if total := w.p.tune.H2.TotalStreams; total > 0 && int(ev.ID) >= 2*total-1 {
		m.leaving = true
		m.proto.GoAway(h2.NoError)
	}
	x.handleRequest(now)
}
