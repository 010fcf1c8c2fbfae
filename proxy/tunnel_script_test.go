package proxy

import (
	"strings"
	"testing"
)

const (
	upgrade  = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nconnection: Upgrade\r\n\r\n"
	switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
	connect  = "CONNECT y:1234 HTTP/1.1\r\nhost: y:1234\r\n\r\n"
)

// tunnelled is a script with a tunnel of the kind.
func tunnelled(t *testing.T, kind string) (*script, *peer, *scriptServer) {
	t.Helper()
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	if kind == "connect" {
		c.Send(connect)
		s.last("").WantStart("the request", "CONNECT y:1234 HTTP/1.1\r\n")
		s.Send("HTTP/1.1 200 OK\r\n\r\n")
		c.WantStart("accepted", "HTTP/1.1 200 OK\r\n")
	} else {
		c.Send(upgrade)
		s.last("").WantStart("the request", "GET /ws HTTP/1.1\r\n")
		s.Send(switched)
		c.WantStart("accepted", "HTTP/1.1 101 Switching Protocols\r\n")
	}
	return sc, c, s
}

func eachTunnel(t *testing.T, test func(t *testing.T, kind, status string)) {
	for kind, status := range map[string]string{"upgrade": "101", "connect": "200"} {
		t.Run(kind, func(t *testing.T) { test(t, kind, status) })
	}
}

func TestTunnelCarriesBytesBothWays(t *testing.T) {
	eachTunnel(t, func(t *testing.T, kind, status string) {
		sc, c, s := tunnelled(t, kind)
		c.Send("ping")
		s.Want("from the client", "ping")
		s.Send("pong")
		c.Want("from the server", "pong")
		c.Send(getA)
		s.Want("what looks like HTTP is only bytes", getA)
		big := text(200_000)
		s.Send(big)
		c.Want("much", big)
		c.Close()
		s.WantEOF("the client has closed")
		s.Close()
		sc.WantLog("a normal end", status+" ---- be/s1 0 0/0")
	})
}

func TestTunnelCarriesWhatCameBehindTheHeads(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(upgrade + "early")
	head := s.last("").WantStart("only the head: nothing is relayed before 101", "GET /ws")
	if !strings.HasSuffix(head, "\r\n\r\n") {
		t.Errorf("the server got %q", head)
	}
	s.Send(switched + "first")
	if got := c.WantStart("the head, and what came behind it", "HTTP/1.1 101 "); !strings.HasSuffix(got, "\r\n\r\nfirst") {
		t.Errorf("the client got %q", got)
	}
	s.Want("now the client's early bytes", "early")
}

func TestTunnelThatBeginsBeforeTheRequestIsWhollySent(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.end.Send([]byte(upgrade + "early"))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 40, 30
	end := s.srv.Accept()
	for end == nil {
		sc.loops[0].Turn(0)
		end = s.srv.Accept()
	}
	end.Pause()
	p := &peer{sc: sc, name: "server", end: end}
	s.conns = append(s.conns, p)
	sc.settle()
	if end.Unread() >= len(upgrade) {
		t.Fatal("all of the request is sent")
	}
	p.Send(switched)
	c.WantStart("", "HTTP/1.1 101 ")
	p.end.Resume()
	got := p.WantStart("", "GET /ws HTTP/1.1\r\n")
	if !strings.HasSuffix(got, "\r\n\r\nearly") {
		t.Errorf("the server got %q", got)
	}
}

func TestTunnelThatTheServerRefusesIsHTTP(t *testing.T) {
	const no = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"
	for _, request := range []string{upgrade, connect} {
		sc := newSeededScript(t, site(ModeHTTP, 1), 1)
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(request)
		s.last("").WantStart("", request[:10])
		s.Send(no)
		c.Want("an answer as others", no)
		c.Send(getB)
		s.Want("and HTTP goes on", getB)
		s.Send(ok)
		c.Want("", ok)
		sc.finish()
	}
}

func TestTunnelHalfClosedByTheClient(t *testing.T) {
	eachTunnel(t, func(t *testing.T, kind, status string) {
		sc, c, s := tunnelled(t, kind)
		c.Send("last words")
		c.CloseWrite()
		s.Want("", "last words")
		s.WantEOF("FIN passes")
		s.Send("answer")
		c.Want("the other direction still works", "answer")
		s.Close()
		c.WantEOF("FIN passes, too")
		sc.WantLog("a normal end", status+" ---- be/s1 0 0/0")
	})
}

func TestTunnelEndsWithItsServer(t *testing.T) {
	eachTunnel(t, func(t *testing.T, kind, status string) {
		sc, c, s := tunnelled(t, kind)
		s.Send("last words")
		s.CloseWrite()
		c.Want("", "last words")
		c.WantEOF("HTTP has no half-closed server")
		sc.WantLog("a normal end", status+" ---- be/s1 0 0/0")
		s.WantReset("")
	})
}

func TestTunnelWhoseClientResets(t *testing.T) {
	sc, c, s := tunnelled(t, "upgrade")
	c.Reset()
	s.WantReset("cut is cut")
	sc.WantLog("", "101 CD-- be/s1 0 0/0")
}

func TestTunnelWhoseServerResets(t *testing.T) {
	sc, c, s := tunnelled(t, "upgrade")
	s.Reset()
	sc.settle()
	if !c.end.EOF() && !c.end.WasReset() {
		t.Error("the client learns nothing of it")
	}
	c.ended = true
	sc.WantLog("", "101 SD-- be/s1 0 0/0")
}

func TestTunnelHoldsBackWhatNobodyReads(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(upgrade)
	s.last("").WantStart("", "GET /ws")
	s.Send(switched)
	c.WantStart("", "HTTP/1.1 101 ")
	big := text(1 << 20)
	c.end.Pause()
	s.Send(big)
	sc.wantHeldBack(c, s.last(""), 600<<10)
	c.Send("urgent")
	s.Want("the other direction is free", "urgent")
	c.end.Resume()
	c.Want("all comes", big)
	s.last("").end.Pause()
	c.Send(big)
	sc.wantHeldBack(s.last(""), c, 600<<10)
	s.last("").end.Resume()
	s.Want("the same the other way", big)
}

func TestUpgradeWithABodyIsNoUpgrade(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\nupgrade: y\r\nconnection: upgrade\r\ncontent-length: 3\r\n\r\nabc")
	got := s.last("").WantStart("", "POST /a")
	if strings.Contains(got, "\r\nupgrade:") {
		t.Errorf("the server got %q", got)
	}
	s.Send(ok)
	c.Want("", ok)
}
