package h1

import (
	"encoding/binary"

	"github.com/weir-lb/weir/internal/message"
)

// http1 is "HTTP/1." in the low 7 bytes of a little-endian word.
const (
	http1     = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48
	http1Mask = 1<<56 - 1

	versionLen = len("HTTP/1.1")
)

// requestLine reads up to the first field line.
func (p *Parser) requestLine(b []byte, h *message.Head, lim *Limits) Status {
	i := p.pos
	switch p.state {
	case stateStart, stateStartLF:
		var st Status
		if i, st = p.emptyLines(b, i, lim); st != Complete {
			return st
		}
		p.mark, p.state = i, stateMethod
		fallthrough
	case stateMethod:
		for i < len(b) && message.IsToken(b[i]) {
			i++
		}
		if i == len(b) {
			return p.more(i)
		}
		if b[i] != ' ' || i == p.mark {
			return p.fail(i, ReasonMethod)
		}
		h.MethodText = span(p.mark, i)
		h.Method = message.MethodOf(b[p.mark:i])
		i++
		p.mark, p.state = i, stateTarget
		fallthrough
	case stateTarget:
		i = scanTarget(b, i, lim.loose())
		if i == len(b) {
			return p.more(i)
		}
		if b[i] != ' ' || i == p.mark {
			return p.fail(i, ReasonTarget)
		}
		h.Target = span(p.mark, i)
		if !h.SplitTarget() {
			return p.fail(p.mark, ReasonTarget)
		}
		i++
		p.mark, p.state = i, stateVersion
		fallthrough
	case stateVersion:
		return p.version(b, h, lim)
	}
	panic("h1: requestLine in a later state")
}

// emptyLines skips CRLF before a request line (RFC 9112 section 2.2).
func (p *Parser) emptyLines(b []byte, i int, lim *Limits) (int, Status) {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case p.state == stateStartLF && c == '\n':
			p.state = stateStart
		case p.state == stateStartLF:
			return i, p.fail(i, ReasonLineEnd)
		case c == '\r':
			p.state = stateStartLF
		case c == '\n' && lim.loose():
		case c == '\n':
			return i, p.fail(i, ReasonLineEnd)
		default:
			return i, Complete
		}
	}
	return i, p.more(i)
}

// version reads "HTTP/1.x" CRLF at p.mark. Its few bytes are looked at again
// when they arrive in pieces.
func (p *Parser) version(b []byte, h *message.Head, lim *Limits) Status {
	rest := b[p.mark:]
	if len(rest) >= versionLen+2 && binary.LittleEndian.Uint64(rest)&http1Mask == http1 &&
		rest[7]-'0' <= 9 && rest[8] == '\r' && rest[9] == '\n' {
		h.Minor = min(rest[7]-'0', 1)
		p.pos, p.state = p.mark+versionLen+2, stateLine
		return Complete
	}
	const want = "HTTP/1."
	for j, c := range rest {
		switch {
		case j < len(want):
			if c != want[j] {
				return p.fail(p.mark+j, ReasonVersion)
			}
		case j == len(want):
			if c < '0' || c > '9' {
				return p.fail(p.mark+j, ReasonVersion)
			}
			h.Minor = min(c-'0', 1)
		case j == versionLen && c == '\r':
		case c == '\n' && (j == versionLen+1 || j == versionLen && lim.loose()):
			p.pos, p.state = p.mark+j+1, stateLine
			return Complete
		default:
			return p.fail(p.mark+j, ReasonVersion)
		}
	}
	return p.more(len(b))
}

// statusLine reads up to the first field line.
func (p *Parser) statusLine(b []byte, h *message.Head, lim *Limits) Status {
	i := p.pos
	switch p.state {
	case stateStatus:
		if st := p.statusCode(b, h); st != Complete {
			return st
		}
		i = p.pos
		if i == len(b) {
			return p.more(i)
		}
		p.mark, p.state = i, stateReason
		fallthrough
	case stateReason:
		i = scanValue(b, i)
		if i == len(b) {
			return p.more(i)
		}
		from := min(p.mark+1, i) // the blank before the phrase
		h.Reason = span(from, i)
		if b[i] == '\n' && lim.loose() {
			p.pos, p.state = i+1, stateLine
			return Complete
		}
		if b[i] != '\r' {
			return p.fail(i, ReasonStatusLine)
		}
		i++
		p.state = stateReasonLF
		fallthrough
	case stateReasonLF:
		if i == len(b) {
			return p.more(i)
		}
		if b[i] != '\n' {
			return p.fail(i, ReasonLineEnd)
		}
		p.pos, p.state = i+1, stateLine
		return Complete
	}
	panic("h1: statusLine in a later state")
}

// statusCode reads "HTTP/1.x SP 3DIGIT" and looks at the byte after it, which
// must be a blank or the line end. The reason phrase and the blank before it
// may be missing, as servers do.
func (p *Parser) statusCode(b []byte, h *message.Head) Status {
	const want = "HTTP/1."
	code := 0
	for j, c := range b {
		switch {
		case j < len(want):
			if c != want[j] {
				return p.fail(j, ReasonVersion)
			}
		case j == len(want):
			if c < '0' || c > '9' {
				return p.fail(j, ReasonVersion)
			}
			h.Minor = min(c-'0', 1)
		case j == versionLen:
			if c != ' ' {
				return p.fail(j, ReasonStatusLine)
			}
		case j <= versionLen+3:
			if c < '0' || c > '9' {
				return p.fail(j, ReasonStatusLine)
			}
			code = code*10 + int(c-'0')
		default:
			if c != ' ' && c != '\r' && c != '\n' || code < 100 {
				return p.fail(j, ReasonStatusLine)
			}
			h.Status, p.pos = code, j
			return Complete
		}
	}
	return p.more(0)
}

func span(from, to int) message.Span {
	return message.Span{Off: uint32(from), Len: uint32(to - from)}
}
