package h2

import (
	"strconv"

	"github.com/weir-lb/weir/internal/message"
)

// This file writes header blocks. It uses the static table only: a table of our
// own would cost memory for each connection and time for each field, and saves
// nothing but bytes. HAProxy does the same.

// A Rewrite says what is made different from the head that came in.
type Rewrite struct {
	Framing message.Framing // of the body, as the server sends it
	End     bool            // nothing follows
}

// HeadSizeMax bounds what AppendHead appends for h.
func HeadSizeMax(h *message.Head) int {
	const fixed = 64
	n := fixed + FrameHeadLen
	for i := range h.Fields {
		n += int(h.Fields[i].Name.Len+h.Fields[i].Value.Len) + 2*integerBytes
	}
	return n + n/frameSizeMin*FrameHeadLen
}

// AppendHead appends a response's head on s: HEADERS, and CONTINUATION if it does
// not fit. The fields that HTTP/2 has no use for are left out.
func (c *Conn) AppendHead(dst []byte, s *Stream, h *message.Head, rw Rewrite) []byte {
	head := len(dst)
	dst = appendFrame(dst, frame{kind: FrameHeaders, stream: s.id})
	if !c.cleared {
		c.cleared = true
		dst = append(dst, 0x20) // a table of no bytes, whatever the client may announce (RFC 7541 section 6.3)
	}
	dst = appendStatus(dst, h.Status)
	framed := false
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case message.FieldOther:
		case message.FieldConnection, message.FieldKeepAlive, message.FieldProxyConnection,
			message.FieldTransferEncoding, message.FieldUpgrade, message.FieldTE:
			continue
		case message.FieldContentLength:
			if framed || !h.HasLength || rw.Framing == message.BodyChunked || rw.Framing == message.BodyUntilClose {
				continue
			}
			framed = true
		}
		if !f.Drop {
			dst = appendHeader(dst, h.Text(f.Name), h.Text(f.Value), f.ID)
		}
	}
	return c.closeBlock(dst, head, s, rw.End)
}

// AppendTrailers appends the fields of h that are not marked Drop. When they are sent,
// which may be later than other streams' frames, EndStream has to be called.
func (c *Conn) AppendTrailers(dst []byte, s *Stream, h *message.Head) []byte {
	head := len(dst)
	dst = appendFrame(dst, frame{kind: FrameHeaders, stream: s.id})
	for i := range h.Fields {
		if f := &h.Fields[i]; !f.Drop {
			dst = appendHeader(dst, h.Text(f.Name), h.Text(f.Value), f.ID)
		}
	}
	dst = c.closeBlock(dst, head, s, false)
	dst[head+4] |= flagEndStream
	return dst
}

// closeBlock completes the head of the frame at dst[head:], and cuts what does
// not fit into it off to more frames.
func (c *Conn) closeBlock(dst []byte, head int, s *Stream, end bool) []byte {
	size := len(dst) - head - FrameHeadLen
	first := min(size, c.clientFrame)
	putSize(dst[head:], first)
	if end {
		dst[head+4] |= flagEndStream
	}
	if first == size {
		dst[head+4] |= flagEndHeaders
	} else {
		dst = c.continued(dst, head+FrameHeadLen+first, s.id)
	}
	if end {
		c.endOurs(s)
	}
	return dst
}

// continued puts heads of CONTINUATION into the block whose rest begins at from.
func (c *Conn) continued(dst []byte, from int, id uint32) []byte {
	rest := append([]byte(nil), dst[from:]...) // rare: a head of more than 16 KiB
	dst = dst[:from]
	for len(rest) > 0 {
		n := min(len(rest), c.clientFrame)
		f := frame{size: n, kind: FrameContinuation, stream: id}
		if n == len(rest) {
			f.flags = flagEndHeaders
		}
		dst = append(appendFrame(dst, f), rest[:n]...)
		rest = rest[n:]
	}
	return dst
}

func appendStatus(dst []byte, status int) []byte {
	const literal, digits = 8, 3 // the name's index
	switch status {
	case 200:
		return append(dst, 0x80|8)
	case 204:
		return append(dst, 0x80|9)
	case 206:
		return append(dst, 0x80|10)
	case 304:
		return append(dst, 0x80|11)
	case 400:
		return append(dst, 0x80|12)
	case 404:
		return append(dst, 0x80|13)
	case 500:
		return append(dst, 0x80|14)
	}
	return strconv.AppendInt(append(dst, literal, digits), int64(status), 10)
}

// appendHeader appends a literal that no table keeps; the name is made lower case.
// Values that must stay secret are marked so that nobody on the way indexes them
// (RFC 7541 section 7.1.3).
func appendHeader(dst, name, value []byte, id message.FieldID) []byte {
	first := byte(0)
	if id == message.FieldSetCookie || id == message.FieldAuthorization {
		first = 0x10
	}
	if i := staticNames[id]; i != 0 && id != message.FieldOther {
		dst = appendInteger(dst, first, 4, int(i))
	} else {
		dst = appendInteger(append(dst, first), 0, 7, len(name))
		from := len(dst)
		dst = append(dst, name...)
		for j := from; j < len(dst); j++ {
			if c := dst[j]; 'A' <= c && c <= 'Z' {
				dst[j] = c | 0x20
			}
		}
	}
	dst = appendInteger(dst, 0, 7, len(value))
	return append(dst, value...)
}
