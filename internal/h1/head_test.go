package h1

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// parsed gives the head of a request that must be complete.
func parsed(t *testing.T, raw string, lim *Limits) *message.Head {
	t.Helper()
	var p Parser
	h := new(message.Head)
	if n, st := p.Request([]byte(raw), h, lim); st != Complete || n != len(raw) {
		t.Fatalf("%q: %v after %d bytes: %v", raw, st, n, p.Reason())
	}
	return h
}

// answered gives the head of a response that must be complete.
func answered(t *testing.T, raw string, to message.Method) *message.Head {
	t.Helper()
	var p Parser
	h := new(message.Head)
	if n, st := p.Response([]byte(raw), h, nil, to); st != Complete || n != len(raw) {
		t.Fatalf("%q: %v after %d bytes: %v", raw, st, n, p.Reason())
	}
	return h
}

// lines gives the fields as "name: value", dropped ones in brackets.
func lines(h *message.Head) []string {
	var all []string
	for i, f := range h.Fields {
		line := string(h.Name(i)) + ": " + string(h.Value(i))
		if f.Drop {
			line = "[" + line + "]"
		}
		all = append(all, line)
	}
	return all
}

func TestPartsOfARequest(t *testing.T) {
	h := parsed(t, "\r\nPOST /p?q HTTP/1.1\r\nHost: a:80\r\nX-A:  b c \r\nEmpty:\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n", nil)
	got := []string{
		string(h.Text(h.MethodText)), string(h.Text(h.Target)), string(h.Text(h.Path)), string(h.PathOnly()), string(h.Text(h.Host)),
	}
	if want := []string{"POST", "/p?q", "/p?q", "/p", "a:80"}; !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
	if h.Method != message.MethodPost || h.Minor != 1 || h.Form != message.FormOrigin || !h.Expect100 || h.Status != 0 {
		t.Errorf("%+v", h)
	}
	if h.Framing != message.BodyLength || h.Length != 12 || !h.HasLength || !h.Persistent() {
		t.Errorf("framing %v, length %d", h.Framing, h.Length)
	}
	want := []string{"Host: a:80", "X-A: b c", "Empty: ", "Content-Length: 12", "Expect: 100-Continue"}
	if got := lines(h); !slices.Equal(got, want) {
		t.Errorf("fields %q, want %q", got, want)
	}
}

func TestExpectMeansNothingInOldVersions(t *testing.T) {
	if parsed(t, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", nil).Expect100 {
		t.Error("Expect100 in HTTP/1.0")
	}
	if parsed(t, post("Expect: other\r\nContent-Length: 2\r\n"), nil).Expect100 {
		t.Error("Expect100 without 100-continue")
	}
}

func TestRequestFraming(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		lim       Limits
		framing   message.Framing
		length    int64
		must      bool
		fields    []string
	}{
		{name: "none", raw: get(""), fields: []string{"Host: a"}},
		{name: "zero", raw: post("Content-Length: 0\r\n"), fields: []string{"Host: a", "Content-Length: 0"}},
		{name: "length", raw: post("Content-Length: 007\r\n"), framing: message.BodyLength, length: 7, fields: []string{"Host: a", "Content-Length: 007"}},
		{name: "merged", raw: post("Content-Length: 7 , 7\r\nContent-Length: 7\r\n"), framing: message.BodyLength, length: 7,
			fields: []string{"Host: a", "Content-Length: 7", "[Content-Length: 7]"}},
		{name: "chunked", raw: post("Transfer-Encoding: chunked\r\n"), framing: message.BodyChunked, fields: []string{"Host: a", "Transfer-Encoding: chunked"}},
		{name: "both", raw: post("Content-Length: 7\r\nTransfer-Encoding: chunked\r\n"), lim: Limits{Lenient: true}, framing: message.BodyChunked, must: true,
			fields: []string{"Host: a", "[Content-Length: 7]", "Transfer-Encoding: chunked"}},
		{name: "GET in 1.0 when allowed", raw: "GET / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", lim: Limits{BodyWithAnyMethod: true},
			framing: message.BodyLength, length: 2, fields: []string{"Content-Length: 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parsed(t, c.raw, &c.lim)
			if h.Framing != c.framing || h.Length != c.length || h.MustClose != c.must {
				t.Errorf("framing %d, length %d, must close %v", h.Framing, h.Length, h.MustClose)
			}
			if got := lines(h); !slices.Equal(got, c.fields) {
				t.Errorf("fields %q, want %q", got, c.fields)
			}
		})
	}
}

func TestResponseFraming(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name, raw string
		to        message.Method
		framing   message.Framing
		length    int64
		coding    bool
		persists  bool
	}{
		{"length", ok + "Content-Length: 5\r\n\r\n", message.MethodGet, message.BodyLength, 5, false, true},
		{"empty", ok + "Content-Length: 0\r\n\r\n", message.MethodGet, message.BodyNone, 0, false, true},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n", message.MethodGet, message.BodyChunked, 0, true, true},
		{"coding wins", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", message.MethodGet, message.BodyChunked, 0, true, false},
		{"until close", ok + "\r\n", message.MethodGet, message.BodyUntilClose, 0, false, false},
		{"HEAD", ok + "Content-Length: 5\r\n\r\n", message.MethodHead, message.BodyNone, 5, false, true},
		{"HEAD chunked", ok + "Transfer-Encoding: chunked\r\n\r\n", message.MethodHead, message.BodyNone, 0, true, true},
		{"HEAD of nothing", ok + "\r\n", message.MethodHead, message.BodyNone, 0, false, true},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", message.MethodGet, message.BodyNone, 5, false, true},
		{"204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", message.MethodGet, message.BodyNone, 0, false, true},
		{"204 chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", message.MethodGet, message.BodyNone, 0, false, true},
		{"100", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", message.MethodPost, message.BodyNone, 0, false, true},
		{"101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", message.MethodGet, message.BodyNone, 0, false, true},
		{"CONNECT accepted", ok + "Content-Length: 5\r\n\r\n", message.MethodConnect, message.BodyNone, 0, false, true},
		{"CONNECT refused", "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", message.MethodConnect, message.BodyLength, 5, false, true},
		{"205", "HTTP/1.1 205 Reset\r\nContent-Length: 5\r\n\r\n", message.MethodGet, message.BodyLength, 5, false, true},
		{"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", message.MethodGet, message.BodyLength, 5, false, false},
		{"1.0 kept alive", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", message.MethodGet, message.BodyLength, 5, false, true},
		{"1.0 kept alive without length", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", message.MethodGet, message.BodyUntilClose, 0, false, false},
		{"close", ok + "Content-Length: 5\r\nConnection: keep-alive, close\r\n\r\n", message.MethodGet, message.BodyLength, 5, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := answered(t, c.raw, c.to)
			if h.Framing != c.framing || h.Length != c.length || h.HasCoding != c.coding || h.Persistent() != c.persists {
				t.Errorf("framing %d, length %d, coding %v, persistent %v", h.Framing, h.Length, h.HasCoding, h.Persistent())
			}
		})
	}
}

func TestConnectionDropsOnlyWhatItMay(t *testing.T) {
	h := parsed(t, get("Connection: X-Foo, Host, Cookie , authorization,X-Forwarded-For, content-length, x-bar,X\r\n"+
		"X-Foo: 1\r\nCookie: a=b\r\nAuthorization: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-BAR: 2\r\nX: 3\r\nX-Baz: 4\r\nContent-Length: 0\r\n"+
		"Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: close\r\nTrailer: x\r\n"), nil)
	want := []string{
		"Host: a", "[Connection: X-Foo, Host, Cookie , authorization,X-Forwarded-For, content-length, x-bar,X]",
		"[X-Foo: 1]", "Cookie: a=b", "Authorization: x", "X-Forwarded-For: 1.2.3.4", "[X-BAR: 2]", "[X: 3]", "X-Baz: 4", "Content-Length: 0",
		"[Keep-Alive: timeout=5]", "[TE: trailers]", "[Proxy-Connection: close]", "Trailer: x",
	}
	if got := lines(h); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if h.ConnClose || h.ConnKeepAlive || h.ConnUpgrade {
		t.Error("tokens that are not there")
	}
	late := parsed(t, "GET / HTTP/1.1\r\nX-Foo: 1\r\n"+host+"Connection: close, x-foo, TE\r\n\r\n", nil)
	if !late.ConnClose || !late.ConnTE || !late.Fields[0].Drop {
		t.Error("a field that stands before Connection is not dropped")
	}
}

func TestUpgrades(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      string // Upgrade, and the token in Connection
	}{
		{"asked", get("Connection: keep-alive, UpGrade\r\nUpgrade: foo/1\r\n"), "foo/1 UpGrade"},
		{"not in Connection", get("Upgrade: foo\r\n"), " "},
		{"no Upgrade", get("Connection: upgrade\r\n"), " "},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n", " "},
		{"h2c", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), " "},
		{"h2c in a list", get("Connection: Upgrade\r\nUpgrade: foo, H2C\r\n"), " "},
		{"h2c in a second field", get("Connection: Upgrade\r\nUpgrade: foo\r\nUpgrade: h2c\r\n"), " "},
	} {
		h := parsed(t, c.raw, nil)
		if got := string(h.Text(h.Upgrade)) + " " + string(h.Text(h.UpgradeToken)); got != c.want || h.ConnUpgrade != (c.want != " ") {
			t.Errorf("%s: %q, %v; want %q", c.name, got, h.ConnUpgrade, c.want)
		}
	}
}

func TestFoldedLinesBecomeOne(t *testing.T) {
	raw := get("X: a\r\n  b \r\n\t\r\n\tc\r\nY: d\r\n")
	h := parsed(t, raw, &Limits{Lenient: true})
	if got := lines(h); !slices.Equal(got, []string{"Host: a", "X: a b c", "Y: d"}) {
		t.Errorf("got %q", got)
	}
}

func TestLooseHeads(t *testing.T) {
	lim := &Limits{Lenient: true}
	for _, c := range []struct {
		raw, target string
		form        message.TargetForm
		minor       uint8
	}{
		{"GET /\r\n", "/", message.FormOrigin, 0},
		{"GET \t/a#b \t HTTP/1.1\n\n", "/a#b", message.FormOrigin, 1},
		{"GET x HTTP/3\r\n\r\n", "x", message.FormOrigin, 0},
		{"GET / HTTP/2.0\r\n\r\n", "/", message.FormOrigin, 1},
		{"CONNECT a HTTP/1.1\r\n\r\n", "a", message.FormAuthority, 1},
		{"GET http://a?x HTTP/1.1\r\n\r\n", "http://a?x", message.FormOrigin, 1},
	} {
		h := parsed(t, c.raw, lim)
		if got := string(h.Text(h.Target)); got != c.target || h.Form != c.form || h.Minor != c.minor {
			t.Errorf("%q: target %q, form %d, minor %d", c.raw, got, h.Form, h.Minor)
		}
	}
}

func TestPipelinedHeadsAreReadByOneParser(t *testing.T) {
	var p Parser
	var h message.Head
	rest := []byte(get("") + "\r\n" + post("Content-Length: 0\r\n") + get("X: last\r\n"))
	var methods []string
	for len(rest) > 0 {
		n, st := p.Request(rest, &h, nil)
		if st != Complete {
			t.Fatal(st, p.Reason())
		}
		methods = append(methods, h.Method.String())
		rest = rest[n:]
	}
	if !slices.Equal(methods, []string{"GET", "POST", "GET"}) || string(h.Value(1)) != "last" {
		t.Errorf("read %q", methods)
	}
}

func TestStartedIsForBytesOfAHead(t *testing.T) {
	var p Parser
	var h message.Head
	for _, c := range []struct {
		raw  string
		want bool
	}{{"", false}, {"\r", false}, {"\r\n", false}, {"\r\nG", true}} {
		p.Request([]byte(c.raw), &h, nil)
		if p.Started() != c.want {
			t.Errorf("%q: Started is %v", c.raw, p.Started())
		}
	}
	p.Reset()
	if p.Started() {
		t.Error("Started after Reset")
	}
}

func TestReasonsHaveWords(t *testing.T) {
	for r := ReasonMethod; r <= ReasonChunk; r++ {
		if strings.TrimSpace(r.String()) == "" {
			t.Errorf("reason %d has no words", r)
		}
	}
}
