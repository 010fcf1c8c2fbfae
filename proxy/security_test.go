package proxy

import (
	"strings"
	"testing"

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
