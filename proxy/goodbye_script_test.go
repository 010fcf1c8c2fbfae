package proxy

import (
	"strings"
	"testing"
)

const getClose = "GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"

// A client that announces its last request is closed with the answer.
func TestClientThatSaidGoodbyeIsNotAwaited(t *testing.T) {
	for name, tc := range map[string]struct{ request, response, end string }{
		"HTTP/1.1":        {getClose, ok, "ok"},
		"HTTP/1.0":        {"GET /a HTTP/1.0\r\n\r\n", ok, "ok"},
		"in pieces":       {getClose, "HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n" + text(50_000), text(50_000)},
		"chunked":         {getClose, chunkedHead + chunked(text(50_000), 7000), "\r\n0\r\n\r\n"},
		"until the close": {getClose, "HTTP/1.1 200 OK\r\n\r\n" + text(70_000), text(70_000)},
		"HEAD":            {strings.Replace(getClose, "GET", "HEAD", 1), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c, s := sc.Client(1), sc.Server("s1")
			c.Send(tc.request)
			s.Accept("").end.Take()
			s.Send(tc.response)
			if name == "until the close" {
				s.CloseWrite()
			}
			if got := c.WantStart("all of the answer", "HTTP/1.1 200 OK\r\n"); !strings.HasSuffix(got, tc.end) {
				t.Errorf("got %s", brief(got))
			}
			c.WantEOF("and the end")
			if n := sc.p.Connections(); n != 0 {
				t.Errorf("%d connections: FIN was awaited", n)
			}
			sc.WantLog("", "200 ---- be/s1 0 0/0")
		})
	}
}

func TestClientThatSaidGoodbyeIsNotAwaitedAfterOurAnswer(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.Server("s1").srv.Refuse(true)
	c := sc.Client(1)
	c.Send(getClose)
	sc.Advance(5 * retryPauseMax)
	c.WantStart("", sorry503)
	c.WantEOF("")
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections: FIN was awaited", n)
	}
}

// A close with unread bytes would be a RST, which can take the answer with it.
func TestGoodbyeWithBytesBehindItIsNotTrusted(t *testing.T) {
	for name, send := range map[string]func(c *peer, s *scriptServer){
		"behind the request": func(c *peer, s *scriptServer) { c.Send(getClose + "\r\n"); s.Accept("").end.Take() },
		"later": func(c *peer, s *scriptServer) {
			c.Send(getClose)
			s.Accept("").end.Take()
			c.Send("\r\n")
		},
		"behind a body": func(c *peer, s *scriptServer) {
			c.Send("POST /a HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi\r\n")
			s.Accept("").end.Take()
		},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c, s := sc.Client(1), sc.Server("s1")
			send(c, s)
			s.Send(ok)
			c.WantStart("the answer", "HTTP/1.1 200 OK\r\n")
			c.WantEOF("a FIN and no RST")
			if n := sc.p.Connections(); n != 1 {
				t.Errorf("%d connections: nobody waits for the client's FIN", n)
			}
		})
	}
}

func TestGoodbyeOfASlowClient(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 3000, 3000
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Pause()
	c.Send(getClose)
	s.Accept("").end.Take()
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n" + text(10_000))
	if n := sc.p.Connections(); n != 1 {
		t.Errorf("%d connections while bytes are to be written, want 1", n)
	}
	c.end.Resume()
	c.Want("all of it", "HTTP/1.1 200 OK\r\ncontent-length: 10000\r\nconnection: close\r\n\r\n"+text(10_000))
	c.WantEOF("")
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
