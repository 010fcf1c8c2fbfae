package h1

// Limits says how large a head may be and how much of RFC 9112 may be broken.
// It is read-only for parsers and may be shared.
type Limits struct {
	HeadMax   int // bytes of a head; 0: headMaxDefault
	FieldsMax int // lines of a head with the first, as tune.http.maxhdr; 0: fieldsMaxDefault

	// Lenient is option accept-invalid-http-request or -response, Unsafe is
	// accept-unsafe-violations-in-http-request or -response, the newer name of
	// the same wish. Either one allows
	//   - any visible character in field names, and "#" and bytes above 0x7f in
	//     targets; targets of no known form; several blanks in a start line;
	//   - versions of more digits, other protocol names and HTTP/0.9 requests,
	//     all taken as HTTP/1.0;
	//   - a line ended by LF alone, and folded lines (joined by one blank);
	//   - a Host that is missing, doubled with the same value, no host name, or
	//     contradicts the target;
	//   - Content-Length beside Transfer-Encoding in requests: the latter counts
	//     and the connection closes.
	// HAProxy allows the last three without being asked, and it allows control
	// characters and blanks in names, and control characters in values: those
	// are never allowed here, since they would let a message mean two things.
	Lenient, Unsafe bool
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

// Status is the outcome of a call of Request or Response.
type Status uint8

const (
	NeedMore    Status = iota // the head is not complete; call again with more bytes
	Complete                  // n bytes of head
	BadRequest                // refuse and close; ErrorCode, Reason and ErrorPos say more
	BadResponse               // the same for a response
	TooLarge                  // more bytes or fields than the limits allow; either side
	Unsupported               // a request in a transfer coding that we do not have
)

var statusNames = [...]string{"need-more", "complete", "bad-request", "bad-response", "too-large", "unsupported"}

func (s Status) String() string { return statusNames[s] }
