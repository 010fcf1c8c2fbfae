package h2

import (
	"github.com/weir-lb/weir/internal/message"
)

// A Scratch is the memory in which a loop decodes one block at a time.
type Scratch struct {
	// Head is the request or the trailers of the last event that brought some; its
	// Raw stands in this memory. The caller may swap it for another.
	Head message.Head

	name, value []byte // of a Huffman-coded field
	pseudo      []byte // the pseudo-headers of a request
	cookie      []byte // the crumbs, joined
	raw         []byte // Head.Raw
}

// NewScratch makes the memory for blocks of at most headMax bytes and fieldsMax
// fields.
func NewScratch(headMax, fieldsMax int) *Scratch {
	sc := &Scratch{raw: make([]byte, 0, headMax)}
	sc.Head.Fields = make([]message.Field, 0, fieldsMax)
	return sc
}

// A requestMaker turns the fields of a block into a message.Head whose Raw reads
// like a head of HTTP/1: writers copy runs of it, and logs show its first line.
type requestMaker struct {
	h     *message.Head
	sc    *Scratch
	lim   *Limits
	parts [pseudoUnknown]message.Span // of sc.pseudo, by pseudo
	seen  uint16                      // pseudo-headers that came
	line  bool                        // the first line is written: regular fields have begun
	size  int                         // text of all fields so far
	why   Reason                      // what was wrong first
	kind  blockKind
}

// A blockKind is what a block is.
type blockKind uint8

const (
	blockRequest blockKind = iota
	blockTrailers
)

// decodeRequest reads the block of a request. why says what makes the request
// malformed (RFC 9113 section 8.1.1), which concerns its stream only; ok is false
// when the block can't be decoded. The block is read to its end in any case: the
// dynamic table depends on it.
func (c *Conn) decodeRequest(block []byte, end bool) (why Reason, ok bool) {
	sc := c.sc
	sc.pseudo, sc.cookie = sc.pseudo[:0], sc.cookie[:0]
	m := requestMaker{h: &sc.Head, sc: sc, lim: c.lim}
	m.h.Reset(sc.raw[:0])
	m.h.Minor, m.h.HTTP2 = 1, true
	if !c.decodeBlock(block, &m) {
		return ReasonCompression, false
	}
	m.finish(end)
	sc.raw = m.h.Raw[:0]
	return m.why, true
}

// decodeBlock gives m each field, until it has found one wrong. A block that grows
// far beyond what a request may have is not decoded to its end: a byte can name a
// field of thousands.
func (c *Conn) decodeBlock(block []byte, m *requestMaker) bool {
	var f field
	c.dec.begun = false
	for left := decodedMax * c.lim.HeadMax; ; {
		n, ok := c.dec.next(block, &f, c.sc)
		left -= len(f.name) + len(f.value)
		switch {
		case !ok, left < 0:
			return false
		case n == 0:
			return true
		case m.why != ReasonNone:
		case m.kind == blockTrailers:
			m.addTrailer(&f)
		default:
			m.add(&f)
		}
		block = block[n:]
	}
}

func (m *requestMaker) fail(why Reason) {
	if m.why == ReasonNone {
		m.why = why
	}
}

// fits counts the text of a field, as it stands in Raw, against the limits.
func (m *requestMaker) fits(f *field) bool {
	m.size += len(f.name) + len(f.value) + len(": \r\n")
	if m.size > m.lim.HeadMax {
		m.fail(ReasonFields)
	}
	return m.why == ReasonNone
}

func (m *requestMaker) add(f *field) {
	switch {
	case f.kind.wrong != ReasonNone:
		m.fail(f.kind.wrong)
	case !m.fits(f):
	case f.kind.pseudo != pseudoNone:
		m.addPseudo(f)
	default:
		if !m.line {
			m.startLine()
		}
		if m.why == ReasonNone {
			m.addField(f)
		}
	}
}

// addPseudo: each may come once, before all regular fields (RFC 9113 section 8.3).
func (m *requestMaker) addPseudo(f *field) {
	p := f.kind.pseudo
	if p == pseudoUnknown || p == pseudoStatus || m.line || m.seen&(1<<p) != 0 {
		m.fail(ReasonPseudo)
		return
	}
	m.seen |= 1 << p
	from := len(m.sc.pseudo)
	m.sc.pseudo = append(m.sc.pseudo, f.value...)
	m.parts[p] = message.Span{Off: uint32(from), Len: uint32(len(f.value))}
}

func (m *requestMaker) part(p pseudo) []byte {
	s := m.parts[p]
	return m.sc.pseudo[s.Off:s.End()]
}

func (m *requestMaker) has(p pseudo) bool { return m.seen&(1<<p) != 0 }

// startLine checks the pseudo-headers and writes what they say: the request line,
// and the Host field.
func (m *requestMaker) startLine() {
	m.line = true
	h, method, authority := m.h, m.part(pseudoMethod), m.part(pseudoAuthority)
	h.Method = message.MethodOf(method)
	switch {
	case !m.has(pseudoMethod) || m.has(pseudoProtocol):
		m.fail(ReasonPseudo)
	case !message.ValidToken(method):
		m.fail(ReasonMethod)
	case m.has(pseudoAuthority) && !message.ValidAuthority(authority, h.Method == message.MethodConnect):
		m.fail(ReasonAuthority)
	}
	if m.why != ReasonNone {
		return
	}
	h.Raw = append(h.Raw, method...)
	h.MethodText = message.Span{Len: uint32(len(h.Raw))}
	h.Raw = append(h.Raw, ' ')
	if h.Method == message.MethodConnect {
		m.connectTarget(authority)
	} else {
		m.target(authority)
	}
	if m.why != ReasonNone {
		return
	}
	h.Raw = append(h.Raw, " HTTP/2.0\r\n"...)
	if m.has(pseudoAuthority) {
		m.append(hostName, authority, message.FieldHost)
		h.Host = h.Fields[len(h.Fields)-1].Value
	}
}

var hostName = []byte("host")

// target writes the URI. What the server gets of it is the path; the whole stands
// in logs, as with HAProxy.
func (m *requestMaker) target(authority []byte) {
	h, scheme, path := m.h, m.part(pseudoScheme), m.part(pseudoPath)
	asterisk := len(path) == 1 && path[0] == '*'
	switch {
	case !m.has(pseudoScheme) || !m.has(pseudoPath):
		m.fail(ReasonPseudo)
	case !validScheme(scheme):
		m.fail(ReasonScheme)
	case len(path) == 0 || path[0] != '/' && !asterisk || !message.ValidTarget(path),
		asterisk && h.Method != message.MethodOptions:
		m.fail(ReasonPath)
	default:
		if len(authority) > 0 && !asterisk {
			h.Raw = append(append(append(h.Raw, scheme...), "://"...), authority...)
		}
		h.Target = message.Span{Off: uint32(len(h.Raw)), Len: uint32(len(path))}
		h.Path = h.Target
		if asterisk {
			h.Form = message.FormAsterisk
		}
		h.Raw = append(h.Raw, path...)
	}
}

// connectTarget: CONNECT has neither scheme nor path (RFC 9113 section 8.5).
func (m *requestMaker) connectTarget(authority []byte) {
	if m.has(pseudoScheme) || m.has(pseudoPath) || !m.has(pseudoAuthority) {
		m.fail(ReasonPseudo)
		return
	}
	h := m.h
	h.Target = message.Span{Off: uint32(len(h.Raw)), Len: uint32(len(authority))}
	h.Form, h.Authority = message.FormAuthority, h.Target
	h.Raw = append(h.Raw, authority...)
}

// validScheme checks RFC 3986 section 3.1, in lower case.
func validScheme(s []byte) bool {
	for i, c := range s {
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return len(s) > 0
}

// append adds a field to the head.
func (m *requestMaker) append(name, value []byte, id message.FieldID) {
	h := m.h
	if len(h.Fields)+1 >= m.lim.FieldsMax {
		m.fail(ReasonFields)
		return
	}
	at := uint32(len(h.Raw))
	h.Raw = append(h.Raw, name...)
	h.Raw = append(h.Raw, ": "...)
	h.Raw = append(h.Raw, value...)
	h.Raw = append(h.Raw, "\r\n"...)
	h.Fields = append(h.Fields, message.Field{
		Name:  message.Span{Off: at, Len: uint32(len(name))},
		Value: message.Span{Off: at + uint32(len(name)) + 2, Len: uint32(len(value))},
		ID:    id,
	})
}

// addField takes a regular field.
func (m *requestMaker) addField(f *field) {
	h := m.h
	switch f.kind.id {
	case message.FieldOther:
	case message.FieldConnection, message.FieldKeepAlive, message.FieldProxyConnection,
		message.FieldTransferEncoding, message.FieldUpgrade:
		m.fail(ReasonConnection) // RFC 9113 section 8.2.2
		return
	case message.FieldTE:
		m.te(f)
		return
	case message.FieldHost:
		m.host(f)
		return
	case message.FieldContentLength:
		m.length(f)
		return
	case message.FieldCookie:
		if len(m.sc.cookie) > 0 {
			m.sc.cookie = append(m.sc.cookie, "; "...) // RFC 9113 section 8.2.3
		}
		m.sc.cookie = append(m.sc.cookie, f.value...)
		return
	case message.FieldHTTP2Settings:
		return
	case message.FieldExpect:
		h.Expect100 = message.EqualFold(f.value, expectContinue)
	}
	m.append(f.name, f.value, f.kind.id)
}

var (
	expectContinue = []byte("100-continue")
	teTrailers     = []byte("trailers")
	cookieName     = []byte("cookie")
)

func (m *requestMaker) te(f *field) {
	if !message.EqualFold(f.value, teTrailers) {
		m.fail(ReasonConnection)
		return
	}
	m.append(f.name, f.value, message.FieldTE)
	if m.why == ReasonNone {
		m.h.Fields[len(m.h.Fields)-1].Drop = true // as in HTTP/1: writers say themselves what holds
	}
}

// host: beside ":authority" it may only say the same.
func (m *requestMaker) host(f *field) {
	h := m.h
	switch {
	case h.Host.Len > 0:
		if !m.has(pseudoAuthority) || !message.SameAuthority(m.part(pseudoScheme), h.Text(h.Host), f.value) {
			m.fail(ReasonAuthority)
		}
	case !message.ValidAuthority(f.value, false):
		m.fail(ReasonAuthority)
	default:
		if m.append(f.name, f.value, message.FieldHost); m.why == ReasonNone {
			h.Host = h.Fields[len(h.Fields)-1].Value
		}
	}
}

// length takes one number, or the same again.
func (m *requestMaker) length(f *field) {
	n, ok := parseLength(f.value)
	switch h := m.h; {
	case !ok || h.HasLength && n != h.Length:
		m.fail(ReasonLength)
	case !h.HasLength:
		h.HasLength, h.Length = true, n
		m.append(f.name, f.value, message.FieldContentLength)
	}
}

// parseLength takes 1*DIGIT up to 2^63-1.
func parseLength(b []byte) (n int64, ok bool) {
	const digitsMax = 19
	if len(b) == 0 || len(b) > digitsMax {
		return 0, false
	}
	var u uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	return int64(u), u < 1<<63
}

// finish checks what concerns the whole head and finds the framing.
func (m *requestMaker) finish(end bool) {
	if !m.line && m.why == ReasonNone {
		m.startLine()
	}
	h := m.h
	if len(m.sc.cookie) > 0 && m.why == ReasonNone {
		m.append(cookieName, m.sc.cookie, message.FieldCookie)
	}
	switch {
	case m.why != ReasonNone:
		return
	case h.Host.Len == 0:
		m.fail(ReasonAuthority) // what HTTP/1.1 has in any case (RFC 9112 section 3.2)
	case end && h.Length > 0 || h.HasLength && h.Method == message.MethodConnect:
		m.fail(ReasonLength)
	case end || h.Method == message.MethodConnect:
	case !h.HasLength:
		h.Framing = message.BodyChunked
	case h.Length > 0:
		h.Framing = message.BodyLength
	}
	h.Raw = append(h.Raw, "\r\n"...)
}

// decodeTrailers reads the block of a trailer section into sc.Head; fields that
// must not come in one are marked Drop.
func (c *Conn) decodeTrailers(block []byte) (why Reason, ok bool) {
	sc := c.sc
	m := requestMaker{h: &sc.Head, sc: sc, lim: c.lim, line: true, kind: blockTrailers}
	m.h.Reset(sc.raw[:0])
	if !c.decodeBlock(block, &m) {
		return ReasonCompression, false
	}
	sc.raw = m.h.Raw[:0]
	return m.why, true
}

// addTrailer: no pseudo-headers (RFC 9113 section 8.1), and nothing that the proxy
// itself treats is passed on (RFC 9110 section 6.5.1).
func (m *requestMaker) addTrailer(f *field) {
	switch {
	case f.kind.wrong != ReasonNone:
		m.fail(f.kind.wrong)
	case f.kind.pseudo != pseudoNone:
		m.fail(ReasonPseudo)
	case f.kind.id.HopByHop() || f.kind.id == message.FieldTransferEncoding:
		m.fail(ReasonConnection)
	case m.fits(f):
		if m.append(f.name, f.value, f.kind.id); m.why == ReasonNone && f.kind.id != message.FieldOther {
			m.h.Fields[len(m.h.Fields)-1].Drop = true
		}
	}
}

// skipBlock decodes a block that nobody wants.
func (c *Conn) skipBlock(block []byte) (ok bool) {
	m := requestMaker{why: ReasonStreams}
	return c.decodeBlock(block, &m)
}
