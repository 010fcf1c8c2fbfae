package health

import (
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// appendRequest writes a request as HAProxy does: field names in lower case,
// Content-Length and Connection last. state is the value of the state header;
// empty: none.
func appendRequest(dst []byte, r *Request, state []byte) []byte {
	minor := uint8(0)
	if r.Version == "HTTP/1.1" {
		minor = 1
	}
	method := []byte(orText(r.Method, "OPTIONS"))
	dst = h1.AppendRequestLine(dst, method, []byte(orText(r.URI, "/")), minor)
	connection := ""
	for _, h := range r.Headers {
		switch strings.ToLower(h[0]) {
		case "content-length", "transfer-encoding": // the body decides
		case "connection":
			connection = strings.ToLower(strings.TrimSpace(h[1]))
		default:
			dst = h1.AppendField(dst, []byte(h[0]), []byte(h[1]))
		}
	}
	if len(state) > 0 {
		dst = h1.AppendField(dst, []byte("x-haproxy-server-state"), state)
	}
	if r.Body != "" || wantsLength(message.MethodOf(method)) {
		dst = h1.AppendField(dst, []byte("content-length"), strconv.AppendInt(nil, int64(len(r.Body)), 10))
	}
	// Each version has its default, which is not written.
	switch {
	case minor == 1 && connection != "keep-alive":
		dst = h1.AppendField(dst, []byte("connection"), []byte("close"))
	case minor == 0 && connection == "keep-alive":
		dst = h1.AppendField(dst, []byte("connection"), []byte("keep-alive"))
	}
	return append(h1.AppendEnd(dst), r.Body...)
}

// wantsLength are methods whose lack of a body must be told (RFC 9110 section
// 8.6).
func wantsLength(m message.Method) bool {
	return m == message.MethodPost || m == message.MethodPut || m == message.MethodPatch
}

// Loads are the numbers that http-check send-state tells a server.
type Loads struct {
	Weight, BackendWeight     int // effective; BackendWeight of all usable servers
	Sessions, BackendSessions int
	Queued                    int // on the server
}

// appendState writes the value of X-Haproxy-Server-State (manual, "http-check
// send-state").
func appendState(dst []byte, v *Verdict, t *Target) []byte {
	var l Loads
	if t.Loads != nil {
		l = t.Loads()
	}
	dst = append(dst, v.String()...)
	dst = appendAddress(dst, t.Addr)
	dst = append(append(append(append(dst, "; name="...), t.Backend...), '/'), t.Server...)
	dst = append(append(dst, "; node="...), t.Node...)
	dst = append(append(dst, "; weight="...), ratio(l.Weight, l.BackendWeight)...)
	dst = append(append(dst, "; scur="...), ratio(l.Sessions, l.BackendSessions)...)
	return strconv.AppendInt(append(dst, "; qcur="...), int64(l.Queued), 10)
}

func appendAddress(dst []byte, a evloop.Addr) []byte {
	if a.Path != "" {
		return append(dst, "; address=unix; port="...)
	}
	dst = a.IP.Addr().AppendTo(append(dst, "; address="...))
	return strconv.AppendInt(append(dst, "; port="...), int64(a.IP.Port()), 10)
}
