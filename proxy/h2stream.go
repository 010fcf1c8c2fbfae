package proxy

import (
	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/h2"
	"github.com/weir-lb/weir/internal/message"
)

// An h2Stream is one request on an HTTP/2 connection and its answer: the client
// side of an exchange.
type h2Stream struct {
	h2.Stream
	m     *h2Client
	x     *exchange
	timer evloop.Timer

	head *buffer.Buffer // of the request
	in   *buffer.Buffer // payload that was not used up; nil when empty
	out  *buffer.Buffer // payload for which there is no window; nil when empty
	sum  []byte         // trailers of the request, as HTTP/1 has them
	tail []byte         // HEADERS that end the answer, waiting behind out

	whole    bool // the client has sent all of its request
	finished bool // out, and tail, are the end of the answer
	sentEnd  bool // the end of the answer is sent
	stalled  bool // the exchange waits for the connection to make room

	next, prev *h2Stream // h2Client
	nextFree   *h2Stream
}

func (w *worker) takeH2Stream() *h2Stream {
	s := w.freeH2Streams
	if s == nil {
		w.made.h2Streams++
		return new(h2Stream)
	}
	w.freeH2Streams, s.nextFree = s.nextFree, nil
	w.nH2Streams--
	return s
}

func (s *h2Stream) conn() *clientConn    { return &s.m.c.clientConn }
func (s *h2Stream) shared() *httpSession { return &s.m.c.httpSession }
func (s *h2Stream) again()               { s.stalled, s.m.due = true, true; s.m.c.again() }
func (s *h2Stream) hasLeft() bool        { return false }
func (s *h2Stream) headHere() bool       { return true }
func (s *h2Stream) refused()             {}

func (s *h2Stream) setDeadline(at evloop.Time) {
	loop := s.m.c.w.loop
	if at == 0 {
		loop.StopTimer(&s.timer)
		return
	}
	loop.SetTimer(&s.timer, s, 0, at)
}

func (s *h2Stream) timeIsUp(now evloop.Time) bool {
	at := s.timer.Deadline()
	return at != 0 && at <= now
}

func (s *h2Stream) HandleTimeout(now evloop.Time, _ *evloop.Timer) { s.late(now) }
func (s *h2Stream) HandleReady(evloop.Time, *evloop.FD)            {}
func (s *h2Stream) HandleLetter(evloop.Time, *evloop.Letter)       {}

// late: the client has not sent its body, or not taken the answer.
func (s *h2Stream) late(now evloop.Time) {
	if s.x == nil {
		s.gone(now, CauseClientTimeout)
		return
	}
	s.x.clientTimeout(now)
}

// gone: the stream is over for the client, or has to be.
func (s *h2Stream) gone(now evloop.Time, why Cause) {
	if s.x == nil {
		s.exchangeCut(now, cut{why: why})
		return
	}
	s.x.abort(now, why, s.x.phase())
}

// resume goes on with an answer that had to wait.
func (s *h2Stream) resume(now evloop.Time) {
	if s.x != nil {
		s.x.clientReady(now)
		return
	}
	if !s.flush() || s.out == nil {
		s.end(now)
	}
}

// data takes payload of the request.
func (s *h2Stream) data(now evloop.Time, ev *h2.Event) {
	if s.x == nil {
		s.m.proto.Used(&s.Stream, len(ev.Data))
		return
	}
	s.in = s.m.c.w.queue(s.in, ev.Data)
	s.whole = s.whole || ev.End
	s.x.clientReady(now)
}

// trailers ends the request; the fields that may be passed on are kept.
func (s *h2Stream) trailers(now evloop.Time) {
	s.whole = true
	if s.x == nil {
		return
	}
	h := &s.m.c.w.h2.blocks.Head
	for i := range h.Fields {
		if f := &h.Fields[i]; !f.Drop {
			s.sum = h1.AppendField(s.sum, h.Text(f.Name), h.Text(f.Value))
		}
	}
	s.x.clientReady(now)
}

func (s *h2Stream) bodyHere() (b []byte, whole bool) {
	if s.in != nil {
		b = s.in.Bytes()
	}
	return b, s.whole
}

func (s *h2Stream) firstBody(x *exchange) []byte {
	if s.in == nil {
		return nil
	}
	b := s.in.Bytes()
	used, first, _ := x.up.take(b, nil)
	if used == len(b) {
		first = append(s.m.c.w.h2.first[:0], first...)
		s.m.c.w.h2.first = first
	}
	s.used(used)
	return first
}

func (s *h2Stream) readBody(x *exchange) ([]byte, evloop.Result) {
	b, _ := s.bodyHere()
	if most := len(s.m.c.w.in) - chunkRoom; len(b) > most {
		x.up.last = false
		return b[:most], evloop.Done
	}
	x.up.last, x.up.sum = s.whole, s.sum
	if len(b) == 0 && !s.whole {
		return nil, evloop.Again
	}
	return b, evloop.Done
}

func (s *h2Stream) bodyUsed(_ *exchange, _ []byte, used int) { s.used(used) }

// used takes n bytes of payload off: the client may send as many.
func (s *h2Stream) used(n int) {
	if s.in == nil {
		return
	}
	s.in.Consume(n)
	if s.in.Len() == 0 {
		s.m.c.w.pool.Put(s.in)
		s.in = nil
	}
	s.m.proto.Used(&s.Stream, n)
	s.m.wrote()
}

// awaitBody: what comes is told by data, which calls again.
func (s *h2Stream) awaitBody(*exchange) evloop.Result { return evloop.Again }

// skipBody: what is not read of the body is refused when the answer is sent.
func (s *h2Stream) skipBody(*exchange) bool { return true }

// exchangeEnds gives back what the request needed.
func (s *h2Stream) exchangeEnds(*exchange, bool) {
	pool := s.m.c.w.pool
	s.m.c.w.loop.StopTimer(&s.timer)
	for _, b := range []**buffer.Buffer{&s.head, &s.in} {
		if *b != nil {
			pool.Put(*b)
			*b = nil
		}
	}
}

// exchangeOver: the answer is whole, though the client may have no window for all
// of it yet.
func (s *h2Stream) exchangeOver(now evloop.Time, _ bool) {
	s.x, s.finished = nil, true
	if s.out != nil && s.Open() && s.alive() {
		s.setDeadline(after(now, s.m.c.frontend().timeouts.client))
		return
	}
	s.end(now)
}

// end: all is sent. What the client still has to send of its request is of no use
// (RFC 9113 section 8.1).
func (s *h2Stream) end(now evloop.Time) {
	m := s.m
	if s.out != nil {
		s.gone(now, CauseClientAbort)
		return
	}
	if !s.sentEnd && s.Open() {
		s.push(nil)
	}
	if s.Open() {
		m.proto.Reset(&s.Stream, h2.NoError)
	}
	s.free(now)
}

// exchangeCut: the client has to see that the answer is not whole.
func (s *h2Stream) exchangeCut(now evloop.Time, how cut) {
	if s.Open() {
		code := h2.InternalError
		if how.why == CauseClientAbort || how.why == CauseClientTimeout {
			code = h2.Cancel
		}
		s.m.proto.Reset(&s.Stream, code)
	}
	s.free(now)
}

// free puts the stream back.
func (s *h2Stream) free(now evloop.Time) {
	m, w := s.m, s.m.c.w
	w.loop.StopTimer(&s.timer)
	m.remove(s)
	if s.out != nil {
		w.pool.Put(s.out)
	}
	m.c.requests++
	m.c.ended = now
	*s = h2Stream{timer: s.timer}
	if w.nH2Streams < exchangesKeptMax {
		s.nextFree, w.freeH2Streams = w.freeH2Streams, s
		w.nH2Streams++
	}
	m.wrote()
}

// A view of a response head that our own answers are parsed into.
type ownHead struct {
	text   []byte
	head   message.Head
	parser h1.Parser
}
