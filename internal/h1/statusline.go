package h1

import "github.com/weir-lb/weir/internal/message"

// statusLine reads up to the first field line.
func (p *Parser) statusLine(b []byte, h *message.Head, lim *Limits) Status {
	loose := lim.loose()
	i := p.pos
	switch p.state {
	case stateStatus:
		if st := p.statusCode(b, h, loose); st != Complete {
			return st
		}
		i = p.pos
		p.mark, p.state = i, stateReason
		fallthrough
	case stateReason:
		i = scanValue(b, i)
		if i == len(b) {
			return p.more(i)
		}
		h.Reason = trimmed(b, p.mark, i)
		if b[i] == '\n' && loose {
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
// must be a blank or begin the line end: the reason phrase and the blank before
// it may be missing, as some servers do. The few bytes are looked at again when
// they arrive in pieces.
func (p *Parser) statusCode(b []byte, h *message.Head, loose bool) Status {
	at := versionLen
	if loose {
		n, st := p.versionToken(b)
		if st != Complete {
			return st
		}
		if n == 0 || b[n] != ' ' && b[n] != '\t' {
			return p.fail(n, ReasonVersion)
		}
		if at = skipBlanks(b, n) - 1; at > n+looseVersionMax {
			return p.fail(n+looseVersionMax+1, ReasonStatusLine)
		}
		h.Minor = looseMinor(b[:n])
	} else if j, ok := plainVersion(b); !ok {
		return p.fail(j, ReasonVersion)
	}
	code := 0
	for j := at; j < len(b); j++ {
		c := b[j]
		switch {
		case j == at:
			if c != ' ' && !loose {
				return p.fail(j, ReasonStatusLine)
			}
		case j <= at+3:
			if c < '0' || c > '9' {
				return p.fail(j, ReasonStatusLine)
			}
			code = code*10 + int(c-'0')
		case c != ' ' && c != '\t' && c != '\r' && c != '\n' || code < 100:
			return p.fail(j, ReasonStatusLine)
		default:
			if !loose {
				h.Minor = min(b[versionLen-1]-'0', 1)
			}
			h.Status, p.pos = code, j
			return Complete
		}
	}
	return p.more(len(b)) // the next call reads it again from its first byte
}

// plainVersion checks that b begins with "HTTP/1.x", or with a part of it when
// it has no more bytes; j is where it does not.
func plainVersion(b []byte) (j int, ok bool) {
	const want = "HTTP/1."
	for ; j < len(want); j++ {
		if j == len(b) {
			return j, true
		}
		if b[j] != want[j] {
			return j, false
		}
	}
	return j, j == len(b) || '0' <= b[j] && b[j] <= '9'
}

// trimmed is the span of b[from:to] without blanks around it.
func trimmed(b []byte, from, to int) message.Span {
	for from < to && (b[from] == ' ' || b[from] == '\t') {
		from++
	}
	for to > from && (b[to-1] == ' ' || b[to-1] == '\t') {
		to--
	}
	return span(from, to)
}
