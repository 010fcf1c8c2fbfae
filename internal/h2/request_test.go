package h2

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// A request reads as one of HTTP/1 would, but for the version in its first line.
func TestRequestHeads(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields []string
		end    bool
		want   string
		target string
		frame  message.Framing
	}{
		{"get", []string{":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/x?y=z", "accept", "*/*"}, true,
			"GET https://a.example/x?y=z HTTP/2.0\nhost: a.example\naccept: */*\n", "/x?y=z", message.BodyNone},
		{"pseudo-headers in another order", []string{":path", "/", ":authority", "a", ":scheme", "http", ":method", "GET"}, true,
			"GET http://a/ HTTP/2.0\nhost: a\n", "/", message.BodyNone},
		{"host only", []string{":method", "GET", ":scheme", "http", ":path", "/", "host", "b"}, true,
			"GET / HTTP/2.0\nhost: b\n", "/", message.BodyNone},
		{"authority and host", append(append([]string(nil), getFields...), "host", "A.EXAMPLE"), true,
			"GET http://a.example/ HTTP/2.0\nhost: a.example\n", "/", message.BodyNone},
		{"cookie crumbs", append(append([]string(nil), getFields...), "cookie", "a=b", "x", "y", "cookie", "c=d"), true,
			"GET http://a.example/ HTTP/2.0\nhost: a.example\nx: y\ncookie: a=b; c=d\n", "/", message.BodyNone},
		{"te", append(append([]string(nil), getFields...), "te", "trailers"), true,
			"GET http://a.example/ HTTP/2.0\nhost: a.example\n", "/", message.BodyNone},
		{"a body", postFields, false, "POST http://a.example/ HTTP/2.0\nhost: a.example\n", "/", message.BodyChunked},
		{"a body with a length", append(append([]string(nil), postFields...), "content-length", "5"), false,
			"POST http://a.example/ HTTP/2.0\nhost: a.example\ncontent-length: 5\n", "/", message.BodyLength},
		{"a length of 0", append(append([]string(nil), postFields...), "content-length", "0"), false,
			"POST http://a.example/ HTTP/2.0\nhost: a.example\ncontent-length: 0\n", "/", message.BodyNone},
		{"connect", []string{":method", "CONNECT", ":authority", "a:443"}, false,
			"CONNECT a:443 HTTP/2.0\nhost: a:443\n", "a:443", message.BodyNone},
		{"options", []string{":method", "OPTIONS", ":scheme", "http", ":authority", "a", ":path", "*"}, true,
			"OPTIONS * HTTP/2.0\nhost: a\n", "*", message.BodyNone},
	} {
		r := openRig(t)
		r.send(headersFrame(1, tc.end, block(tc.fields...)))
		h := &r.c.sc.Head
		if r.ev.Kind != EventRequest {
			t.Errorf("%s: %+v (%v)", tc.name, r.ev, r.c.Reason())
			continue
		}
		if got := headText(h); got != tc.want || string(h.Text(h.Target)) != tc.target || h.Framing != tc.frame {
			t.Errorf("%s: %q, target %q, framing %d; want %q, %q, %d",
				tc.name, got, h.Text(h.Target), h.Framing, tc.want, tc.target, tc.frame)
		}
		if !h.HTTP2 || h.Minor != 1 || h.Host.Len == 0 || !strings.HasSuffix(string(h.Raw), "\r\n\r\n") {
			t.Errorf("%s: version or host or end of %q", tc.name, h.Raw)
		}
	}
}

// Fields count as in HTTP/1, and a block that means more than it says is cut off
// before it costs memory (the "HPACK bomb").
func TestHeadsAreBounded(t *testing.T) {
	r := openRig(t)
	many := append([]string(nil), getFields...)
	for range r.lim.FieldsMax {
		many = append(many, "x", "y")
	}
	if got := r.play(headersFrame(1, true, block(many...))); got != "reset 1 ENHANCE_YOUR_CALM" {
		t.Errorf("too many fields: %q", got)
	}
	if got := r.play(headersFrame(3, true, block(append(append([]string(nil), getFields...), "x", strings.Repeat("y", 16000))...))); got != "reset 3 ENHANCE_YOUR_CALM" {
		t.Errorf("a field that is too large: %q", got)
	}
	bomb := block(getFields...) + indexedBlock("x", strings.Repeat("y", 4000)) + strings.Repeat("\xbe", 8)
	if got := r.play(headersFrame(5, true, bomb)); got != "reset 5 ENHANCE_YOUR_CALM" {
		t.Errorf("a bomb: %q", got)
	}
	if n := cap(r.c.sc.raw); n > 2*r.lim.HeadMax {
		t.Errorf("the scratch memory has grown to %d bytes", n)
	}
	if got := r.play(headersFrame(7, true, block(getFields...)+"\xbe")); got != "request 7" {
		t.Errorf("the table after all that: %q", got)
	}
	if got := r.play(headersFrame(9, true, block(getFields...)+strings.Repeat("\xbe", 10000))); got != "lost COMPRESSION_ERROR" {
		t.Errorf("a bomb of 40 MB: %q", got)
	}
}

func TestTrailersAreKeptWithoutWhatTheProxyTreats(t *testing.T) {
	r := openRig(t)
	r.request(1, false, postFields...)
	r.send(headersFrame(1, true, block("x-sum", "1", "content-length", "5", "host", "b")))
	if r.ev.Kind != EventTrailers {
		t.Fatalf("%+v (%v)", r.ev, r.c.Reason())
	}
	if got := headText(&r.c.sc.Head); got != "x-sum: 1\n" {
		t.Errorf("trailers %q", got)
	}
}

func TestResponseHeads(t *testing.T) {
	raw := []byte("NameValueContent-Length5Transfer-Encodingchunked")
	h := &message.Head{Raw: raw, Status: 200, HasLength: true, Length: 5, Fields: []message.Field{
		{Name: message.Span{Off: 0, Len: 4}, Value: message.Span{Off: 4, Len: 5}},
		{Name: message.Span{Off: 9, Len: 14}, Value: message.Span{Off: 23, Len: 1}, ID: message.FieldContentLength},
		{Name: message.Span{Off: 24, Len: 17}, Value: message.Span{Off: 41, Len: 7}, ID: message.FieldTransferEncoding},
	}}
	for _, tc := range []struct {
		status int
		rw     Rewrite
		want   string
	}{
		{200, Rewrite{Framing: message.BodyLength}, ":status: 200\nname: Value\ncontent-length: 5\n"},
		{404, Rewrite{Framing: message.BodyChunked}, ":status: 404\nname: Value\n"},
		{503, Rewrite{Framing: message.BodyNone, End: true}, ":status: 503\nname: Value\ncontent-length: 5\n"},
	} {
		r := openRig(t)
		s := r.request(1, true)
		h.Status = tc.status
		r.c.Out = r.c.AppendHead(r.c.Out[:0], s, h, tc.rw)
		f := r.frames()[0]
		got, ok := decodeAll(newDecoder(4096), []byte(f.payload))
		if !ok || got != tc.want || f.flags&flagEndHeaders == 0 || f.flags&flagEndStream != 0 != tc.rw.End {
			t.Errorf("%d: %q %v flags %x, want %q", tc.status, got, ok, f.flags, tc.want)
		}
		if s.Open() == tc.rw.End {
			t.Errorf("%d: open %v after END_STREAM %v", tc.status, s.Open(), tc.rw.End)
		}
	}
}

// A head larger than a frame goes on in CONTINUATION (RFC 9113 section 4.3).
func TestLargeResponseHeadsAreContinued(t *testing.T) {
	raw := []byte("x" + strings.Repeat("v", 40000))
	h := &message.Head{Raw: raw, Status: 200, Fields: []message.Field{
		{Name: message.Span{Len: 1}, Value: message.Span{Off: 1, Len: 40000}},
	}}
	r := openRig(t)
	s := r.request(1, true)
	r.c.Out = r.c.AppendHead(r.c.Out[:0], s, h, Rewrite{End: true})
	if n := len(r.c.Out); n > HeadSizeMax(h) {
		t.Errorf("%d bytes, more than HeadSizeMax %d", n, HeadSizeMax(h))
	}
	var whole string
	list := r.frames()
	for i, f := range list {
		whole += f.payload
		if last := i == len(list)-1; f.flags&flagEndHeaders != 0 != last || len(f.payload) > 16384 ||
			(f.kind == FrameHeaders) != (i == 0) || i > 0 && f.kind != FrameContinuation {
			t.Errorf("frame %d of %d: %+v", i, len(list), f.frame)
		}
	}
	if got, ok := decodeAll(newDecoder(4096), []byte(whole)); !ok || len(got) < 40000 {
		t.Errorf("decoded %d bytes, %v", len(got), ok)
	}
}
