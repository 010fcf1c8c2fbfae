package proxy

import (
	"strings"
	"testing"
	"time"
)

// The bytes that pass both ways unchanged: names are lower-case already.
const (
	getA  = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
	getB  = "GET /b HTTP/1.1\r\nhost: x\r\n\r\n"
	getC  = "GET /c HTTP/1.1\r\nhost: x\r\n\r\n"
	postA = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
	ok    = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
	hello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

	sorry503      = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	sorry502      = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	sorry504      = "HTTP/1.1 504 Gateway Time-out\r\ncontent-length: 92\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	sorry400      = "HTTP/1.1 400 Bad request\r\ncontent-length: 90\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	sorry408      = "HTTP/1.1 408 Request Time-out\r\ncontent-length: 110\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	sorryEarly400 = "HTTP/1.1 400 Bad request\r\nContent-length: 90\r\nCache-Control: no-cache\r\nConnection: close\r\n"
	sorryEarly408 = "HTTP/1.1 408 Request Time-out\r\nContent-length: 110\r\nCache-Control: no-cache\r\nConnection: close\r\n"
)

func TestKeepAliveUsesOneConnectionOnEachSide(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the request goes out on a new connection", getA)
	s.Send(ok)
	c.Want("the answer comes back", ok)
	sc.WantLog("the exchange is over", "200 ---- be/s1 0 0/0")
	c.Send(getB)
	s.Want("the second request uses the idle connection", getB)
	s.Send(hello)
	c.Want("the second answer comes back", hello)
	sc.WantIdle("both connections stay")
}

func TestRequestsThatCameAtOnceAreAnsweredInOrder(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA + postA + getC)
	s.Want("one request at a time", getA)
	s.Send(ok)
	c.Want("the first answer", ok)
	s.Want("the body of the second is its own", postA)
	s.Send(hello)
	c.Want("the second answer", hello)
	s.Want("the third request", getC)
	s.Send(ok)
	c.Want("the third answer", ok)
	sc.WantIdle("no fourth request")
}

func TestManyPipelinedRequestsDoNotStarveOthers(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].MonitorURI = "/up"
	sc := newScript(t, cfg)
	const n = 5 * requestsPerTurn
	c := sc.Client(1)
	c.Send(strings.Repeat("GET /up HTTP/1.1\r\nhost: x\r\n\r\n", n))
	sc.settle()
	if got := strings.Count(string(c.end.Take()), "HTTP/1.1 200 OK\r\n"); got != n {
		t.Errorf("%d answers to %d requests", got, n)
	}
	sc.WantIdle("all are answered")
}

func TestRequestHeadMayComeByteByByte(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	for i := range getA[:len(getA)-1] {
		c.Send(getA[i : i+1])
		sc.WantIdle("the head is not complete")
	}
	c.Send(getA[len(getA)-1:])
	s.Want("now it is", getA)
	s.Send(ok)
	c.Want("the answer comes back", ok)
}

func TestClientThatSaysCloseIsClosed(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
	s.Want("the server's connection is our own affair", getA)
	s.Send(ok)
	c.Want("the client is told", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
	c.WantEOF("and closed")
	s.last("").WantNothing("the server's connection stays")
}

func TestHTTP10(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("GET /a HTTP/1.0\r\nhost: x\r\n\r\n")
	s.Want("we keep the server's connection", "GET /a HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\n")
	s.Send("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok")
	c.Want("a client of HTTP/1.0 did not ask to stay", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok")
	c.WantEOF("so it is closed")
	c2 := sc.Client(2)
	c2.Send("GET /a HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\n")
	s.Accept("safe reuse: the first request of a client gets a new connection")
	s.Want("it asked to stay", "GET /a HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\n")
	s.Send(ok)
	c2.Want("it may", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok")
	c2.WantNothing("and does")
}

func TestOptionHTTPCloseEndsBothConnections(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].ConnMode = ConnClose
	cfg.Backends[0].ConnMode = ConnClose
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the server is told", "GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
	s.Send(ok)
	c.Want("the client is told", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
	c.WantEOF("and closed")
	s.WantReset("the server's connection is ended without TIME_WAIT")
}

func TestOptionHTTPServerCloseEndsTheServersConnection(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].ConnMode = ConnServerClose
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	for range 2 {
		c.Send(getA)
		s.Accept("each request has its connection")
		s.Want("the server is told", "GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
		s.Send(ok)
		c.Want("the client is not", ok)
		s.WantReset("the connection is ended")
	}
	c.WantNothing("the client stays")
}

func TestPretendKeepAliveDoesNotTellTheServer(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].ConnMode = ConnServerClose
	cfg.Backends[0].PretendKeepAlive = true
	sc := newScript(t, cfg)
	sc.Client(1).Send(getA)
	sc.Server("s1").Want("no connection field", getA)
	sc.Server("s1").Send(ok)
	sc.Client(1).Want("the answer", ok)
	sc.Server("s1").WantReset("closed all the same")
}

func TestServerThatSaysCloseIsNotUsedAgain(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the request", getA)
	s.Send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
	c.Want("close is between the server and us", ok)
	s.WantReset("we close first")
	c.Send(getB)
	s.Accept("a new connection for the next request")
	s.Want("the second request", getB)
	s.Send(ok)
	c.Want("its answer", ok)
}

// deadIdle makes a client whose second request will find an idle connection,
// which the server resets in the same moment.
func deadIdle(t *testing.T, cfg *Config) (*script, *peer, *scriptServer) {
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the first request", getA)
	s.Send(ok)
	c.Want("its answer", ok)
	sc.WantLog("", "200 ---- be/s1 0 0/0")
	return sc, c, s
}

func TestGetOnADeadIdleConnectionIsSentAgain(t *testing.T) {
	sc, c, s := deadIdle(t, site(ModeHTTP, 1))
	c.Send(getB)
	s.Want("the second request went out on the idle connection", getB)
	s.Close()
	s.Accept("it closed without an answer: a new connection")
	s.Want("the same request again", getB)
	s.Send(hello)
	c.Want("the client sees only the answer", hello)
	sc.WantLog("a normal end", "200 ---- be/s1 1 0/0")
}

func TestGetIsSentAgainWhenTheIdleConnectionIsResetBeforehand(t *testing.T) {
	sc, c, s := deadIdle(t, site(ModeHTTP, 1))
	// FIN and request cross: the loop has not seen the FIN when it takes the connection.
	c.end.Send([]byte(getB))
	s.conns[0].end.Reset()
	s.conns[0].ended = true
	s.Accept("a new connection")
	s.Want("the request", getB)
	s.Send(hello)
	c.Want("the answer", hello)
	sc.WantIdle("nothing else")
}

func TestGetIsSentAgainOnlyOnce(t *testing.T) {
	sc, c, s := deadIdle(t, site(ModeHTTP, 1))
	c.Send(getB)
	s.Close()
	s.Accept("a new connection").Close()
	c.WantStart("a new connection that dies too is the server's fault", sorry502)
	sc.WantLog("", "502 SH-- be/s1 1 0/0")
	s.WantNoConnection("no third attempt")
}

func TestPostOnADeadIdleConnectionIsNotRepeated(t *testing.T) {
	sc, c, s := deadIdle(t, site(ModeHTTP, 1))
	c.Send(postA)
	s.Want("the request went out", postA)
	s.Close()
	c.WantEOF("whether the server acted on it is unknown: the client decides")
	s.WantNoConnection("it is not sent again")
	sc.WantNoLog("as HAProxy")
}

func TestBytesOnAnIdleConnectionCloseIt(t *testing.T) {
	_, c, s := deadIdle(t, site(ModeHTTP, 1))
	s.Send(hello)
	s.WantReset("nobody asked for an answer")
	c.WantNothing("and nobody gets it")
	c.Send(getB)
	s.Accept("a new connection")
	s.Want("the next request", getB)
	s.Send(ok)
	c.Want("its answer", ok)
}

func TestBytesBehindAnAnswerCloseTheConnection(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the request", getA)
	s.Send(ok + hello)
	c.Want("one answer to one request", ok)
	s.WantReset("the rest would be taken for the next answer")
}

func TestAnswerBeforeTheRequestIsNotTakenForItsAnswer(t *testing.T) {
	_, c, s := deadIdle(t, site(ModeHTTP, 1))
	// The unsolicited answer and the request cross in one turn.
	s.conns[0].end.Send([]byte(hello))
	c.Send(getB)
	s.WantReset("what came before the request can't be its answer")
	s.Accept("a new connection")
	s.Want("the request", getB)
	s.Send(ok)
	c.Want("its own answer", ok)
}

// The loop learns of the request first and of the unsolicited answer in the same
// batch of events: that answer came before the request was sent on.
func TestAnswerInTheSameBatchAsTheRequestIsNotTakenForItsAnswer(t *testing.T) {
	for name, reuse := range map[string]Reuse{"safe": ReuseSafe, "always": ReuseAlways, "never": ReuseNever} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Backends[0].Reuse = reuse
			_, c, s := deadIdle(t, cfg)
			c.end.Send([]byte(getB))
			s.conns[0].end.Send([]byte(hello))
			s.WantReset("what came before the request can't be its answer")
			s.Accept("a new connection")
			s.Want("the request", getB)
			s.Send(ok)
			c.Want("its own answer", ok)
		})
	}
}

func TestReuseSafeGivesFirstRequestsNewConnections(t *testing.T) {
	sc, c, s := deadIdle(t, site(ModeHTTP, 1))
	c2 := sc.Client(2)
	c2.Send(getB)
	s.Accept("a first request is not risked on an idle connection")
	s.Want("it", getB)
	c.Send(getC)
	s.conns[0].Want("a second request may use any", getC)
	s.conns[0].Send(ok)
	s.Send(ok)
	c.Want("", ok)
	c2.Want("", ok)
}

func TestReuseAlwaysGivesFirstRequestsIdleConnections(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Reuse = ReuseAlways
	sc, _, s := deadIdle(t, cfg)
	c2 := sc.Client(2)
	c2.Send(getB)
	s.Want("the idle connection", getB)
	s.Close()
	s.Accept("it was dead: the request goes out again")
	s.Want("the same", getB)
	s.Send(ok)
	c2.Want("", ok)
}

func TestReuseNeverKeepsTheConnectionForItsClient(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Reuse = ReuseNever
	sc, c, s := deadIdle(t, cfg)
	sc.Client(2).Send(getB)
	s.Accept("another client gets another connection").Want("", getB)
	c.Send(getC)
	s.conns[0].Want("the first client finds its own again", getC)
	s.conns[0].Send(ok)
	c.Want("", ok)
	c.Close()
	s.conns[0].WantReset("it goes with its client")
	s.Send(ok)
	sc.Client(2).Want("", ok)
}

func TestPinnedConnectionThatDiesIsForgotten(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Reuse = ReuseNever
	_, c, s := deadIdle(t, cfg)
	s.Close()
	c.WantNothing("the client does not care")
	c.Send(getB)
	s.Accept("a new one").Want("", getB)
	s.Send(ok)
	c.Want("", ok)
}

func TestIdleConnectionsThatNobodyNeedsAreClosed(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	s := sc.Server("s1")
	for n := range 4 {
		sc.Client(n).Send(getA)
		s.Accept("all at once").Want("", getA)
	}
	for n := range 4 {
		s.conns[n].Send(ok)
		sc.Client(n).Want("", ok)
	}
	sc.WantIdle("four connections were needed at once, so four stay")
	for n := range 4 {
		sc.Client(n).Close()
	}
	sc.Advance(5 * time.Minute)
	for _, c := range s.conns {
		c.WantReset("nobody has needed it for minutes")
	}
}

func TestClientGoneBetweenRequestsIsForgotten(t *testing.T) {
	for name, leave := range map[string]func(c *peer){"close": (*peer).Close, "reset": (*peer).Reset, "FIN": (*peer).CloseWrite} {
		t.Run(name, func(t *testing.T) {
			sc, c, s := deadIdle(t, site(ModeHTTP, 1))
			leave(c)
			sc.settle()
			if n := sc.p.Connections(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
			sc.WantNoLog("an idle client that leaves is no news")
			s.last("").WantNothing("the idle connection stays")
		})
	}
}

func TestHalfOpenClientGetsItsAnswer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	c.CloseWrite()
	s.Want("FIN behind a whole request is no abort", getA)
	s.Send(ok)
	c.Want("the answer", ok)
	c.WantEOF("then we close, too")
	sc.WantLog("a normal end", "200 ---- be/s1 0 0/0")
}

func TestAbortOnCloseEndsARequestWhoseClientLeft(t *testing.T) {
	for name, leave := range map[string]func(c *peer){"close": (*peer).Close, "FIN": (*peer).CloseWrite} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1).limited(1)
			cfg.Backends[0].AbortOnClose = true
			sc := newScript(t, cfg)
			c, s := sc.Client(1), sc.Server("s1")
			c.Send(getA)
			s.Want("", getA)
			leave(c)
			s.WantReset("nobody waits for the answer")
			sc.WantLog("", "400 CH-- be/s1 0 0/0")
			c.end.Take()
			c.ended = true
		})
	}
}

func TestWithoutAbortOnCloseTheAnswerIsAwaited(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	c.CloseWrite()
	sc.Advance(20 * time.Second)
	sc.WantIdle("FIN is not taken for an abort")
	s.Send(ok)
	c.Want("the answer", ok)
	c.WantEOF("")
}

func TestClientThatResetsWhileItWaits(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	c.Reset()
	sc.settle()
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	sc.WantLog("", "-1 CH-- be/s1 0 0/0")
	s.last("").ended = true
}
