package proxy

import (
	"bytes"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// relaying is a script with a TCP session that has carried a word each way.
func relaying(t *testing.T) (*script, *peer, *scriptServer) {
	t.Helper()
	sc := newScript(t, site(ModeTCP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("ping")
	s.Want("from the client", "ping")
	s.Send("pong")
	c.Want("from the server", "pong")
	return sc, c, s
}

func TestRelayConnectsBeforeTheClientSpeaks(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	s.Accept("the server may have to speak first")
	s.Send("220 hello\r\n")
	c.Want("its greeting", "220 hello\r\n")
}

func TestRelayOfAClientThatClosesFirst(t *testing.T) {
	sc, c, s := relaying(t)
	c.CloseWrite()
	s.WantEOF("FIN passes")
	s.Send("last words")
	c.Want("the other direction still works", "last words")
	s.Close()
	c.WantEOF("FIN passes")
	sc.WantLog("a normal end", "-- be/s1 0 0/0")
}

func TestRelayOfAServerThatClosesFirst(t *testing.T) {
	sc, c, s := relaying(t)
	s.CloseWrite()
	c.WantEOF("FIN passes")
	c.Send("last words")
	s.Want("the other direction still works", "last words")
	c.Close()
	s.WantEOF("FIN passes")
	sc.WantLog("a normal end", "-- be/s1 0 0/0")
}

func TestRelayBytesBeforeFINAreNotLost(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		sc := newSeededScript(t, site(ModeTCP, 1), seed)
		sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 5000, 5000
		sc.sk.Faults = simkernel.Faults{ShortRead: 0.3, ShortWrite: 0.3, Again: 0.3, Spurious: 0.2}
		c, s := sc.Client(1), sc.Server("s1")
		up, down := text(40_000), text(30_000)
		c.end.Send([]byte(up))
		c.end.CloseWrite()
		p := s.Accept("")
		p.end.Send([]byte(down))
		p.end.CloseWrite()
		p.Want("all of it", up)
		p.WantEOF("then FIN")
		c.Want("all of it", down)
		c.WantEOF("then FIN")
		sc.finish()
	}
}

func TestRelayWhoseClientResets(t *testing.T) {
	sc, c, s := relaying(t)
	c.Reset()
	s.WantReset("what was cut must look cut")
	sc.WantLog("", "CD be/s1 0 0/0")
}

func TestRelayWhoseServerResets(t *testing.T) {
	sc, c, s := relaying(t)
	s.Reset()
	c.WantReset("what was cut must look cut")
	sc.WantLog("", "SD be/s1 0 0/0")
}

func TestRelayWhoseClientResetsAfterFIN(t *testing.T) {
	sc, c, s := relaying(t)
	c.CloseWrite()
	s.WantEOF("FIN passes")
	c.Reset()
	sc.WantLog("it does not wait for the answer", "CD be/s1 0 0/0")
	s.last("").ended = true
}

func TestRelayToAServerThatClosedAltogether(t *testing.T) {
	sc, c, s := relaying(t)
	s.Close()
	c.WantEOF("FIN passes")
	c.Send("is anybody there?")
	c.Send("hello?")
	sc.settle()
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d sessions wait for nothing", n)
	}
	c.ended = true
	sc.WantLog("", "SD be/s1 0 0/0")
}

func TestRelayHoldsBackWhatNobodyReads(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 8<<10, 8<<10
	c, s := sc.Client(1), sc.Server("s1")
	s.Accept("").end.Pause()
	big := text(1 << 20)
	c.Send(big)
	sc.wantHeldBack(s.last(""), c, 600<<10)
	s.last("").end.Resume()
	s.Want("all comes", big)
	c.end.Pause()
	s.Send(big)
	sc.wantHeldBack(c, s.last(""), 600<<10)
	c.end.Resume()
	c.Want("the same the other way", big)
}

func TestLongFlowsAreSpliced(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	big := bytes.Repeat([]byte(text(1000)), 2000)
	s.Accept("")
	c.end.Send(big)
	s.Want("all of it", string(big))
	if n := sc.p.pipes.Load(); n != 1 {
		t.Errorf("%d pipes were used, want 1", n)
	}
	s.last("").end.Send(big)
	c.Want("the other way", string(big))
	c.Send("short")
	s.Want("and short ones after it", "short")
	sc.settle()
	if n := len(sc.p.workers[0].pipes); n != int(sc.p.pipes.Load()) {
		t.Errorf("%d of %d pipes are free", n, sc.p.pipes.Load())
	}
}

func TestSpliceUnderFaults(t *testing.T) {
	for seed := uint64(1); seed <= 30; seed++ {
		sc := newSeededScript(t, site(ModeTCP, 1), seed)
		sc.sk.Faults = simkernel.Faults{ShortRead: 0.1, ShortWrite: 0.1, Again: 0.1, Spurious: 0.1}
		c, s := sc.Client(1), sc.Server("s1")
		big := text(700_000)
		c.end.Send([]byte(big))
		c.end.CloseWrite()
		s.Accept("")
		s.Want("all of it", big)
		s.WantEOF("and the end")
		s.Send("thanks")
		c.Want("", "thanks")
		s.Close()
		c.WantEOF("")
		sc.finish()
	}
}

func TestRelayWithoutPipesCopies(t *testing.T) {
	cfg := site(ModeTCP, 1)
	cfg.Global.Tune.MaxPipes = 1
	sc := newScript(t, cfg)
	s := sc.Server("s1")
	big := text(500_000)
	var ends []*peer
	for n := range 3 {
		sc.Client(n)
		ends = append(ends, s.Accept(""))
		ends[n].end.Pause()
		sc.Client(n).Send(big)
	}
	if n := sc.p.pipes.Load(); n != 1 {
		t.Errorf("%d pipes, limit 1", n)
	}
	for n := range 3 {
		ends[n].end.Resume()
		ends[n].Want("each gets all", big)
	}
}

func TestResetWhileSplicing(t *testing.T) {
	for _, who := range []string{"client", "server"} {
		sc := newSeededScript(t, site(ModeTCP, 1), 1)
		c, s := sc.Client(1), sc.Server("s1")
		s.Accept("").end.Pause()
		c.Send(text(900_000))
		if sc.p.pipes.Load() != 1 {
			t.Fatal("nothing is spliced")
		}
		if who == "client" {
			c.Reset()
		} else {
			s.Reset()
			c.ended = true
		}
		sc.settle()
		if n := sc.p.Connections(); n != 0 {
			t.Errorf("%s reset: %d connections are left", who, n)
		}
		sc.finish()
	}
}

func TestRelayToAServerThatIsDown(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1))
	sc.Server("s1").srv.Refuse(true)
	c := sc.Client(1)
	sc.Advance(4 * time.Second)
	c.WantEOF("all retries failed")
	sc.WantLog("", "SC be/s1 3 0/0")
}

func TestRelayWithoutServers(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 0))
	sc.Client(1).WantEOF("")
	sc.WantLog("", "SC be/<NOSRV> 0 0/0")
}

func TestContentRulesSeeTheFirstBytes(t *testing.T) {
	cfg := site(ModeTCP, 1)
	cfg.Frontends[0].TCPRules.InspectDelay = 5 * time.Second
	cfg.Frontends[0].TCPRules.Content = []Rule{
		{Name: "accept", Cond: Cond{Words: []string{"{", "req.payload(0,4)", "-m", "str", "good", "}"}}},
		{Name: "reject"},
	}
	cfg.Backends[0].Servers[0].SendProxy = ProxyV1
	for _, tc := range []struct {
		name  string
		parts []string
		pass  bool
	}{
		{"good", []string{"good day"}, true},
		{"good in pieces", []string{"go", "od day"}, true},
		{"bad", []string{"evil"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			own := *cfg
			own.Frontends = append([]Frontend(nil), cfg.Frontends...)
			sc := newScript(t, &own)
			c, s := sc.Client(1), sc.Server("s1")
			for _, part := range tc.parts {
				sc.WantIdle("nothing can be told")
				c.Send(part)
			}
			if tc.pass {
				s.Want("the PROXY header goes before what was inspected", "PROXY TCP4 127.0.0.1 127.0.0.1 40000 80\r\ngood day")
				return
			}
			sc.WantLog("", "PR fe/<NOSRV> 0 0/0")
			s.WantNoConnection("")
			c.ended = true
		})
	}
}

func TestContentRulesWaitNoLongerThanTheInspectDelay(t *testing.T) {
	cfg := site(ModeTCP, 1)
	cfg.Frontends[0].TCPRules.InspectDelay = 5 * time.Second
	cfg.Frontends[0].TCPRules.Content = []Rule{
		{Name: "reject", Cond: Cond{Words: []string{"{", "req.payload(0,4)", "-m", "str", "evil", "}"}}},
	}
	sc := newScript(t, cfg)
	sc.Client(1)
	sc.Expire("inspect-delay", 5*time.Second)
	sc.Server("s1").Accept("a silent client is none that is rejected")
}

func TestCaptureOfContentWaitsForItsBytes(t *testing.T) {
	for name, tc := range map[string]struct{ first, rest, want string }{
		"in pieces": {"he", "llo!", "hello"},
		"in vain":   {"hel", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeTCP, 1)
			cfg.Frontends[0].TCPRules.InspectDelay = 5 * time.Second
			cfg.Frontends[0].TCPRules.Content = []Rule{
				{Name: "capture", Args: []string{"req.payload(0,5)", "len", "9"}},
				{Name: "set-var(sess.x)", Args: []string{"req.payload(0,9)"}},
			}
			sc := newScript(t, cfg)
			c, s := sc.Client(1), sc.Server("s1")
			c.Send(tc.first)
			sc.WantIdle("not all is here")
			if tc.rest != "" {
				c.Send(tc.rest)
			} else {
				sc.Expire("the inspect delay", 5*time.Second)
			}
			s.Want("the rules are done", tc.first+tc.rest)
			session := sc.p.workers[0].clients.first.owner.(*tcpSession)
			if got, _ := session.captures.Get(0); string(got) != tc.want {
				t.Errorf("captured %q, want %q", got, tc.want)
			}
		})
	}
}
