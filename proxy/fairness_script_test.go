package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// A turn has bounds: who could keep the loop busy for long gets a share of it.
// In these scripts much is there to be moved, and another client's request comes
// behind it: it has to be through after few turns.

const fairTurnsMax = 4

// fairly sends a request of client 2 while much waits, and turns the loop a few
// times.
func (sc *script) fairly(begin func()) {
	sc.t.Helper()
	sc.settle()
	begin()
	sc.Client(2).end.Send([]byte(getB))
	for range fairTurnsMax {
		sc.loops[0].Turn(0)
	}
	for _, s := range sc.order {
		for end := s.srv.Accept(); end != nil; end = s.srv.Accept() {
			s.conns = append(s.conns, &peer{sc: sc, name: "server " + s.name, end: end})
		}
		for _, c := range s.conns {
			if strings.HasSuffix(string(c.end.Recv()), getB) {
				return
			}
		}
	}
	sc.t.Errorf("the other client's request is not through after %d turns", fairTurnsMax)
}

// wide is a site whose sockets hold all that is sent.
func wide(t *testing.T, cfg *Config) *script {
	sc := newScript(t, cfg)
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 64<<20, 64<<20
	return sc
}

func TestALongAnswerLeavesTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	big := text(8 << 20)
	sc.fairly(func() {
		s.last("").end.Send(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(big), big))
	})
	if n := len(c.end.Recv()); n > fairTurnsMax*spliceDiscount*(relayBytesPerTurn+100_000) {
		t.Errorf("%d bytes went through in %d turns", n, fairTurnsMax)
	}
	sc.settle()
	if got := string(c.end.Take()); !strings.HasSuffix(got, big) {
		t.Errorf("the client got %s", brief(got))
	}
}

func TestALongRequestLeavesTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", 8<<20))
	s.last("").WantStart("", "POST")
	big := text(8 << 20)
	sc.fairly(func() { c.end.Send([]byte(big)) })
	sc.settle()
	if got := string(s.conns[0].end.Take()); got != big {
		t.Errorf("the server got %s", brief(got))
	}
}

func TestALongTunnelLeavesTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(upgrade)
	s.last("").WantStart("", "GET /ws")
	s.Send(switched)
	c.WantStart("", "HTTP/1.1 101")
	big := text(8 << 20)
	sc.fairly(func() { c.end.Send([]byte(big)); s.last("").end.Send([]byte(big)) })
	sc.settle()
	if up, down := string(s.conns[0].end.Take()), string(c.end.Take()); up != big || down != big {
		t.Errorf("the server got %s, the client %s", brief(up), brief(down))
	}
}

func TestALongRelayLeavesTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeTCP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	s.Accept("")
	big := text(8 << 20)
	sc.fairly(func() { c.end.Send([]byte(big)); s.last("").end.Send([]byte(big)) })
	sc.settle()
	if up, down := string(s.conns[0].end.Take()), string(c.end.Take()); up != big || down != big {
		t.Errorf("the server got %s, the client %s", brief(up), brief(down))
	}
}

func TestManyInterimAnswersLeaveTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	many := strings.Repeat("HTTP/1.1 102 P\r\n\r\n", 100_000)
	writes := sc.sk.Writes
	sc.fairly(func() { s.last("").end.Send([]byte(many + ok)) })
	if n := len(c.end.Recv()); n > fairTurnsMax*slowBytesPerTurn {
		t.Errorf("%d bytes of heads went through in %d turns", n, fairTurnsMax)
	}
	if n := sc.sk.Writes - writes; n > 3*fairTurnsMax {
		t.Errorf("%d writes in %d turns: the heads of one read go as one", n, fairTurnsMax)
	}
	sc.settle()
	c.Want("all of them", many+ok)
}

// slowBytesPerTurn is what one connection gets through at most where each byte
// costs much: its share, and the read that goes beyond it.
const slowBytesPerTurn = relayBytesPerTurn/framingWeight + 32<<10

func TestTinyChunksLeaveTurnsToOthers(t *testing.T) {
	tiny := strings.Repeat("1\r\nx\r\n", 300_000) + "0\r\n\r\n"
	body := strings.Repeat("x", 300_000)
	t.Run("request", func(t *testing.T) {
		sc := wide(t, site(ModeHTTP, 1))
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(postChunked)
		s.Want("", postChunked)
		sc.fairly(func() { c.end.Send([]byte(tiny)) })
		if n := len(s.conns[0].end.Recv()); n > fairTurnsMax*slowBytesPerTurn {
			t.Errorf("%d bytes went through in %d turns", n, fairTurnsMax)
		}
		sc.settle()
		if got := dechunk(t, string(s.conns[0].end.Take())); got != body {
			t.Errorf("the server got %s", brief(got))
		}
	})
	t.Run("answer", func(t *testing.T) {
		sc := wide(t, site(ModeHTTP, 1))
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(getA)
		s.Want("", getA)
		s.Send(chunkedHead)
		c.Want("", chunkedHead)
		sc.fairly(func() { s.last("").end.Send([]byte(tiny)) })
		if n := len(c.end.Recv()); n > fairTurnsMax*slowBytesPerTurn {
			t.Errorf("%d bytes went through in %d turns", n, fairTurnsMax)
		}
		sc.settle()
		if got := dechunk(t, string(c.end.Take())); got != body {
			t.Errorf("the client got %s", brief(got))
		}
	})
}

// Many who are due get little each: the turn has a bound, not just each of them.
func TestManyClientsShareATurn(t *testing.T) {
	const many = 4 * turnRequests
	sc := wide(t, site(ModeHTTP, 0))
	for n := range many {
		sc.Client(n + 10)
		if n%100 == 0 {
			sc.settle() // the socket's queue is short
		}
	}
	sc.settle()
	for n := range many {
		sc.Client(n + 10).end.Send([]byte(strings.Repeat(getA, 10)))
	}
	sc.Client(2)
	answered := func() (n int) {
		for i := range many {
			n += strings.Count(string(sc.Client(i+10).end.Recv()), "HTTP/1.1 503 ")
		}
		return n
	}
	for turn := 1; turn <= fairTurnsMax; turn++ {
		sc.loops[0].Turn(0)
		if n := answered(); n > (turn+1)*many { // events come first, then those who asked again
			t.Errorf("%d requests of %d clients were answered in %d turns", n, many, turn)
		}
	}
	sc.settle()
	if n := answered(); n != 10*many {
		t.Errorf("%d answers to %d requests", n, 10*many)
	}
	for n := range many {
		sc.Client(n + 10).end.Take()
	}
}

func TestManyPipelinedRequestsLeaveTurnsToOthers(t *testing.T) {
	sc := wide(t, site(ModeHTTP, 0))
	c := sc.Client(1)
	sc.settle()
	const n = 20_000
	c.end.Send([]byte(strings.Repeat(getA, n)))
	sc.Client(2).end.Send([]byte(getB))
	for range fairTurnsMax {
		sc.loops[0].Turn(0)
	}
	if !strings.HasPrefix(string(sc.Client(2).end.Recv()), "HTTP/1.1 503 ") {
		t.Errorf("the other client has no answer after %d turns", fairTurnsMax)
	}
	if got := strings.Count(string(c.end.Recv()), "HTTP/1.1 503 "); got > fairTurnsMax*2*requestsPerTurn {
		t.Errorf("%d requests were answered in %d turns", got, fairTurnsMax)
	}
	sc.settle()
	if got := strings.Count(string(c.end.Take()), "HTTP/1.1 503 "); got != n {
		t.Errorf("%d answers to %d requests", got, n)
	}
}

func TestAcceptingLeavesTurnsToOthers(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Global.Tune.MaxAccept = 10
	sc := newScript(t, cfg)
	sc.settle()
	for n := range 100 {
		sc.addClient(n, sc.sk.Client(sc.doors[0]))
	}
	sc.loops[0].Turn(0)
	if n := sc.p.Connections(); n > 20 {
		t.Errorf("%d connections were accepted in a turn, limit 10", n)
	}
	sc.settle()
	if n := sc.p.Connections(); n != 100 {
		t.Errorf("%d connections", n)
	}
}
