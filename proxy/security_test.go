package proxy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/buffer"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// Attacks, by the rows of the threat model that docs/security.md lists. What a
// test elsewhere proves is named there.

// Ended too early, core: a server can neither stop the process nor mix bytes.

// A chunk that is broken in the first piece of an answer once was a panic:
// "relay -> hunt".
func TestBadChunkBehindTheHeadWithRetries(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].RetryOn = []string{"all-retryable-errors"}
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	s.Send(chunkedHead + "zz\r\n")
	s.WantReset("junk")
	s.Accept("the request is sent again").Want("", getA)
	s.Send(hello)
	c.Want("", hello)
}

// The client's event comes first, so that the reset shows as a write that fails.
// That once was an endless recursion.
func TestServerThatResetsWhileBytesWaitForIt(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
	s.Want("", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
	s.last("").end.Pause()
	c.Send(text(9000))
	c.end.Send([]byte(text(10)))
	s.last("").end.Reset()
	s.last("").ended = true
	sc.settle()
	c.WantStart("", sorry502)
}

// A head and its first chunk are sent as one. When the socket took only a part,
// the chunk's own bytes once had been overwritten by the copy.
func TestSmallChunksBehindTheHeadToASlowClient(t *testing.T) {
	for seed := uint64(1); seed <= 30; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1), seed)
		sc.sk.Faults = simkernel.Faults{ShortWrite: 0.5, Again: 0.3}
		c, s := sc.Client(1), sc.Server("s1")
		for range 5 {
			c.Send(getA)
			s.Want("", getA)
			s.Send(chunkedHead + chunked(text(300), 100))
			sc.settle()
			head, body, _ := strings.Cut(string(c.end.Take()), "\r\n\r\n")
			if head+"\r\n\r\n" != chunkedHead || dechunk(t, body) != text(300) {
				t.Fatalf("seed %d: got %s and %s", seed, brief(head), brief(body))
			}
		}
		sc.finish()
	}
}

// Rules: what they send is a message, whatever the client put into it.

func TestReturnedHeaderHoldsNoControlCharacters(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "return", Args: []string{"status", "200", "hdr", "x-a", "%[path,url_dec]", "string", "hi"}}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send("GET /%0d%0aset-cookie:a%00%01%7f%09b HTTP/1.1\r\nhost: x\r\n\r\n")
	c.Want("one field", "HTTP/1.1 200 OK\r\nx-a: /%0D%0Aset-cookie:a\tb\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi")
}

func TestRedirectHoldsNoControlCharacters(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "redirect", Args: []string{"location", "http://a%[path,url_dec]"}}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send("GET /%0d%0aset-cookie:a%00%01%7f%ffb HTTP/1.1\r\nhost: x\r\n\r\n")
	c.Want("one field", "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: http://a/%0D%0Aset-cookie:a\xffb\r\ncache-control: no-cache\r\n\r\n")
}

func TestAnswerWithoutABodyHasNone(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "return", Args: []string{"status", "204", "string", "HTTP/1.1 200 OK\r\n"}}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(getA)
	c.Want("204 ends with its head", "HTTP/1.1 204 No Content\r\n\r\n")
}

func TestMethodChangedByARuleDoesNotMixAnswers(t *testing.T) {
	for _, tc := range []struct{ name, to, request, want string }{
		{"HEAD made GET, own answer", "GET", "HEAD /deny HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\n"},
		{"GET made HEAD, own answer", "HEAD", "GET /deny HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Frontends[0].HTTPRules.Request = []Rule{
				{Name: "set-method", Args: []string{tc.to}},
				{Name: "return", Args: []string{"status", "200", "string", "hi"}},
			}
			sc := newScript(t, cfg)
			c := sc.Client(1)
			c.Send(tc.request)
			c.Want("what the client's own method says", tc.want)
		})
	}
	t.Run("GET made HEAD", func(t *testing.T) {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "set-method", Args: []string{"HEAD"}}}
		sc := newScript(t, cfg)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA + getB)
		s.Want("", "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n")
		s.Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
		c.Want("a body that is missing", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n")
		c.WantEOF("no other answer may stand in its place")
	})
}

// Tunnel too early.

func TestBytesBehindAConnectThatIsRefusedAreNoRequest(t *testing.T) {
	const connect = "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"
	t.Run("by the server", func(t *testing.T) {
		sc := newScript(t, site(ModeHTTP, 1))
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(connect + getA)
		s.Want("not what is behind", connect)
		s.Send("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
		c.Want("", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
		c.WantEOF("the bytes were meant for a tunnel")
		s.last("").WantNothing("and never sent")
	})
	t.Run("by a rule", func(t *testing.T) {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny", Cond: Cond{Words: []string{"METH_CONNECT"}}}}
		sc := newScript(t, cfg)
		c := sc.Client(1)
		c.Send(connect + getA)
		c.WantStart("", "HTTP/1.1 403 Forbidden\r\n")
		c.WantEOF("the bytes were meant for a tunnel")
	})
}

// onlyExchange is the request of the only client.
func (sc *script) onlyExchange() *exchange {
	return sc.p.workers[0].clients.first.owner.(*h1Client).x
}

// Memory of one client is not shown to another's log line.
func TestHalfAHeadIsKeptInMemoryOfItsOwn(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	a := sc.Client(1)
	a.Send("GET /a HTTP/1.1\r\nhost: aaaa\r\nx: ")
	sc.settle()
	x := sc.onlyExchange()
	sc.Client(2).Send("GET /b HTTP/1.1\r\nhost: bbbb\r\n\r\n")
	if got := string(x.req.Value(0)); got != "aaaa" {
		t.Errorf("the head of client 1 says host %q", got)
	}
	sc.Server("s1").Want("", "GET /b HTTP/1.1\r\nhost: bbbb\r\n\r\n")
}

// Answers that rules compose share memory, one at a time.
func TestAnswersOfTarpitsAreNotMixed(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "tarpit", Args: []string{"deny_status", "403", "hdr", "x-path", "%[path]", "lf-string", "%[path]"}}}
	sc := newScript(t, cfg)
	sc.Client(1).Send(getA)
	sc.Client(2).Send(getB)
	sc.Expire("timeout tarpit", 9*time.Second)
	for n, path := range map[int]string{1: "/a", 2: "/b"} {
		sc.Client(n).Want("its own", "HTTP/1.1 403 Forbidden\r\nx-path: "+path+"\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\n"+path)
	}
}

// Amplification.

func TestThousandsOfPersistenceCookiesCostOneCopy(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Cookie = &Cookie{Name: "S", Insert: true, Indirect: true}
	cfg.Backends[0].Servers[0].Cookie = "s1"
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("GET /a HTTP/1.1\r\nhost: x\r\ncookie: a=1" + strings.Repeat(";S=1", 3000) + "\r\n\r\n")
	x := sc.onlyExchange()
	if n := cap(x.req.Extra); n > 32<<10 {
		t.Errorf("a head of 12 kB took %d bytes of memory", n)
	}
	s.Want("none of them passes", "GET /a HTTP/1.1\r\nhost: x\r\ncookie: a=1\r\n\r\n")
}

// Who has sent little makes us hold little, whatever is announced; who has sent
// much makes us hold it once.
func TestWaitingBodiesHoldWhatHasCome(t *testing.T) {
	const announced = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"
	for _, tc := range []struct {
		name, sent string
		buffered   bool
		held       int
	}{
		{"buffered, nothing yet", announced, true, 2 << 10},
		{"buffered, a little", announced + "abc", true, 2 << 10},
		{"buffered, much", announced + text(10_000), true, 17 << 10},
		{"the first of the trailers", postChunked + "0\r\nx: ", false, 2 << 10},
		{"long trailers", postChunked + "0\r\nx: " + strings.Repeat("a", 10_000), false, 17 << 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Backends[0].HTTPBufferRequest = tc.buffered
			sc := newScript(t, cfg)
			sc.Client(1).Send(tc.sent)
			sc.settle()
			c, held := sc.onlyExchange().h1(), 0
			for _, b := range []*buffer.Buffer{c.in, c.more, c.out} {
				if b != nil {
					held += b.Cap()
				}
			}
			if held > tc.held {
				t.Errorf("%d bytes of buffers for a request of %d bytes, want at most %d", held, len(tc.sent), tc.held)
			}
			if !tc.buffered {
				sc.Server("s1").last("").WantStart("", postChunked)
			}
		})
	}
}

func TestBufferedChunksByteByByte(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].HTTPBufferRequest = true
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	all := postChunked + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\n"
	for i := range len(all) - 1 {
		c.Send(all[i : i+1])
	}
	sc.WantIdle("the last byte is missing")
	c.Send(all[len(all)-1:])
	s.Want("", postChunked+"5\r\nabcde\r\n0\r\nt: 1\r\n\r\n")
}

// Chunked framing; CL and TE; HTTP/1.0; parameters; path confusion (#): what is
// refused reaches no server, and nothing behind it is read as a request.
func TestHostileRequestsReachNoServer(t *testing.T) {
	const post, hidden = "POST /a HTTP/1.1\r\nhost: x\r\n", "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"
	for name, request := range map[string]string{
		"length and coding":            post + "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
		"coding and length":            post + "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
		"two lengths":                  post + "content-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
		"a list of lengths":            post + "content-length: 4, 5\r\n\r\nabcde",
		"a signed length":              post + "content-length: +4\r\n\r\nabcd",
		"a length beyond 63 bits":      post + "content-length: 9223372036854775808\r\n\r\n",
		"coding in HTTP/1.0":           "POST /a HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":                post + "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
		"chunked is not last":          post + "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"an obscured coding":           post + "transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"a blank before the colon":     post + "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
		"a folded coding":              post + "transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"LF ends a chunk's size":       postChunked + "1\nx\r\n0\r\n\r\n",
		"LF in an extension":           postChunked + "1;a\nb\r\nx\r\n0\r\n\r\n",
		"a size beyond 64 bits":        postChunked + "10000000000000001\r\nx\r\n0\r\n\r\n",
		"no CRLF behind a chunk":       postChunked + "1\r\nxy\r\n0\r\n\r\n",
		"no CR behind a chunk":         postChunked + "1\r\nxy\n0\r\n\r\n",
		"LF ends a line":               "GET /a HTTP/1.1\nhost: x\n\n",
		"CR alone":                     "GET /a HTTP/1.1\r\nhost: x\rx: y\r\n\r\n",
		"NUL in a value":               "GET /a HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
		"no host":                      "GET /a HTTP/1.1\r\n\r\n",
		"two hosts":                    "GET /a HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
		"a host with a path":           "GET /a HTTP/1.1\r\nhost: x/y\r\n\r\n",
		"a host with a user":           "GET /a HTTP/1.1\r\nhost: a@x\r\n\r\n",
		"a broken IPv6 host":           "GET /a HTTP/1.1\r\nhost: [::1\r\n\r\n",
		"target and host differ":       "GET http://y/a HTTP/1.1\r\nhost: x\r\n\r\n",
		"a fragment":                   "GET /a#b HTTP/1.1\r\nhost: x\r\n\r\n",
		"a target of no form":          "GET a HTTP/1.1\r\nhost: x\r\n\r\n",
		"a blank in the target":        "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
		"CONNECT with a body":          "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\ncontent-length: 4\r\n\r\nabcd",
		"thousands of fields":          "GET /a HTTP/1.1\r\nhost: x\r\n" + strings.Repeat("a: b\r\n", 2000) + "\r\n",
		"a field larger than a buffer": "GET /a HTTP/1.1\r\nhost: x\r\na: " + strings.Repeat("b", 20000) + "\r\n\r\n",
		"thousands of tokens":          "GET /a HTTP/1.1\r\nhost: x\r\nconnection: " + strings.Repeat("a,", 2000) + "b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c := sc.Client(1)
			c.Send(request + hidden)
			sc.settle()
			got := string(c.end.Take())
			if !strings.HasPrefix(got, "HTTP/1.1 4") || strings.Count(got, "HTTP/1.1 ") != 1 {
				t.Errorf("want one refusal, got %s", brief(got))
			}
			if !c.end.EOF() && !c.end.WasReset() {
				t.Error("the connection stands")
			}
			c.ended = true
			sc.Server("s1").WantNoConnection("nothing may pass")
		})
	}
}

// Hop-by-hop and forged headers; parameters.
func TestWhatConnectionNamesPassesOnlyWhereItMust(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].ForwardFor = &ForwardFor{}
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "set-header", Args: []string{"x-user", "nobody"}}}
	sc := newScript(t, cfg)
	sc.Client(1).Send("GET /a HTTP/1.1\r\nhost: x\r\ncookie: a=b\r\nauthorization: c\r\nx-forwarded-host: d\r\nx-own: e\r\nx-user: root\r\n" +
		"keep-alive: 5\r\nproxy-connection: close\r\nhttp2-settings: AAAA\r\nupgrade: h2c\r\n" +
		"connection: upgrade, http2-settings, host, cookie, authorization, x-forwarded-for, x-forwarded-host, x-own, x-user, content-length\r\n\r\n")
	got := sc.Server("s1").last("").WantStart("", "GET /a HTTP/1.1\r\nhost: x\r\ncookie: a=b\r\nauthorization: c\r\nx-forwarded-host: d\r\nx-user: nobody\r\nx-forwarded-for: ")
	for _, gone := range []string{"x-own", "root", "keep-alive", "proxy-connection", "http2-settings", "h2c", "connection:", "upgrade"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s has passed: %s", gone, brief(got))
		}
	}
}

// Path confusion: what the rules match is what is sent.
func TestPathsPassAsTheyWereMatched(t *testing.T) {
	for _, path := range []string{"/a/../b", "/a/./b", "//a", "/a%2fb", "/%2e%2e/b", `/a\b`, "/a;x=/../b", "/%00", "/a%", "/a#b"} {
		t.Run(path, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "set-header", Args: []string{"x-seen", "%[path]"}}}
			sc := newScript(t, cfg)
			c := sc.Client(1)
			c.Send("GET " + path + " HTTP/1.1\r\nhost: x\r\n\r\n")
			if strings.Contains(path, "#") {
				c.WantStart("a fragment is refused", sorryEarly400)
				c.WantEOF("")
				return
			}
			sc.Server("s1").Want("", "GET "+path+" HTTP/1.1\r\nhost: x\r\nx-seen: "+path+"\r\n\r\n")
		})
	}
}

// CL and TE: answers are judged like requests, and a trailer cannot add what
// matters.
func TestHostileAnswersAreNotPassedOn(t *testing.T) {
	for name, answer := range map[string]string{
		"two lengths":            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
		"coding in HTTP/1.0":     "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
		"an unknown coding":      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked is not last":    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
		"LF ends a line":         "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
		"NUL in a value":         "HTTP/1.1 200 OK\r\na: \x00\r\ncontent-length: 0\r\n\r\n",
		"a folded line":          "HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 0\r\n\r\n",
		"a name with a blank":    "HTTP/1.1 200 OK\r\na b: c\r\ncontent-length: 0\r\n\r\n",
		"a chunk's size with LF": chunkedHead + "1\nx\r\n0\r\n\r\n",
		"101 that nobody wants":  "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, c, s := asked(t, getA)
			s.Send(answer)
			c.WantStart("nothing of it", sorry502)
			s.WantReset("it is not used again")
		})
	}
}

func TestTrailersCanNotAddWhatMatters(t *testing.T) {
	const trailers = "0\r\nhost: y\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nauthorization: a\r\ncookie: b\r\nx-forwarded-for: c\r\nsum: 1\r\n\r\n"
	_, c, s := asked(t, postChunked)
	c.Send(trailers)
	s.Want("", "0\r\nsum: 1\r\n\r\n")
	s.Send(chunkedHead + trailers)
	c.Want("", chunkedHead+"0\r\nsum: 1\r\n\r\n")
}

// Addresses: a PROXY header can dodge no ACL by another way to write IPv4.
func TestACLsSeeMappedAddressesOfPROXYHeadersAsIPv4(t *testing.T) {
	for _, header := range []string{
		"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "PROXY TCP6 ::ffff:c000:207 ::1 1 2\r\n", "PROXY TCP4 192.0.2.7 192.0.2.9 1 2\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24" + strings.Repeat("\x00", 10) + "\xff\xff\xc0\x00\x02\x07" + strings.Repeat("\x00", 16) + "\x00\x01\x00\x02",
	} {
		cfg := proxied(ModeHTTP)
		cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny", Cond: Cond{Words: []string{"{", "src", "192.0.2.0/24", "}"}}}}
		sc := newScript(t, cfg)
		c := sc.Client(1)
		c.Send(header + getA)
		c.WantStart("it is in the network", "HTTP/1.1 403 Forbidden\r\n")
		sc.Server("s1").WantNoConnection("")
	}
}

func TestSecurityPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, dir := range []string{".", "../internal/h1", "../internal/h2", "../internal/message", "../internal/expr", "../internal/evloop", "../listener", "../tls"} {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, b...)
		}
	}
	for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(page), -1) {
		if !strings.Contains(string(source), "func "+name+"(") {
			t.Errorf("docs/security.md names %s, which does not exist", name)
		}
	}
}
