package h1

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// An outcome is all that a parser tells about a head.
type outcome struct {
	n      int
	st     Status
	reason Reason
	pos    int
	head   message.Head
	fields []string
}

// seen copies what the head holds, so that outcomes can be compared.
func seen(p *Parser, h *message.Head, n int, st Status) outcome {
	o := outcome{n: n, st: st}
	if st != Complete && st != NeedMore {
		o.reason, o.pos = p.Reason(), p.ErrorPos()
	}
	if st == Complete {
		o.head, o.fields = *h, lines(h)
		o.head.Raw, o.head.Extra, o.head.Fields = nil, nil, nil
		for _, s := range []message.Span{h.MethodText, h.Target, h.Reason, h.Upgrade, h.Host} {
			o.fields = append(o.fields, string(h.Text(s)))
		}
	}
	return o
}

func sameOutcome(a, b outcome) bool {
	return a.n == b.n && a.st == b.st && a.reason == b.reason && a.pos == b.pos && slices.Equal(a.fields, b.fields) &&
		a.head.Status == b.head.Status && a.head.Framing == b.head.Framing && a.head.Length == b.head.Length &&
		a.head.MustClose == b.head.MustClose && a.head.Minor == b.head.Minor && a.head.Form == b.head.Form &&
		a.head.ConnClose == b.head.ConnClose && a.head.ConnKeepAlive == b.head.ConnKeepAlive &&
		a.head.ConnUpgrade == b.head.ConnUpgrade && a.head.Expect100 == b.head.Expect100 && a.head.HasCoding == b.head.HasCoding
}

// feed calls parse with growing parts of raw until it is done. The lengths of
// the pieces come from cuts, over and over; none are single bytes. Each call
// gets a copy elsewhere in memory: buffers move.
func feed(raw, cuts []byte, parse func(b []byte) (int, Status)) (n int, st Status) {
	for given, i := 0, 0; given < len(raw); i++ {
		step := 1
		if len(cuts) > 0 {
			step = max(1, int(cuts[i%len(cuts)]))
		}
		given = min(given+step, len(raw))
		if n, st = parse(bytes.Clone(raw[:given])); st != NeedMore {
			return n, st
		}
	}
	return n, st
}

var fuzzLimits = []Limits{{}, {Lenient: true}, {HeadMax: 100, FieldsMax: 4}, {Unsafe: true, HeadMax: 200}}

// FuzzRequestSplit: the bytes in any pieces give the same as in one piece.
func FuzzRequestSplit(f *testing.F) {
	for _, c := range allRequestCases() {
		f.Add([]byte(c.raw), []byte(nil), uint8(0))
		f.Add([]byte(c.raw), []byte{3, 40, 1}, uint8(1))
	}
	f.Fuzz(func(t *testing.T, raw, cuts []byte, mode uint8) {
		lim := &fuzzLimits[int(mode)%len(fuzzLimits)]
		var whole, pieces Parser
		var a, b message.Head
		n, st := whole.Request(raw, &a, lim)
		want := seen(&whole, &a, n, st)
		n, st = feed(raw, cuts, func(part []byte) (int, Status) { return pieces.Request(part, &b, lim) })
		if got := seen(&pieces, &b, n, st); !sameOutcome(got, want) {
			t.Errorf("%q\nin pieces %v: %+v\nat once:   %+v", raw, cuts, got, want)
		}
	})
}

// FuzzResponseSplit is FuzzRequestSplit for responses.
func FuzzResponseSplit(f *testing.F) {
	for _, c := range responseCases {
		f.Add([]byte(c.raw), []byte(nil), uint8(0), uint8(1))
		f.Add([]byte(c.raw), []byte{3, 40, 1}, uint8(1), uint8(2))
	}
	f.Fuzz(func(t *testing.T, raw, cuts []byte, mode, method uint8) {
		lim := &fuzzLimits[int(mode)%len(fuzzLimits)]
		to := message.Method(method % 10)
		var whole, pieces Parser
		var a, b message.Head
		n, st := whole.Response(raw, &a, lim, to)
		want := seen(&whole, &a, n, st)
		n, st = feed(raw, cuts, func(part []byte) (int, Status) { return pieces.Response(part, &b, lim, to) })
		if got := seen(&pieces, &b, n, st); !sameOutcome(got, want) {
			t.Errorf("%q\nin pieces %v: %+v\nat once:   %+v", raw, cuts, got, want)
		}
	})
}

// FuzzChunkSplit: the bytes in any pieces give the same body, trailers and end,
// and what is written of them decodes to the same.
func FuzzChunkSplit(f *testing.F) {
	for _, c := range chunkCases {
		f.Add([]byte(c.raw), []byte(nil), uint8(0))
		f.Add([]byte(c.raw), []byte{3, 40, 1}, uint8(1))
	}
	f.Fuzz(func(t *testing.T, raw, cuts []byte, mode uint8) {
		lim := &fuzzLimits[int(mode)%len(fuzzLimits)]
		body, fields, rest, c := decoded(string(raw), lim)
		steps := []int{1}
		for _, cut := range cuts {
			steps = append(steps, int(cut))
		}
		body2, fields2, rest2, _ := decoded(string(raw), lim, steps...)
		if body != body2 || !slices.Equal(fields, fields2) || rest != rest2 {
			t.Fatalf("%q\nat once: %q %q %d\nin pieces %v: %q %q %d", raw, body, fields, rest, cuts, body2, fields2, rest2)
		}
		if rest < 0 {
			return
		}
		var out []byte
		if len(body) > 0 {
			out = AppendChunkEnd(append(AppendChunkHead(out, len(body)), body...))
		}
		out = AppendTrailers(out, c.Trailer())
		again, _, left, _ := decoded(string(out), &Limits{Lenient: lim.loose()}) // odd names are passed on
		if again != body || left != 0 {
			t.Errorf("%q was written as %q, which gives %q and %d", raw, out, again, left)
		}
	})
}

// FuzzRequestStrict: what we accept, net/http accepts with the same method,
// target, host, version, framing and fields.
func FuzzRequestStrict(f *testing.F) {
	for _, c := range allRequestCases() {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p Parser
		var h message.Head
		n, st := p.Request(raw, &h, nil)
		if st != Complete || netHTTPIsStricter(&h) {
			return
		}
		head := strings.TrimLeft(string(raw[:n]), "\r\n")
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Fatalf("%q: net/http refuses: %v", head, err)
		}
		if req.Method != string(h.Text(h.MethodText)) || req.RequestURI != string(h.Text(h.Target)) {
			t.Errorf("%q: method %q, target %q", head, req.Method, req.RequestURI)
		}
		wantHost := string(h.Text(h.Host))
		if h.Authority.Len > 0 {
			wantHost = string(h.Text(h.Authority))
		}
		if req.Host != wantHost {
			t.Errorf("%q: host %q, net/http has %q", head, wantHost, req.Host)
		}
		checkFraming(t, head, &h, req)
		checkFields(t, head, &h, req)
	})
}

// netHTTPIsStricter tells the requests that net/http refuses for reasons of its
// own: it decodes targets, which we pass on as they are, wants no more than
// version 1.1, and takes no list of the same length (RFC 9112 section 6.3 lets
// us, and HAProxy does).
func netHTTPIsStricter(h *message.Head) bool {
	for i := h.Find(message.FieldContentLength, 0); i >= 0; i = h.Find(message.FieldContentLength, i+1) {
		if rest := bytes.TrimLeft(h.Raw[h.Fields[i].Value.End():], " \t"); rest[0] == ',' {
			return true
		}
	}
	target := string(h.Text(h.Target))
	line := string(h.Raw[:h.Target.End()+uint32(len(" HTTP/1.1"))])
	return strings.Contains(target, "%") || h.Form != message.FormOrigin && strings.ContainsAny(target, "\"<>\\^`{|}[]") ||
		h.Minor == 1 && !strings.HasSuffix(line, "1.1")
}

func checkFraming(t *testing.T, head string, h *message.Head, req *http.Request) {
	t.Helper()
	chunked := len(req.TransferEncoding) == 1 && req.TransferEncoding[0] == "chunked"
	if chunked != (h.Framing == message.BodyChunked) {
		t.Errorf("%q: framing %d, net/http has %q", head, h.Framing, req.TransferEncoding)
	}
	if !chunked && req.ContentLength != h.Length {
		t.Errorf("%q: length %d, net/http has %d", head, h.Length, req.ContentLength)
	}
	if req.Close == h.Persistent() && !h.ConnKeepAlive && !h.ConnClose {
		t.Errorf("%q: persistent %v, net/http has close %v", head, h.Persistent(), req.Close)
	}
}

func checkFields(t *testing.T, head string, h *message.Head, req *http.Request) {
	t.Helper()
	fields := 0
	for i, f := range h.Fields {
		switch f.ID {
		case message.FieldHost, message.FieldContentLength, message.FieldTransferEncoding, message.FieldTrailer,
			message.FieldPragma, message.FieldCacheControl:
			continue // net/http keeps these elsewhere, or changes them
		}
		fields++
		if values := req.Header[http.CanonicalHeaderKey(string(h.Name(i)))]; !slices.Contains(values, string(h.Value(i))) {
			t.Errorf("%q: field %q with %q is missing in net/http: %q", head, h.Name(i), h.Value(i), values)
		}
	}
	theirs := 0
	for name, values := range req.Header {
		if id := message.FieldIDOf([]byte(name)); id != message.FieldContentLength && id != message.FieldPragma && id != message.FieldCacheControl {
			theirs += len(values)
		}
	}
	if fields != theirs {
		t.Errorf("%q: %d fields, net/http has %d: %v", head, fields, theirs, req.Header)
	}
}

// FuzzRewrite: what we write of any head parses again, strictly, to the same
// message; no hop-by-hop field is left but the one we write, and there is at
// most one framing field.
func FuzzRewrite(f *testing.F) {
	for _, c := range allRequestCases() {
		f.Add([]byte(c.raw), "X-New", "value", "/path", uint8(0))
	}
	for _, c := range responseCases {
		f.Add([]byte(c.raw), "content-length", "7", "", uint8(7))
	}
	f.Fuzz(func(t *testing.T, raw []byte, name, value, path string, mode uint8) {
		lim := &fuzzLimits[int(mode)%2]
		conn := Connection(mode >> 1 % 4)
		var p Parser
		var h message.Head
		if _, st := p.Request(raw, &h, lim); st == Complete {
			if conn == ConnectionUpgrade && !h.ConnUpgrade {
				conn = ConnectionNone
			}
			h.Add([]byte(name), []byte(value))
			h.SetPath([]byte(path))
			checkRewrite(t, raw, &h, Rewrite{Connection: conn, Framing: h.Framing, Minor: h.Minor}, message.MethodOther, lim)
		}
		to := message.Method(mode >> 3 % 10)
		p.Reset()
		if _, st := p.Response(raw, &h, lim, to); st == Complete {
			if conn == ConnectionUpgrade && !h.ConnUpgrade {
				conn = ConnectionNone
			}
			h.Set([]byte(name), []byte(value))
			checkRewrite(t, raw, &h, Rewrite{Connection: conn, Framing: h.Framing, Minor: h.Minor}, to, lim)
		}
	})
}

func checkRewrite(t *testing.T, raw []byte, h *message.Head, rw Rewrite, to message.Method, lim *Limits) {
	t.Helper()
	var out []byte
	if h.Status == 0 {
		out = AppendEnd(AppendRequest(nil, h, rw))
	} else {
		out = AppendEnd(AppendResponse(nil, h, rw))
	}
	if len(out) > HeadSizeMax(h) {
		t.Errorf("%q: %d bytes, HeadSizeMax is %d", raw, len(out), HeadSizeMax(h))
	}
	var p Parser
	var again message.Head
	// What only leniency let in may go out: targets, names, Host. Line ends,
	// folds, versions and framing may not, so nothing else may be refused.
	strict := &Limits{HeadMax: len(out) + 1, FieldsMax: 1000}
	n, st := reparse(&p, out, &again, strict, h, to)
	if st != Complete && lim.loose() {
		switch p.Reason() {
		case ReasonTarget, ReasonName, ReasonHost, ReasonNoHost, ReasonHostMismatch:
			p.Reset()
			strict.Lenient = true
			n, st = reparse(&p, out, &again, strict, h, to)
		}
	}
	if st != Complete && (p.Reason() == ReasonHost || p.Reason() == ReasonHostMismatch || p.Reason() == ReasonWebSocket) {
		return // a rule added a Host or WebSocket field of its own
	}
	if st != Complete || n != len(out) {
		t.Fatalf("%q was written as %q: %v %v at %d", raw, out, st, p.Reason(), p.ErrorPos())
	}
	if again.Framing != h.Framing || again.Length != h.Length && h.HasLength || again.MustClose {
		t.Errorf("%q was written as %q: framing %d %d, was %d %d", raw, out, again.Framing, again.Length, h.Framing, h.Length)
	}
	checkWritten(t, raw, out, h, &again, rw)
}

func reparse(p *Parser, out []byte, again *message.Head, lim *Limits, h *message.Head, to message.Method) (int, Status) {
	if h.Status == 0 {
		return p.Request(out, again, lim)
	}
	return p.Response(out, again, lim, to)
}

func checkWritten(t *testing.T, raw, out []byte, h, again *message.Head, rw Rewrite) {
	t.Helper()
	framing, connection := 0, 0
	for i, f := range again.Fields {
		switch f.ID {
		case message.FieldContentLength, message.FieldTransferEncoding:
			framing++
		case message.FieldConnection:
			connection++
		case message.FieldUpgrade:
			if rw.Connection != ConnectionUpgrade {
				t.Errorf("%q was written as %q: Upgrade is left", raw, out)
			}
		}
		if lower := strings.ToLower(string(again.Name(i))); lower != string(again.Name(i)) && message.ValidToken(again.Name(i)) {
			t.Errorf("%q was written as %q: name %q", raw, out, again.Name(i))
		}
	}
	if framing > 1 || connection > 1 || (connection == 1) != (rw.Connection != ConnectionNone) {
		t.Errorf("%q was written as %q: %d framing fields, %d Connection", raw, out, framing, connection)
	}
	for i, f := range h.Fields {
		if !f.Drop || f.ID != message.FieldOther {
			continue
		}
		if again.FindName(h.Name(i), 0) >= 0 && !keptElsewhere(h, h.Name(i)) {
			t.Errorf("%q was written as %q: %q is left", raw, out, h.Name(i))
		}
	}
}

// keptElsewhere tells names that a rule added again.
func keptElsewhere(h *message.Head, name []byte) bool {
	for i := h.FindName(name, 0); i >= 0; i = h.FindName(name, i+1) {
		if !h.Fields[i].Drop {
			return true
		}
	}
	return false
}
