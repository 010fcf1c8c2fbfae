package proxy

import "testing"

// Rules change what was asked and what is answered: each side's framing follows
// what that side was told.

// ruled is a script whose backend changes answers by one rule.
func ruled(t *testing.T, name string, args ...string) (*script, *peer, *scriptServer) {
	t.Helper()
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].HTTPRules.Response = []Rule{{Name: name, Args: args, Cond: Cond{Words: []string{"{", "status", "201", "}"}}}}
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the request", getA)
	return sc, c, s
}

const sorry = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n\r\nsorry"

func TestServerOfAReplacedAnswerGoesOnWhenAllOfItIsHere(t *testing.T) {
	for name, answer := range map[string]string{
		"no body": "HTTP/1.1 201 Made\r\ncontent-length: 0\r\n\r\n",
		"length":  "HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nhello",
		"chunks":  "HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			sc, c, s := ruled(t, "deny", "status", "502", "string", "sorry")
			s.Send(answer)
			c.Want("the rule's answer", sorry)
			sc.WantLog("", "502 PH-- be/s1 0 0/0")
			c.Send(getB)
			s.Want("the same connection", getB)
			s.Send(ok)
			c.Want("its own answer", ok)
		})
	}
}

func TestServerOfAReplacedAnswerIsClosedWhenMoreWouldCome(t *testing.T) {
	for name, answer := range map[string]string{
		"length":      "HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nhell",
		"chunks":      "HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		"bad chunk":   "HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n",
		"until close": "HTTP/1.1 201 Made\r\n\r\nhello",
		"and another": "HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nhello" + hello,
	} {
		t.Run(name, func(t *testing.T) {
			_, c, s := ruled(t, "deny", "status", "502", "string", "sorry")
			s.Send(answer)
			c.Want("the rule's answer", sorry)
			s.WantReset("the rest is not waited for")
			c.Send(getB)
			s.Accept("a new connection").Want("", getB)
			s.Send(ok)
			c.Want("its own answer", ok)
		})
	}
}

func TestServerOfAnAnswerThatIsRetriedGoesOnWhenAllOfItIsHere(t *testing.T) {
	for _, tc := range []struct {
		answer string
		whole  bool
	}{
		{"HTTP/1.1 503 No\r\ncontent-length: 5\r\n\r\nhello", true},
		{"HTTP/1.1 503 No\r\ncontent-length: 5\r\n\r\nhell", false},
	} {
		cfg := site(ModeHTTP, 1)
		cfg.Backends[0].RetryOn = []string{"503"}
		sc := newScript(t, cfg)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(tc.answer)
		s.Accept("the request goes on a connection of its own").Want("again", getA)
		if tc.whole {
			s.conns[0].WantNothing("the whole answer was read")
		} else {
			s.conns[0].WantReset("the rest is not waited for")
		}
		s.Send(ok)
		c.Want("", ok)
		sc.WantLog("", "200 ---- be/s1 1 0/0")
	}
}

func TestStatusChangedByARuleDoesNotMixAnswers(t *testing.T) {
	const body, chunked = "content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	for name, tc := range map[string]struct{ to, answer, want string }{
		"no body any more":     {"204", body, "HTTP/1.1 204 No Content\r\n\r\n"},
		"no chunks any more":   {"204", chunked, "HTTP/1.1 204 No Content\r\n\r\n"},
		"not modified":         {"304", body, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"},
		"not modified, chunks": {"304", chunked, "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n"},
		"another status":       {"200", body, "HTTP/1.1 200 OK\r\n" + body},
	} {
		t.Run(name, func(t *testing.T) {
			_, c, s := ruled(t, "set-status", tc.to)
			s.Send("HTTP/1.1 201 Made\r\n" + tc.answer)
			c.Want("what the status that the client sees allows", tc.want)
			c.Send(getB)
			s.Want("both connections go on", getB)
			s.Send(ok)
			c.Want("its own answer", ok)
		})
	}
	t.Run("a body that comes late", func(t *testing.T) {
		sc, c, s := ruled(t, "set-status", "204")
		s.Send("HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nhe")
		c.Want("the head goes at once", "HTTP/1.1 204 No Content\r\n\r\n")
		c.Send(getB)
		sc.WantIdle("the rest comes first")
		s.Send("llo")
		s.Want("now the next request", getB)
		s.Send(ok)
		c.Want("its own answer", ok)
	})
}

func TestStatusChangedByARuleToOneWithABody(t *testing.T) {
	for name, tc := range map[string]struct {
		answer, want string
		ends         bool
	}{
		"nothing told":  {"HTTP/1.1 204 None\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"a length told": {"HTTP/1.1 304 None\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n", true},
		"chunks told":   {"HTTP/1.1 304 None\r\ntransfer-encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"HTTP/1.0":      {"HTTP/1.0 204 None\r\nconnection: keep-alive\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Backends[0].HTTPRules.Response = []Rule{{Name: "set-status", Args: []string{"200"}}}
			sc := newScript(t, cfg)
			c, s := sc.Client(1), sc.Server("s1")
			c.Send(getA)
			s.Want("", getA)
			s.Send(tc.answer)
			c.Want("an empty body, or an end", tc.want)
			if tc.ends {
				c.WantEOF("no other answer may stand in its place")
				return
			}
			c.Send(getB)
			s.Want("both connections go on", getB)
			s.Send(hello)
			c.Want("its own answer", hello)
		})
	}
}

const headA = "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n"

// turned is a script whose frontend turns every method into another one.
func turned(t *testing.T, to, request, sent string) (*script, *peer, *scriptServer) {
	t.Helper()
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "set-method", Args: []string{to}}}
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(request)
	s.Want("the method that the rule says", sent)
	return sc, c, s
}

func TestBodyOfAHeadThatARuleMadeGetIsReadAndForgotten(t *testing.T) {
	for name, tc := range map[string]struct{ first, rest, want string }{
		"at once": {hello, "", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"},
		"later":   {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", "llo", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"},
		"chunks":  {chunkedHead + "5\r\nhel", "lo\r\n0\r\nx-t: 1\r\n\r\n", chunkedHead},
	} {
		t.Run(name, func(t *testing.T) {
			sc, c, s := turned(t, "GET", headA, getA)
			s.Send(tc.first)
			c.Want("the head goes at once", tc.want)
			if tc.rest != "" {
				sc.WantNoLog("the server has not ended")
				s.Send(tc.rest)
			}
			sc.WantLog("", "200 ---- be/s1 0 0/0")
			c.Send("HEAD /b HTTP/1.1\r\nhost: x\r\n\r\n")
			s.Want("both connections go on", getB)
			s.Send(ok)
			c.Want("", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
		})
	}
	t.Run("until close", func(t *testing.T) {
		_, c, s := turned(t, "GET", headA, getA)
		s.Send("HTTP/1.1 200 OK\r\n\r\nhello")
		c.Want("", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
		s.Send("world")
		s.Close()
		c.WantEOF("nothing is missing")
	})
	t.Run("cut", func(t *testing.T) {
		sc, c, s := turned(t, "GET", headA, getA)
		s.Send("HTTP/1.1 200 OK\r\n\r\nhello")
		c.Want("", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
		s.Reset()
		c.WantEOF("the client has all that it asked for")
		sc.WantLog("", "200 SD-- be/s1 0 0/0")
	})
}

func TestGetThatARuleMadeHeadGetsAnEmptyBody(t *testing.T) {
	const headers = "HTTP/1.1 200 OK\r\nx-a: 1\r\n"
	for name, answer := range map[string]string{"nothing told": headers + "\r\n", "chunks told": headers + "transfer-encoding: chunked\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			_, c, s := turned(t, "HEAD", getA, headA)
			s.Send(answer)
			c.Want("an empty body", headers+"transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
			c.Send(getB)
			s.Want("both connections go on", "HEAD /b HTTP/1.1\r\nhost: x\r\n\r\n")
			s.Send(answer)
			c.Want("", headers+"transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
		})
	}
	t.Run("HTTP/1.0", func(t *testing.T) {
		_, c, s := turned(t, "HEAD", "GET /a HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\n", "HEAD /a HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\n")
		s.Send(headers + "\r\n")
		c.Want("no chunks", headers+"connection: close\r\n\r\n")
		c.WantEOF("its end is the end of the body")
	})
}
