package message

// Method is a request method that the proxy knows by number. The text stands
// in Head.MethodText, for extension methods too.
type Method uint8

const (
	MethodOther   Method = iota // an extension method
	MethodGet                   // RFC 9110 section 9.3.1
	MethodHead                  // section 9.3.2: its response has no body
	MethodPost                  // section 9.3.3
	MethodPut                   // section 9.3.4
	MethodDelete                // section 9.3.5
	MethodConnect               // section 9.3.6: a 2xx answer opens a tunnel
	MethodOptions               // section 9.3.7: may have the target "*"
	MethodTrace                 // section 9.3.8: has no body
	MethodPatch                 // RFC 5789
)

var methodNames = [...]string{
	MethodOther:   "OTHER",
	MethodGet:     "GET",
	MethodHead:    "HEAD",
	MethodPost:    "POST",
	MethodPut:     "PUT",
	MethodDelete:  "DELETE",
	MethodConnect: "CONNECT",
	MethodOptions: "OPTIONS",
	MethodTrace:   "TRACE",
	MethodPatch:   "PATCH",
}

// String gives the method's name on the wire, or OTHER.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return "OTHER"
}

// Idempotent reports whether a request with m may be sent again when it is
// not known whether the first one was carried out (RFC 9110 section 9.2.2).
func (m Method) Idempotent() bool {
	switch m {
	case MethodGet, MethodHead, MethodPut, MethodDelete, MethodOptions, MethodTrace:
		return true
	}
	return false
}

// MethodOf finds the number of a method; names are case-sensitive.
func MethodOf(text []byte) Method {
	switch string(text) {
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "DELETE":
		return MethodDelete
	case "CONNECT":
		return MethodConnect
	case "OPTIONS":
		return MethodOptions
	case "TRACE":
		return MethodTrace
	case "PATCH":
		return MethodPatch
	}
	return MethodOther
}
