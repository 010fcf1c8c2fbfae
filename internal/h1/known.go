package h1

import (
	"bytes"

	"github.com/weir-lb/weir/internal/message"
)

// known acts on the field just appended, whose name is one the proxy treats.
func (p *Parser) known(h *message.Head, id message.FieldID, lim *Limits) Reason {
	f := &h.Fields[len(h.Fields)-1]
	switch id {
	case message.FieldHost:
		return p.host(h, f, lim)
	case message.FieldContentLength:
		return p.contentLength(h, f)
	case message.FieldTransferEncoding:
		return p.transferEncoding(h, f)
	case message.FieldConnection:
		f.Drop = true
		return p.connection(h, h.Text(f.Value))
	case message.FieldUpgrade:
		f.Drop = true
		if h.Upgrade.Len == 0 {
			h.Upgrade = f.Value
		}
	case message.FieldKeepAlive, message.FieldProxyConnection, message.FieldTE, message.FieldHTTP2Settings:
		f.Drop = true
	case message.FieldExpect:
		if h.Minor >= 1 && message.EqualFold(h.Text(f.Value), []byte("100-continue")) {
			h.Expect100 = true
		}
	}
	return ReasonNone
}

func (p *Parser) host(h *message.Head, f *message.Field, lim *Limits) Reason {
	if p.response {
		return ReasonNone
	}
	value := h.Text(f.Value)
	switch {
	case p.seenHost && !lim.unsafe():
		return ReasonHost
	case p.seenHost:
		f.Drop = true
		return ReasonNone
	case len(value) > 0 && !message.ValidAuthority(value, false):
		return ReasonHost
	}
	p.seenHost, h.Host = true, f.Value
	return ReasonNone
}

// contentLength takes a number, or a list of the same number over and over
// (RFC 9112 section 6.3 point 5); more than one field becomes one.
func (p *Parser) contentLength(h *message.Head, f *message.Field) Reason {
	whole := f.Value
	text := h.Text(whole)
	for off := 0; off >= 0; {
		from, to, next := message.ListItem(text, off)
		n, ok := parseLength(text[from:to])
		if !ok || h.HasLength && n != h.Length {
			return ReasonLength
		}
		if off == 0 {
			f.Value = whole.Sub(from, to)
			f.Drop = h.HasLength
		}
		h.HasLength, h.Length = true, n
		off = next
	}
	return ReasonNone
}

// lengthDigitsMax keeps a length below 2^63 without a check for overflow.
const lengthDigitsMax = 18

func parseLength(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > lengthDigitsMax {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// transferEncoding notes what codings there are (RFC 9112 section 6.1);
// frameRequest and frameResponse judge them together.
func (p *Parser) transferEncoding(h *message.Head, f *message.Field) Reason {
	p.seenCoding = true
	text := h.Text(f.Value)
	for off := 0; off >= 0; {
		var from, to int
		from, to, off = message.ListItem(text, off)
		switch {
		case p.chunkedLast:
			return ReasonCoding // chunked twice, or not last
		case message.EqualFold(text[from:to], []byte("chunked")):
			p.chunkedLast = true
		case from == to:
			return ReasonCoding
		default:
			p.otherCoding = true
		}
	}
	return ReasonNone
}

// connection notes the known tokens; names of fields are treated once all
// fields are there.
func (p *Parser) connection(h *message.Head, text []byte) Reason {
	for off := 0; off >= 0; {
		var from, to int
		from, to, off = message.ListItem(text, off)
		token := text[from:to]
		switch {
		case len(token) == 0:
		case message.EqualFold(token, []byte("close")):
			h.ConnClose = true
		case message.EqualFold(token, []byte("keep-alive")):
			h.ConnKeepAlive = true
		case message.EqualFold(token, []byte("upgrade")):
			h.ConnUpgrade = true
		case message.EqualFold(token, []byte("te")):
			h.ConnTE = true
		default:
			if p.tokens++; p.tokens > connectionTokensMax {
				return ReasonConnectionTokens
			}
			p.namedFields = true
		}
	}
	return ReasonNone
}

// dropNamed marks the fields that Connection names, protected ones excepted.
func (p *Parser) dropNamed(h *message.Head) {
	for i := h.Find(message.FieldConnection, 0); i >= 0; i = h.Find(message.FieldConnection, i+1) {
		text := h.Value(i)
		for off := 0; off >= 0; {
			var from, to int
			from, to, off = message.ListItem(text, off)
			token := text[from:to]
			if len(token) < 2 {
				continue
			}
			id := message.FieldIDOf(token)
			if id.Protected() {
				continue
			}
			for j := h.FindName(token, 0); j >= 0; j = h.FindName(token, j+1) {
				h.Fields[j].Drop = true
			}
		}
	}
}

// frameRequest finds where the body ends and checks what concerns the whole
// head.
func (p *Parser) frameRequest(h *message.Head, lim *Limits) Status {
	if p.namedFields {
		p.dropNamed(h)
	}
	if st := p.frameBody(h, lim); st != Complete {
		return st
	}
	if !p.seenHost && h.Minor >= 1 && !lim.unsafe() {
		return p.fail(p.pos, ReasonNoHost)
	}
	if h.Authority.Len > 0 && p.seenHost && !lim.unsafe() && !sameHost(h.Text(h.Authority), h.Text(h.Host)) {
		return p.fail(int(h.Host.Off), ReasonHostMismatch)
	}
	return Complete
}

func (p *Parser) frameBody(h *message.Head, lim *Limits) Status {
	switch {
	case p.seenCoding && h.Minor == 0:
		return p.fail(p.pos, ReasonCodingIn10)
	case p.seenCoding && p.otherCoding:
		return p.fail(p.pos, ReasonUnknownCoding)
	case p.seenCoding && h.HasLength && !lim.unsafe():
		return p.fail(p.pos, ReasonLengthAndCoding)
	case p.seenCoding:
		h.Framing = message.BodyChunked
		if h.HasLength {
			dropLength(h)
			h.MustClose = true
		}
	case h.HasLength && h.Length > 0:
		h.Framing = message.BodyLength
	}
	if h.Framing != message.BodyNone && h.Minor == 0 && !lim.bodyWithAnyMethod() {
		switch h.Method {
		case message.MethodGet, message.MethodHead, message.MethodDelete:
			return p.fail(p.pos, ReasonBody)
		}
	}
	return Complete
}

func dropLength(h *message.Head) {
	h.HasLength, h.Length = false, 0
	for i := h.Find(message.FieldContentLength, 0); i >= 0; i = h.Find(message.FieldContentLength, i+1) {
		h.Fields[i].Drop = true
	}
}

// sameHost compares an authority with a Host value without regard to case; a
// missing port equals an empty one.
func sameHost(authority, host []byte) bool {
	return message.EqualFold(bytes.TrimSuffix(authority, []byte(":")), bytes.TrimSuffix(host, []byte(":")))
}

// frameResponse finds where the body ends (RFC 9112 section 6.3).
func (p *Parser) frameResponse(h *message.Head, toMethod message.Method) {
	if p.namedFields {
		p.dropNamed(h)
	}
	switch {
	case h.Status < 200 || h.Status == 204 || h.Status == 304 || toMethod == message.MethodHead ||
		toMethod == message.MethodConnect && h.Status < 300:
		h.Framing = message.BodyNone
	case p.seenCoding && p.chunkedLast && !p.otherCoding && h.Minor >= 1:
		h.Framing = message.BodyChunked
		if h.HasLength {
			dropLength(h)
			h.MustClose = true
		}
	case p.seenCoding:
		dropLength(h)
		h.Framing = message.BodyUntilClose
	case h.HasLength && h.Length > 0:
		h.Framing = message.BodyLength
	case h.HasLength:
	default:
		h.Framing = message.BodyUntilClose
	}
}
