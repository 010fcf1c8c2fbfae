package h1

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

const okHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"

var responseCases = []requestCase{
	{"plain", okHead + "\r\n", 0, 0, ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"no reason but a blank", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"two blanks before reason", "HTTP/1.1 200  OK\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"UTF-8 in reason", "HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"control in reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"NUL in reason", "HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"two blanks before status", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, 0, "accepted"},
	{"tabs", "HTTP/1.1\t200\tOK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, 0, "accepted"},
	{"two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"status 999", "HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"letter in status", "HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, ReasonStatusLine, ""},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, 0, "accepted"},
	{"HTTP/2", "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, 0, ""},
	{"HTTP/0.9", "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, 0, "accepted"},
	{"HTTP/1.10", "HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonStatusLine, 0, ""},
	{"ICY", "ICY 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, 0, ""},
	{"RTSP", "RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, 0, "accepted"},
	{"lower case", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", ReasonVersion, ReasonVersion, ""},
	{"garbage", "hello world\r\n", ReasonVersion, ReasonVersion, ""},
	{"blanks without end", "HTTP/1.1" + strings.Repeat(" ", 30) + "200 OK\r\n\r\n", ReasonStatusLine, ReasonStatusLine, "accepted"},
	{"CRLF before it", "\r\n" + okHead + "\r\n", ReasonVersion, ReasonVersion, "accepted"},
	{"LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\n", ReasonStatusLine, 0, "accepted"},
	{"LF alone after a field", "HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n", ReasonLineEnd, 0, "accepted"},
	{"CR alone after reason", "HTTP/1.1 200 OK\rX", ReasonLineEnd, ReasonLineEnd, ""},
	{"fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n", ReasonFold, 0, "accepted"},
	{"bad name", "HTTP/1.1 200 OK\r\nX(: a\r\nContent-Length: 2\r\n\r\n", ReasonName, 0, ""},
	{"blank before colon", "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\n", ReasonName, ReasonName, "accepted when lenient"},
	{"no colon", "HTTP/1.1 200 OK\r\nX a\r\nContent-Length: 2\r\n\r\n", ReasonName, ReasonName, ""},
	{"NUL in value", "HTTP/1.1 200 OK\r\nX: a\x00\r\nContent-Length: 2\r\n\r\n", ReasonValue, ReasonValue, "accepted"},
	{"two Hosts", "HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\nContent-Length: 2\r\n\r\n", 0, 0, ""},
	{"same length twice", okHead + "Content-Length: 2\r\n\r\n", 0, 0, ""},
	{"lengths differ", okHead + "Content-Length: 3\r\n\r\n", ReasonLength, ReasonLength, ""},
	{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ReasonLength, ReasonLength, ""},
	{"chunked and length", okHead + "Transfer-Encoding: chunked\r\n\r\n", 0, 0, ""},
	{"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", ReasonCoding, ReasonCoding, ""},
	{"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ReasonUnknownCoding, ReasonUnknownCoding, ""},
	{"chunked, gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", ReasonCoding, ReasonCoding, ""},
	{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ReasonCoding, ReasonCoding, ""},
	{"identity", okHead + "Transfer-Encoding: identity\r\n\r\n", ReasonCoding, ReasonCoding, ""},
	{"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ReasonCodingIn10, ReasonCodingIn10, "accepted, closes"},
	{"101 fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: 1\r\n", 101) + "\r\n", ReasonFields, ReasonFields, ""},
}

func TestResponseVerdicts(t *testing.T) {
	for _, c := range responseCases {
		t.Run(c.name, func(t *testing.T) {
			for _, mode := range []struct {
				name string
				lim  Limits
				want Reason
			}{{"strict", Limits{}, c.strict}, {"lenient", Limits{Lenient: true}, c.loose}} {
				var p Parser
				var h message.Head
				n, st := p.Response([]byte(c.raw), &h, &mode.lim, message.MethodGet)
				if p.Reason() != mode.want {
					t.Fatalf("%s: %v at %d (%q), want %q", mode.name, st, p.ErrorPos(), p.Reason(), mode.want)
				}
				if mode.want == ReasonNone && (st != Complete || n != len(c.raw)) {
					t.Errorf("%s: %v after %d bytes", mode.name, st, n)
				}
				if mode.want != ReasonNone && (p.ErrorCode() != 502 || st != BadResponse && st != TooLarge) {
					t.Errorf("%s: %v, code %d", mode.name, st, p.ErrorCode())
				}
			}
		})
	}
}

func TestPartsOfAStatusLine(t *testing.T) {
	for _, c := range []struct {
		raw, reason string
		status      int
		minor       uint8
	}{
		{"HTTP/1.1 200 OK\r\n\r\n", "OK", 200, 1},
		{"HTTP/1.0 404  Not  Found \r\n\r\n", "Not  Found", 404, 0},
		{"HTTP/1.1 503\r\n\r\n", "", 503, 1},
		{"HTTP/1.9 100 \r\n\r\n", "", 100, 1},
	} {
		h := answered(t, c.raw, message.MethodGet)
		if got := string(h.Text(h.Reason)); got != c.reason || h.Status != c.status || h.Minor != c.minor {
			t.Errorf("%q: %d %q, minor %d", c.raw, h.Status, got, h.Minor)
		}
	}
}

func TestBadResponseBytesAreReportedAtOnce(t *testing.T) {
	for _, raw := range []string{"h", "HTTP/2", "HTTP/1.1  ", "HTTP/1.1 20 ", "HTTP/1.1 200 \x00", "HTTP/1.1 200 OK\r\nX("} {
		var p Parser
		var h message.Head
		for n := 1; n < len(raw); n++ {
			if _, st := p.Response([]byte(raw[:n]), &h, nil, message.MethodGet); st != NeedMore {
				t.Fatalf("%q: %v after %d bytes", raw, st, n)
			}
		}
		if _, st := p.Response([]byte(raw), &h, nil, message.MethodGet); st != BadResponse {
			t.Errorf("%q: %v", raw, st)
		}
	}
}
