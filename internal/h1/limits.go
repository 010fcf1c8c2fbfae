package h1

// Limits says how large a head may be and how much of RFC 9112 may be broken.
// It is read-only for parsers and may be shared.
type Limits struct {
	HeadMax   int // bytes of a head; 0: headMaxDefault
	FieldsMax int // lines of a head with the first, as tune.http.maxhdr; 0: fieldsMaxDefault

	// Lenient is option accept-invalid-http-request or -response: any visible
	// character in field names and targets, "#" in targets, other versions and
	// protocol names, a line ended by LF alone, folded lines.
	Lenient bool
	// Unsafe is option accept-unsafe-violations-in-http-request or -response:
	// what Lenient allows, and Content-Length beside Transfer-Encoding in
	// requests (Transfer-Encoding counts and the connection closes), a Host that
	// contradicts the target, a missing or doubled Host.
	Unsafe bool
	// BodyWithAnyMethod is h1-accept-payload-with-any-method: GET, HEAD and
	// DELETE may have a body in HTTP/1.0.
	BodyWithAnyMethod bool
}

const (
	headMaxDefault   = 16384 - 1024 // bytes: tune.bufsize less tune.maxrewrite
	fieldsMaxDefault = 101          // as HAProxy's tune.http.maxhdr

	connectionTokensMax = 64 // names in Connection fields besides the known ones; more is an attack on our time
)

func (l *Limits) headMax() int {
	if l != nil && l.HeadMax > 0 {
		return l.HeadMax
	}
	return headMaxDefault
}

func (l *Limits) fieldsMax() int {
	if l != nil && l.FieldsMax > 0 {
		return l.FieldsMax
	}
	return fieldsMaxDefault
}

// loose reports whether the grammar may be broken where Lenient says.
func (l *Limits) loose() bool { return l != nil && (l.Lenient || l.Unsafe) }

func (l *Limits) bodyWithAnyMethod() bool { return l != nil && l.BodyWithAnyMethod }

func (l *Limits) unsafe() bool { return l != nil && l.Unsafe }

// Status is the outcome of a call of Request or Response.
type Status uint8

const (
	NeedMore    Status = iota // the head is not complete; call again with more bytes
	Complete                  // n bytes of head
	BadRequest                // refuse and close; Reason and ErrorPos say why and where
	BadResponse               // the same for a response: 502
	TooLarge                  // more bytes or fields than the limits allow: 400 or 502 as HAProxy 2.6
	Unsupported               // well-formed, but a transfer coding or version that we do not have; see Reason.Code
)

var statusNames = [...]string{"need-more", "complete", "bad-request", "bad-response", "too-large", "unsupported"}

func (s Status) String() string { return statusNames[s] }

// Reason says what was wrong with a head.
type Reason uint8

const (
	ReasonNone             Reason = iota // nothing
	ReasonMethod                         // not a token
	ReasonTarget                         // a byte that no target has, or none of the four forms
	ReasonVersion                        // not HTTP/1.x
	ReasonStatusLine                     // not a status line
	ReasonName                           // a field name that is not a token, or white space before the colon
	ReasonValue                          // a control character in a value
	ReasonLineEnd                        // LF without CR, or CR without LF
	ReasonFold                           // a line that begins with white space
	ReasonHost                           // not a host and port, or given twice
	ReasonNoHost                         // HTTP/1.1 without Host
	ReasonHostMismatch                   // Host contradicts the target
	ReasonLength                         // Content-Length not a number, too large, or two that differ
	ReasonCoding                         // Transfer-Encoding malformed, chunked not last or twice
	ReasonUnknownCoding                  // a transfer coding that we do not have
	ReasonCodingIn10                     // Transfer-Encoding in HTTP/1.0
	ReasonLengthAndCoding                // both framings
	ReasonBody                           // a body where HTTP/1.0 has none
	ReasonFields                         // too many fields
	ReasonSize                           // head too long
	ReasonConnectionTokens               // too many names in Connection
	ReasonChunk                          // malformed chunk framing
)

var reasonTexts = [...]string{
	ReasonNone:             "",
	ReasonMethod:           "invalid method",
	ReasonTarget:           "invalid request target",
	ReasonVersion:          "unsupported protocol version",
	ReasonStatusLine:       "invalid status line",
	ReasonName:             "invalid header name",
	ReasonValue:            "control character in header value",
	ReasonLineEnd:          "invalid end of line",
	ReasonFold:             "folded header line",
	ReasonHost:             "invalid host",
	ReasonNoHost:           "no host",
	ReasonHostMismatch:     "host contradicts the request target",
	ReasonLength:           "invalid content-length",
	ReasonCoding:           "invalid transfer-encoding",
	ReasonUnknownCoding:    "unknown transfer coding",
	ReasonCodingIn10:       "transfer-encoding in HTTP/1.0",
	ReasonLengthAndCoding:  "content-length with transfer-encoding",
	ReasonBody:             "body not allowed with this method in HTTP/1.0",
	ReasonFields:           "too many headers",
	ReasonSize:             "header too large",
	ReasonConnectionTokens: "too many connection tokens",
	ReasonChunk:            "invalid chunk",
}

func (r Reason) String() string { return reasonTexts[r] }
