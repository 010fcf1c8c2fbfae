package h1

import "github.com/weir-lb/weir/internal/message"

// Connection says which Connection field a head is sent with.
type Connection uint8

const (
	ConnectionNone      Connection = iota // no field: persistent, as HTTP/1.1 has it
	ConnectionClose                       // "close"
	ConnectionKeepAlive                   // "keep-alive", for HTTP/1.0
	ConnectionUpgrade                     // "upgrade", and the Upgrade field is kept
)

// Rewrite says what a writer makes different from the head that came in.
type Rewrite struct {
	Connection Connection
	// Framing is how the body is sent: usually Head.Framing. Exactly one
	// framing field is written for BodyLength and BodyChunked, whatever fields
	// the head or the rules have.
	Framing message.Framing
	Minor   uint8 // HTTP/1.Minor
}

// AppendRequest appends the request line and the fields of h that are not
// dropped. The empty line is left to AppendEnd, so that the caller can append
// fields of its own.
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
	n := int(h.MethodText.Len+h.Target.Len+h.Reason.Len) + len("HTTP/1.1 200  \r\n\r\n") +
		len("connection: keep-alive\r\n") + len("content-length: 9223372036854775807\r\n") +
		len("transfer-encoding: chunked\r\n")
	for i := range h.Fields {
		n += int(h.Fields[i].Name.Len+h.Fields[i].Value.Len) + len(": \r\n")
	}
	return n
}

func appendFields(dst []byte, h *message.Head, rw Rewrite) []byte {
	framed := false
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case message.FieldContentLength, message.FieldTransferEncoding:
			if !framed {
				dst, framed = appendFraming(dst, h, rw.Framing)
			}
			continue
		case message.FieldUpgrade:
			if rw.Connection != ConnectionUpgrade {
				continue
			}
		case message.FieldConnection, message.FieldKeepAlive, message.FieldProxyConnection, message.FieldHTTP2Settings:
			continue
		default:
			if f.Drop {
				continue
			}
		}
		dst = AppendField(dst, h.Text(f.Name), h.Text(f.Value))
	}
	if !framed {
		dst, _ = appendFraming(dst, h, rw.Framing)
	}
	switch rw.Connection {
	case ConnectionClose:
		dst = append(dst, "connection: close\r\n"...)
	case ConnectionKeepAlive:
		dst = append(dst, "connection: keep-alive\r\n"...)
	case ConnectionUpgrade:
		dst = append(dst, "connection: upgrade\r\n"...)
	}
	return dst
}

// appendFraming writes the one framing field that framing wants.
func appendFraming(dst []byte, h *message.Head, framing message.Framing) ([]byte, bool) {
	switch {
	case framing == message.BodyChunked:
		return append(dst, "transfer-encoding: chunked\r\n"...), true
	case h.HasLength && framing != message.BodyUntilClose && h.Status != 204 && (h.Status == 0 || h.Status >= 200):
		dst = append(dst, "content-length: "...)
		dst = appendNumber(dst, h.Length)
		return append(dst, "\r\n"...), true
	}
	return dst, true
}
