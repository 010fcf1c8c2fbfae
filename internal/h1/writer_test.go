package h1

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// sent writes a request as it came.
func sent(h *message.Head, conn Connection) string {
	return string(AppendEnd(AppendRequest(nil, h, Rewrite{Connection: conn, Framing: h.Framing, Minor: h.Minor})))
}

// The wanted bytes are those that HAProxy 2.6 sent, but where a comment says
// otherwise.
func TestRequestsAreSentAsHAProxySendsThem(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		conn      Connection
		want      string
	}{
		{"plain", "GET /p?q HTTP/1.1\r\nHost: a\r\nUser-Agent: X\r\nX_Y: 1\r\n\r\n", ConnectionNone,
			"GET /p?q HTTP/1.1\r\nhost: a\r\nuser-agent: X\r\nx_y: 1\r\n\r\n"},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ConnectionKeepAlive, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"},
		{"close", get("Connection: keep-alive\r\nX: 1\r\n"), ConnectionClose, "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\nconnection: close\r\n\r\n"},
		{"blanks", get("A: \t1 \r\nB:2\r\nC:\r\nD: \r\nEEEEEEEEEEEEEEE: 3\r\n"), ConnectionNone,
			"GET / HTTP/1.1\r\nhost: a\r\na: 1\r\nb: 2\r\nc: \r\nd: \r\neeeeeeeeeeeeeee: 3\r\n\r\n"},
		{"merged length", post("Content-Length: 2, 2\r\nX: 1\r\nContent-Length: 2\r\n"), ConnectionNone,
			"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nx: 1\r\n\r\n"},
		// HAProxy sends 002: some take that for octal.
		{"leading zeros", post("Content-Length: 002\r\n"), ConnectionNone, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"},
		{"length of zero", post("Content-Length: 0\r\n"), ConnectionNone, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"},
		{"chunked", post("Transfer-Encoding: CHUNKED\r\nX: 1\r\n"), ConnectionNone,
			"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: CHUNKED\r\nx: 1\r\n\r\n"},
		{"upgrade", get("Connection: keep-alive, Upgrade\r\nUpgrade: foo\r\nX: 1\r\n"), ConnectionUpgrade,
			"GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: foo\r\nx: 1\r\n\r\n"},
		// HAProxy sends Upgrade, Keep-Alive, TE: trailers, Proxy-Connection and what
		// Connection names.
		{"hop by hop", get("Upgrade: foo\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: close\r\nConnection: x-a\r\nX-A: 1\r\n" +
			"HTTP2-Settings: x\r\nTrailer: y\r\nExpect: 100-continue\r\n"), ConnectionNone,
			"GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\ntrailer: y\r\nexpect: 100-continue\r\nconnection: TE\r\n\r\n"},
		{"absolute", "GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", ConnectionNone, "GET http://a/x HTTP/1.1\r\nhost: a\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parsed(t, c.raw, nil)
			if got := sent(h, c.conn); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if got := len(sent(h, c.conn)); got > HeadSizeMax(h) {
				t.Errorf("%d bytes, HeadSizeMax %d", got, HeadSizeMax(h))
			}
		})
	}
}

func TestResponsesAreSentAsHAProxySendsThem(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		to        message.Method
		rw        Rewrite
		want      string
	}{
		{"plain", "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\n", message.MethodGet, Rewrite{Framing: message.BodyLength, Minor: 1},
			"HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 2\r\n\r\n"},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", message.MethodGet, Rewrite{Framing: message.BodyLength, Minor: 1},
			"HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\n"},
		{"old client", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", message.MethodGet,
			Rewrite{Framing: message.BodyLength, Connection: ConnectionKeepAlive},
			"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n"},
		{"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", message.MethodGet,
			Rewrite{Framing: message.BodyChunked, Minor: 1}, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", message.MethodHead, Rewrite{Minor: 1},
			"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"},
		{"HEAD chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n", message.MethodHead, Rewrite{Minor: 1},
			"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: 1\r\n\r\n"},
		{"HEAD of both", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", message.MethodHead, Rewrite{Minor: 1},
			"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"},
		{"204", "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n", message.MethodGet, Rewrite{Minor: 1},
			"HTTP/1.1 204 No Content\r\nx: 1\r\n\r\n"},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", message.MethodGet, Rewrite{Minor: 1},
			"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"},
		{"103", "HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 3\r\n\r\n", message.MethodGet, Rewrite{Minor: 1},
			"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"},
		{"until close", "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n", message.MethodGet,
			Rewrite{Framing: message.BodyUntilClose, Connection: ConnectionClose, Minor: 1}, "HTTP/1.1 200 OK\r\nx: 1\r\nconnection: close\r\n\r\n"},
		{"101", "HTTP/1.1 101 Sw\r\nConnection: upgrade, keep-alive\r\nUpgrade: foo\r\nContent-Length: 3\r\n\r\n", message.MethodGet,
			Rewrite{Connection: ConnectionUpgrade, Minor: 1}, "HTTP/1.1 101 Sw\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n"},
		// HAProxy sends chunks to clients that don't know them.
		{"unchunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n", message.MethodGet,
			Rewrite{Framing: message.BodyUntilClose, Connection: ConnectionClose, Minor: 1}, "HTTP/1.1 200 OK\r\nx: 1\r\nconnection: close\r\n\r\n"},
		{"chunked by us", "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 5\r\nY: 2\r\n\r\n", message.MethodGet,
			Rewrite{Framing: message.BodyChunked, Minor: 1}, "HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\ny: 2\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := answered(t, c.raw, c.to)
			if got := string(AppendEnd(AppendResponse(nil, h, c.rw))); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestRulesChangeWhatIsSent(t *testing.T) {
	h := parsed(t, get("X-A: old\r\nX-Last: 1\r\nX-Forwarded-For: 9.9.9.9\r\n"), nil)
	h.Set([]byte("X-A"), []byte("b"))
	h.Add([]byte("X-B"), []byte("c"))
	h.Set([]byte("Host"), []byte("z"))
	h.SetPath([]byte("/new"))
	h.SetMethod([]byte("HEAD"))
	want := "HEAD /new HTTP/1.1\r\nx-last: 1\r\nx-forwarded-for: 9.9.9.9\r\nx-a: b\r\nx-b: c\r\nhost: z\r\n\r\n"
	if got := sent(h, ConnectionNone); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRulesCanNotBreakTheFraming(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		edit      func(h *message.Head)
		want      string
	}{
		{"length set", post("Content-Length: 2\r\n"), func(h *message.Head) { h.Set([]byte("Content-Length"), []byte("5")) }, "content-length: 2"},
		{"length added", post("Content-Length: 2\r\n"), func(h *message.Head) { h.Add([]byte("Content-Length"), []byte("5")) }, "content-length: 2"},
		{"length deleted", post("Content-Length: 2\r\n"), func(h *message.Head) { h.Del([]byte("Content-Length")) }, "content-length: 2"},
		{"length to nothing", get(""), func(h *message.Head) { h.Set([]byte("Content-Length"), []byte("5")) }, ""},
		{"coding to length", post("Content-Length: 2\r\n"), func(h *message.Head) { h.Set([]byte("Transfer-Encoding"), []byte("chunked")) }, "content-length: 2"},
		{"coding deleted", post("Transfer-Encoding: chunked\r\n"), func(h *message.Head) { h.Del([]byte("Transfer-Encoding")) }, "transfer-encoding: chunked"},
		{"length to coding", post("Transfer-Encoding: chunked\r\n"), func(h *message.Head) { h.Set([]byte("Content-Length"), []byte("1")) }, "transfer-encoding: chunked"},
		{"connection", get(""), func(h *message.Head) { h.Set([]byte("Connection"), []byte("close")) }, ""},
		{"upgrade", get(""), func(h *message.Head) { h.Set([]byte("Upgrade"), []byte("h2c")) }, ""},
	} {
		h := parsed(t, c.raw, nil)
		c.edit(h)
		got := sent(h, ConnectionNone)
		var framing []string
		for _, line := range strings.Split(got, "\r\n")[2:] {
			if line != "" {
				framing = append(framing, line)
			}
		}
		if strings.Join(framing, ",") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, framing, c.want)
		}
	}
}

func TestAddedFieldsAreNotDropped(t *testing.T) {
	h := parsed(t, get("Keep-Alive: timeout=5\r\n"), nil)
	h.Set([]byte("Keep-Alive"), []byte("timeout=9"))
	if got := sent(h, ConnectionNone); !strings.Contains(got, "keep-alive: timeout=9\r\n") {
		t.Errorf("got %q", got)
	}
}

func TestLowerName(t *testing.T) {
	for n := range 40 {
		name := strings.Repeat("AZaz@[`{09-_\xc1\xff", 3)[:n]
		for _, behind := range []string{"", "X", ": VALUE AND MORE"} {
			b := []byte(name + behind)
			lowerName(b, n)
			want := make([]byte, 0, n)
			for _, c := range []byte(name) {
				if 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				want = append(want, c)
			}
			if string(b) != string(want)+behind {
				t.Errorf("%q: got %q", name+behind, b)
			}
		}
	}
}

func TestStatusLine(t *testing.T) {
	if got := string(AppendStatusLine(nil, 0, 404, []byte("Not Found"))); got != "HTTP/1.0 404 Not Found\r\n" {
		t.Errorf("got %q", got)
	}
}
