package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// asked is a script whose client has sent a request, which the server has.
func asked(t *testing.T, request string) (*script, *peer, *scriptServer) {
	t.Helper()
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(request)
	s.Want("the request", request)
	return sc, c, s
}

func TestAnswersWithoutABody(t *testing.T) {
	for _, tc := range []struct{ name, request, answer, want string }{
		{"204", getA, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"204 with a length", getA, "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"304", getA, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"},
		{"HEAD", "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"},
		{"HEAD chunked", "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n", chunkedHead, chunkedHead},
		{"length 0", getA, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c, s := asked(t, tc.request)
			s.Send(tc.answer)
			c.Want("it ends with its head", tc.want)
			c.Send(getB)
			s.Want("both connections go on", getB)
			s.Send(ok)
			c.Want("", ok)
		})
	}
}

func TestBodyOfAnAnswerThatMustNotHaveOne(t *testing.T) {
	_, c, s := asked(t, "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n")
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
	c.Want("only the head", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
	s.WantReset("what came behind would be taken for the next answer")
	c.WantNothing("the client stays")
}

func TestInterimAnswersPass(t *testing.T) {
	const early = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"
	sc, c, s := asked(t, getA)
	s.Send(early)
	c.Want("at once", early)
	s.Send("HTTP/1.1 102 Processing\r\n")
	sc.WantIdle("half a head")
	s.Send("\r\n" + early + hello)
	c.Want("all in order", "HTTP/1.1 102 Processing\r\n\r\n"+early+hello)
	sc.WantLog("the final status", "200 ---- be/s1 0 0/0")
}

func TestExpectContinue(t *testing.T) {
	const head = "POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
	_, c, s := asked(t, head)
	s.Send("HTTP/1.1 100 Continue\r\n\r\n")
	c.Want("the server decides", "HTTP/1.1 100 Continue\r\n\r\n")
	c.Send("abc")
	s.Want("then the body comes", "abc")
	s.Send(ok)
	c.Want("", ok)
}

func TestServerThatRefusesAfterExpect(t *testing.T) {
	const head = "POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
	const no = "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n"
	_, c, s := asked(t, head)
	s.Send(no)
	c.Want("the answer", no)
	c.Send("abc")
	s.Want("a client that sends its body all the same", "abc")
	c.Send(getB)
	s.Want("and goes on", getB)
	s.Send(ok)
	c.Want("", ok)
}

func TestEndlessInterimAnswersAreHeldBack(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	c.Send(getA)
	s.Want("", getA)
	one := "HTTP/1.1 102 P\r\nx: " + text(1000) + "\r\n\r\n"
	s.Send(strings.Repeat(one, 1<<20/len(one)) + hello)
	sc.wantHeldBack(c, s.last(""), 80<<10)
	c.end.Resume()
	c.Want("then all comes", strings.Repeat(one, 1<<20/len(one))+hello)
}

func TestInterimAnswersCutAnywhere(t *testing.T) {
	// More than a buffer, so that what is kept has to be moved.
	one := "HTTP/1.1 103 Early Hints\r\nx: " + text(900) + "\r\n\r\n"
	all := strings.Repeat(one, 40) + hello
	for seed := uint64(1); seed <= 20; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1), seed)
		sc.sk.Faults = simkernel.Faults{ShortRead: 0.9, Again: 0.3}
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(all)
		c.Want(fmt.Sprintf("seed %d", seed), all)
		sc.finish()
	}
}

func TestUpgradeThatNobodyAskedFor(t *testing.T) {
	sc, c, s := asked(t, getA)
	s.Send("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
	c.WantStart("no tunnel", sorry502)
	s.WantReset("")
	sc.WantLog("", "502 PH-- be/s1 0 0/0")
	c.WantNothing("the client can go on")
}

func TestAnswerUntilClose(t *testing.T) {
	sc, c, s := asked(t, getA)
	s.Send("HTTP/1.1 200 OK\r\n\r\nhel")
	c.Want("the client is told what ends the body", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhel")
	s.Send("lo")
	c.Want("the rest", "lo")
	s.Close()
	c.WantEOF("the end")
	sc.WantLog("", "200 ---- be/s1 0 0/0")
}

func TestAnswerUntilCloseThatIsResetLooksCut(t *testing.T) {
	sc, c, s := asked(t, getA)
	s.Send("HTTP/1.1 200 OK\r\n\r\nhel")
	c.Want("", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhel")
	s.Reset()
	c.WantReset("FIN would be the end of the body")
	sc.WantLog("", "200 SD-- be/s1 0 0/0")
}

func TestChunkedAnswerToHTTP10EndsWithTheConnection(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
	s.Want("", "GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
	s.Send(chunkedHead + "3\r\nabc\r\n")
	c.Want("HTTP/1.0 has no chunks", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc")
	s.Send("2\r\nde\r\n0\r\n\r\n")
	c.Want("", "de")
	c.WantEOF("the end")
}

func TestAnswerThatIsCutShortIsCutShortForTheClient(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"length", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel"},
		{"chunk", chunkedHead + "a\r\nhel", chunkedHead + "3\r\nhel\r\n"},
		{"last chunk", chunkedHead + "3\r\nhel\r\n", chunkedHead + "3\r\nhel\r\n"},
		{"trailers", chunkedHead + "3\r\nhel\r\n0\r\nx: y\r\n", chunkedHead + "3\r\nhel\r\n"},
	} {
		for end, leave := range map[string]func(*scriptServer){"FIN": (*scriptServer).Close, "RST": (*scriptServer).Reset} {
			t.Run(tc.name+" "+end, func(t *testing.T) {
				sc, c, s := asked(t, getA)
				s.Send(tc.answer)
				leave(s)
				c.Want("what came", tc.want)
				c.WantEOF("and not more: what was announced is missing")
				sc.WantLog("", "200 SD-- be/s1 0 0/0")
				s.WantNoConnection("it is never repeated")
			})
		}
	}
}

func TestServerThatEndsBeforeItsAnswer(t *testing.T) {
	for _, part := range []string{"", "HTTP/1.1 200 OK\r\ncontent-"} {
		for end, leave := range map[string]func(*scriptServer){"FIN": (*scriptServer).Close, "RST": (*scriptServer).Reset} {
			t.Run(fmt.Sprintf("%q %s", part, end), func(t *testing.T) {
				sc, c, s := asked(t, getA)
				s.Send(part)
				leave(s)
				c.WantStart("nothing that can be passed on", sorry502)
				sc.WantLog("", "502 SH-- be/s1 0 0/0")
				c.Send(getB)
				s.Accept("the client can go on").Want("", getB)
				s.Send(ok)
				c.Want("", ok)
			})
		}
	}
}

func TestGarbageAnswers(t *testing.T) {
	for _, garbage := range []string{
		"hello\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nx: " + strings.Repeat("y", 20_000) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
	} {
		t.Run(garbage[:min(30, len(garbage))], func(t *testing.T) {
			sc, c, s := asked(t, getA)
			s.Send(garbage)
			c.WantStart("nothing of it is passed on", sorry502)
			s.WantReset("")
			sc.WantLog("", "502 PH-- be/s1 0 0/0")
			c.WantNothing("the client can go on")
		})
	}
}

func TestErrorAnswersLeaveTheClientsConnection(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 0))
	c := sc.Client(1)
	for range 3 {
		c.Send(getA)
		c.WantStart("no server", sorry503)
		sc.WantLog("", "503 SC-- be/<NOSRV> 0 0/0")
	}
	c.Send("GET /a HTTP/1.0\r\n\r\n")
	c.WantStart("HTTP/1.0 closes", sorry503+"connection: close\r\n")
	c.WantEOF("")
}

func TestErrorfileReplacesAnswers(t *testing.T) {
	cfg := site(ModeHTTP, 0)
	cfg.Backends[0].Errors = map[int]ErrorAnswer{503: {Raw: []byte("HTTP/1.0 503 Sorry\r\nContent-Length: 4\r\n\r\nback")}}
	cfg.Frontends[0].Errors = map[int]ErrorAnswer{503: {Raw: []byte("HTTP/1.0 503 Sorry\r\n\r\nfront")}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(getA)
	got := c.WantStart("the backend's file goes first", "HTTP/1.")
	if !strings.HasSuffix(got, "\r\ncontent-length: 4\r\n\r\nback") {
		t.Errorf("got %q", got)
	}
	c.WantNothing("a file with a length leaves the connection")
}

func TestErrorfileWithoutALengthCloses(t *testing.T) {
	cfg := site(ModeHTTP, 0)
	cfg.Frontends[0].DefaultBackend = ""
	cfg.Frontends[0].Errors = map[int]ErrorAnswer{503: {Raw: []byte("HTTP/1.0 503 Sorry\r\n\r\nfront")}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(getA)
	if got := c.WantStart("the frontend's file", "HTTP/1."); !strings.HasSuffix(got, "connection: close\r\n\r\nfront") {
		t.Errorf("got %q", got)
	}
	c.WantEOF("FIN ends its body")
}

func TestErrorlocRedirects(t *testing.T) {
	cfg := site(ModeHTTP, 0)
	cfg.Backends[0].Errors = map[int]ErrorAnswer{503: {Location: "http://sorry/", Code: 302}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(getA)
	c.Want("where to go", "HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://sorry/\r\n\r\n")
	sc.WantLog("the log has what happened", "503 SC-- be/<NOSRV> 0 0/0")
}

func TestOwnAnswersToAClientThatDoesNotReadAreHeldBack(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 0))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
	c := sc.Client(1)
	c.end.Pause()
	const n = 3000
	c.end.Send([]byte(strings.Repeat(getA, n)))
	sc.settle()
	if in := sc.p.workers[0].pool.InUse(); in > 3 {
		t.Errorf("%d buffers are in use", in)
	}
	if c.end.Unsent() == 0 {
		t.Error("all requests were read")
	}
	c.end.Resume()
	sc.settle()
	if got := strings.Count(string(c.end.Take()), "HTTP/1.1 503 "); got != n {
		t.Errorf("%d answers to %d requests", got, n)
	}
}
