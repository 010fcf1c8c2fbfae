package message

import "bytes"

// A Span is a piece of a Head: of Raw, or of Extra when the high bit of Off is
// set. The zero Span is empty.
type Span struct {
	Off, Len uint32
}

// extraBit in Span.Off marks bytes of Head.Extra.
const extraBit = 1 << 31

// InExtra reports whether the bytes were added by rules.
func (s Span) InExtra() bool { return s.Off&extraBit != 0 }

// End is the offset after the last byte, in the same array.
func (s Span) End() uint32 { return s.Off + s.Len }

// Sub gives the bytes [from,to) of s as a span of their own.
func (s Span) Sub(from, to int) Span {
	return Span{s.Off + uint32(from), uint32(to - from)}
}

// A Field is one header or trailer field.
type Field struct {
	Name, Value Span // Value without the white space around it
	ID          FieldID
	// Drop marks a field that concerns only the connection that it came on, or
	// that the framing makes void: rules see it, writers leave it out.
	Drop bool
}

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

const (
	FormOrigin    TargetForm = iota // "/path?query"
	FormAbsolute                    // "http://host/path?query"
	FormAsterisk                    // "*", with OPTIONS
	FormAuthority                   // "host:port", with CONNECT
)

// Framing says where the body of a message ends.
type Framing uint8

const (
	BodyNone       Framing = iota // there is no body
	BodyLength                    // after Head.Length bytes; Length > 0
	BodyChunked                   // after the last chunk and the trailer section
	BodyUntilClose                // where the connection ends; responses only
)

// A Head is the first part of a message: request line or status line, and the
// header fields.
type Head struct {
	Raw   []byte // what was parsed
	Extra []byte // what rules added; append-only until Reset

	Method     Method
	MethodText Span
	Target     Span       // as received, or as rules set it
	Form       TargetForm // of Target
	Scheme     Span       // of an absolute target, without "://"
	Authority  Span       // of an absolute or authority target
	Path       Span       // with the query; "*" of an asterisk target; empty in "http://host"

	Status int // of a response; 0 in a request
	Reason Span

	Minor  uint8 // of HTTP/1.Minor: 0 or 1
	HTTP2  bool  // it came over HTTP/2; Minor is then 1
	Fields []Field

	Framing   Framing
	HasLength bool  // a Content-Length counts
	HasCoding bool  // "Transfer-Encoding: chunked" counts; also where no body follows (HEAD, 304)
	Length    int64 // of Content-Length; also where no body follows

	ConnClose     bool // Connection: close
	ConnKeepAlive bool // Connection: keep-alive
	ConnUpgrade   bool // Connection: upgrade, an Upgrade field that may be passed on, and HTTP/1.1
	ConnTE        bool // Connection: te
	Expect100     bool // Expect: 100-continue, with HTTP/1.1
	// MustClose is set when the framing was doubtful (RFC 9112 section 6.3):
	// the connection that the message came on must not carry another one.
	MustClose bool

	Upgrade      Span // value of the first Upgrade field; only with ConnUpgrade
	UpgradeToken Span // the token in Connection, as it was written
	Host         Span // value of the Host field
}

// Reset makes h the empty head of a message whose bytes are raw. The memory of
// Extra and Fields is kept.
func (h *Head) Reset(raw []byte) {
	*h = Head{Raw: raw, Extra: h.Extra[:0], Fields: h.Fields[:0]}
}

// Text gives the bytes of s; they are valid until Raw is reused or, for bytes
// of Extra, until the next edit.
func (h *Head) Text(s Span) []byte {
	if s.Off&extraBit != 0 {
		off := s.Off &^ extraBit
		return h.Extra[off : off+s.Len : off+s.Len]
	}
	return h.Raw[s.Off : s.Off+s.Len : s.Off+s.Len]
}

// Persistent reports whether the connection on which h came may carry another
// message after this one (RFC 9112 section 9.3).
func (h *Head) Persistent() bool {
	if h.ConnClose || h.MustClose || h.Framing == BodyUntilClose {
		return false
	}
	return h.Minor >= 1 || h.ConnKeepAlive
}

// Value gives the value of field i.
func (h *Head) Value(i int) []byte { return h.Text(h.Fields[i].Value) }

// Name gives the name of field i as it was received.
func (h *Head) Name(i int) []byte { return h.Text(h.Fields[i].Name) }

// PathOnly gives the path without the query. It is empty in "http://host" and
// in an asterisk target, as HAProxy's "path".
func (h *Head) PathOnly() []byte {
	if h.Form == FormAsterisk {
		return nil
	}
	p := h.Text(h.Path)
	if q := bytes.IndexByte(p, '?'); q >= 0 {
		p = p[:q]
	}
	return p
}

// Query gives what follows the first "?" of the target; ok is false when there
// is no "?".
func (h *Head) Query() (query []byte, ok bool) {
	p := h.Text(h.Path)
	q := bytes.IndexByte(p, '?')
	if q < 0 {
		return nil, false
	}
	return p[q+1:], true
}
