package proxy

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// An h2Peer is a client of the script that speaks HTTP/2. It encodes what it sends
// as plain literals, and reads what it gets without a dynamic table.
type h2Peer struct {
	*peer
	got string // not looked at yet
}

// H2 connects client n with the preface and the first SETTINGS, and takes ours.
func (sc *script) H2(n int) *h2Peer {
	sc.t.Helper()
	p := &h2Peer{peer: sc.Client(n)}
	p.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2Frame(4, 0, 0, "") + h2Frame(4, 1, 0, ""))
	p.Want("our preface", "SETTINGS, WINDOW 0, SETTINGS ack")
	return p
}

func h2Frame(kind, flags byte, id uint32, p string) string {
	b := []byte{byte(len(p) >> 16), byte(len(p) >> 8), byte(len(p)), kind, flags}
	return string(binary.BigEndian.AppendUint32(b, id)) + p
}

func h2Fields(fields ...string) string {
	var b strings.Builder
	for i := 0; i < len(fields); i += 2 {
		b.WriteString("\x00")
		for _, s := range fields[i : i+2] {
			if len(s) < 127 {
				b.WriteByte(byte(len(s)))
			} else {
				n := len(s) - 127
				b.WriteString(string([]byte{127, byte(n&127 | 128), byte(n >> 7)}))
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

func h2Request(id uint32, end bool, method, path string, fields ...string) string {
	flags := byte(4)
	if end {
		flags |= 1
	}
	all := append([]string{":method", method, ":scheme", "http", ":authority", "a.example", ":path", path}, fields...)
	return h2Frame(1, flags, id, h2Fields(all...))
}

func h2Data(id uint32, end bool, p string) string {
	flags := byte(0)
	if end {
		flags = 1
	}
	return h2Frame(0, flags, id, p)
}

func h2Word(kind byte, id, v uint32) string {
	return h2Frame(kind, 0, id, string(binary.BigEndian.AppendUint32(nil, v)))
}

// Want: the frames that came since the last look are these.
func (p *h2Peer) Want(why, want string) {
	p.sc.t.Helper()
	if got := p.take(); got != want {
		p.sc.t.Fatalf("%s: %s:\n got %s\nwant %s", p.name, why, brief(got), brief(want))
	}
}

// take tells what came, DATA of one stream that follows itself joined.
func (p *h2Peer) take() string {
	p.sc.settle()
	p.got += string(p.end.Take())
	var told []string
	data, stream := "", uint32(0)
	flush := func() {
		if data != "" {
			told = append(told, fmt.Sprintf("DATA %d %s", stream, data))
		}
		data = ""
	}
	for len(p.got) >= 9 {
		b := []byte(p.got)
		n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if len(b) < 9+n {
			break
		}
		id, payload := binary.BigEndian.Uint32(b[5:]), b[9:9+n]
		p.got = p.got[9+n:]
		if b[3] == 0 {
			if id != stream {
				flush()
			}
			stream, data = id, data+string(payload)
			if b[4]&1 != 0 {
				data += " end"
			}
			continue
		}
		flush()
		told = append(told, describeFrame(b[3], b[4], id, payload))
	}
	flush()
	return strings.Join(told, ", ")
}

func describeFrame(kind, flags byte, id uint32, p []byte) string {
	end := ""
	if flags&1 != 0 {
		end = " end"
	}
	switch kind {
	case 1:
		return fmt.Sprintf("HEADERS %d %s%s", id, fieldText(p), end)
	case 3:
		return fmt.Sprintf("RESET %d %d", id, binary.BigEndian.Uint32(p))
	case 4:
		return "SETTINGS" + map[bool]string{true: " ack"}[flags&1 != 0]
	case 6:
		return "PING"
	case 7:
		return fmt.Sprintf("GOAWAY %d %d", binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:]))
	case 8:
		return fmt.Sprintf("WINDOW %d", id)
	}
	return fmt.Sprintf("frame %d", kind)
}

// fieldText reads what this package writes: the status, indexed or not, and
// literals with names of the static table or their own.
func fieldText(p []byte) string {
	statuses := map[byte]string{0x88: "200", 0x89: "204", 0x8a: "206", 0x8b: "304", 0x8c: "400", 0x8d: "404", 0x8e: "500"}
	names := map[int]string{8: "", 24: "cache-control", 28: "content-length", 31: "content-type", 46: "location", 54: "server"}
	str := func() string {
		n := int(p[0])
		s := string(p[1 : 1+n])
		p = p[1+n:]
		return s
	}
	var b strings.Builder
	for len(p) > 0 {
		c := p[0]
		p = p[1:]
		switch {
		case c == 0x20:
		case statuses[c] != "":
			b.WriteString(statuses[c])
		default:
			i := int(c & 15)
			name := ""
			if i == 15 {
				i += int(p[0])
				p = p[1:]
			}
			if i == 0 {
				name = str()
			} else {
				name = names[i]
			}
			if name != "" {
				b.WriteString(" " + name + "=")
			}
			b.WriteString(str())
		}
	}
	return b.String()
}

const h2Up = "GET /a HTTP/1.1\r\nhost: a.example\r\n\r\n"

func TestH2StreamsShareAConnection(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.H2(1)
	c.Send(h2Request(1, true, "GET", "/a") + h2Request(3, true, "GET", "/b"))
	first := sc.Server("s1").Accept("one connection for each")
	second := sc.Server("s1").Accept("the other")
	first.Want("as over HTTP/1", h2Up)
	second.Want("the second", "GET /b HTTP/1.1\r\nhost: a.example\r\n\r\n")
	second.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nServer: x\r\n\r\nok")
	c.Want("who is first ready is first answered", "HEADERS 3 200 content-length=2 server=x, DATA 3 ok end")
	first.Send("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
	c.Want("and the other", "HEADERS 1 404 content-length=0 end")
	sc.WantLog("one line for each", "200 ---- be/s1 0 0/0")
	sc.WantLog("one line for each", "404 ---- be/s1 0 0/0")
	c.Send(h2Request(5, true, "GET", "/a"))
	first.Want("server connections are used again", h2Up)
	first.Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("no body", "HEADERS 5 204 end")
	sc.WantLog("", "204 ---- be/s1 0 0/0")
	c.Close()
}

// What HTTP/1 servers may answer, and what becomes of it.
func TestH2Answers(t *testing.T) {
	for _, tc := range []struct{ name, method, answer, want string }{
		{"chunked", "GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "HEADERS 1 200, DATA 1 abcde end"},
		{"trailers", "GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", "HEADERS 1 200, DATA 1 a, HEADERS 1  x-sum=1 end"},
		{"trailers without a body", "GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ngrpc-status: 0\r\n\r\n", "HEADERS 1 200, HEADERS 1  grpc-status=0 end"},
		{"interim", "GET", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na", "HEADERS 1 103 link=x, HEADERS 1 200 content-length=1, DATA 1 a end"},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "HEADERS 1 200 content-length=9 end"},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", "HEADERS 1 304 content-length=9 end"},
		{"fields of the connection", "GET", "HTTP/1.1 200 OK\r\nconnection: x, keep-alive\r\nx: y\r\nkeep-alive: timeout=5\r\ncontent-length: 0\r\n\r\n", "HEADERS 1 200 content-length=0 end"},
		{"nonsense", "GET", "nonsense\r\n\r\n", "HEADERS 1 502 content-length=107 cache-control=no-cache content-type=text/html, DATA 1 <html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n end"},
		{"101 that nobody asked for", "GET", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "HEADERS 1 502 content-length=107 cache-control=no-cache content-type=text/html, DATA 1 <html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c := sc.H2(1)
			c.Send(h2Request(1, true, tc.method, "/a"))
			sc.Server("s1").last("").WantStart("the request", tc.method+" /a HTTP/1.1\r\n")
			sc.Server("s1").Send(tc.answer)
			c.Want(tc.name, tc.want)
			c.Close()
		})
	}
}

func TestH2AnswerUntilTheServerCloses(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.H2(1)
	c.Send(h2Request(1, true, "GET", "/a"))
	sc.Server("s1").Want("", h2Up)
	sc.Server("s1").Send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc")
	c.Want("its begin", "HEADERS 1 200, DATA 1 abc")
	sc.Server("s1").Close()
	c.Want("its end", "DATA 1  end")
	c.Close()
}

// An answer that is cut short must not look whole.
func TestH2AnswerCutShortIsReset(t *testing.T) {
	for _, head := range []string{"content-length: 10", "transfer-encoding: chunked"} {
		sc := newScript(t, site(ModeHTTP, 1))
		c := sc.H2(1)
		c.Send(h2Request(1, true, "GET", "/a"))
		sc.Server("s1").Want("", h2Up)
		sc.Server("s1").Send("HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n3\r\nabc")
		c.take()
		sc.Server("s1").Close()
		c.Want(head, "RESET 1 2")
		sc.WantLog(head, "200 SD-- be/s1 0 0/0")
		c.Close()
	}
}

func TestH2RequestBodies(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.H2(1)
	c.Send(h2Request(1, false, "POST", "/a", "content-length", "5"))
	s := sc.Server("s1").Accept("the body may come")
	s.Want("its head", "POST /a HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\n")
	c.Send(h2Data(1, false, "123") + h2Data(1, true, "45"))
	s.Want("its body", "12345")
	s.Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "HEADERS 1 204 end")
	c.Send(h2Request(3, false, "POST", "/b", "te", "trailers", "cookie", "a=b", "cookie", "c=d"))
	s.Want("no length: chunks", "POST /b HTTP/1.1\r\nhost: a.example\r\nte: trailers\r\ncookie: a=b; c=d\r\ntransfer-encoding: chunked\r\nconnection: TE\r\n\r\n")
	c.Send(h2Data(3, false, "hello"))
	s.Want("a chunk", "5\r\nhello\r\n")
	c.Send(h2Frame(1, 5, 3, h2Fields("x-sum", "1", "content-length", "7")))
	s.Want("trailers, but for what would be taken for framing", "0\r\nx-sum: 1\r\n\r\n")
	s.Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "HEADERS 3 204 end")
	c.Close()
}

// A server that answers early has the rest of the body refused, not waited for.
func TestH2EarlyAnswerRefusesTheRestOfTheBody(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny"}}
	sc := newScript(t, cfg)
	c := sc.H2(1)
	c.Send(h2Request(1, false, "POST", "/a"))
	c.Want("the answer, then NO_ERROR", "HEADERS 1 403 content-length=93 cache-control=no-cache content-type=text/html, "+
		"DATA 1 <html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n end, RESET 1 0")
	c.Send(h2Data(1, true, "late"))
	c.Want("what crossed the reset is no fault", "")
	c.Close()
}

func TestH2ResetEndsTheRequestAtTheServer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	c := sc.H2(1)
	c.Send(h2Request(1, true, "GET", "/a") + h2Request(3, true, "GET", "/a"))
	s := sc.Server("s1").Accept("the one that has the slot")
	s.Want("", h2Up)
	c.Send(h2Word(3, 1, 8))
	s.WantReset("nobody wants the answer")
	sc.WantLog("", "-1 CH-- be/s1 0 0/0")
	sc.Server("s1").Accept("its slot goes to the next").Want("", h2Up)
	sc.Server("s1").Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "HEADERS 3 204 end")
	c.Close()
}

// A client that opens no window stops its own stream, not the others.
func TestH2WindowsHoldBackOneStream(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := &h2Peer{peer: sc.Client(1)}
	c.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2Frame(4, 0, 0, "\x00\x04\x00\x00\x00\x0a") + h2Frame(4, 1, 0, ""))
	c.take()
	c.Send(h2Request(1, true, "GET", "/a"))
	slow := sc.Server("s1").Accept("")
	slow.Want("", h2Up)
	slow.Send("HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n" + "1234567890abcdefghij12345")
	c.Want("ten bytes fit", "HEADERS 1 200 content-length=25, DATA 1 1234567890")
	c.Send(h2Request(3, true, "GET", "/a"))
	sc.Server("s1").Accept("").Want("", h2Up)
	sc.Server("s1").Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
	c.Want("the other is not held back", "HEADERS 3 200 content-length=2, DATA 3 ok end")
	c.Send(h2Word(8, 1, 10))
	c.Want("ten more", "DATA 1 abcdefghij")
	for _, p := range sc.Server("s1").conns {
		p.Close()
	}
	sc.Expire("timeout client ends what nobody reads", 40*time.Second)
	c.Want("", "RESET 1 8")
	c.Close()
}

func TestH2MalformedRequestsAreReset(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.H2(1)
	c.Send(h2Request(1, true, "GET", "/a", "connection", "close"))
	c.Want("RFC 9113 section 8.2.2", "RESET 1 1")
	c.Send(h2Request(3, true, "GET", "/a", "x", "a\r\nb: c"))
	c.Want("section 8.2.1", "RESET 3 1")
	c.Send(h2Frame(1, 5, 5, h2Fields(":method", "CONNECT", ":authority", "a:1")))
	c.Want("no tunnels yet", "RESET 5 13")
	c.Send(h2Frame(6, 0, 0, "12345678"))
	c.Want("the connection stands", "PING")
	c.Send(h2Data(0, false, "x"))
	c.Want("but not for ever", "GOAWAY 5 1")
	c.WantEOF("")
	sc.WantIdle("no server has heard of it")
}

func TestH2TimeoutsAndSoftStop(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.H2(1)
	sc.Expire("timeout http-request bounds the wait for the first request", 10*time.Second)
	c.Want("", "GOAWAY 0 0")
	c.WantEOF("")
	c.Close()

	c = sc.H2(2)
	c.Send(h2Request(1, true, "GET", "/a"))
	sc.Server("s1").last("").Want("", h2Up)
	sc.Server("s1").Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "HEADERS 1 204 end")
	sc.Expire("timeout http-keep-alive, of the next", 15*time.Second)
	c.Want("", "GOAWAY 1 0")
	c.WantEOF("")
	c.Close()

	c = sc.H2(3)
	c.Send(h2Request(1, true, "GET", "/a"))
	sc.Server("s1").Accept("").Want("", h2Up)
	c.Send(h2Frame(1, 0, 3, h2Fields(":method", "GET")))
	sc.Server("s1").Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "HEADERS 1 204 end")
	sc.Advance(11 * time.Second)
	c.Want("a header block that is not continued", "GOAWAY 1 0")
	c.WantEOF("")
	c.Close()
}

// A soft stop tells clients that no more is taken, and lets what is under way end.
func TestH2SoftStop(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	idle, busy := sc.H2(1), sc.H2(2)
	busy.Send(h2Request(1, true, "GET", "/a"))
	sc.Server("s1").last("").Want("", h2Up)
	for _, w := range sc.p.workers {
		w.beginDrain(w.loop.Now())
	}
	idle.Want("nothing is under way", "GOAWAY 0 0")
	idle.WantEOF("")
	idle.Close()
	busy.Want("the last that is taken", "GOAWAY 1 0")
	busy.Send(h2Request(3, true, "GET", "/a"))
	sc.Server("s1").Send("HTTP/1.1 204 No Content\r\n\r\n")
	busy.Want("", "HEADERS 1 204 end")
	busy.WantEOF("")
	busy.Close()
}

// Nobody who speaks HTTP/1 is taken for anything else, whatever comes first and in
// whatever pieces; and the other way round.
func TestH2PrefaceIsFoundInPieces(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := &h2Peer{peer: sc.Client(1)}
	for _, b := range []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2Frame(4, 0, 0, "") + h2Request(1, true, "GET", "/a")) {
		c.Send(string(b))
	}
	sc.Server("s1").last("").Want("", h2Up)
	sc.Server("s1").Send("HTTP/1.1 204 No Content\r\n\r\n")
	c.Want("", "SETTINGS, WINDOW 0, SETTINGS ack, HEADERS 1 204 end")
	c.Close()
	other := sc.Client(2)
	for _, b := range []byte("PRIX /a HTTP/1.1\r\nhost: x\r\n\r\n") {
		other.Send(string(b))
	}
	sc.Server("s1").Accept("").Want("it is a method like others", "PRIX /a HTTP/1.1\r\nhost: x\r\n\r\n")
	other.Close()
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].DisableH2Upgrade = true
	sc = newScript(t, cfg)
	sc.Client(1).Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	sc.Client(1).WantStart("option disable-h2-upgrade", "HTTP/1.1 400 Bad request\r\n")
	sc.Client(1).Close()
}

// Who does not read our answers is not read either, and goes when its time is up.
func TestH2ClientThatDoesNotReadIsNotRead(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "return", Args: []string{"status", "200", "content-type", "a/b", "string", strings.Repeat("x", 60)}}}
	sc := newScript(t, cfg)
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c := sc.H2(1)
	c.Send(h2Word(8, 0, 1<<30))
	c.end.Pause()
	const asked = 4000
	for id := uint32(1); id < 2*asked; id += 2 {
		c.end.Send([]byte(h2Request(id, true, "GET", "/a")))
	}
	sc.settle()
	w := sc.p.workers[0]
	if n := w.pool.InUse(); n > 8 {
		t.Errorf("%d buffers are in use", n)
	}
	if n := w.requests.load(); n == 0 || n > asked/2 {
		t.Errorf("%d of %d requests were answered, want those that fit into our buffer", n, asked)
	}
	c.end.Resume()
	sc.settle()
	got := 0
	for text := c.take(); text != ""; text = c.take() {
		got += strings.Count(text, "HEADERS")
	}
	if got != asked {
		t.Errorf("%d answers came once the client read, want %d", got, asked)
	}
	c.Close()
}

// Whose socket takes nothing any more has timeout client.
func TestH2ConnectionThatIsNotReadEnds(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c := sc.H2(1)
	c.Send(h2Word(8, 0, 1<<30) + h2Frame(4, 0, 0, "\x00\x04\x40\x00\x00\x00"))
	c.take()
	c.end.Pause()
	c.Send(h2Request(1, true, "GET", "/a"))
	s := sc.Server("s1").Accept("")
	s.Want("", h2Up)
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + text(1_000_000))
	if n := sc.p.workers[0].pool.InUse(); n > 4 {
		t.Errorf("%d buffers are in use", n)
	}
	sc.Expire("timeout client", 40*time.Second)
	c.end.Resume()
	c.end.Take()
	sc.settle()
	if c.end.Open() && !c.end.EOF() {
		t.Error("the client's connection stands")
	}
	c.ended = true
	s.WantReset("")
	sc.WantLog("", "200 cD-- be/s1 0 0/0")
}

// Requests that came in one segment are not answered in one turn.
func TestH2RequestsOfOneSegmentShareTurns(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny"}}
	sc := newScript(t, cfg)
	c := sc.H2(1)
	c.Send(h2Word(8, 0, 1<<30))
	var b strings.Builder
	for id := uint32(1); id < 400; id += 2 {
		b.WriteString(h2Request(id, true, "GET", "/a"))
	}
	w := sc.p.workers[0]
	c.end.Send([]byte(b.String()))
	most := uint64(0)
	for before := w.requests.load(); w.loop.Turn(0) > 0; before = w.requests.load() {
		most = max(most, w.requests.load()-before)
	}
	if most > 3*requestsPerTurn {
		t.Errorf("%d requests of one client were answered in a turn, want about %d", most, requestsPerTurn)
	}
	if got := strings.Count(c.take(), "HEADERS"); got != 200 {
		t.Errorf("%d answers, want 200", got)
	}
	c.Close()
}

// Behind FIN no window can be opened: an answer that needs one has come to its end,
// now or when it gets there. What needs none is still answered.
func TestH2NothingWaitsForWindowsBehindFIN(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny", Cond: Cond{Words: []string{"{", "path", "/deny", "}"}}}}
	sc := newScript(t, cfg)
	c := &h2Peer{peer: sc.Client(1)}
	c.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2Frame(4, 0, 0, "\x00\x04\x00\x00\x00\x0a") + h2Frame(4, 1, 0, ""))
	c.take()
	var s [3]*peer
	for i := range s {
		c.Send(h2Request(uint32(2*i+1), true, "GET", "/a"))
		s[i] = sc.Server("s1").Accept("")
		s[i].Want("", h2Up)
	}
	c.Send(h2Request(7, true, "GET", "/deny"))
	s[0].Send("HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n" + text(20))
	c.take()
	c.CloseWrite()
	s[0].WantReset("it has waited already")
	s[1].Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
	s[2].Send("HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n" + text(20))
	s[2].WantReset("it would wait")
	if got := c.take(); !strings.Contains(got, "DATA 3 hello end") || strings.Contains(got, "DATA 5 "+text(20)) {
		t.Error(got)
	}
	if w := sc.p.workers[0]; w.live != 0 && c.end.Open() && !c.end.EOF() {
		t.Error("the connection stands")
	}
	c.Close()
}
