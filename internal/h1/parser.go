package h1

import "github.com/weir-lb/weir/internal/message"

// A state says what the parser expects next.
type state uint8

const (
	stateStart     state = iota // first byte of a message, or an empty line before a request
	stateStartLF                // LF of an empty line before a request
	stateMethod                 // the rest of a method
	stateMethodGap              // more blanks before the target (loose)
	stateTarget                 // the rest of a request target
	stateTargetGap              // more blanks before the version (loose)
	stateVersion                // the rest of a version and its line end
	stateStatus                 // the rest of a version and a status code
	stateReason                 // the rest of a reason phrase
	stateReasonLF               // LF of the status line
	stateLine                   // first byte of a field line or of the last empty line
	stateName                   // the rest of a field name
	stateBlank                  // white space before a value
	stateValue                  // the rest of a value
	stateLF                     // LF of a field line
	stateLastLF                 // LF of the empty line that ends the head
	stateEnd                    // nothing: the head is complete
)

// A Parser reads one head after the other. The zero Parser is ready.
type Parser struct {
	state    state
	reason   Reason
	response bool
	trailer  bool // only field lines, and no meaning in them

	seenHost    bool
	seenCoding  bool  // Transfer-Encoding
	chunkedLast bool  // the last coding so far is chunked
	otherCoding bool  // a coding that is not chunked
	folding     bool  // the value being read continues the last field
	namedFields bool  // Connection names fields other than the known ones
	tokens      uint8 // of Connection besides the known ones

	pos      int // next byte to look at
	mark     int // where the current token began
	errorPos int
	name     message.Span // of the field whose value is being read
}

// Reset makes p ready for the head of another connection.
func (p *Parser) Reset() { *p = Parser{} }

// ErrorPos is the offset of the byte at which a head was refused.
func (p *Parser) ErrorPos() int { return p.errorPos }

// Reason says why a head was refused.
func (p *Parser) Reason() Reason { return p.reason }

// Started reports whether bytes of a head have been seen, empty lines before a
// request aside.
func (p *Parser) Started() bool { return p.state > stateStartLF }

// Request parses the head of a request. b holds all bytes so far, beginning
// with those given in the calls before. n is the size of the head, empty lines
// before it included, when st is Complete.
func (p *Parser) Request(b []byte, h *message.Head, lim *Limits) (n int, st Status) {
	if p.pos == 0 {
		h.Reset(b)
		*p = Parser{}
	}
	head := p.bounded(b, h, lim)
	st = Complete
	if p.state < stateLine {
		st = p.requestLine(head, h, lim)
	}
	if st == Complete {
		st = p.fields(head, h, lim)
	}
	if st == Complete {
		st = p.frameRequest(h, lim)
	}
	return p.finish(b, h, lim, st)
}

// Response parses the head of a response to a request with method toMethod.
func (p *Parser) Response(b []byte, h *message.Head, lim *Limits, toMethod message.Method) (n int, st Status) {
	if p.pos == 0 {
		h.Reset(b)
		*p = Parser{response: true, state: stateStatus}
	}
	head := p.bounded(b, h, lim)
	st = Complete
	if p.state < stateLine {
		st = p.statusLine(head, h, lim)
	}
	if st == Complete {
		st = p.fields(head, h, lim)
	}
	if st == Complete {
		st = p.frameResponse(h, toMethod)
	}
	return p.finish(b, h, lim, st)
}

// Trailer parses a trailer section: field lines up to an empty line. Fields
// that must not come in a trailer are marked Drop.
func (p *Parser) Trailer(b []byte, h *message.Head, lim *Limits) (n int, st Status) {
	if p.pos == 0 {
		h.Reset(b)
		*p = Parser{response: p.response, trailer: true, state: stateLine}
	}
	st = p.fields(p.bounded(b, h, lim), h, lim)
	if st == Complete {
		dropForbidden(h)
	}
	return p.finish(b, h, lim, st)
}

// bounded gives the bytes that may belong to the head.
func (p *Parser) bounded(b []byte, h *message.Head, lim *Limits) []byte {
	h.Raw = b
	if most := lim.headMax(); len(b) > most {
		return b[:most]
	}
	return b
}

func (p *Parser) finish(b []byte, h *message.Head, lim *Limits, st Status) (int, Status) {
	switch st {
	case Complete:
		n := p.pos
		h.Raw = b[:n]
		p.state, p.pos = stateStart, 0
		return n, Complete
	case NeedMore:
		if len(b) >= lim.headMax() {
			return 0, p.fail(p.pos, ReasonSize)
		}
	}
	return 0, st
}

// fail notes why and where, and gives the status that belongs to it.
func (p *Parser) fail(pos int, why Reason) Status {
	p.errorPos, p.reason = pos, why
	switch {
	case why == ReasonSize || why == ReasonFields:
		return TooLarge
	case p.response:
		return BadResponse
	case why == ReasonUnknownCoding:
		return Unsupported
	}
	return BadRequest
}

func (p *Parser) more(pos int) Status {
	p.pos = pos
	return NeedMore
}

func span(from, to int) message.Span {
	return message.Span{Off: uint32(from), Len: uint32(to - from)}
}
