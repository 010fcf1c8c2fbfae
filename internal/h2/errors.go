package h2

// An ErrorCode says in RST_STREAM or GOAWAY why a stream or a connection ends
// (RFC 9113 section 7).
type ErrorCode uint32

const (
	NoError            ErrorCode = iota // not an error
	ProtocolError                       // what came is not allowed
	InternalError                       // our own fault, or the server's
	FlowControlError                    // more than a window allowed
	SettingsTimeout                     // SETTINGS were not acknowledged
	StreamClosed                        // a frame for a stream that has ended
	FrameSizeError                      // a frame of the wrong size
	RefusedStream                       // nothing of the request was looked at
	Cancel                              // nobody wants it any more
	CompressionError                    // a header block that can't be decoded
	ConnectError                        // CONNECT: the connection broke
	EnhanceYourCalm                     // too much of what costs and brings nothing
	InadequateSecurity                  // TLS not as section 9.2 wants it
	HTTP11Required                      // ask over HTTP/1.1
)

var errorNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

func (c ErrorCode) String() string {
	if int(c) < len(errorNames) {
		return errorNames[c]
	}
	return "UNKNOWN"
}

// A Reason says what was wrong, where the code alone does not.
type Reason uint8

const (
	ReasonNone         Reason = iota // nothing
	ReasonPreface                    // not the preface, or no SETTINGS behind it
	ReasonFrameSize                  // a frame larger than agreed, or of another size than its type has
	ReasonPadding                    // padding as long as the payload
	ReasonStreamID                   // a stream number that the frame can't have
	ReasonIdle                       // a frame for a stream that was never opened
	ReasonClosed                     // a frame for a stream that has ended
	ReasonContinuation               // a header block that is not continued as it has to be
	ReasonBlockSize                  // a header block larger than allowed
	ReasonCompression                // a header block that can't be decoded
	ReasonSetting                    // a parameter with a value that it can't have
	ReasonPush                       // PUSH_PROMISE from a client
	ReasonWindow                     // a window of more than 2^31-1 bytes, or an increment of zero
	ReasonOverWindow                 // more DATA than the window allowed
	ReasonBudget                     // a budget is spent (budget.go)
	ReasonStreams                    // more streams than allowed
	ReasonName                       // a field name that is not one, or not in lower case
	ReasonValue                      // a value with control characters, or blanks around it
	ReasonPseudo                     // a pseudo-header unknown, doubled, late, missing or in trailers
	ReasonConnection                 // a field that belongs to HTTP/1 connections
	ReasonMethod                     // not a method
	ReasonPath                       // not a path
	ReasonScheme                     // not a scheme
	ReasonAuthority                  // not a host and port, or none, or Host contradicts it
	ReasonLength                     // content-length not a number, doubled, or not what DATA has
	ReasonFields                     // too many fields, or too large
	ReasonTrailers                   // trailers that do not end the stream
)

var reasonTexts = [...]string{
	"", "invalid preface", "invalid frame size", "invalid padding", "invalid stream number", "frame for an idle stream",
	"frame for a closed stream", "header block interrupted", "header block too large", "invalid header compression",
	"invalid setting", "push from a client", "invalid window update", "more data than the window allows",
	"too many frames without use", "too many streams", "invalid header name", "invalid header value",
	"invalid pseudo-header", "connection-specific header", "invalid method", "invalid path", "invalid scheme",
	"invalid authority", "invalid content-length", "too many headers", "invalid trailers",
}

func (r Reason) String() string { return reasonTexts[r] }
