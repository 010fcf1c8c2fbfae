package proxy

import (
	"strings"
	"testing"
)

// Option http-buffer-request: what is known of the body when rules look at it.

const postHead = "POST /a HTTP/1.1\r\nhost: x\r\n"

// bodyRule denies what has the text in its body.
func bodyRule(text string) []Rule {
	return []Rule{{Name: "deny", Cond: Cond{Words: []string{"{", "req.body", "-m", "sub", text, "}"}}}}
}

func TestRulesSeeTheBodyThatWasAwaited(t *testing.T) {
	for name, change := range map[string]func(fe *Frontend, be *Backend){
		"frontend": func(fe *Frontend, be *Backend) { fe.HTTPBufferRequest, fe.HTTPRules.Request = true, bodyRule("abcdef") },
		"backend":  func(fe *Frontend, be *Backend) { be.HTTPBufferRequest, be.HTTPRules.Request = true, bodyRule("abcdef") },
		"frontend, rule of the backend": func(fe *Frontend, be *Backend) {
			fe.HTTPBufferRequest, be.HTTPRules.Request = true, bodyRule("abcdef")
		},
		"both": func(fe *Frontend, be *Backend) {
			fe.HTTPBufferRequest, be.HTTPBufferRequest, be.HTTPRules.Request = true, true, bodyRule("abcdef")
		},
	} {
		for framing, body := range map[string]string{
			"length": "content-length: 6\r\n\r\nabc|def",
			"chunks": "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nd|ef\r\n0\r\n\r\n",
		} {
			t.Run(name+", "+framing, func(t *testing.T) {
				cfg := site(ModeHTTP, 1)
				change(&cfg.Frontends[0], &cfg.Backends[0])
				sc := newScript(t, cfg)
				c := sc.Client(1)
				first, rest, _ := strings.Cut(postHead+body, "|")
				c.Send(first)
				sc.WantIdle("the body is not here")
				c.Send(rest)
				if got := c.WantStart("denied", "HTTP/1.1 403 Forbidden\r\n"); strings.Contains(got, "close") {
					t.Errorf("got %q: the whole request is here, so the connection can go on", got)
				}
				sc.Server("s1").WantNoConnection("and not sent on")
				c.Send(strings.ReplaceAll(first+rest, "abc", "abx"))
				sc.Server("s1").last("another body").WantStart("another body", "POST /a")
			})
		}
	}
}

func TestUseBackendSeesTheBodyThatWasAwaited(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	other := site(ModeHTTP, 1).Backends[0]
	other.Name, other.Servers[0].Name, other.Servers[0].Address = "other", "o1", "127.0.0.1:9001"
	other.Balance.Servers[0].Name = "o1"
	cfg.Backends = append(cfg.Backends, other)
	cfg.Frontends[0].HTTPBufferRequest = true
	cfg.Frontends[0].UseBackend = []UseBackend{{Backend: "other", Cond: Cond{Words: []string{"{", "req.body", "-m", "str", "abcdef", "}"}}}}
	sc := newScript(t, cfg)
	c := sc.Client(1)
	whole := postHead + "content-length: 6\r\n\r\nabcdef"
	c.Send(whole[:len(whole)-3])
	c.Send(whole[len(whole)-3:] + getB) // what stands behind is not the body's
	sc.Server("o1").Want("the body decides", whole)
	sc.Server("o1").Send(ok)
	c.Want("", ok)
	sc.Server("s1").Want("a request without a body has none", getB)
	sc.Server("s1").Send(ok)
	c.Want("", ok)
}

func TestTarpitAfterTheBodyThatWasAwaited(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].HTTPBufferRequest = true
	cfg.Frontends[0].HTTPRules.Request = bodyRule("def")
	cfg.Frontends[0].HTTPRules.Request[0].Name = "tarpit"
	sc := newScript(t, cfg)
	c := sc.Client(1)
	c.Send(postHead + "content-length: 6\r\n\r\nabc")
	c.Send("def")
	sc.Expire("timeout tarpit", cfg.Frontends[0].Timeouts.Tarpit)
	c.WantStart("", "HTTP/1.1 500 ")
	sc.WantLog("", "500 PT-- fe/<NOSRV> 0 0/0")
}

func TestBrokenChunkInABodyThatIsAwaitedReachesNoServer(t *testing.T) {
	for _, first := range []string{"3\r\nabc\r\n", "", "3\r\nabc\r\nxyz\r\n"} {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].HTTPBufferRequest = true
		sc := newScript(t, cfg)
		c := sc.Client(1)
		c.Send(postHead + "transfer-encoding: chunked\r\n\r\n" + first)
		c.Send("xyz\r\n")
		if got := string(c.end.Take()); !strings.HasPrefix(strings.ToLower(got), "http/1.1 400 bad request\r\n") {
			t.Errorf("%q: got %q, want 400", first, got)
		}
		c.WantEOF("and the connection can't go on")
		sc.WantLog("", "400 PR-- fe/<NOSRV> 0 0/0")
		sc.Server("s1").WantNoConnection("")
	}
}

func TestClientThatEndsInABodyThatIsAwaitedReachesNoServer(t *testing.T) {
	for name, leave := range map[string]func(c *peer){"close": (*peer).Close, "reset": (*peer).Reset, "FIN": (*peer).CloseWrite} {
		for _, section := range []string{"fe", "be"} {
			t.Run(name+", "+section, func(t *testing.T) {
				cfg := site(ModeHTTP, 1)
				cfg.Frontends[0].HTTPBufferRequest = section == "fe"
				cfg.Backends[0].HTTPBufferRequest = section == "be"
				sc := newScript(t, cfg)
				c := sc.Client(1)
				c.Send(postHead + "content-length: 6\r\n\r\nabc")
				leave(c)
				if name == "reset" {
					sc.WantLog("nobody is there any more", "-1 CR-- "+section+"/<NOSRV> 0 0/0")
				} else {
					sc.WantLog("rules could still have answered", "-1 CR-- be/<NOSRV> 0 0/0")
				}
				if name == "FIN" {
					c.WantEOF("")
				}
				sc.Server("s1").WantNoConnection("")
			})
		}
	}
}
