package proxy

import (
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/h2"
	"github.com/weir-lb/weir/internal/message"
)

// This file is how an answer goes out over HTTP/2.

func (s *h2Stream) appendInterim(dst []byte, res *message.Head) []byte {
	return s.m.proto.AppendHead(dst, &s.Stream, res, h2.Rewrite{})
}

func (s *h2Stream) sendInterim(heads []byte) bool {
	s.keep(heads)
	return !s.m.broken
}

// keep puts frames behind what waits to be written.
func (s *h2Stream) keep(p []byte) {
	s.m.room(len(p))
	s.m.out.Append(p)
	s.m.wrote()
}

func (s *h2Stream) responseHead(x *exchange, _ bool) []byte {
	rw := h2.Rewrite{Framing: x.down.framing}
	x.down.dechunk = x.down.framing == message.BodyChunked
	if x.bodyMissing() {
		rw.Framing = message.BodyChunked // no length can be kept that was told
	}
	return s.m.proto.AppendHead(s.m.c.w.out[:0], &s.Stream, &x.res, rw)
}

// ownAnswer makes frames of an answer that was made as text.
func (s *h2Stream) ownAnswer(x *exchange, a *answer) (head, body []byte) {
	w := s.m.c.w
	own := &w.h2.own
	body = a.body
	if own.text = append(own.text[:0], a.raw...); a.raw == nil {
		own.text = append(append(own.text, a.head...), "\r\n"...)
	}
	lim := h1.Limits{HeadMax: len(own.text) + 1, FieldsMax: 1000, Lenient: true}
	own.parser.Reset()
	n, st := own.parser.Response(own.text, &own.head, &lim, message.MethodGet)
	if st != h1.Complete { // an error file that is no answer
		own.head.Reset(nil)
		own.head.Status, n = a.status, len(own.text)
	}
	if a.raw != nil {
		body = own.text[n:]
	}
	if x.headOnly || !mayHaveBody(own.head.Status) {
		body = nil
	}
	head = s.m.proto.AppendHead(w.out[:0], &s.Stream, &own.head, h2.Rewrite{Framing: own.head.Framing})
	w.out = head[:0]
	return head, body
}

// sendHead: the end can go out with the head when there is no body.
func (s *h2Stream) sendHead(x *exchange, head, body []byte, last bool) bool {
	trailers := x.down.chunks.Trailer() != nil && !x.local
	s.finished = last
	if last && len(body) == 0 && !trailers && !s.sentEnd {
		s.m.proto.EndHead(head, &s.Stream)
		s.sentEnd = true
	}
	s.keep(head)
	if s.sentEnd {
		return !s.m.broken
	}
	return s.sendPayload(x, body)
}

func (s *h2Stream) sendBody(x *exchange, p []byte) bool {
	s.finished = x.down.done
	return s.sendPayload(x, p)
}

// sendPayload sends what the windows allow and keeps the rest.
func (s *h2Stream) sendPayload(x *exchange, p []byte) bool {
	if t := x.down.chunks.Trailer(); s.finished && t != nil && !x.local && !x.down.hidden {
		s.tail = s.m.proto.AppendTrailers(s.tail[:0], &s.Stream, t)
	}
	if s.out != nil {
		s.out = s.m.c.w.queue(s.out, p)
		return s.flush()
	}
	if len(p) > 0 || s.finished {
		s.out = s.m.c.w.queue(nil, s.push(p))
	}
	return s.alive()
}

// push sends as much of p as the windows allow, and the end of the answer if p is
// the last of it. It returns the rest.
func (s *h2Stream) push(p []byte) (rest []byte) {
	m := s.m
	for {
		n := min(len(p), m.proto.Room(&s.Stream))
		if n == 0 && len(p) > 0 {
			m.wrote()
			return p
		}
		last := n == len(p) && s.finished
		end := last && len(s.tail) == 0
		if n > 0 || end {
			s.frame(p[:n], end)
			p = p[n:]
		}
		if last {
			s.sendTail()
			s.sentEnd = true
		}
		if len(p) == 0 {
			m.wrote()
			return nil
		}
	}
}

// frame sends one DATA frame. What is large is not copied.
func (s *h2Stream) frame(p []byte, end bool) {
	m := s.m
	if len(p) <= joinMax {
		dst := m.room(h2.FrameHeadLen + len(p))
		m.out.Filled(len(m.proto.AppendData(dst[:0], &s.Stream, p, end)))
		return
	}
	dst := m.room(h2.FrameHeadLen)
	m.out.Filled(len(m.proto.AppendDataHead(dst[:0], &s.Stream, len(p), end)))
	if m.broken {
		return
	}
	m.write(p)
}

// sendTail sends the trailers.
func (s *h2Stream) sendTail() {
	if len(s.tail) > 0 {
		s.keep(s.tail)
		s.m.proto.EndStream(&s.Stream)
	}
}

// blocked reports whether payload waits for a window.
func (s *h2Stream) blocked() bool { return s.out != nil }

func (s *h2Stream) waiting() bool {
	if s.out != nil {
		return true
	}
	if s.m.congested() {
		s.stalled, s.m.due = true, true
		return true
	}
	return false
}

func (s *h2Stream) flush() bool {
	if s.out != nil && !s.m.congested() {
		left := len(s.push(s.out.Bytes()))
		s.out.Consume(s.out.Len() - left)
		if left == 0 {
			s.m.c.w.pool.Put(s.out)
			s.out = nil
		}
	}
	return s.alive()
}

// alive reports whether what waits can still be sent: a client that says no more
// opens no window.
func (s *h2Stream) alive() bool {
	return !s.m.broken && !(s.m.lost && s.out != nil && s.m.proto.Room(&s.Stream) == 0)
}
