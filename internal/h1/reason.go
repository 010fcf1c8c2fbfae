package h1

// Reason says what was wrong with a head or a chunked body.
type Reason uint8

const (
	ReasonNone             Reason = iota // nothing
	ReasonMethod                         // not a token
	ReasonTarget                         // a byte that no target has, or no form that belongs to the method
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
	ReasonCoding                         // Transfer-Encoding malformed, or chunked not last or twice
	ReasonUnknownCoding                  // a transfer coding that we do not have
	ReasonCodingIn10                     // Transfer-Encoding in HTTP/1.0
	ReasonLengthAndCoding                // both framings
	ReasonBody                           // a body where HTTP/1.0 or CONNECT has none
	ReasonWebSocket                      // a WebSocket request without its key
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
	ReasonBody:             "body not allowed with this method",
	ReasonWebSocket:        "websocket request without key",
	ReasonFields:           "too many headers",
	ReasonSize:             "headers too large",
	ReasonConnectionTokens: "too many connection tokens",
	ReasonChunk:            "invalid chunk",
}

func (r Reason) String() string { return reasonTexts[r] }

// ErrorCode is the status with which HAProxy answers a head that was refused:
// 400, 413 or 422 to a request, 502 for a response.
func (p *Parser) ErrorCode() int {
	switch {
	case p.response:
		return 502
	case p.reason == ReasonBody:
		return 413
	case p.reason == ReasonUnknownCoding:
		return 422
	}
	return 400
}
