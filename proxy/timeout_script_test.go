package proxy

import (
	"testing"
	"time"
)

// Every deadline has a stall test here: docs/timeouts.md lists them. The times
// are those of site, all different.

func TestTimeoutOfASilentClient(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.Client(1)
	sc.Expire("timeout http-request", 10*time.Second)
	c.WantStart("told", sorryEarly408)
	c.WantEOF("and closed")
	sc.WantLog("", "408 cR-- fe/<NOSRV> 0 0/0")
}

func TestTimeoutOfARequestHead(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.Client(1)
	for range 9 {
		c.Send("G"[:1])
		sc.Advance(time.Second)
	}
	sc.Expire("timeout http-request counts from the start, however much trickles", time.Second)
	c.WantStart("told", sorryEarly408)
	c.WantEOF("and closed")
	sc.WantLog("", "408 cR-- fe/<NOSRV> 0 0/0")
}

func TestTimeoutOfTheHeadOfALaterRequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.served("", 1)
	sc.WantLog("", "200 ---- be/s1 0 0/0")
	sc.Advance(14 * time.Second)
	sc.Client(1).Send("GET ")
	sc.Advance(9 * time.Second)
	sc.Client(1).Send("/")
	sc.Expire("timeout http-request counts from its first byte", time.Second)
	sc.Client(1).WantStart("told", sorryEarly408)
	sc.Client(1).WantEOF("and closed")
	sc.WantLog("", "408 cR-- fe/<NOSRV> 0 0/0")
}

func TestTimeoutBetweenRequests(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.served("", 1)
	sc.WantLog("", "200 ---- be/s1 0 0/0")
	sc.Expire("timeout http-keep-alive", 15*time.Second)
	sc.Client(1).WantEOF("closed without a word")
	sc.WantNoLog("that is no news")
}

func TestTimeoutOfABufferedBody(t *testing.T) {
	for _, tc := range []struct {
		name, log string
		change    func(fe *Frontend, be *Backend)
		time      time.Duration
	}{
		{"of a frontend", "408 cR-- fe/<NOSRV> 0 0/0", func(fe *Frontend, be *Backend) { fe.HTTPBufferRequest = true }, 10 * time.Second},
		{"of a backend", "408 cR-- be/<NOSRV> 0 0/0", func(fe *Frontend, be *Backend) { be.HTTPBufferRequest, be.Timeouts.HTTPRequest = true, 6*time.Second }, 6 * time.Second},
		{"of a backend without its own", "408 cR-- be/<NOSRV> 0 0/0", func(fe *Frontend, be *Backend) { be.HTTPBufferRequest, be.Timeouts.HTTPRequest = true, 0 }, 40 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			tc.change(&cfg.Frontends[0], &cfg.Backends[0])
			sc := newScript(t, cfg)
			c := sc.Client(1)
			c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc")
			sc.Advance(5 * time.Second)
			c.Send("def")
			sc.Expire("the time counts from the end of the head", tc.time-5*time.Second)
			c.WantStart("told", sorry408+"connection: close\r\n")
			c.WantEOF("and closed")
			sc.WantLog("", tc.log)
			sc.Server("s1").WantNoConnection("no server has seen it")
		})
	}
}

func TestTimeoutOfARequestBody(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc")
	s.last("").WantStart("", "POST /a")
	sc.Advance(30 * time.Second)
	c.Send("def")
	s.Want("each piece starts the time anew", "def")
	sc.Expire("timeout client", 40*time.Second)
	c.WantStart("told", sorry408+"connection: close\r\n")
	c.WantEOF("and closed")
	s.WantReset("the request can't be finished")
	sc.WantLog("", "408 cD-- be/s1 0 0/0")
}

func TestTimeoutOfAClientThatDoesNotRead(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	c.Send(getA)
	s.Want("", getA)
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + text(1_000_000))
	sc.Advance(30 * time.Second)
	c.end.Read(4 << 10)
	c.end.Take()
	sc.Expire("timeout client, from the last byte that it took", 40*time.Second)
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

func TestTimeoutOfAClientThatDoesNotReadTheEnd(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	c.Send(getA)
	s.Want("", getA)
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 12000\r\n\r\n" + text(12_000))
	s.last("").WantNothing("the server has done its part")
	if n := sc.p.plan.Load().backends[0].live.bal.Current(); n != 0 {
		t.Errorf("%d slots are held for a slow client", n)
	}
	s.last("").ended = true // idle connections are closed in that time
	sc.Expire("timeout client", 40*time.Second)
	c.ended = true
	sc.WantLog("the server has finished: L", "200 cL-- be/s1 0 0/0")
}

func TestTimeoutOfAClientThatDoesNotReadOurAnswers(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 0))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 1000, 1000
	c := sc.Client(1)
	c.end.Pause()
	for range 30 {
		c.end.Send([]byte(getA))
	}
	sc.settle()
	sc.Expire("timeout client", 40*time.Second)
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	c.ended = true
}

func TestTimeoutOfAClientThatDoesNotReadInterimAnswers(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 1000, 1000
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	c.Send(getA)
	s.Want("", getA)
	for range 10 {
		s.Send("HTTP/1.1 103 Early Hints\r\nx: " + text(1000) + "\r\n\r\n")
	}
	sc.Expire("timeout client", 40*time.Second)
	sc.WantLog("no server is to blame", "-1 cH-- be/s1 0 0/0")
	c.ended, s.last("").ended = true, true
}

func TestTimeoutOfAClientThatDoesNotClose(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.Client(1)
	c.Send("what?\r\n\r\n")
	c.WantStart("", "HTTP/1.1 400 ")
	c.WantEOF("")
	if sc.p.Connections() != 1 {
		t.Error("FIN was not awaited")
	}
	sc.Advance(lingerTimeout + 5*time.Millisecond)
	if sc.p.Connections() != 0 {
		t.Error("FIN is awaited for ever")
	}
}

func TestTimeoutOfAnAnswersHead(t *testing.T) {
	for _, part := range []string{"", "HTTP/1.1 200 OK\r\n"} {
		sc := newSeededScript(t, site(ModeHTTP, 1).limited(1), 1)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(part)
		sc.Expire("timeout server", 30*time.Second)
		c.WantStart("told", sorry504)
		s.WantReset("")
		sc.WantLog("", "504 sH-- be/s1 0 0/0")
		c.Send(getB)
		s.Accept("the client can go on").Want("", getB)
		sc.finish()
	}
}

func TestTimeoutOfAServerThatDoesNotReadTheRequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
	s.last("").WantStart("", "POST /a")
	s.last("").end.Pause()
	c.Send(text(100_000))
	sc.Expire("timeout server", 30*time.Second)
	c.WantStart("told", sorry504+"connection: close\r\n")
	sc.WantLog("", "504 sH-- be/s1 0 0/0")
	c.ended, s.last("").ended = true, true
}

func TestTimeoutOfAnAnswersBody(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", chunkedHead} {
		sc := newSeededScript(t, site(ModeHTTP, 1).limited(1), 1)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(head)
		c.Want("", head)
		sc.Advance(20 * time.Second)
		s.Send("1\r\n")
		c.end.Take()
		sc.Expire("timeout server, from the last byte", 30*time.Second)
		c.WantEOF("cut short")
		s.WantReset("")
		sc.WantLog("", "200 sD-- be/s1 0 0/0")
		sc.finish()
	}
}

func TestTimeoutOfAnAnswerUntilCloseLooksCut(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	s.Send("HTTP/1.1 200 OK\r\n\r\nhel")
	c.WantStart("", "HTTP/1.1 200 OK\r\n")
	sc.Expire("timeout server", 30*time.Second)
	c.WantReset("FIN would be the end of the body")
	s.last("").ended = true
	sc.WantLog("", "200 sD-- be/s1 0 0/0")
}

func TestTimeoutInTheQueue(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	sc.Client(1).Send(getA)
	s.Want("", getA)
	sc.Client(2).Send(getB)
	sc.Expire("timeout queue", 20*time.Second)
	sc.Client(2).WantStart("told", sorry503)
	sc.WantLog("", "503 sQ-- be/<NOSRV> 0 0/1")
}

func TestTimeoutInTheQueueDefaultsToTimeoutConnect(t *testing.T) {
	cfg := site(ModeHTTP, 1).limited(1)
	cfg.Backends[0].Timeouts.Queue = 0
	sc := newScript(t, cfg)
	sc.Client(1).Send(getA)
	sc.Server("s1").Want("", getA)
	sc.Client(2).Send(getB)
	sc.Expire("timeout connect", 3*time.Second)
	sc.Client(2).WantStart("told", sorry503)
	sc.WantLog("", "503 sQ-- be/<NOSRV> 0 0/1")
}

func TestTimeoutOfAConnect(t *testing.T) {
	cfg := site(ModeHTTP, 1).limited(1)
	cfg.Backends[0].Retries = -1
	sc := newScript(t, cfg)
	sc.Server("s1").srv.Swallow(true)
	sc.Client(1).Send(getA)
	sc.Expire("timeout connect", 3*time.Second)
	sc.Client(1).WantStart("told", sorry503)
	sc.WantLog("", "503 sC-- be/s1 0 0/0")
}

func TestTimeoutOfAConnectIsRetried(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	s.srv.Swallow(true)
	sc.Client(1).Send(getA)
	sc.Advance(3100 * time.Millisecond)
	s.srv.Swallow(false)
	sc.Advance(time.Second)
	s.Want("the second attempt", getA)
	s.Send(ok)
	sc.Client(1).Want("", ok)
	sc.WantLog("", "200 ---- be/s1 1 0/0")
}

func TestTimeoutOfATunnel(t *testing.T) {
	sc, c, s := tunnelled(t, "upgrade")
	sc.Advance(599 * time.Second)
	c.Send("ping")
	s.Want("either side keeps it alive", "ping")
	sc.Advance(599 * time.Second)
	s.Send("pong")
	c.Want("either side keeps it alive", "pong")
	sc.Expire("timeout tunnel", 600*time.Second)
	c.WantEOF("")
	s.WantReset("")
	sc.WantLog("", "101 cD-- be/s1 0 0/0")
}

func TestTimeoutOfATunnelWithoutItsOwnTime(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Timeouts.Tunnel = 0
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(upgrade)
	s.last("").WantStart("", "GET /ws")
	s.Send(switched)
	c.WantStart("", "HTTP/1.1 101 ")
	sc.Expire("timeout server is the shorter one", 30*time.Second)
	sc.WantLog("", "101 sD-- be/s1 0 0/0")
	c.ended, s.last("").ended = true, true
}

func TestTimeoutOfAHalfClosedTunnel(t *testing.T) {
	sc, c, s := tunnelled(t, "upgrade")
	c.CloseWrite()
	s.WantEOF("")
	sc.Expire("timeout server-fin", 8*time.Second)
	c.WantEOF("")
	s.last("").ended = true
	sc.WantLog("", "101 sD-- be/s1 0 0/0")
}

func TestTimeoutOfATunnelWhoseClientDoesNotRead(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(upgrade)
	s.last("").WantStart("", "GET /ws")
	s.Send(switched)
	c.WantStart("", "HTTP/1.1 101 ")
	c.end.Pause()
	s.Send(text(1_000_000))
	sc.Expire("timeout tunnel", 600*time.Second)
	c.ended, s.last("").ended = true, true
	sc.WantLog("", "101 cD-- be/s1 0 0/0")
}

func TestTimeoutOfAPROXYHeader(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		sc := newSeededScript(t, proxied(mode), 1)
		c := sc.Client(1)
		c.Send("PROXY TCP4")
		sc.Advance(39 * time.Second)
		c.Send(" ")
		sc.Expire("timeout client counts from the start, however much trickles", time.Second)
		if n := sc.p.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		c.ended = true
		sc.Server("s1").WantNoConnection("")
		sc.finish()
	}
}

// silentRelay is a relay whose sides have times of their own, and over which bytes
// went both ways.
func silentRelay(t *testing.T, change func(fe, be *Timeouts)) (*script, *peer, *scriptServer) {
	t.Helper()
	cfg := site(ModeTCP, 1)
	fe, be := &cfg.Frontends[0].Timeouts, &cfg.Backends[0].Timeouts
	be.Tunnel, fe.ClientFin, be.ServerFin = 0, 0, 0
	change(fe, be)
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("ping")
	s.Want("", "ping")
	sc.Advance(20 * time.Second)
	s.Send("pong")
	c.Want("", "pong")
	return sc, c, s
}

func TestTimeoutOfARelay(t *testing.T) {
	sc, c, s := silentRelay(t, func(_, be *Timeouts) { be.Server = 60 * time.Second })
	sc.Expire("timeout client, from the last byte either way", 40*time.Second)
	s.WantEOF("nothing more comes from the client")
	s.Send("late")
	c.Want("the server may finish", "late")
	c.Send("too late")
	s.last("").WantNothing("its half has ended")
	sc.Expire("timeout server, from its last byte", 60*time.Second)
	c.WantReset("what it sent too late was not read")
	sc.WantLog("the client was silent first", "cD be/s1 0 0/0")
}

func TestTimeoutOfARelaysServer(t *testing.T) {
	sc, c, s := silentRelay(t, func(_, _ *Timeouts) {})
	sc.Expire("timeout server, from the last byte either way", 30*time.Second)
	c.WantEOF("nothing more comes from the server")
	c.Send("late")
	s.Want("the client may finish", "late")
	sc.Expire("timeout client, from its last byte", 40*time.Second)
	s.WantEOF("")
	sc.WantLog("the server was silent first", "sD be/s1 0 0/0")
}

func TestTimeoutOfARelayEndsWithTheOtherSidesFIN(t *testing.T) {
	t.Run("client", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, be *Timeouts) { be.Server = 60 * time.Second })
		sc.Expire("timeout client", 40*time.Second)
		s.WantEOF("")
		s.Send("bye")
		s.CloseWrite()
		c.Want("", "bye")
		c.WantEOF("")
		sc.WantLog("", "cD be/s1 0 0/0")
	})
	t.Run("server", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, _ *Timeouts) {})
		sc.Expire("timeout server", 30*time.Second)
		c.WantEOF("")
		c.Send("bye")
		c.CloseWrite()
		s.Want("", "bye")
		s.WantEOF("")
		sc.WantLog("", "sD be/s1 0 0/0")
	})
	t.Run("RST", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, _ *Timeouts) {})
		sc.Expire("timeout server", 30*time.Second)
		c.WantEOF("")
		c.Reset()
		s.WantReset("")
		sc.WantLog("what came of it is not the cause", "sD be/s1 0 0/0")
	})
}

func TestFinTimesOfARelayCountFromTheTimeThatIsOver(t *testing.T) {
	t.Run("server-fin", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, be *Timeouts) { be.Server, be.ServerFin = 60*time.Second, 8*time.Second })
		sc.Expire("timeout client", 40*time.Second)
		s.WantEOF("")
		sc.Expire("timeout server-fin", 8*time.Second-expireLate)
		c.WantEOF("")
		sc.WantLog("", "cD be/s1 0 0/0")
	})
	t.Run("client-fin", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(fe, _ *Timeouts) { fe.ClientFin = 7 * time.Second })
		sc.Expire("timeout server", 30*time.Second)
		c.WantEOF("")
		sc.Expire("timeout client-fin", 7*time.Second-expireLate)
		s.WantEOF("")
		sc.WantLog("", "sD be/s1 0 0/0")
	})
}

func TestTimeoutTunnelOfARelay(t *testing.T) {
	sc, c, s := relaying(t)
	sc.Expire("timeout tunnel is the time of both", 600*time.Second)
	c.WantEOF("")
	s.WantEOF("")
	sc.WantLog("", "cD be/s1 0 0/0")
}

func TestTimeoutOfASplicedRelay(t *testing.T) {
	sc, c, s := silentRelay(t, func(_, _ *Timeouts) {})
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 1<<20, 1<<20
	for range 2 {
		s.Send(text(100_000))
		c.WantStart("a long flow", text(100))
	}
	sc.Expire("timeout server", 30*time.Second)
	c.WantEOF("")
	sc.Expire("timeout client", 10*time.Second-expireLate)
	s.WantEOF("")
	sc.WantLog("", "sD be/s1 0 0/0")
}

func TestTimeoutOfARelayWhoseServerHasClosed(t *testing.T) {
	t.Run("client-fin", func(t *testing.T) {
		sc, c, s := relaying(t)
		s.CloseWrite()
		c.WantEOF("")
		sc.Advance(5 * time.Second)
		c.Send("more")
		s.Want("a half-closed relay goes on", "more")
		sc.Expire("timeout client-fin", 7*time.Second)
		s.WantEOF("")
		sc.WantLog("", "cD be/s1 0 0/0")
	})
	t.Run("client", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, _ *Timeouts) {})
		sc.Advance(10 * time.Second)
		s.CloseWrite()
		c.WantEOF("")
		sc.Expire("timeout client, from the last byte: FIN is none, and the server owes nothing", 30*time.Second)
		s.WantEOF("")
		sc.WantLog("", "cD be/s1 0 0/0")
	})
}

func TestTimeoutOfARelayWhoseClientHasClosed(t *testing.T) {
	t.Run("server-fin", func(t *testing.T) {
		sc, c, s := relaying(t)
		c.CloseWrite()
		s.WantEOF("")
		sc.Advance(5 * time.Second)
		s.Send("more")
		c.Want("a half-closed relay goes on", "more")
		sc.Expire("timeout server-fin", 8*time.Second)
		c.WantEOF("")
		sc.WantLog("", "sD be/s1 0 0/0")
	})
	t.Run("server", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, be *Timeouts) { be.Server = 60 * time.Second })
		sc.Advance(10 * time.Second)
		c.CloseWrite()
		s.WantEOF("")
		sc.Expire("timeout server, from the last byte: FIN is none, and the client owes nothing", 50*time.Second)
		c.WantEOF("")
		sc.WantLog("", "sD be/s1 0 0/0")
	})
	t.Run("tunnel", func(t *testing.T) {
		sc, c, s := silentRelay(t, func(_, be *Timeouts) { be.Tunnel = 600 * time.Second })
		sc.Advance(10 * time.Second)
		c.CloseWrite()
		s.WantEOF("")
		sc.Expire("timeout tunnel stays in place of timeout server", 590*time.Second)
		c.WantEOF("")
		sc.WantLog("", "sD be/s1 0 0/0")
	})
}

func TestTimeoutOfARelayWhoseClientDoesNotRead(t *testing.T) {
	cfg := site(ModeTCP, 1)
	cfg.Backends[0].Timeouts.Tunnel, cfg.Backends[0].Timeouts.Server = 0, 60*time.Second
	sc := newScript(t, cfg)
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	s.Send(text(1_000_000))
	sc.Expire("timeout client", 40*time.Second)
	sc.WantLog("", "cD be/s1 0 0/0")
	s.WantReset("the rest has nowhere to go")
	if c.end.Resume(); !c.end.WasReset() {
		t.Error("what is lost must not look as if it were all")
	}
	c.ended = true
}

func TestTimeoutOfARelayWhoseServerDoesNotRead(t *testing.T) {
	cfg := site(ModeTCP, 1)
	cfg.Backends[0].Timeouts.Tunnel = 0
	sc := newScript(t, cfg)
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	s.Accept("").end.Pause()
	c.Send(text(1_000_000))
	sc.Expire("timeout server", 30*time.Second)
	sc.WantLog("", "sD be/s1 0 0/0")
	if s.last("").end.Resume(); !s.last("").end.WasReset() {
		t.Error("what is lost must not look as if it were all")
	}
	c.ended, s.last("").ended = true, true
}

func TestTimeoutOfARelaysConnect(t *testing.T) {
	cfg := site(ModeTCP, 1).limited(1)
	cfg.Backends[0].Retries = -1
	sc := newScript(t, cfg)
	sc.Server("s1").srv.Swallow(true)
	sc.Client(1)
	sc.Expire("timeout connect", 3*time.Second)
	sc.Client(1).WantEOF("")
	sc.WantLog("", "sC be/s1 0 0/0")
}

func TestTimeoutOfATarpit(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "tarpit"}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(getA)
	sc.Expire("timeout tarpit", 9*time.Second)
	c.WantStart("answered at last", "HTTP/1.1 500 Internal Server Error\r\n")
	sc.WantLog("", "500 PT-- fe/<NOSRV> 0 0/0")
}

func TestTimeoutOfAClientThatDoesNotReadOurLastAnswer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 0))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 50, 50
	c := sc.Client(1)
	c.end.Pause()
	c.Send("GET /a HTTP/1.0\r\n\r\n")
	sc.Expire("timeout client", 40*time.Second)
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	c.ended = true
}
