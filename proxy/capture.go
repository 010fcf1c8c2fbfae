package proxy

import (
	"fmt"
	"strconv"

	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// This file keeps what "capture", "declare capture" and capture rules want of
// heads, for the log line and for rules that ask for it.

// The sides of an exchange: the index of captures and cookies.
const (
	sideRequest = iota
	sideResponse
	sideCount
)

// A capturePlan is the slots that a frontend has for one side.
type capturePlan struct {
	names [][]byte // of header fields; empty: a rule fills the slot
	lens  []int    // bytes kept
}

func newCapturePlan(list []Capture) capturePlan {
	var p capturePlan
	for _, c := range list {
		p.add(c)
	}
	return p
}

// add makes one more slot and returns its number.
func (p *capturePlan) add(c Capture) int {
	p.names, p.lens = append(p.names, []byte(c.Name)), append(p.lens, c.Len)
	return len(p.lens) - 1
}

const captureLenMax = 65536 // bytes of one captured value

// capture compiles the arguments of a capture rule. Only requests can get a
// slot from the rule itself; it must be the frontend's.
func (m *ruleMaker) capture(r *rule, args []string) error {
	if len(args) != 3 || args[1] != "len" && args[1] != "id" {
		return fmt.Errorf("wants a sample and len N or id N")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || n < 0 || n > captureLenMax {
		return fmt.Errorf("wants a number of at most %d after %s, got %q", captureLenMax, args[1], args[2])
	}
	r.side = sideRequest
	if m.scope.phase == expr.PhaseResponse {
		r.side = sideResponse
	}
	switch {
	case args[1] == "id":
		r.number = n
	case r.side == sideResponse:
		return fmt.Errorf("len can't stand in rules for responses; use id N with a declared capture")
	case m.scope.fe == nil:
		return fmt.Errorf("len can only stand in a frontend; use id N with a declared capture")
	case n == 0:
		return fmt.Errorf("len wants a number above zero")
	default:
		r.number = m.scope.fe.captures[sideRequest].add(Capture{Len: n})
	}
	r.expr, err = expr.CompileExpr(args[0], m.scope.phase)
	return err
}

// checkCaptures finds capture rules of a frontend whose slot does not exist.
func (c *compiler) checkCaptures(fe *frontend, ruleset string, rules []rule) {
	for i := range rules {
		r := &rules[i]
		if r.op == opCapture && r.number >= len(fe.captures[r.side].lens) {
			c.errs.add(r.origin, c.section, "%s capture: there is no slot with id %d; make one with: declare capture %s len LENGTH",
				ruleset, r.number, [...]string{"request", "response"}[r.side])
		}
	}
}

// captureHeads keeps the fields that "capture request header" and its
// response twin name.
func (x *exchange) captureHeads(h headFields, side int) {
	plan := &x.fe.captures[side]
	if len(plan.lens) == 0 {
		return
	}
	caps := x.captureSlots(side)
	for i, name := range plan.names {
		if len(name) == 0 {
			continue
		}
		// HAProxy keeps the last field of the name.
		for f := h.FindName(name, 0); f >= 0; f = h.FindName(name, f+1) {
			caps.Set(i, h.Value(f))
		}
	}
}

// headFields is what captures read of a head.
type headFields interface {
	FindName(name []byte, from int) int
	Value(i int) []byte
}

// captureSlots gives the empty slots of one side to the record: braces stand in
// the line also when no head of that side comes.
func (x *exchange) captureSlots(side int) *expr.Captures {
	lens := x.fe.captures[side].lens
	if len(lens) == 0 {
		return nil
	}
	if x.captures[side] == nil {
		x.captures[side] = &expr.Captures{}
	}
	caps := x.captures[side]
	caps.Reset(lens)
	if side == sideRequest {
		x.rec.ReqCaptures = caps
	} else {
		x.rec.ResCaptures = caps
	}
	return caps
}

// captureSet carries out a capture rule.
func (x *exchange) captureSet(r *rule, v []byte) {
	caps := x.rec.ReqCaptures
	if r.side == sideResponse {
		caps = x.rec.ResCaptures
	}
	caps.Set(r.number, v)
}

// captureSlots gives the empty slots of the client's side to the record.
func (s *tcpSession) captureSlots() {
	lens := s.fe.captures[sideRequest].lens
	if len(lens) == 0 {
		return
	}
	if s.captures == nil {
		s.captures = &expr.Captures{}
	}
	s.captures.Reset(lens)
	s.rec.ReqCaptures = s.captures
}

// captureCookie keeps the first cookie whose name begins as "capture cookie"
// says: of the request or set by the response.
func (x *exchange) captureCookie(side int, spec *Capture) {
	var ck message.Cookie
	h := &x.req
	if side == sideResponse {
		h = &x.res
	}
	for side == sideRequest && h.NextCookie(&ck) || side == sideResponse && h.NextSetCookie(&ck) {
		text := append(x.w.log[:0], h.Text(ck.Name)...)
		text = append(append(text, '='), h.Text(ck.Value)...)
		x.w.log = text
		if len(text) < len(spec.Name) || string(text[:len(spec.Name)]) != spec.Name {
			continue
		}
		x.cookies[side] = append(x.cookies[side][:0], text[:min(len(text), spec.Len)]...)
		if side == sideRequest {
			x.rec.ReqCookie = x.cookies[side]
		} else {
			x.rec.ResCookie = x.cookies[side]
		}
		return
	}
}
