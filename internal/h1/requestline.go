package h1

import (
	"encoding/binary"

	"github.com/weir-lb/weir/internal/message"
)

const (
	// http1 is "HTTP/1." in the low seven bytes of a little-endian word.
	http1     = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48
	http1Mask = 1<<56 - 1

	versionLen = len("HTTP/1.1")

	looseVersionMax = 16 // bytes of a protocol name and version when loose
)

// requestLine reads up to the first field line.
func (p *Parser) requestLine(b []byte, h *message.Head, lim *Limits) Status {
	loose := lim.loose()
	i := p.pos
	switch p.state {
	case stateStart, stateStartLF:
		var st Status
		if i, st = p.emptyLines(b, i, loose); st != Complete {
			return st
		}
		p.mark, p.state = i, stateMethod
		fallthrough
	case stateMethod:
		i = scanToken(b, i)
		if i == len(b) {
			return p.more(i)
		}
		if i == p.mark || b[i] != ' ' && !(loose && b[i] == '\t') {
			return p.fail(i, ReasonMethod)
		}
		h.MethodText = span(p.mark, i)
		h.Method = message.MethodOf(b[p.mark:i])
		i++
		p.mark, p.state = i, stateMethodGap
		fallthrough
	case stateMethodGap:
		if loose {
			if i = skipBlanks(b, i); i == len(b) {
				return p.more(i)
			}
			p.mark = i
		}
		p.state = stateTarget
		fallthrough
	case stateTarget:
		i = scanTarget(b, i, loose)
		if i == len(b) {
			return p.more(i)
		}
		if st := p.target(b, i, h, loose); st != Complete {
			return st
		}
		p.state = stateTargetGap
		fallthrough
	case stateTargetGap:
		if loose {
			if i = skipBlanks(b, i); i == len(b) {
				return p.more(i)
			}
		} else {
			i++
		}
		p.mark, p.state = i, stateVersion
		fallthrough
	case stateVersion:
		return p.version(b, h, loose)
	}
	panic("h1: requestLine in a later state")
}

// emptyLines skips CRLF before a request line (RFC 9112 section 2.2).
func (p *Parser) emptyLines(b []byte, i int, loose bool) (int, Status) {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case p.state == stateStartLF:
			if c != '\n' {
				return i, p.fail(i, ReasonLineEnd)
			}
			p.state = stateStart
		case c == '\r':
			p.state = stateStartLF
		case c == '\n' && loose:
		case c == '\n':
			return i, p.fail(i, ReasonLineEnd)
		default:
			return i, Complete
		}
	}
	return i, p.more(i)
}

// target takes the target that ends at i.
func (p *Parser) target(b []byte, i int, h *message.Head, loose bool) Status {
	end := b[i]
	if i == p.mark || end != ' ' && !(loose && (end == '\t' || end == '\r' || end == '\n')) {
		return p.fail(i, ReasonTarget)
	}
	h.Target = span(p.mark, i)
	switch {
	case b[p.mark] == '/' && h.Method != message.MethodConnect:
		h.Path = h.Target
	case h.SplitTarget():
	case !loose:
		return p.fail(p.mark, ReasonTarget)
	default:
		p.looseTarget(h)
	}
	return Complete
}

// looseTarget takes a target of no known form, as it was received.
func (p *Parser) looseTarget(h *message.Head) {
	h.Form, h.Scheme, h.Authority, h.Path = message.FormOrigin, message.Span{}, message.Span{}, h.Target
	if h.Method == message.MethodConnect {
		h.Form, h.Authority, h.Path = message.FormAuthority, h.Target, message.Span{}
	}
}

// version reads "HTTP/1.x" CRLF at p.mark. Its few bytes are looked at again
// when they arrive in pieces.
func (p *Parser) version(b []byte, h *message.Head, loose bool) Status {
	rest := b[p.mark:]
	if len(rest) >= versionLen+2 && binary.LittleEndian.Uint64(rest)&http1Mask == http1 &&
		rest[7]-'0' <= 9 && rest[8] == '\r' && rest[9] == '\n' {
		h.Minor = min(rest[7]-'0', 1)
		p.pos, p.state = p.mark+versionLen+2, stateLine
		return Complete
	}
	if loose {
		return p.looseVersion(b, h)
	}
	const want = "HTTP/1."
	for j, c := range rest {
		ok := false
		switch {
		case j < len(want):
			ok = c == want[j]
		case j == len(want):
			ok = '0' <= c && c <= '9'
		case j == versionLen:
			ok = c == '\r'
		}
		if !ok {
			return p.fail(p.mark+j, ReasonVersion)
		}
	}
	// Rest is a true prefix; it is read again from its first byte.
	p.pos = len(b)
	return NeedMore
}

// looseVersion takes any protocol name and version, or none at all (HTTP/0.9),
// as HTTP/1.0 but for those of HTTP/1.1 and later.
func (p *Parser) looseVersion(b []byte, h *message.Head) Status {
	rest := b[p.mark:]
	n, st := p.versionToken(rest)
	if st != Complete {
		return st
	}
	end := n
	if rest[end] == '\r' {
		end++
		if end == len(rest) {
			return p.more(len(b))
		}
	}
	if rest[end] != '\n' {
		return p.fail(p.mark+end, ReasonVersion)
	}
	h.Minor = looseMinor(rest[:n])
	p.pos, p.state = p.mark+end+1, stateLine
	switch {
	case n == 0 && h.Method != message.MethodGet:
		return p.fail(p.mark, ReasonVersion)
	case n == 0:
		p.state = stateEnd
	case string(h.Text(h.MethodText)) == "PRI":
		return p.fail(p.mark, ReasonVersion) // the preface of HTTP/2 is no request (RFC 9113 section 11.6)
	}
	return Complete
}

// versionToken measures the capitals, digits, "/" and "." that text begins
// with. They must be followed by something.
func (p *Parser) versionToken(text []byte) (int, Status) {
	for n, c := range text {
		if n > looseVersionMax {
			return n, p.fail(p.mark+n, ReasonVersion)
		}
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '/' || c == '.') {
			return n, Complete
		}
	}
	return 0, p.more(p.mark + len(text))
}

// looseMinor is 1 for "HTTP/1.1" and above, with single digits, else 0.
func looseMinor(version []byte) uint8 {
	if len(version) == versionLen && string(version[:5]) == "HTTP/" && version[6] == '.' &&
		(version[5] > '1' && version[5] <= '9' || version[5] == '1' && version[7] >= '1' && version[7] <= '9') {
		return 1
	}
	return 0
}
