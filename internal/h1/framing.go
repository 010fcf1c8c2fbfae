package h1

import "github.com/weir-lb/weir/internal/message"

// frameRequest finds where the body ends and checks what concerns the whole
// head.
func (p *Parser) frameRequest(h *message.Head, lim *Limits) Status {
	if p.namedFields {
		p.dropNamed(h)
	}
	if h.ConnUpgrade || h.Upgrade.Len > 0 {
		if !p.upgrade(h) {
			return p.fail(p.pos, ReasonWebSocket)
		}
	}
	if p.seenCoding || h.HasLength {
		if st := p.frameBody(h, lim); st != Complete {
			return st
		}
	}
	if lim.loose() {
		return Complete
	}
	if !p.seenHost && h.Minor >= 1 {
		return p.fail(p.pos, ReasonNoHost)
	}
	if h.Authority.Len > 0 && p.seenHost &&
		!message.SameAuthority(h.Text(h.Scheme), h.Text(h.Authority), h.Text(h.Host)) {
		return p.fail(int(h.Host.Off), ReasonHostMismatch)
	}
	return Complete
}

// frameBody judges the framing of a request (RFC 9112 section 6.3).
func (p *Parser) frameBody(h *message.Head, lim *Limits) Status {
	switch {
	case p.seenCoding && h.Minor == 0:
		return p.fail(p.pos, ReasonCodingIn10) // CVE-2026-2835; HAProxy closes instead
	case p.seenCoding && !p.chunkedLast:
		return p.fail(p.pos, ReasonCoding)
	case p.seenCoding && p.otherCoding:
		return p.fail(p.pos, ReasonUnknownCoding)
	case p.seenCoding && h.HasLength && !lim.loose():
		return p.fail(p.pos, ReasonLengthAndCoding)
	}
	p.setBody(h)
	if h.Framing == message.BodyNone {
		return Complete
	}
	switch h.Method {
	case message.MethodConnect:
		// What follows the head of CONNECT has no meaning before the 2xx answer
		// (RFC 9110 section 9.3.6). HAProxy passes the bytes into the tunnel.
		return p.fail(p.pos, ReasonBody)
	case message.MethodGet, message.MethodHead, message.MethodDelete:
		if h.Minor == 0 && !lim.bodyWithAnyMethod() {
			return p.fail(p.pos, ReasonBody)
		}
	}
	return Complete
}

// setBody takes the one framing that counts.
func (p *Parser) setBody(h *message.Head) {
	switch {
	case p.seenCoding:
		h.Framing, h.HasCoding = message.BodyChunked, true
		if h.HasLength {
			dropLength(h)
			h.MustClose = true
		}
	case h.HasLength && h.Length > 0:
		h.Framing = message.BodyLength
	}
}

// frameResponse finds where the body ends (RFC 9112 section 6.3).
func (p *Parser) frameResponse(h *message.Head, toMethod message.Method) Status {
	if p.namedFields {
		p.dropNamed(h)
	}
	if h.ConnUpgrade || h.Upgrade.Len > 0 {
		p.upgrade(h)
	}
	if p.seenCoding {
		switch {
		case h.Minor == 0:
			return p.fail(p.pos, ReasonCodingIn10)
		case !p.chunkedLast:
			return p.fail(p.pos, ReasonCoding)
		case p.otherCoding:
			return p.fail(p.pos, ReasonUnknownCoding)
		}
	}
	p.setBody(h)
	switch {
	case h.Status < 200 || h.Status == 204 || toMethod == message.MethodConnect && h.Status < 300:
		// RFC 9112 section 6.1, RFC 9110 section 8.6: such fields must not have
		// been sent, and mean nothing.
		dropLength(h)
		dropAll(h, message.FieldTransferEncoding)
		h.Framing, h.HasCoding = message.BodyNone, false
	case h.Status == 304 || toMethod == message.MethodHead:
		h.Framing = message.BodyNone
	case h.Framing == message.BodyNone && !h.HasLength:
		h.Framing = message.BodyUntilClose
	}
	return Complete
}

func dropLength(h *message.Head) {
	h.HasLength, h.Length = false, 0
	dropAll(h, message.FieldContentLength)
}

func dropAll(h *message.Head, id message.FieldID) {
	for i := h.Find(id, 0); i >= 0; i = h.Find(id, i+1) {
		h.Fields[i].Drop = true
	}
}

// dropForbidden marks what RFC 9110 section 6.5.1 keeps out of trailers: framing,
// routing, authentication, and whatever else the proxy itself treats.
func dropForbidden(h *message.Head) {
	for i := range h.Fields {
		if h.Fields[i].ID != message.FieldOther {
			h.Fields[i].Drop = true
		}
	}
}

// upgrade judges Upgrade and its token in Connection, of which both must be
// there. Upgrade means nothing in HTTP/1.0 (RFC 9110 section 7.8), and h2c is not passed
// on: the tunnel would hide requests from the rules. It reports false for a
// WebSocket request without a key (RFC 6455 section 4.2.1), which HAProxy refuses in any
// version.
func (p *Parser) upgrade(h *message.Head) bool {
	asked := h.ConnUpgrade && h.Upgrade.Len > 0
	valid := true
	for i := h.Find(message.FieldUpgrade, 0); i >= 0 && asked; i = h.Find(message.FieldUpgrade, i+1) {
		text := h.Value(i)
		for off := 0; off >= 0; {
			var from, to int
			from, to, off = message.ListItem(text, off)
			switch protocol := text[from:to]; {
			case isWord(protocol, "h2c"):
				asked = false
			case isWord(protocol, "websocket"):
				valid = p.response || hasWebSocketKey(h)
			}
		}
	}
	if asked = asked && h.Minor >= 1; !asked {
		h.ConnUpgrade, h.Upgrade, h.UpgradeToken = false, message.Span{}, message.Span{}
	}
	return valid
}

// hasWebSocketKey looks for sixteen bytes in base64.
func hasWebSocketKey(h *message.Head) bool {
	i := h.Find(message.FieldSecWebSocketKey, 0)
	if i < 0 {
		return false
	}
	key := h.Value(i)
	return len(key) == 24 && key[22] == '=' && key[23] == '='
}
