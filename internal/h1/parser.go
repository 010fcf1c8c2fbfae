package h1

import "github.com/weir-lb/weir/internal/message"

// A state says what the parser expects next.
type state uint8

const (
	stateStart    state = iota // first byte of a message, or an empty line before a request
	stateStartLF               // LF of an empty line before a request
	stateMethod                // the rest of a method
	stateTarget                // the rest of a request target
	stateVersion               // the rest of "HTTP/1.x" and its line end
	stateStatus                // the rest of a status line up to the code
	stateReason                // the rest of a reason phrase
	stateReasonLF              // LF of the status line
	stateLine                  // first byte of a field line or of the last empty line
	stateName                  // the rest of a field name
	stateBlank                 // white space before a value
	stateValue                 // the rest of a value
	stateLF                    // LF of a field line
	stateLastLF                // LF of the empty line that ends the head
)

// A Parser reads one head after the other. The zero Parser is ready.
type Parser struct {
	state  state
	reason Reason

	seenHost     bool
	seenCoding   bool // Transfer-Encoding
	chunkedLast  bool // the last coding so far is chunked
	otherCoding  bool // a coding that is not chunked
	folding      bool // the value being read continues the last field
	namedFields  bool // Connection names fields other than the known ones
	response     bool
	unsupported  bool
	tokens       uint8 // names in Connection besides the known ones
	pos          int   // next byte to look at
	mark         int   // where the current token began
	name         message.Span
	errorPos     int
	minorVersion uint8
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
	if p.state == stateStart && p.pos == 0 {
		h.Reset(b)
		p.begin(false)
	}
	return p.finish(b, h, lim, p.requestHead(p.bounded(b, h, lim), h, lim))
}

// Response parses the head of a response to a request with method toMethod.
func (p *Parser) Response(b []byte, h *message.Head, lim *Limits, toMethod message.Method) (n int, st Status) {
	if p.state == stateStart && p.pos == 0 {
		h.Reset(b)
		p.begin(true)
		p.state = stateStatus
	}
	st = p.responseHead(p.bounded(b, h, lim), h, lim)
	if st == Complete {
		p.frameResponse(h, toMethod)
	}
	return p.finish(b, h, lim, st)
}

func (p *Parser) begin(response bool) { *p = Parser{response: response} }

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
	case why == ReasonUnknownCoding && !p.response:
		return Unsupported
	case p.response:
		return BadResponse
	}
	return BadRequest
}

func (p *Parser) more(pos int) Status {
	p.pos = pos
	return NeedMore
}

func (p *Parser) requestHead(b []byte, h *message.Head, lim *Limits) Status {
	if p.state < stateLine {
		if st := p.requestLine(b, h, lim); st != Complete {
			return st
		}
	}
	if st := p.fields(b, h, lim); st != Complete {
		return st
	}
	return p.frameRequest(h, lim)
}

func (p *Parser) responseHead(b []byte, h *message.Head, lim *Limits) Status {
	if p.state < stateLine {
		if st := p.statusLine(b, h, lim); st != Complete {
			return st
		}
	}
	return p.fields(b, h, lim)
}
