package health

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// judgeText lets one http-check expect look at a whole response.
func judgeText(t *testing.T, e Expect, comment, text string) finding {
	t.Helper()
	m, err := newMatcher(e, true)
	if err != nil {
		t.Fatal(err)
	}
	s := &step{Step: Step{Kind: StepExpect, Expect: e}, number: 1, comment: comment, expect: m}
	var r reply
	r.reset(answerMax)
	r.feed([]byte(text), message.MethodGet)
	f, done := s.judgeReply(&r, true, 0)
	if !done {
		t.Fatalf("%q: not decided", text)
	}
	return f
}

// Findings of HAProxy 2.6 for the same bytes, but where a row says otherwise.
func TestResponsesAreJudgedAsByHAProxy(t *testing.T) {
	const ok, chunked = "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		name    string
		e       Expect
		comment string
		text    string
		want    finding
	}{
		{"2xx", Expect{}, "", ok, finding{StatusL7OK, 200, ""}},
		{"3xx", Expect{}, "", "HTTP/1.1 302 Found\r\n\r\n", finding{StatusL7OK, 302, ""}},
		{"5xx", Expect{}, "", "HTTP/1.1 503 Service Unavailable\r\n\r\n", finding{StatusL7Sts, 503, "Service Unavailable"}},
		{"no reason", Expect{}, "", "HTTP/1.1 500 \r\n\r\n", finding{StatusL7Sts, 500, ""}},
		{"404", Expect{}, "", "HTTP/1.0 404 Not Found\r\n\r\n", finding{StatusL7Sts, 404, "Not Found"}},
		{"body cut short", Expect{}, "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", finding{StatusL7OK, 200, ""}},
		{"garbage", Expect{}, "", "garbage\r\n\r\n", finding{StatusL7Rsp, 0, ""}},
		{"cut in the status line", Expect{}, "", "HTTP/1.0 20", finding{StatusL7Rsp, 0, ""}},
		{"nothing", Expect{}, "", "", finding{StatusL7Rsp, 0, ""}},
		{"two digits: HAProxy takes them", Expect{}, "", "HTTP/1.1 20 OK\r\n\r\n", finding{StatusL7Rsp, 0, ""}},
		{"other version: HAProxy takes it", Expect{}, "", "HTTP/2.0 200 OK\r\n\r\n", finding{StatusL7Rsp, 0, ""}},
		{"only an interim response", Expect{}, "", "HTTP/1.1 100 Continue\r\n\r\n", finding{StatusL7Sts, 100, "Continue"}},
		{"interim, then final: HAProxy stops at 100", Expect{}, "", "HTTP/1.1 100 Continue\r\n\r\n" + ok, finding{StatusL7OK, 200, ""}},
		{"status list", Expect{Codes: [][2]int{{200, 200}, {300, 305}}}, "", "HTTP/1.0 201 Created\r\n\r\n", finding{StatusL7Sts, 201, "Created"}},
		{"status range", Expect{Codes: [][2]int{{200, 200}, {300, 305}}}, "", "HTTP/1.0 304 Not Modified\r\n\r\n", finding{StatusL7OK, 304, ""}},
		{"not status", Expect{Not: true, Codes: [][2]int{{500, 500}}}, "", "HTTP/1.0 500 Bad\r\n\r\n", finding{StatusL7Sts, 500, "Bad"}},
		{"not status, other", Expect{Not: true, Codes: [][2]int{{500, 500}}}, "", "HTTP/1.0 404 X\r\n\r\n", finding{StatusL7OK, 404, ""}},
		{"rstatus", Expect{Match: MatchStatusRegexp, Pattern: "^2"}, "", "HTTP/1.0 301 Moved\r\n\r\n", finding{StatusL7Sts, 301, "Moved"}},
		{"not rstatus", Expect{Match: MatchStatusRegexp, Not: true, Pattern: "^2"}, "", ok, finding{StatusL7Sts, 200, "OK"}},
		{"comment", Expect{}, "my comment", "HTTP/1.0 500 x\r\n\r\n", finding{StatusL7Sts, 500, "x comment: my comment"}},
		{"on-error", Expect{OnError: "custom"}, "foo", "HTTP/1.0 404 x\r\n\r\n", finding{StatusL7Sts, 404, "custom comment: foo"}},
		{"on-success", Expect{OnSuccess: "fine"}, "", ok, finding{StatusL7OK, 200, "fine"}},
		{"ok-status", Expect{OKStatus: StatusL7OKC}, "", ok, finding{StatusL7OKC, 200, ""}},
		{"error-status", Expect{ErrorStatus: StatusL7OKC}, "", "HTTP/1.0 404 x\r\n\r\n", finding{StatusL7OKC, 404, "x"}},
		{"string", Expect{Match: MatchString, Pattern: "ok"}, "", ok + "it is ok", finding{StatusL7OK, 200, ""}},
		{"string is not there", Expect{Match: MatchString, Pattern: "ok"}, "", ok + "nope", finding{StatusL7Rsp, 0, "HTTP content check did not match"}},
		{"string is not looked for in the head", Expect{Match: MatchString, Pattern: "OK"}, "", ok + "nope", finding{StatusL7Rsp, 0, "HTTP content check did not match"}},
		{"not string", Expect{Match: MatchString, Not: true, Pattern: "nope"}, "", ok + "xnopey", finding{StatusL7Rsp, 0, "HTTP check matched unwanted content"}},
		{"not string, right", Expect{Match: MatchString, Not: true, Pattern: "nope"}, "", ok + "fine", finding{StatusL7OK, 200, ""}},
		{"no body", Expect{Match: MatchString, Pattern: "ok"}, "", "HTTP/1.0 204 No Content\r\n\r\n", finding{StatusL7Rsp, 0, "HTTP content check could not find a response body"}},
		{"rstring", Expect{Match: MatchRegexp, Pattern: "o.$"}, "", ok + "nope", finding{StatusL7Rsp, 0, "HTTP content check did not match"}},
		{"rstring, right", Expect{Match: MatchRegexp, Pattern: "p.$"}, "", ok + "nope", finding{StatusL7OK, 200, ""}},
		{"string over chunks", Expect{Match: MatchString, Pattern: "ok"}, "", chunked + "1\r\no\r\n1\r\nk\r\n0\r\n\r\n", finding{StatusL7OK, 200, ""}},
		{"broken chunks", Expect{Match: MatchString, Pattern: "ok"}, "", chunked + "1\r\nox\r\n", finding{StatusL7Rsp, 0, ""}},
		{"behind Content-Length", Expect{Match: MatchString, Pattern: "ok"}, "", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxok", finding{StatusL7Rsp, 0, "HTTP content check did not match"}},
		{"long reason", Expect{}, "", "HTTP/1.0 500 " + strings.Repeat("a", 200) + "\r\n\r\n", finding{StatusL7Sts, 500, strings.Repeat("a", 127)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := judgeText(t, tt.e, tt.comment, tt.text); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDisableOn404ComesFirst(t *testing.T) {
	m, _ := newMatcher(Expect{Codes: [][2]int{{200, 200}}}, true)
	s := &step{expect: m}
	var r reply
	r.reset(answerMax)
	r.feed([]byte("HTTP/1.0 404 NF\r\n\r\n"), message.MethodGet)
	if f, done := s.judgeReply(&r, false, 404); !done || f != (finding{StatusL7OKC, 404, ""}) {
		t.Errorf("got %+v, %v", f, done)
	}
}

func TestBytesAreJudgedAsByHAProxy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		e       Expect
		comment string
		in      string
		open    bool // more bytes may come
		want    finding
		wait    bool
	}{
		{"found", Expect{Match: MatchString, Pattern: "hi"}, "", "ohi", true, finding{StatusL7OK, 0, ""}, false},
		{"not yet", Expect{Match: MatchString, Pattern: "hi"}, "", "h", true, finding{}, true},
		{"other bytes, more may come", Expect{Match: MatchString, Pattern: "hi"}, "", "other", true, finding{}, true},
		{"other bytes and end", Expect{Match: MatchString, Pattern: "hi"}, "", "other", false, finding{StatusL7Rsp, 0, "TCPCHK did not match content 'hi' at step 1"}, false},
		{"nothing", Expect{Match: MatchString, Pattern: "hi"}, "", "", false, finding{StatusL7Rsp, 0, "TCPCHK got an empty response at step 1"}, false},
		{"nothing, with comment", Expect{Match: MatchString, Pattern: "B"}, "last", "", false, finding{StatusL7Rsp, 0, "TCPCHK got an empty response at step 1 comment: 'last'"}, false},
		{"comment", Expect{Match: MatchString, Pattern: "PONG"}, "CC", "NO", false, finding{StatusL7Rsp, 0, "TCPCHK did not match content 'PONG' at step 1 comment: CC"}, false},
		{"unwanted", Expect{Match: MatchString, Not: true, Pattern: "bad"}, "", "bad", true, finding{StatusL7Rsp, 0, "TCPCHK matched unwanted content 'bad' at step 1"}, false},
		{"unwanted may still come", Expect{Match: MatchString, Not: true, Pattern: "bad"}, "", "hi, all", true, finding{}, true},
		{"unwanted did not come", Expect{Match: MatchString, Not: true, Pattern: "bad"}, "", "hi", false, finding{StatusL7OK, 0, ""}, false},
		{"regexp", Expect{Match: MatchRegexp, Pattern: "^h.$"}, "", "hi", true, finding{StatusL7OK, 0, ""}, false},
		{"regexp fails", Expect{Match: MatchRegexp, Pattern: "hi"}, "", "bad", false, finding{StatusL7Rsp, 0, "TCPCHK did not match content (regex) at step 1"}, false},
		{"binary", Expect{Match: MatchBinary, Pattern: "6869"}, "", "hi", true, finding{StatusL7OK, 0, ""}, false},
		{"binary fails", Expect{Match: MatchBinary, Pattern: "6869"}, "", "bad", false, finding{StatusL7Rsp, 0, "TCPCHK did not match content (binary) at step 1"}, false},
		{"zero bytes", Expect{Match: MatchBinary, Pattern: "0001"}, "", "a\x00\x01", true, finding{StatusL7OK, 0, ""}, false},
		{"rbinary", Expect{Match: MatchBinaryRegexp, Pattern: "^4A"}, "", "J", true, finding{StatusL7OK, 0, ""}, false},
		{"rbinary fails", Expect{Match: MatchBinaryRegexp, Pattern: "^4A"}, "", "x", false, finding{StatusL7Rsp, 0, "TCPCHK did not match content (binary regex) at step 1"}, false},
		{"min-recv waits", Expect{Match: MatchRegexp, Pattern: "B", MinRecv: 10}, "", "B12", true, finding{}, true},
		{"min-recv is there", Expect{Match: MatchRegexp, Pattern: "B", MinRecv: 3}, "", "B12", true, finding{StatusL7OK, 0, ""}, false},
		{"min-recv above the string's length", Expect{Match: MatchString, Pattern: "B", MinRecv: 10}, "", "B12", true, finding{StatusL7OK, 0, ""}, false},
		{"min-recv 0 decides at once", Expect{Match: MatchString, Pattern: "A", MinRecv: -1}, "", "B", true, finding{StatusL7Rsp, 0, "TCPCHK did not match content 'A' at step 1"}, false},
		{"ok-status", Expect{Match: MatchString, Pattern: "A", OKStatus: StatusL4OK}, "", "A", true, finding{StatusL4OK, 0, ""}, false},
		{"error-status", Expect{Match: MatchString, Pattern: "A", ErrorStatus: StatusL4Con}, "", "B", false, finding{StatusL4Con, 0, "TCPCHK did not match content 'A' at step 1"}, false},
		{"on-error", Expect{Match: MatchString, Pattern: "A", OnError: "oops"}, "", "B", false, finding{StatusL7Rsp, 0, "oops"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := newMatcher(tt.e, false)
			if err != nil {
				t.Fatal(err)
			}
			s := &step{Step: Step{Expect: tt.e}, number: 1, comment: tt.comment, expect: m}
			if f, done := s.judge([]byte(tt.in), !tt.open); f != tt.want || done == tt.wait {
				t.Errorf("got %+v, decided %v; want %+v, %v", f, done, tt.want, !tt.wait)
			}
		})
	}
}

// A response leads to one finding however its bytes arrive, and the search for a
// body never looks beyond it.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.0 200 OK\r\n\r\nbody", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 x\r\nContent-Length: 3\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz", "garbage", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		var whole, pieces reply
		whole.reset(answerMax)
		whole.feed(b, message.MethodGet)
		pieces.reset(answerMax)
		for i := 0; i < len(b); i += 1 + int(step)%8 {
			pieces.feed(b[:i], message.MethodGet)
		}
		pieces.feed(b, message.MethodGet)
		if whole.bad != pieces.bad || whole.hasHead != pieces.hasHead || whole.ended != pieces.ended || whole.interim != pieces.interim {
			t.Fatalf("%q: in one piece %+v, in several %+v", b, whole, pieces)
		}
		if !whole.bad && (string(whole.body) != string(pieces.body) || whole.head.Status != pieces.head.Status) {
			t.Fatalf("%q: in one piece %q, in several %q", b, whole.body, pieces.body)
		}
		if whole.hasHead && !whole.bad && (whole.head.Status < 100 || len(whole.body) > len(b)) {
			t.Fatalf("%q: status %d, body %q", b, whole.head.Status, whole.body)
		}
	})
}
