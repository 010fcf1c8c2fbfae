package h1

import (
	"strconv"

	"github.com/weir-lb/weir/internal/message"
)

// Connection says which Connection field a head is sent with.
type Connection uint8

const (
	ConnectionNone      Connection = iota // no field: persistent, as HTTP/1.1 has it
	ConnectionClose                       // "close"
	ConnectionKeepAlive                   // "keep-alive", for HTTP/1.0
	ConnectionUpgrade                     // the head's own upgrade token; its Upgrade fields are kept
)

// Rewrite says what a writer makes different from the head that came in.
type Rewrite struct {
	Connection Connection
	// Framing is how the body is sent: usually Head.Framing. Whatever fields the
	// head has or rules have added, at most one framing field is written: for
	// BodyChunked Transfer-Encoding, for BodyLength Content-Length, for BodyNone
	// the one that the head has, for BodyUntilClose none.
	Framing message.Framing
	Minor   uint8 // HTTP/1.Minor
}

// AppendRequest appends the request line and the fields of h that are not
// dropped, names in lower case. The empty line is left to AppendEnd, so that
// the caller can append fields of its own. Nothing is allocated when dst has
// room for HeadSizeMax(h) bytes.
func AppendRequest(dst []byte, h *message.Head, rw Rewrite) []byte {
	dst = AppendRequestLine(dst, h.Text(h.MethodText), h.Text(h.Target), rw.Minor)
	return appendFields(dst, h, rw)
}

// AppendResponse is AppendRequest for a response.
func AppendResponse(dst []byte, h *message.Head, rw Rewrite) []byte {
	dst = AppendStatusLine(dst, rw.Minor, h.Status, h.Text(h.Reason))
	return appendFields(dst, h, rw)
}

// HeadSizeMax bounds what AppendRequest or AppendResponse and AppendEnd append
// for h.
func HeadSizeMax(h *message.Head) int {
	const fixed = len("HTTP/1.1 200  \r\n\r\n") + len("connection: TE, keep-alive\r\n") +
		len("content-length: 9223372036854775807\r\n") + len("transfer-encoding: chunked\r\n")
	n := fixed + int(h.MethodText.Len+h.Target.Len+h.Reason.Len)
	for i := range h.Fields {
		n += int(h.Fields[i].Name.Len+h.Fields[i].Value.Len) + len(": \r\n")
	}
	return n
}

// A fieldWriter appends fields. Lines of Raw that leave as they came, but for
// the case of their names, are gathered to runs and copied at once.
type fieldWriter struct {
	dst       []byte
	h         *message.Head
	from, to  uint32 // the run: bytes of Raw
	first     int    // index of the run's first field
	framed    bool   // the framing field is written
	connected bool   // the Connection field is written
	trailers  bool   // "te: trailers" is written, so Connection has to name it
	rw        Rewrite
}

func appendFields(dst []byte, h *message.Head, rw Rewrite) []byte {
	w := fieldWriter{dst: dst, h: h, rw: rw}
	for i := range h.Fields {
		f := &h.Fields[i]
		keep := !f.Drop
		if f.ID != message.FieldOther {
			keep = w.keeps(f, i)
		}
		switch {
		case keep && w.plain(f):
			if f.Name.Off != w.to {
				w.flush(i)
				w.from = f.Name.Off
			}
			w.to = f.Value.End() + 2
		case keep:
			w.flush(i)
			w.dst = AppendField(w.dst, h.Text(f.Name), h.Text(f.Value))
			w.first = i + 1
		default:
			w.flush(i)
			w.first = i + 1
		}
	}
	w.flush(len(h.Fields))
	if !w.framed {
		w.frame()
	}
	if !w.connected {
		w.connect()
	}
	return w.dst
}

// plain reports whether the line of f in Raw is "name: value" CRLF.
func (w *fieldWriter) plain(f *message.Field) bool {
	colon, end := f.Name.Off+f.Name.Len, f.Value.Off+f.Value.Len
	return f.Value.Off == colon+2 && uint(end) < uint(len(w.h.Raw)) &&
		w.h.Raw[colon+1] == ' ' && w.h.Raw[end] == '\r'
}

// flush copies the run that ends before field i and makes its names lower case.
func (w *fieldWriter) flush(i int) {
	if w.from < w.to {
		base := len(w.dst)
		run := w.h.Raw[w.from:w.to]
		w.dst = append(w.dst, run...)
		copied := w.dst[base:]
		for j := w.first; j < i; j++ {
			name := &w.h.Fields[j].Name
			at := name.Off - w.from
			lowerName(copied[at:], int(name.Len))
		}
	}
	w.from, w.to, w.first = 0, 0, i
}

// keeps reports whether field i, whose name the proxy treats, stays as it is.
// What takes its place is written at once, so that fields keep their order.
func (w *fieldWriter) keeps(f *message.Field, i int) bool {
	switch f.ID {
	case message.FieldContentLength, message.FieldTransferEncoding:
		if f.Drop || w.framed {
			return false
		}
		if w.isFraming(f) {
			w.framed = true
			return true
		}
		w.flush(i)
		w.frame()
		return false
	case message.FieldConnection:
		if w.rw.Connection == ConnectionUpgrade && !w.connected {
			w.flush(i)
			w.connect()
		}
		return false
	case message.FieldUpgrade:
		return w.rw.Connection == ConnectionUpgrade
	case message.FieldTE:
		// Trailers are passed on, so who asks for them may get them (gRPC
		// does); other transfer codings end here (RFC 9110 section 10.1.4).
		if !w.trailers && w.h.Status == 0 && acceptsTrailers(w.h.Text(f.Value)) {
			w.flush(i)
			w.dst = append(w.dst, "te: trailers\r\n"...)
			w.trailers = true
		}
		return false
	}
	return !f.Drop
}

// isFraming reports whether f, as it was received, says what Rewrite.Framing
// wants. A length with leading zeros is written anew: some take it for octal.
func (w *fieldWriter) isFraming(f *message.Field) bool {
	if f.Value.InExtra() {
		return false
	}
	switch w.rw.Framing {
	case message.BodyUntilClose:
		return false
	case message.BodyNone, message.BodyLength:
		if f.ID == message.FieldContentLength {
			return w.h.HasLength && (f.Value.Len == 1 || w.h.Raw[f.Value.Off] != '0')
		}
		return w.rw.Framing == message.BodyNone && w.h.HasCoding
	}
	return f.ID == message.FieldTransferEncoding && w.h.HasCoding
}

// frame writes the one framing field that Rewrite.Framing wants.
func (w *fieldWriter) frame() {
	w.framed = true
	h := w.h
	switch w.rw.Framing {
	case message.BodyChunked:
		w.dst = append(w.dst, "transfer-encoding: chunked\r\n"...)
	case message.BodyNone, message.BodyLength:
		if h.HasLength {
			w.dst = append(w.dst, "content-length: "...)
			w.dst = strconv.AppendInt(w.dst, h.Length, 10)
			w.dst = append(w.dst, "\r\n"...)
		} else if h.HasCoding && w.rw.Framing == message.BodyNone {
			w.dst = append(w.dst, "transfer-encoding: chunked\r\n"...)
		}
	}
}

// acceptsTrailers reports whether a TE value has the plain member "trailers".
func acceptsTrailers(value []byte) bool {
	for off := 0; off >= 0; {
		from, to, next := message.ListItem(value, off)
		if message.EqualFold(value[from:to], []byte("trailers")) {
			return true
		}
		off = next
	}
	return false
}

// connect writes the Connection field.
func (w *fieldWriter) connect() {
	w.connected = true
	var token []byte
	switch w.rw.Connection {
	case ConnectionClose:
		token = []byte("close")
	case ConnectionKeepAlive:
		token = []byte("keep-alive")
	case ConnectionUpgrade:
		if token = w.h.Text(w.h.UpgradeToken); len(token) == 0 {
			token = []byte("upgrade")
		}
	}
	if !w.trailers {
		if token != nil {
			w.dst = AppendField(w.dst, []byte("connection"), token)
		}
		return
	}
	w.dst = append(w.dst, "connection: TE"...)
	if token != nil {
		w.dst = append(append(w.dst, ", "...), token...)
	}
	w.dst = append(w.dst, "\r\n"...)
}
