package h1

import "github.com/weir-lb/weir/internal/message"

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
		return p.connection(h, f.Value)
	case message.FieldUpgrade:
		f.Drop = true
		if h.Upgrade.Len == 0 {
			h.Upgrade = f.Value
		}
	case message.FieldKeepAlive, message.FieldProxyConnection, message.FieldTE, message.FieldHTTP2Settings:
		f.Drop = true
	case message.FieldExpect:
		h.Expect100 = h.Minor >= 1 && isWord(h.Text(f.Value), "100-continue")
	}
	return ReasonNone
}

// host takes the Host field of a request. HAProxy 2.6 takes any value, and
// several fields with the same one.
func (p *Parser) host(h *message.Head, f *message.Field, lim *Limits) Reason {
	if p.response {
		return ReasonNone
	}
	value := h.Text(f.Value)
	if p.seenHost {
		f.Drop = true
		if !lim.loose() || !message.EqualFold(value, h.Text(h.Host)) {
			return ReasonHost
		}
		return ReasonNone
	}
	if len(value) > 0 && !message.ValidAuthority(value, false) && !lim.loose() {
		return ReasonHost
	}
	p.seenHost, h.Host = true, f.Value
	return ReasonNone
}

// contentLength takes a number, or a list of the same number over and over
// (RFC 9112 section 6.3 point 5). Of a list, and of several fields, only the
// first number remains.
func (p *Parser) contentLength(h *message.Head, f *message.Field) Reason {
	whole := f.Value
	text := h.Text(whole)
	if n, ok := parseLength(text); ok && !h.HasLength {
		h.HasLength, h.Length = true, n
		return ReasonNone
	}
	f.Drop = h.HasLength
	for off := 0; off >= 0; {
		from, to, next := message.ListItem(text, off)
		n, ok := parseLength(text[from:to])
		if !ok || h.HasLength && n != h.Length {
			return ReasonLength
		}
		if off == 0 {
			f.Value = whole.Sub(from, to)
		}
		h.HasLength, h.Length = true, n
		off = next
	}
	return ReasonNone
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

// transferEncoding notes what codings there are (RFC 9112 section 6.1);
// frameRequest and frameResponse judge them together.
func (p *Parser) transferEncoding(h *message.Head, f *message.Field) Reason {
	p.seenCoding = true
	text := h.Text(f.Value)
	for off := 0; off >= 0; {
		var from, to int
		from, to, off = message.ListItem(text, off)
		switch {
		case p.chunkedLast || from == to:
			return ReasonCoding // chunked twice or not last, or an empty element
		case isWord(text[from:to], "chunked"):
			p.chunkedLast = true
		default:
			p.otherCoding = true
		}
	}
	return ReasonNone
}

// connection notes the known tokens; names of fields are treated once all
// fields are there.
func (p *Parser) connection(h *message.Head, value message.Span) Reason {
	text := h.Text(value)
	if isWord(text, "keep-alive") { // the usual one
		h.ConnKeepAlive = true
		return ReasonNone
	}
	for off := 0; off >= 0; {
		var from, to int
		from, to, off = message.ListItem(text, off)
		switch token := text[from:to]; {
		case len(token) == 0:
		case isWord(token, "keep-alive"):
			h.ConnKeepAlive = true
		case isWord(token, "close"):
			h.ConnClose = true
		case isWord(token, "upgrade"):
			h.ConnUpgrade = true
			h.UpgradeToken = value.Sub(from, to)
		case isWord(token, "te"):
			h.ConnTE = true
		default:
			p.namedFields = true
			if p.tokens++; p.tokens > connectionTokensMax {
				return ReasonConnectionTokens
			}
		}
	}
	return ReasonNone
}

// isWord reports whether text is word, which is in lower case, in any case. A
// byte that differs from a letter in bit 5 alone is that letter in upper case,
// and "-" and digits have no such twin among visible characters.
func isWord(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i := range text {
		if text[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// dropNamed marks the fields that Connection names, protected ones excepted
// (RFC 9110 section 7.6.1). HAProxy 2.6 passes them on.
func (p *Parser) dropNamed(h *message.Head) {
	for i := h.Find(message.FieldConnection, 0); i >= 0; i = h.Find(message.FieldConnection, i+1) {
		text := h.Value(i)
		for off := 0; off >= 0; {
			var from, to int
			from, to, off = message.ListItem(text, off)
			token := text[from:to]
			if len(token) == 0 || message.ProtectedName(token) {
				continue
			}
			for j := h.FindName(token, 0); j >= 0; j = h.FindName(token, j+1) {
				h.Fields[j].Drop = true
			}
		}
	}
}
