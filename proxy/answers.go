package proxy

import (
	"bytes"
	"strconv"

	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// An answer is a complete response of our own. head holds the status line and
// the header fields, without the one that says whether the connection stays
// and without the empty line; tools and clients of HAProxy know these bytes.
type answer struct {
	status   int
	head     []byte
	body     []byte
	raw      []byte // everything, sent as it is
	closes   bool   // the end of the connection ends the body
	redirect bool   // a request body is never waited for
}

// clone is a copy that shares no memory.
func (a *answer) clone() *answer {
	c := *a
	c.head, c.body, c.raw = bytes.Clone(a.head), bytes.Clone(a.body), bytes.Clone(a.raw)
	return &c
}

// standardAnswers are the texts that HAProxy gives (manual 1.3 and errorfile).
var standardAnswers = []struct {
	status       int
	reason, text string
}{
	{200, "OK", "Service ready."},
	{400, "Bad request", "Your browser sent an invalid request."},
	{401, "Unauthorized", "You need a valid user and password to access this content."},
	{403, "Forbidden", "Request forbidden by administrative rules."},
	{404, "Not Found", "The resource could not be found."},
	{405, "Method Not Allowed", "A request was made of a resource using a request method not supported by that resource"},
	{407, "Unauthorized", "You need a valid user and password to access this content."},
	{408, "Request Time-out", "Your browser didn't send a complete request in time."},
	{410, "Gone", "The resource is no longer available and will not be available again."},
	{413, "Payload Too Large", "The request entity exceeds the maximum allowed."},
	{421, "Misdirected Request", "Request sent to a non-authoritative server."},
	{422, "Unprocessable Content", "The server cannot process the contained instructions."},
	{425, "Too Early", "Your browser sent early data."},
	{429, "Too Many Requests", "You have sent too many requests in a given amount of time."},
	{500, "Internal Server Error", "An internal server error occurred."},
	{501, "Not Implemented", ".The server does not support the functionality required to fulfill the request."},
	{502, "Bad Gateway", "The server returned an invalid or incomplete response."},
	{503, "Service Unavailable", "No server is available to handle this request."},
	{504, "Gateway Time-out", "The server didn't respond in time."},
}

// newStandardAnswers builds the answers that every plan starts with.
func newStandardAnswers() map[int]*answer {
	all := make(map[int]*answer, len(standardAnswers))
	for _, s := range standardAnswers {
		code := strconv.Itoa(s.status)
		body := "<html><body><h1>" + code + " " + s.reason + "</h1>\n" + s.text + "\n</body></html>\n"
		head := "HTTP/1.1 " + code + " " + s.reason + "\r\n" +
			"content-length: " + strconv.Itoa(len(body)) + "\r\n" +
			"cache-control: no-cache\r\n" +
			"content-type: text/html\r\n"
		all[s.status] = &answer{status: s.status, head: []byte(head), body: []byte(body)}
	}
	return all
}

// newErrorAnswer compiles errorfile or errorloc for one status. A file that is
// a response is sent as one, with our own framing; one that isn't, such as an
// empty file, goes out as it is.
func newErrorAnswer(status int, spec ErrorAnswer) *answer {
	if spec.Location == "" {
		return answerOfFile(status, spec.Raw)
	}
	line := "HTTP/1.1 302 Found"
	if spec.Code == 303 {
		line = "HTTP/1.1 303 See Other"
	}
	head := line + "\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + spec.Location + "\r\n"
	return &answer{status: status, head: []byte(head)}
}

func answerOfFile(status int, raw []byte) *answer {
	var p h1.Parser
	var h message.Head
	n, st := p.Response(raw, &h, &h1.Limits{HeadMax: len(raw) + 1, FieldsMax: 1000, Lenient: true}, message.MethodGet)
	if st != h1.Complete {
		return &answer{status: status, raw: raw, closes: true}
	}
	body := raw[n:]
	framing := h.Framing
	if h.HasLength {
		framing = message.BodyLength
		h.Length = int64(len(body))
	}
	head := h1.AppendResponse(nil, &h, h1.Rewrite{Framing: framing, Minor: 1})
	return &answer{status: h.Status, head: head, body: body, closes: !h.HasLength}
}

// reasonOf is the reason phrase that HAProxy sends with a status of ours.
func reasonOf(status int) string {
	for i := range standardAnswers {
		if standardAnswers[i].status == status {
			return standardAnswers[i].reason
		}
	}
	if r, ok := otherReasons[status]; ok {
		return r
	}
	return "Unknown"
}

var otherReasons = map[int]string{
	100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
	201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
	205: "Reset Content", 206: "Partial Content", 300: "Multiple Choices", 301: "Moved Permanently",
	302: "Found", 303: "See Other", 304: "Not Modified", 305: "Use Proxy", 307: "Temporary Redirect",
	308: "Permanent Redirect", 402: "Payment Required", 406: "Not Acceptable", 409: "Conflict",
	411: "Length Required", 412: "Precondition Failed", 414: "URI Too Long",
	415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
	418: "I'm a teapot", 423: "Locked", 424: "Failed Dependency", 426: "Upgrade Required",
	428: "Precondition Required", 431: "Request Header Fields Too Large",
	451: "Unavailable For Legal Reasons", 505: "HTTP Version Not Supported",
	506: "Variant Also Negotiates", 507: "Insufficient Storage", 508: "Loop Detected",
	510: "Not Extended", 511: "Network Authentication Required",
}

// newEarlyAnswers are sent to who has not said anything that we understand:
// the connection always closes, and HAProxy writes these heads by hand.
// errorfile does not replace them.
func newEarlyAnswers() map[int]*answer {
	early := make(map[int]*answer)
	for status, a := range newStandardAnswers() {
		raw := "HTTP/1.1 " + strconv.Itoa(status) + " " + reasonOf(status) + "\r\n" +
			"Content-length: " + strconv.Itoa(len(a.body)) + "\r\n" + "Cache-Control: no-cache\r\n"
		if status != 422 {
			raw += "Connection: close\r\n"
		}
		raw += "Content-Type: text/html\r\n\r\n" + string(a.body)
		early[status] = &answer{status: status, raw: []byte(raw)}
	}
	return early
}
