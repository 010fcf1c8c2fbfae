package h1

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// A parser that reads finished lines again would make a trickled head cost the
// square of its length. So they are overwritten here while the rest arrives:
// reading them again would end in a refusal.
func TestFinishedLinesAreNotReadAgain(t *testing.T) {
	raw := "POST /" + strings.Repeat("p", 300) + " HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("v", 300) + "\r\nContent-Length: 3\r\n" +
		strings.Repeat("Y: 1\r\n", 50) + "\r\n"
	var p Parser
	var h message.Head
	buf := make([]byte, len(raw))
	for n := 1; n < len(raw); n++ {
		buf[n-1] = raw[n-1]
		if _, st := p.Request(buf[:n], &h, nil); st != NeedMore {
			t.Fatalf("%v after %d bytes: %v", st, n, p.Reason())
		}
		if raw[n-1] == '\n' {
			clear(buf[:n])
		}
	}
	buf[len(raw)-1] = '\n'
	if n, st := p.Request(buf, &h, nil); st != Complete || n != len(raw) {
		t.Fatalf("%v: %v", st, p.Reason())
	}
	if h.Framing != message.BodyLength || h.Length != 3 || len(h.Fields) != 53 || h.Method != message.MethodPost {
		t.Errorf("%d fields, framing %d, length %d", len(h.Fields), h.Framing, h.Length)
	}
}

// The same within a line: the bytes of a long value that were seen are not
// looked at again, but the last one for the blanks at the end.
func TestBytesOfAValueAreNotReadAgain(t *testing.T) {
	raw := "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("v", 1000) + "\r\n\r\n"
	from := strings.Index(raw, "vv")
	var p Parser
	var h message.Head
	buf := make([]byte, len(raw))
	for n := 1; n <= len(raw); n++ {
		buf[n-1] = raw[n-1]
		_, st := p.Request(buf[:n], &h, nil)
		if want := n == len(raw); (st == Complete) != want || !want && st != NeedMore {
			t.Fatalf("%v after %d bytes: %v", st, n, p.Reason())
		}
		if n > from+1 {
			clear(buf[from : n-1])
		}
	}
}

func TestAParserIsReadyAfterAnyMessage(t *testing.T) {
	var p Parser
	var h message.Head
	for range 3 {
		for _, raw := range []string{get("X: 1\r\n"), post("Transfer-Encoding: chunked\r\n"), "GET http://a/ HTTP/1.0\r\n\r\n"} {
			for n := range len(raw) {
				if _, st := p.Request([]byte(raw[:n]), &h, nil); st != NeedMore {
					t.Fatalf("%q: %v after %d bytes", raw, st, n)
				}
			}
			if _, st := p.Request([]byte(raw), &h, nil); st != Complete {
				t.Fatalf("%q: %v %v", raw, st, p.Reason())
			}
		}
	}
	if h.Form != message.FormAbsolute || h.Framing != message.BodyNone || len(h.Fields) != 0 {
		t.Errorf("something of an earlier message is left: %+v", h)
	}
}

func TestHeadsMayHaveAnyNumberOfFields(t *testing.T) {
	lim := &Limits{HeadMax: 1 << 20, FieldsMax: 32767}
	h := parsed(t, get(strings.Repeat("X: 1\r\n", 32765)), lim)
	if len(h.Fields) != 32766 {
		t.Errorf("%d fields", len(h.Fields))
	}
	if names := lines(h); !slices.Contains(names, "X: 1") {
		t.Error("fields are lost")
	}
}
