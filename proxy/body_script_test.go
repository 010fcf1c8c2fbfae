package proxy

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

const postChunked = "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
const chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

// text is n bytes that tell where they belong.
func text(n int) string {
	if all := allText(); n <= len(all) {
		return all[:n]
	}
	return countingTo(n)
}

// allText is made once: the sessions under chance ask for it at every step.
var allText = sync.OnceValue(func() string { return countingTo(128 << 10) })

func countingTo(n int) string {
	var b []byte
	for i := int64(0); len(b) < n; i++ {
		b = append(strconv.AppendInt(b, i, 10), ',')
	}
	return string(b[:n])
}

// chunked is s in chunks of at most n bytes, with the last chunk.
func chunked(s string, n int) string {
	var b strings.Builder
	for len(s) > 0 {
		k := min(n, len(s))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", k, s[:k])
		s = s[k:]
	}
	return b.String() + "0\r\n\r\n"
}

// dechunk reads a chunked body that has to be whole.
func dechunk(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for {
		var n int
		line, rest, _ := strings.Cut(s, "\r\n")
		if _, err := fmt.Sscanf(line, "%x", &n); err != nil || len(rest) < n+2 {
			t.Fatalf("broken chunk at %s", brief(s))
		}
		if n == 0 {
			if rest != "\r\n" {
				t.Fatalf("after the last chunk: %s", brief(rest))
			}
			return b.String()
		}
		b.WriteString(rest[:n])
		s = rest[n+2:]
	}
}

func TestRequestBodyThatComesInPieces(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n")
	s.Want("the head does not wait for the body", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n")
	c.Send("abc")
	s.Want("half the body", "abc")
	c.Send("def" + getB)
	s.Want("the other half, and not the next request", "def")
	s.Send(ok)
	c.Want("the answer", ok)
	s.Want("the next request has its turn", getB)
	s.Send(ok)
	c.Want("its answer", ok)
}

func TestChunkedRequestPassesAsChunks(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(postChunked + "5\r\nhello\r\n6;x=y\r\n world\r\n")
	s.Want("what one read brought is one chunk, without extensions", postChunked+"B\r\nhello world\r\n")
	c.Send("3\r\nab")
	s.Want("a chunk does not wait for its end", "2\r\nab\r\n")
	c.Send("c\r")
	s.Want("the rest of it", "1\r\nc\r\n")
	c.Send("\n0\r\n\r\n" + getB)
	s.Want("the end", "0\r\n\r\n")
	s.Send(ok)
	c.Want("the answer", ok)
	s.Want("the next request", getB)
	s.Send(ok)
	c.Want("its answer", ok)
}

func TestTrailersPassHoweverTheyAreCut(t *testing.T) {
	const sent = "3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-more: two\r\n\r\n"
	const want = "0\r\nx-sum: 1\r\nx-more: two\r\n\r\n"
	for cut := 1; cut < len(sent); cut++ {
		sc := newSeededScript(t, site(ModeHTTP, 1), 1)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(postChunked)
		c.Send(sent[:cut])
		c.Send(sent[cut:] + getB)
		sc.settle()
		got := string(s.Accept("the request").end.Take())
		if !strings.HasSuffix(got, want) {
			t.Fatalf("request cut at %d: %q", cut, got)
		}
		s.Send(chunkedHead)
		s.Send(sent[:cut])
		s.Send(sent[cut:])
		if got := string(c.end.Take()); !strings.HasSuffix(got, want) {
			t.Fatalf("answer cut at %d: %q", cut, got)
		}
		s.Want("the connection goes on", getB)
		s.Send(ok)
		c.Want("", ok)
		sc.finish()
	}
}

func TestTrailerSectionIsBounded(t *testing.T) {
	endless := "0\r\n" + strings.Repeat("x-a: "+text(1000)+"\r\n", 40)
	t.Run("of a request", func(t *testing.T) {
		sc := newScript(t, site(ModeHTTP, 1))
		c := sc.Client(1)
		c.Send(postChunked)
		c.Send(endless)
		c.WantStart("it is refused", sorry400)
		sc.WantLog("", "400 PH-- be/s1 0 0/0")
	})
	t.Run("of an answer", func(t *testing.T) {
		sc := newScript(t, site(ModeHTTP, 1))
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(chunkedHead + "3\r\nabc\r\n")
		s.Send(endless)
		c.Want("what was whole", chunkedHead+"3\r\nabc\r\n")
		c.WantEOF("and no end")
		sc.WantLog("", "200 SD-- be/s1 0 0/0")
	})
}

func TestServerIsNotReadWhileTheClientIsFull(t *testing.T) {
	for _, framing := range []string{"length", "chunked", "until close"} {
		t.Run(framing, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
			c, s := sc.Client(1), sc.Server("s1")
			c.end.Pause()
			c.Send(getA)
			s.Want("", getA)
			body := text(1 << 20)
			switch framing {
			case "length":
				s.Send(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body), body))
			case "chunked":
				s.Send(chunkedHead + chunked(body, 100_000))
			default:
				s.Send("HTTP/1.1 200 OK\r\n\r\n" + body)
				s.CloseWrite()
			}
			sc.wantHeldBack(c, s.last(""), 80<<10)
			c.end.Resume()
			sc.settle()
			_, got, _ := strings.Cut(string(c.end.Take()), "\r\n\r\n")
			if framing == "chunked" {
				got = dechunk(t, got)
			}
			if got != body {
				t.Errorf("the client got %s", brief(got))
			}
		})
	}
}

// wantHeldBack: of what to was sent, at most limit bytes are on their way, and
// what of it stands in our own memory is one buffer.
func (sc *script) wantHeldBack(to, from *peer, limit int) {
	sc.t.Helper()
	sc.settle()
	if n := to.end.Unread(); n == 0 {
		sc.t.Fatal("nothing came through")
	}
	if from.end.Unsent() < 1<<20-limit {
		sc.t.Errorf("only %d bytes are held back", from.end.Unsent())
	}
	for _, w := range sc.p.workers {
		if n := w.pool.InUse(); n > 4 {
			sc.t.Errorf("%d buffers are in use", n)
		}
	}
	sc.WantIdle("nobody spins")
}

func TestClientIsNotReadWhileTheServerIsFull(t *testing.T) {
	for _, framing := range []string{"length", "chunked"} {
		t.Run(framing, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
			c, s := sc.Client(1), sc.Server("s1")
			body := text(1 << 20)
			c.Send("POST /a HTTP/1.1\r\nhost: x\r\n")
			if framing == "length" {
				c.end.Send(fmt.Appendf(nil, "content-length: %d\r\n\r\n", len(body)))
			} else {
				c.end.Send([]byte("transfer-encoding: chunked\r\n\r\n"))
				body = chunked(body, 100_000)
			}
			head := string(s.Accept("the head goes out").end.Take())
			s.last("").end.Pause()
			c.Send(body)
			sc.wantHeldBack(s.last(""), c, 80<<10)
			s.last("").end.Resume()
			sc.settle()
			_, got, _ := strings.Cut(head+string(s.last("").end.Take()), "\r\n\r\n")
			if framing == "chunked" {
				got, body = dechunk(t, got), dechunk(t, body)
			}
			if got != body {
				t.Errorf("the server got %s", brief(got))
			}
			s.Send(ok)
			c.Want("then it answers", ok)
		})
	}
}

func TestBodiesArriveWholeUnderFaults(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1).loops(2), seed)
		sc.sk.Faults = simkernel.Faults{ShortRead: 0.3, ShortWrite: 0.4, Again: 0.3, Spurious: 0.1}
		sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 20<<10, 20<<10
		c, s := sc.Client(1), sc.Server("s1")
		up, down := text(60_000+int(seed)), text(70_000+int(seed))
		c.Send(postChunked + chunked(up, 1+int(seed)*700))
		sc.settle()
		_, got, _ := strings.Cut(string(s.Accept("").end.Take()), "\r\n\r\n")
		if got := dechunk(t, got); got != up {
			t.Fatalf("seed %d: the server got %s", seed, brief(got))
		}
		s.Send(chunkedHead + chunked(down, 1+int(seed)*1300))
		sc.settle()
		_, got, _ = strings.Cut(string(c.end.Take()), "\r\n\r\n")
		if got := dechunk(t, got); got != down {
			t.Fatalf("seed %d: the client got %s", seed, brief(got))
		}
		sc.finish()
	}
}

func TestAnswerBeforeTheWholeRequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
	s.Want("", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
	s.Send("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\nno")
	c.Want("the answer does not wait", "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\nno")
	c.Send("defghij")
	s.Want("the rest goes to who wants it", "defghij")
	sc.WantLog("only now it is over", "413 ---- be/s1 0 0/0")
	c.Send(getB)
	s.Want("both connections can go on", getB)
	s.Send(ok)
	c.Want("", ok)
}

func TestServerThatAnswersAndClosesBeforeTheWholeRequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc")
	s.Want("", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc")
	s.last("").end.Send([]byte("HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"))
	s.Close()
	if got := c.WantStart("its answer is the answer", "HTTP/1.1 413 Payload Too Large\r\n"); !strings.HasSuffix(got, "\r\n\r\nno") {
		t.Errorf("got %q", got)
	}
	c.Send("defghij")
	c.Send(text(990))
	sc.Advance(2 * lingerTimeout)
	if !c.end.EOF() && !c.end.WasReset() {
		t.Error("the client's connection can't go on")
	}
	c.ended = true
}

func TestBadChunkOfARequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(postChunked + "3\r\nabc\r\n")
	s.Want("the first chunk is right", postChunked+"3\r\nabc\r\n")
	c.Send("xyz\r\n")
	c.WantStart("the second is not", sorry400+"connection: close\r\n")
	c.WantEOF("and the connection can't go on")
	s.WantEOF("no last chunk: the server learns that the request is not whole")
	sc.WantLog("", "400 PH-- be/s1 0 0/0")
}

func TestBadChunkOfAnAnswer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	s.Send(chunkedHead + "3\r\nabc\r\n")
	c.Want("the first chunk", chunkedHead+"3\r\nabc\r\n")
	s.Send("3\r\nabcd\r\n0\r\n\r\n")
	c.WantEOF("no last chunk: the client knows that something is missing")
	s.WantReset("")
	sc.WantLog("", "200 SD-- be/s1 0 0/0")
}

func TestClientGoneInItsBody(t *testing.T) {
	for name, leave := range map[string]func(c *peer){"close": (*peer).Close, "reset": (*peer).Reset, "FIN": (*peer).CloseWrite} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c, s := sc.Client(1), sc.Server("s1")
			c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
			s.Want("", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
			leave(c)
			s.WantReset("the request can't be finished")
			sc.WantLog("", "-1 CD-- be/s1 0 0/0")
		})
	}
}

func TestClientGoneInItsAnswer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + text(1000))
	c.WantStart("a part", "HTTP/1.1 200 OK\r\n")
	c.Reset()
	s.WantReset("nobody wants the rest")
	sc.WantLog("", "200 CD-- be/s1 0 0/0")
}

func TestHTTPBufferRequestWaitsForTheBody(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].HTTPBufferRequest = true
	for _, body := range []string{"content-length: 6\r\n\r\nabcdef", "transfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n"} {
		sc := newSeededScript(t, cfg, 1)
		cfg = site(ModeHTTP, 1)
		cfg.Backends[0].HTTPBufferRequest = true
		c, s := sc.Client(1), sc.Server("s1")
		whole := "POST /a HTTP/1.1\r\nhost: x\r\n" + body
		c.Send(whole[:len(whole)-9])
		sc.WantIdle("the body is not here")
		c.Send(whole[len(whole)-9:] + getB)
		s.Want("now it is", whole)
		s.Send(ok)
		c.Want("", ok)
		s.Want("what came behind the body is the next request", getB)
		s.Send(ok)
		c.Want("", ok)
		sc.finish()
	}
}

func TestHTTPBufferRequestWaitsForNoMoreThanABuffer(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPBufferRequest = true
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	body := text(100_000)
	whole := fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
	c.Send(whole[:10_000])
	sc.WantIdle("there is room for more")
	c.Send(whole[10_000:])
	s.Want("all of it came through", whole)
	s.Send(ok)
	c.Want("", ok)
}

func TestClientGoneWhileItsBodyIsAwaited(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPBufferRequest = true
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
	c.CloseWrite()
	c.WantEOF("nothing to say")
	sc.WantLog("", "-1 CR-- be/<NOSRV> 0 0/0")
	sc.Server("s1").WantNoConnection("")
}
