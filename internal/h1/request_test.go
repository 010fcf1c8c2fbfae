package h1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// A requestCase is one head and what becomes of it: strict, and with Lenient.
// Where HAProxy 2.6 (tried with its binary) does something else than we do in
// strict mode, haproxy says what.
type requestCase struct {
	name          string
	raw           string
	strict, loose Reason
	haproxy       string
}

const host = "Host: a\r\n"

func get(fields string) string  { return "GET / HTTP/1.1\r\n" + host + fields + "\r\n" }
func post(fields string) string { return "POST / HTTP/1.1\r\n" + host + fields + "\r\n" }

var startLineCases = []requestCase{
	{"plain", get(""), 0, 0, ""},
	{"no empty line yet", "GET / HTTP/1.1\r\n" + host, 0, 0, ""}, // NeedMore in both modes
	{"CRLF before it", "\r\n\r\n\r\n" + get(""), 0, 0, ""},
	{"LF before it", "\n" + get(""), ReasonLineEnd, 0, "accepted"},
	{"CR before it", "\r" + get(""), ReasonLineEnd, ReasonLineEnd, ""},
	{"blank before it", " " + get(""), ReasonMethod, ReasonMethod, ""},
	{"lower-case method", "get / HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"extension method", "FOO-1 / HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"every token character", "!#$%&'*+-.^_`|~ / HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"parenthesis in method", "G(T / HTTP/1.1\r\n" + host + "\r\n", ReasonMethod, ReasonMethod, ""},
	{"NUL in method", "G\x00T / HTTP/1.1\r\n" + host + "\r\n", ReasonMethod, ReasonMethod, ""},
	{"two blanks", "GET  / HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepted"},
	{"two blanks before version", "GET /  HTTP/1.1\r\n" + host + "\r\n", ReasonVersion, 0, "accepted"},
	{"tabs", "GET\t/\tHTTP/1.1\r\n" + host + "\r\n", ReasonMethod, 0, "accepted"},
	{"blank in target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", ReasonVersion, ReasonVersion, ""},
	{"blank after version", "GET / HTTP/1.1 \r\n" + host + "\r\n", ReasonVersion, ReasonVersion, ""},
	{"fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"fragment in query", "GET /a?b#c HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"visible ASCII in target", "GET /a\"<>\\^`{|}[]%zz HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"DEL in target", "GET /a\x7f HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, ReasonTarget, "accepts some positions, against its manual"},
	{"UTF-8 in target", "GET /\xc3\xa9 HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepts some positions"},
	{"control in target", "GET /a\x01b HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, ReasonTarget, ""},
	{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0, 0, ""},
	{"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 0, 0, ""},
	{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", ReasonVersion, 0, "accepted as HTTP/1.1"},
	{"HTTP/0.9 by name", "GET / HTTP/0.9\r\n" + host + "\r\n", ReasonVersion, 0, "accepted as HTTP/1.0"},
	{"HTTP/0.9", "GET /\r\n", ReasonTarget, 0, ""},
	{"HTTP/0.9 with blank", "GET / \r\n", ReasonVersion, 0, ""},
	{"HTTP/0.9 POST", "POST /\r\n", ReasonTarget, ReasonVersion, ""},
	{"two digits", "GET / HTTP/1.10\r\n" + host + "\r\n", ReasonVersion, 0, ""},
	{"leading zero", "GET / HTTP/01.1\r\n" + host + "\r\n", ReasonVersion, 0, ""},
	{"no minor", "GET / HTTP/3\r\n" + host + "\r\n", ReasonVersion, 0, ""},
	{"RTSP", "GET / RTSP/1.0\r\n" + host + "\r\n", ReasonVersion, 0, ""},
	{"lower-case version", "GET / http/1.1\r\n" + host + "\r\n", ReasonVersion, ReasonVersion, ""},
	{"endless version", "GET / HTTP/1.11111111111111111\r\n" + host + "\r\n", ReasonVersion, ReasonVersion, "accepted when lenient"},
	{"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ReasonTarget, ReasonVersion, "speaks HTTP/2"},
}

var targetCases = []requestCase{
	{"absolute", "GET http://a/x HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"absolute, other host", "GET http://b/x HTTP/1.1\r\n" + host + "\r\n", ReasonHostMismatch, 0, ""},
	{"absolute, other case", "GET http://A/x HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"absolute, default port", "GET http://a:80/x HTTP/1.1\r\n" + host + "\r\n", 0, 0, "takes the port off"},
	{"absolute, other port", "GET http://a:81/x HTTP/1.1\r\n" + host + "\r\n", ReasonHostMismatch, 0, ""},
	{"absolute, no Host", "GET http://a/x HTTP/1.1\r\n\r\n", ReasonNoHost, 0, "accepted"},
	{"absolute, no Host, 1.0", "GET http://a/x HTTP/1.0\r\n\r\n", 0, 0, ""},
	{"absolute without path", "GET http://a HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"absolute, query alone", "GET http://a?x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"absolute with user", "GET http://u:p@a/x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepted"},
	{"absolute without host", "GET http:///x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepted"},
	{"scheme alone", "GET http:a/x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"no slash", "GET x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"authority with GET", "GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", ReasonTarget, 0, "accepted"},
	{"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"asterisk with GET", "GET * HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepted"},
	{"more than asterisk", "OPTIONS *x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, "accepted"},
	{"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 0, 0, "takes the default port off Host"},
	{"CONNECT, default port", "CONNECT a:443 HTTP/1.1\r\n" + host + "\r\n", 0, 0, ""},
	{"CONNECT, other port", "CONNECT a:8080 HTTP/1.1\r\n" + host + "\r\n", ReasonHostMismatch, 0, ""},
	{"CONNECT, other host", "CONNECT b:80 HTTP/1.1\r\n" + host + "\r\n", ReasonHostMismatch, 0, ""},
	{"CONNECT without port", "CONNECT a HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"CONNECT to a path", "CONNECT /x HTTP/1.1\r\n" + host + "\r\n", ReasonTarget, 0, ""},
	{"CONNECT with body", "CONNECT a:80 HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n", ReasonBody, ReasonBody, "tunnels it"},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", ReasonNoHost, 0, "accepted"},
	{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 0, ""},
	{"same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: A\r\n\r\n", ReasonHost, 0, "accepted, sent once"},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ReasonHost, ReasonHost, ""},
	{"blank in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", ReasonHost, 0, "accepted"},
	{"path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", ReasonHost, 0, "accepted"},
	{"user in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", ReasonHost, 0, "accepted"},
	{"port out of range", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", ReasonHost, 0, "accepted"},
	{"UTF-8 in Host", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", ReasonHost, 0, "accepted"},
	{"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, 0, ""},
	{"underscore in Host", "GET / HTTP/1.1\r\nHost: a_b\r\n\r\n", 0, 0, ""},
}

var fieldCases = []requestCase{
	{"no blank", get("X:a\r\n"), 0, 0, ""},
	{"blanks around", get("X: \t a \t \r\n"), 0, 0, ""},
	{"empty value", get("X:\r\nY: \r\n"), 0, 0, ""},
	{"tab in value", get("X: a\tb\r\n"), 0, 0, ""},
	{"UTF-8 in value", get("X: \xc3\xa9\xff\r\n"), 0, 0, ""},
	{"NUL in value", get("X: a\x00b\r\n"), ReasonValue, ReasonValue, "accepted"},
	{"control in value", get("X: a\x01b\r\n"), ReasonValue, ReasonValue, "accepted"},
	{"DEL in value", get("X: a\x7fb\r\n"), ReasonValue, ReasonValue, "accepted"},
	{"vertical tab in value", get("X: a\x0bb\r\n"), ReasonValue, ReasonValue, "accepted"},
	{"CR in value", get("X: a\rb\r\n"), ReasonLineEnd, ReasonLineEnd, ""},
	{"two CR", get("X: a\r\r\n"), ReasonLineEnd, ReasonLineEnd, ""},
	{"blank before colon", get("X : a\r\n"), ReasonName, ReasonName, "accepted when lenient"},
	{"tab before colon", get("X\t: a\r\n"), ReasonName, ReasonName, "accepted when lenient"},
	{"length with blank before colon", post("Content-Length : 2\r\n"), ReasonName, ReasonName, "another header when lenient"},
	{"empty name", get(": a\r\n"), ReasonName, ReasonName, ""},
	{"no colon", get("Xabc\r\n"), ReasonName, ReasonName, ""},
	{"parenthesis in name", get("X(): a\r\n"), ReasonName, 0, ""},
	{"quotes around name", get("\"X\": a\r\n"), ReasonName, 0, ""},
	{"UTF-8 in name", get("X\xc3\xa9: a\r\n"), ReasonName, 0, ""},
	{"blank in name", get("X Y: a\r\n"), ReasonName, ReasonName, "accepted when lenient"},
	{"NUL in name", get("X\x00Y: a\r\n"), ReasonName, ReasonName, "accepted when lenient"},
	{"DEL in name", get("X\x7f: a\r\n"), ReasonName, ReasonName, "accepted when lenient"},
	{"underscore in name", get("X_Y: a\r\n"), 0, 0, ""},
	{"LF alone", get("X: a\nY: b\r\n"), ReasonLineEnd, 0, "accepted"},
	{"LF alone everywhere", "GET / HTTP/1.1\nHost: a\nX: b\n\n", ReasonVersion, 0, "accepted"},
	{"LF alone at the end", "GET / HTTP/1.1\r\n" + host + "\n", ReasonLineEnd, 0, "accepted"},
	{"CR alone at the end", "GET / HTTP/1.1\r\n" + host + "\rX", ReasonLineEnd, ReasonLineEnd, ""},
	{"fold", get("X: a\r\n  b\r\nY: c\r\n"), ReasonFold, 0, "accepted, CRLF becomes blanks"},
	{"fold of nothing", get("X: a\r\n\t\r\n b  \r\nY: c\r\n"), ReasonFold, 0, "accepted"},
	{"fold at first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", ReasonFold, ReasonFold, "a name when lenient"},
	{"fold of a length", post("Content-Length:\r\n 2\r\n"), ReasonLength, ReasonLength, "accepted"},
	{"fold after a length", post("Content-Length: 2\r\n 2\r\n"), ReasonFold, ReasonFold, ""},
	{"100 fields", get(strings.Repeat("X: 1\r\n", 99)), 0, 0, ""},
	{"101 fields", get(strings.Repeat("X: 1\r\n", 100)), ReasonFields, ReasonFields, ""},
	{"largest head", sized(headMaxDefault), 0, 0, "some 90 bytes less"},
	{"head too large", sized(headMaxDefault + 1), ReasonSize, ReasonSize, ""},
	{"64 names in Connection", get("Connection: " + strings.Repeat("a,", 63) + "a\r\n"), 0, 0, ""},
	{"65 names in Connection", get("Connection: " + strings.Repeat("a,", 64) + "a\r\n"), ReasonConnectionTokens, ReasonConnectionTokens, "accepted"},
}

var framingCases = []requestCase{
	{"length", post("Content-Length: 2\r\n"), 0, 0, ""},
	{"same length twice", post("Content-Length: 2\r\nX: 1\r\nContent-Length: 2\r\n"), 0, 0, ""},
	{"lengths differ", post("Content-Length: 2\r\nContent-Length: 3\r\n"), ReasonLength, ReasonLength, ""},
	{"list of a length", post("Content-Length: 2, 2\r\n"), 0, 0, ""},
	{"list of lengths", post("Content-Length: 2, 3\r\n"), ReasonLength, ReasonLength, ""},
	{"length and nothing", post("Content-Length: 2,\r\n"), ReasonLength, ReasonLength, ""},
	{"plus", post("Content-Length: +2\r\n"), ReasonLength, ReasonLength, ""},
	{"minus", post("Content-Length: -2\r\n"), ReasonLength, ReasonLength, ""},
	{"hexadecimal", post("Content-Length: 0x2\r\n"), ReasonLength, ReasonLength, ""},
	{"leading zeros", post("Content-Length: 002\r\n"), 0, 0, "sent as it came"},
	{"blank inside", post("Content-Length: 2 2\r\n"), ReasonLength, ReasonLength, ""},
	{"empty length", post("Content-Length:\r\n"), ReasonLength, ReasonLength, ""},
	{"largest length", post("Content-Length: 9223372036854775807\r\n"), 0, 0, ""},
	{"length too large", post("Content-Length: 9223372036854775808\r\n"), ReasonLength, ReasonLength, ""},
	{"length of 20 digits", post("Content-Length: 99999999999999999999\r\n"), ReasonLength, ReasonLength, ""},
	{"GET with body", get("Content-Length: 2\r\n"), 0, 0, ""},
	{"GET with body in 1.0", "GET / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", ReasonBody, ReasonBody, ""},
	{"GET with empty body in 1.0", "GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 0, 0, ""},
	{"POST with body in 1.0", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"chunked", post("Transfer-Encoding: chunked\r\n"), 0, 0, ""},
	{"chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n"), 0, 0, ""},
	{"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n"), ReasonLengthAndCoding, 0, "accepted, closes"},
	{"length and chunked", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), ReasonLengthAndCoding, 0, "accepted, closes"},
	{"gzip", post("Transfer-Encoding: gzip\r\n"), ReasonCoding, ReasonCoding, ""},
	{"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), ReasonUnknownCoding, ReasonUnknownCoding, ""},
	{"gzip, then chunked", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), ReasonUnknownCoding, ReasonUnknownCoding, ""},
	{"chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n"), ReasonCoding, ReasonCoding, ""},
	{"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n"), ReasonCoding, ReasonCoding, ""},
	{"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), ReasonCoding, ReasonCoding, ""},
	{"identity", post("Transfer-Encoding: identity\r\n"), ReasonCoding, ReasonCoding, ""},
	{"empty coding", post("Transfer-Encoding:\r\n"), ReasonCoding, ReasonCoding, ""},
	{"empty element", post("Transfer-Encoding: , chunked\r\n"), ReasonCoding, ReasonCoding, "422"},
	{"parameter", post("Transfer-Encoding: chunked;q=1\r\n"), ReasonCoding, ReasonCoding, ""},
	{"quoted", post("Transfer-Encoding: \"chunked\"\r\n"), ReasonCoding, ReasonCoding, ""},
	{"vertical tab", post("Transfer-Encoding: \x0bchunked\r\n"), ReasonValue, ReasonValue, ""},
	{"prefix", post("Transfer-Encoding: xchunked\r\n"), ReasonCoding, ReasonCoding, ""},
	{"chunked in 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", ReasonCodingIn10, ReasonCodingIn10, "accepted, closes"},
	{"websocket", get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 0, 0, ""},
	{"websocket without key", get("Connection: Upgrade\r\nUpgrade: WebSocket\r\n"), ReasonWebSocket, ReasonWebSocket, ""},
	{"websocket in a list", get("Connection: Upgrade\r\nUpgrade: foo, websocket\r\n"), ReasonWebSocket, ReasonWebSocket, ""},
	{"websocket with bad key", get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"), ReasonWebSocket, ReasonWebSocket, ""},
	{"websocket in 1.0", "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", ReasonWebSocket, ReasonWebSocket, ""},
	{"websocket unasked", get("Upgrade: websocket\r\n"), 0, 0, ""},
}

// sized makes a head of n bytes.
func sized(n int) string {
	base := get("X: \r\n")
	return get("X: " + strings.Repeat("a", n-len(base)) + "\r\n")
}

func allRequestCases() []requestCase {
	var all []requestCase
	for _, part := range [][]requestCase{startLineCases, targetCases, fieldCases, framingCases} {
		all = append(all, part...)
	}
	return all
}

func TestRequestVerdicts(t *testing.T) {
	for _, c := range allRequestCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, mode := range []struct {
				name string
				lim  Limits
				want Reason
			}{{"strict", Limits{}, c.strict}, {"lenient", Limits{Lenient: true}, c.loose}, {"unsafe", Limits{Unsafe: true}, c.loose}} {
				var p Parser
				var h message.Head
				n, st := p.Request([]byte(c.raw), &h, &mode.lim)
				if p.Reason() != mode.want {
					t.Fatalf("%s: %v at %d (%q), want %q", mode.name, st, p.ErrorPos(), p.Reason(), mode.want)
				}
				if mode.want == ReasonNone && st == Complete && n != len(c.raw) {
					t.Errorf("%s: the head has %d bytes, want %d", mode.name, n, len(c.raw))
				}
				if mode.want == ReasonNone && st != Complete && st != NeedMore {
					t.Errorf("%s: %v", mode.name, st)
				}
			}
		})
	}
}

func TestStatusOfARefusal(t *testing.T) {
	for _, c := range []struct {
		raw  string
		st   Status
		code int
	}{
		{get("X : 1\r\n"), BadRequest, 400},
		{"GET / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", BadRequest, 413},
		{post("Transfer-Encoding: gzip, chunked\r\n"), Unsupported, 422},
		{sized(headMaxDefault + 1), TooLarge, 400},
		{get(strings.Repeat("X: 1\r\n", 200)), TooLarge, 400},
	} {
		var p Parser
		var h message.Head
		_, st := p.Request([]byte(c.raw), &h, nil)
		if st != c.st || p.ErrorCode() != c.code {
			t.Errorf("%.40q: %v, %d; want %v, %d", c.raw, st, p.ErrorCode(), c.st, c.code)
		}
	}
	if s := fmt.Sprint(NeedMore, Complete, BadRequest, BadResponse, TooLarge, Unsupported); strings.Contains(s, "%") {
		t.Error(s)
	}
}

// A byte that no valid head has is told at once, so that an attacker's line is
// not held while it grows; HAProxy does the same.
func TestBadBytesAreReportedBeforeTheHeadIsComplete(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want Reason
	}{
		{"G(", ReasonMethod},
		{" ", ReasonMethod},
		{"GET /a#", ReasonTarget},
		{"GET x ", ReasonTarget},
		{"GET / x", ReasonVersion},
		{"GET / HTTP/2", ReasonVersion},
		{"GET / HTTP/1.1 ", ReasonVersion},
		{"GET / HTTP/1.1\r\nX(", ReasonName},
		{"GET / HTTP/1.1\r\n ", ReasonFold},
		{"GET / HTTP/1.1\r\n\rX", ReasonLineEnd},
		{"GET / HTTP/1.1\r\nX: \x00", ReasonValue},
		{"GET / HTTP/1.1\r\nX: a\rb", ReasonLineEnd},
		{"GET / HTTP/1.1\r\nContent-Length: x\r", ReasonLength},
		{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, x\r", ReasonCoding},
		{"GET / HTTP/1.1\r\nHost: a b\r", ReasonHost},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r", ReasonHost},
	} {
		var p Parser
		var h message.Head
		for n := 1; n < len(c.raw); n++ {
			if _, st := p.Request([]byte(c.raw[:n]), &h, nil); st != NeedMore {
				t.Fatalf("%q: %v after %d bytes", c.raw, st, n)
			}
		}
		if _, st := p.Request([]byte(c.raw), &h, nil); st != BadRequest || p.Reason() != c.want {
			t.Errorf("%q: %v %v, want %v", c.raw, st, p.Reason(), c.want)
		}
		if p.ErrorPos() >= len(c.raw) {
			t.Errorf("%q: ErrorPos %d", c.raw, p.ErrorPos())
		}
	}
}
