package proxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
	"github.com/weir-lb/weir/listener"
)

const answerEmpty = "HTTP/1.1 204 No Content\r\n\r\n"

// A server whose port follows the client's is as many destinations: an idle
// connection to one is not taken for another.
func TestMappedPortsDoNotShareConnections(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Servers[0].Address = "127.0.0.1:+7921"
	cfg.Backends[0].Reuse = ReuseAlways
	cfg.Frontends[0].Binds = append(cfg.Frontends[0].Binds, listener.Spec{Address: "127.0.0.1:81"})
	sc := newScript(t, cfg)
	sc.startServer("of 80", "127.0.0.1:8001")
	sc.startServer("of 81", "127.0.0.1:8002")
	sc.ClientTo(1, 0).Send(getA)
	sc.Server("of 80").Want("the client came to port 80", "GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
	sc.Server("of 80").Send(answerEmpty)
	sc.Client(1).Want("the answer", answerEmpty)
	sc.ClientTo(2, 1).Send(getA)
	sc.Server("of 81").Want("the client came to port 81", "GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
	sc.Server("of 81").Send(answerEmpty)
	sc.Client(2).Want("the answer", answerEmpty)
}

func TestRefusedConnectIsTriedAgainAfterATurnAround(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	s.srv.Refuse(true)
	c.Send(getA)
	sc.WantIdle("refused: a second of turn-around")
	s.srv.Refuse(false)
	sc.Advance(900 * time.Millisecond)
	s.WantNoConnection("not yet")
	sc.Advance(200 * time.Millisecond)
	s.Want("the same server, which takes it now", getA)
	s.Send(ok)
	c.Want("the client sees nothing of it", ok)
	sc.WantLog("one retry", "200 ---- be/s1 1 0/0")
}

func TestTurnAroundIsNoLongerThanTimeoutConnect(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Timeouts.Connect = 200 * time.Millisecond
	sc := newScript(t, cfg)
	s := sc.Server("s1")
	s.srv.Refuse(true)
	sc.Client(1).Send(getA)
	s.srv.Refuse(false)
	sc.Advance(210 * time.Millisecond)
	s.Want("", getA)
	s.Send(ok)
	sc.Client(1).Want("", ok)
}

func TestRetriesAreBounded(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.Client(1)
	sc.Server("s1").srv.Refuse(true)
	c.Send(getA)
	sc.Advance(2900 * time.Millisecond)
	sc.WantIdle("three turn-arounds")
	sc.Advance(200 * time.Millisecond)
	c.WantStart("four attempts failed", sorry503)
	sc.WantLog("", "503 SC-- be/s1 3 0/0")
	c.WantNothing("the client can go on")
}

func TestNoRetries(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Retries = -1
	sc := newScript(t, cfg)
	sc.Server("s1").srv.Refuse(true)
	sc.Client(1).Send(getA)
	sc.Client(1).WantStart("at once", sorry503)
	sc.WantLog("", "503 SC-- be/s1 0 0/0")
}

func TestSlotIsHeldWhileRetriesWait(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	s.srv.Refuse(true)
	sc.Client(1).Send(getA)
	sc.Client(2).Send(getB)
	s.srv.Refuse(false)
	sc.Advance(1100 * time.Millisecond)
	s.Want("the first in the queue goes first", getA)
	sc.WantIdle("the other waits")
	s.Send(ok)
	sc.Client(1).Want("", ok)
	s.Accept("its turn").Want("", getB)
	s.Send(ok)
	sc.Client(2).Want("", ok)
}

func TestRedispatchTakesAnotherServerInTheLastRetry(t *testing.T) {
	cfg := site(ModeHTTP, 2)
	cfg.Backends[0].Redispatch = -1
	cfg.Backends[0].Retries = 2
	cfg.Backends[0].Balance.Algorithm = balancer.First
	sc := newScript(t, cfg)
	sc.Server("s1").srv.Refuse(true)
	sc.Client(1).Send(getA)
	sc.WantIdle("the first retry is on the same server, after a turn-around")
	sc.Advance(1100 * time.Millisecond)
	sc.Server("s2").Want("the second one elsewhere, at once", getA)
	sc.Server("s2").Send(ok)
	sc.Client(1).Want("", ok)
	sc.WantLog("the plus says redispatched", "200 ---- be/s2 +2 0/0")
}

func TestRedispatchLeavesADeadServerForEachRequest(t *testing.T) {
	cfg := site(ModeHTTP, 2)
	cfg.Backends[0].Redispatch = 1
	cfg.Backends[0].Balance.Algorithm = balancer.First
	sc := newScript(t, cfg)
	sc.Server("s1").srv.Refuse(true)
	for range 3 {
		sc.Client(1).Send(getA)
		sc.Server("s2").Want("at once", getA)
		sc.Server("s2").Send(ok)
		sc.Client(1).Want("", ok)
		sc.WantLog("", "200 ---- be/s2 +1 0/0")
	}
}

func TestServerThatGoesDownInATurnAroundIsLeft(t *testing.T) {
	cfg := site(ModeHTTP, 2)
	cfg.Backends[0].Balance.Algorithm = balancer.First
	sc := newScript(t, cfg)
	be := sc.p.plan.Load().backends[0].live.bal
	sc.Server("s1").srv.Refuse(true)
	sc.Client(1).Send(getA)
	be.SetState(be.Servers()[0], balancer.StateDown, 0)
	sc.Advance(1100 * time.Millisecond)
	sc.Server("s2").Want("it takes the request over", getA)
	sc.Server("s2").Send(ok)
	sc.Client(1).Want("", ok)
}

func TestClientGoneWhileConnecting(t *testing.T) {
	for name, prepare := range map[string]func(*scriptServer){
		"connect":     func(s *scriptServer) { s.srv.Swallow(true) },
		"turn-around": func(s *scriptServer) { s.srv.Refuse(true) },
	} {
		for _, mode := range []Mode{ModeHTTP, ModeTCP} {
			t.Run(name, func(t *testing.T) {
				sc := newScript(t, site(mode, 1).limited(1))
				prepare(sc.Server("s1"))
				sc.Client(1).Send(getA)
				sc.Client(1).Reset()
				sc.settle()
				if n := sc.p.plan.Load().backends[0].live.bal.Current(); n != 0 {
					t.Errorf("%d slots are taken", n)
				}
				tries := map[string]string{"connect": "0", "turn-around": "1"}[name]
				if mode == ModeHTTP {
					sc.WantLog("", "-1 CC-- be/s1 "+tries+" 0/0")
				} else {
					sc.WantLog("", "CC be/s1 "+tries+" 0/0")
				}
			})
		}
	}
}

func TestSlowConnect(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	s := sc.Server("s1")
	s.srv.Delay(2 * time.Second)
	sc.Client(1).Send(getA)
	sc.Advance(1900 * time.Millisecond)
	sc.WantIdle("under way")
	sc.Advance(200 * time.Millisecond)
	s.Want("", getA)
	s.Send(ok)
	sc.Client(1).Want("", ok)
}

func TestDescriptorsRunOutForServers(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		sc := newSeededScript(t, site(mode, 1), 1)
		sc.sk.DescriptorsMax = 4 // epoll, event, listener, client
		c := sc.Client(1)
		c.Send(getA)
		if mode == ModeHTTP {
			c.WantStart("not the server's fault", sorry503)
			sc.WantLog("no retry: it would fail again", "503 RC-- be/s1 0 0/0")
		} else {
			sc.WantLog("no retry: it would fail again", "RC be/s1 0 0/0")
			c.ended = true
		}
		sc.sk.DescriptorsMax = 100
		if mode == ModeHTTP {
			c.Send(getB)
			sc.Server("s1").Want("there are some again", getB)
			sc.Server("s1").Send(ok)
			c.Want("", ok)
		}
		sc.finish()
	}
}

func TestServerAtAUnixSocket(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Servers[0].Address = "/run/app.sock"
	sc := newScript(t, cfg)
	sc.Client(1).Send(getA)
	sc.Server("s1").Want("", getA)
	sc.Server("s1").Send(ok)
	sc.Client(1).Want("", ok)
	sc.Server("s1").srv.Close()
	sc.Client(2).Send(getA)
	sc.Advance(4 * time.Second)
	sc.Client(2).WantStart("nobody listens any more", sorry503)
}

func TestOnMarkedDownShutdownSessions(t *testing.T) {
	cfg := site(ModeHTTP, 1).loops(2)
	sc := newScript(t, cfg)
	s := sc.Server("s1")
	sc.ClientOn(1, 0).Send(getA) // idle afterwards
	s.Want("", getA)
	s.Send(ok)
	sc.Client(1).Want("", ok)
	sc.ClientOn(2, 1).Send(getB) // has no answer yet
	s.Accept("").Want("", getB)
	sc.ClientOn(3, 0).Send(getC) // is in its answer
	s.Accept("").Want("", getC)
	s.Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")
	sc.Client(3).Want("", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")
	srv := sc.p.plan.Load().backends[0].servers[0]
	sc.p.checked(sc.p.workers[0], srv, health.Report{Changed: true, ShutdownSessions: true})
	sc.Client(2).WantStart("the session is ended", sorry503)
	sc.Client(3).WantEOF("cut short")
	sc.Client(1).WantNothing("who does not use the server is left alone")
	for _, c := range s.conns {
		sc.settle()
		if !c.end.WasReset() && !c.end.EOF() {
			t.Error("a connection to the server stands")
		}
		c.ended = true
	}
	sc.Client(1).Send(getA)
	sc.Client(1).WantStart("it is down", sorry503)
}

func TestOnMarkedDownShutdownSessionsOfTCP(t *testing.T) {
	cfg := site(ModeTCP, 1).loops(2)
	sc := newScript(t, cfg)
	s := sc.Server("s1")
	sc.ClientOn(1, 0).Send("one")
	s.Want("", "one")
	sc.ClientOn(2, 1).Send("two")
	s.Accept("").Want("", "two")
	srv := sc.p.plan.Load().backends[0].servers[0]
	sc.p.checked(sc.p.workers[1], srv, health.Report{Changed: true, ShutdownSessions: true})
	sc.WantLog("", "DD be/s1 0 0/0")
	for n := 1; n <= 2; n++ {
		sc.settle()
		if !sc.Client(n).end.EOF() && !sc.Client(n).end.WasReset() {
			t.Errorf("client %d has a connection still", n)
		}
		sc.Client(n).ended = true
	}
}

func TestSlowAndRefusedConnectsUnderFaults(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 2).limited(2).loops(2), seed)
		sc.sk.Faults = simkernel.Faults{Refuse: 0.4, Slow: 0.5, ShortRead: 0.2, Again: 0.2}
		for n := range 8 {
			sc.Client(n).Send(getA)
		}
		for range 200 {
			sc.Advance(100 * time.Millisecond)
			for _, s := range sc.order {
				for end := s.srv.Accept(); end != nil; end = s.srv.Accept() {
					s.conns = append(s.conns, &peer{sc: sc, end: end})
				}
				for _, c := range s.conns {
					if n := len(c.end.Take()); n > 0 && string(c.end.Recv()) == getA {
						c.Send(ok)
					}
				}
			}
		}
		for n := range 8 {
			c := sc.Client(n)
			if !c.end.WasReset() && len(c.end.Take()) == 0 { // those that did not get in were refused, too
				t.Fatalf("seed %d: client %d got no answer", seed, n)
			}
		}
		sc.finish()
	}
}

// The server's bytes, or its end, come with the end of connect(2), in one event.
func TestServerThatSpeaksAtOnceIsHeard(t *testing.T) {
	for name, tc := range map[string]struct{ says, want string }{
		"an answer":    {ok, ok},
		"half of one":  {ok[:10], ""},
		"nothing, FIN": {"", sorry502},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			c, s := sc.Client(1), sc.Server("s1")
			sc.settle()
			c.end.Send([]byte(getA))
			var end *simkernel.End
			for end == nil {
				sc.loops[0].Turn(0)
				end = s.srv.Accept()
			}
			p := &peer{sc: sc, name: "server s1", end: end}
			s.conns = append(s.conns, p)
			end.Send([]byte(tc.says))
			if tc.says == "" {
				end.CloseWrite()
			}
			p.Want("the request goes out all the same", getA)
			if tc.want == "" {
				s.Send(ok[10:])
				tc.want = ok
			}
			c.WantStart("and is answered", tc.want)
		})
	}
}

// ported is a TCP site whose servers are connected to from a range of ports.
func ported(t *testing.T, servers int, ports string) (*script, *[]string) {
	t.Helper()
	cfg := site(ModeTCP, servers)
	for i := range servers {
		cfg.Backends[0].Servers[i].Source = listener.SourceSpec{Address: "127.0.0.1:" + ports}
	}
	sc := newScript(t, cfg)
	var told []string
	sc.p.opt.Logf = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	return sc, &told
}

// wantPort accepts the next connection of s and looks where it comes from.
func (s *scriptServer) wantPort(why string, port uint16) *peer {
	s.sc.t.Helper()
	p := s.Accept(why)
	if got := p.end.FarAddr().Port(); got != port {
		s.sc.t.Fatalf("server %s: %s: it comes from port %d, want %d", s.name, why, got, port)
	}
	return p
}

func TestSourcePortsOfARangeAreUsedUpAndReturn(t *testing.T) {
	sc, told := ported(t, 1, "7000-7002")
	s := sc.Server("s1")
	for n := range 3 {
		sc.Client(n)
		s.wantPort("in turn", uint16(7000+n))
	}
	for n := range 2 {
		sc.Client(10 + n).WantEOF("none is left")
		sc.WantLog("as the manual says", "RC be/s1 0 0/0")
	}
	if n := sc.p.plan.Load().backends[0].servers[0].live.counters[0].noPort.load(); n != 2 {
		t.Errorf("%d failures were counted, want 2", n)
	}
	if want := "Server be/s1 can't be connected to: all ports of its source range that were tried are taken."; len(*told) != 1 || (*told)[0] != want {
		t.Errorf("told %q, want once %q", *told, want)
	}
	sc.Client(1).Close()
	s.conns[1].WantEOF("")
	s.conns[1].Close()
	sc.WantLog("", "-- be/s1 0 0/0")
	sc.Client(20)
	s.wantPort("wherever the turn stands, one pass finds it", 7001)
}

func TestServersShareARangeOfSourcePorts(t *testing.T) {
	sc, _ := ported(t, 2, "7000-7001")
	for n := range 4 {
		sc.Client(n)
		sc.settle()
	}
	for _, name := range []string{"s1", "s2"} {
		sc.Server(name).wantPort("", 7000)
		sc.Server(name).wantPort("", 7001)
	}
	sc.Client(4).WantEOF("each has its two")
	sc.WantLog("", "RC be/s1 0 0/0")
}

func TestOneSourcePort(t *testing.T) {
	sc, _ := ported(t, 1, "7000")
	sc.Client(1)
	sc.Server("s1").wantPort("", 7000)
	sc.Client(2).WantEOF("it is taken")
	sc.WantLog("", "RC be/s1 0 0/0")
}
