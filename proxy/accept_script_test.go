package proxy

import (
	"context"
	"fmt"
	"github.com/weir-lb/weir/health"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
	"github.com/weir-lb/weir/listener"
)

// served has client n get an answer.
func (sc *script) served(why string, n int) {
	sc.t.Helper()
	sc.Client(n).Send(getA)
	s := sc.Server("s1")
	s.Accept(why).Want(why, getA)
	s.Send(okClose)
	sc.Client(n).Want(why, ok)
	s.WantReset(why)
}

// okClose is the answer ok of a server that does not keep its connection.
const okClose = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"

func TestClientsBeyondMaxconnWaitUntilOthersLeave(t *testing.T) {
	for name, limit := range map[string]func(*Config){
		"global":   func(cfg *Config) { cfg.Global.MaxConn = 2 },
		"frontend": func(cfg *Config) { cfg.Frontends[0].MaxConn = 2 },
		"bind":     func(cfg *Config) { cfg.Frontends[0].Binds[0].MaxConn = 2 },
	} {
		for loops := 1; loops <= 2; loops++ {
			t.Run(name, func(t *testing.T) {
				cfg := site(ModeHTTP, 1).loops(loops)
				limit(cfg)
				sc := newScript(t, cfg)
				sc.served("the first", 1)
				sc.served("the second", 2)
				sc.Client(3).Send(getA)
				sc.Client(4).Send(getA)
				sc.WantIdle("the others wait in the socket's queue")
				if n := sc.p.Connections(); n != 2 {
					t.Errorf("%d connections", n)
				}
				sc.Client(1).Close()
				s := sc.Server("s1")
				s.Accept("one place is free").Want("", getA)
				sc.WantIdle("one, not two")
				s.Send(okClose)
				sc.Client(3).Want("", ok)
				sc.Client(2).Close()
				s.Accept("and another").Want("", getA)
				s.Send(ok)
				sc.Client(4).Want("", ok)
			})
		}
	}
}

func TestMaxconnOfOneServesAllInTurn(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		cfg := site(ModeHTTP, 1).loops(2)
		cfg.Global.MaxConn = 1
		cfg.Frontends[0].ConnMode = ConnClose
		sc := newSeededScript(t, cfg, seed)
		for n := range 6 {
			sc.addClient(n, sc.sk.Client(sc.doors[0])).end.Send([]byte(getA))
		}
		s := sc.Server("s1")
		for range 6 {
			s.Accept("the next").WantStart("", "GET /a")
			s.Send(ok)
			sc.Advance(2 * lingerTimeout) // clients that do not close hold their places
		}
		sc.finish()
	}
}

func TestFrontendMaxconnLeavesOtherFrontendsAlone(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	other := cfg.Frontends[0]
	other.Name, other.Binds = "fe2", []listener.Spec{{Address: "127.0.0.1:81"}}
	cfg.Frontends[0].MaxConn = 1
	cfg.Frontends = append(cfg.Frontends, other)
	sc := newScript(t, cfg)
	sc.served("the only place of the first", 1)
	sc.Client(2).Send(getA)
	sc.WantIdle("no place")
	sc.ClientTo(3, 1)
	sc.served("the second has its own", 3)
}

func TestAcceptGoesOnWhenDescriptorsAreBack(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.served("there are enough", 1)
	sc.sk.DescriptorsMax = 4 // epoll, event, listener, client: no more
	sc.Client(2).Send(getB)
	sc.WantIdle("nobody spins on the listening socket")
	if n := sc.p.acceptFailures.Load(); n != 1 {
		t.Errorf("%d failures were counted", n)
	}
	sc.Advance(time.Second)
	sc.WantIdle("it is tried now and then")
	if n := sc.p.acceptFailures.Load(); n < 5 || n > 15 {
		t.Errorf("%d failures in a second", n)
	}
	sc.sk.DescriptorsMax = 100
	sc.Advance(2 * acceptRetry)
	s := sc.Server("s1")
	s.Accept("the client was not lost").Want("", getB)
	s.Send(ok)
	sc.Client(2).Want("", ok)
}

func TestAcceptGoesOnAtOnceWhenAClientLeaves(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.served("there are enough", 1)
	sc.sk.DescriptorsMax = 4
	sc.Client(2).Send(getB)
	sc.WantIdle("none is free")
	sc.sk.DescriptorsMax = 5
	sc.Client(1).Close()
	sc.Server("s1").Accept("no need to wait for the timer").Want("", getB)
}

func TestConnectionsThatDieInTheBacklog(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.Faults.Abort = 0.5
	for n := range 10 {
		sc.Client(n).Send(getA)
		sc.Server("s1").Accept("ECONNABORTED is somebody else's").Want("", getA)
	}
}

// shutdown begins a soft stop and returns a function that tells whether it is
// over.
func (sc *script) shutdown() (over func() bool) {
	sc.p.beginShutdown()
	sc.settle()
	return func() bool { sc.settle(); return sc.p.conns.Load() == 0 }
}

func TestSoftStopTellsEachSection(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	quiet := site(ModeHTTP, 0).Frontends[0]
	quiet.Name, quiet.Binds = "quiet", []listener.Spec{{Address: "127.0.0.1:81"}}
	both := site(ModeTCP, 1)
	both.Frontends[0].Name, both.Frontends[0].DefaultBackend = "both", "both"
	both.Frontends[0].Binds[0].Address = "127.0.0.1:82"
	both.Backends[0].Name, both.Backends[0].Servers[0].Address = "both", "127.0.0.1:9001"
	both.Backends[0].Servers[0].Name, both.Backends[0].Balance.Servers[0].Name = "t1", "t1"
	off := site(ModeHTTP, 0).Frontends[0]
	off.Name, off.Disabled, off.Binds = "off", true, nil
	cfg.Frontends = append(cfg.Frontends, quiet, both.Frontends[0], off)
	cfg.Backends = append(cfg.Backends, both.Backends[0])
	sc := newScript(t, cfg)
	var told []string
	sc.p.opt.Logf = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	c, s := sc.Client(1), sc.Server("s1")
	for range 2 {
		c.Send(getA)
		s.Want("", getA)
		s.Send(ok)
		c.Want("", ok)
		sc.WantLog("", "200 ---- be/s1 0 0/0")
	}
	sc.ClientTo(2, 2).Send("hello")
	sc.Server("t1").Want("", "hello")
	sc.p.beginShutdown()
	sc.p.beginShutdown()
	want := []string{
		"Proxy fe stopped (cumulated conns: FE: 1, BE: 0).",
		"Proxy quiet stopped (cumulated conns: FE: 0, BE: 0).",
		"Proxy both stopped (cumulated conns: FE: 1, BE: 1).",
		"Proxy be stopped (cumulated conns: FE: 0, BE: 2).",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%q, want\n%q", told, want)
	}
	var logged []string
	for range 3 { // the backend has no target
		line, err := sc.logs.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		logged = append(logged, strings.TrimSuffix(line, "\n"))
	}
	slices.Sort(logged) // each target has a writer of its own
	if want = want[:3]; !slices.Equal(logged, slices.Sorted(slices.Values(want))) {
		t.Errorf("log: got %q, want %q", logged, want)
	}
}

func TestSoftStopEndsHealthChecks(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Servers[0].Check = health.ServerSpec{Enabled: true, Inter: 2 * time.Second, Rise: 2, Fall: 3}
	sc := newScript(t, cfg)
	sc.p.startChecks()
	sc.Advance(5 * time.Second)
	s := sc.Server("s1")
	for s.srv.Accept() != nil {
	}
	sc.Advance(3 * time.Second)
	if s.srv.Accept() == nil {
		t.Fatal("no check came")
	}
	for s.srv.Accept() != nil {
	}
	sc.shutdown()
	sc.Advance(time.Minute)
	s.WantNoConnection("the process takes nothing new")
}

func TestSoftStopClosesIdleClients(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).loops(2))
	sc.served("idle afterwards", 1)
	over := sc.shutdown()
	sc.Client(1).WantEOF("nothing is cut")
	if !over() {
		t.Error("somebody is left")
	}
	sc.addClient(2, sc.sk.Client(sc.doors[0])).Send(getA)
	sc.WantIdle("nobody accepts")
}

func TestSoftStopLetsBusyClientsFinish(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	over := sc.shutdown()
	sc.WantIdle("the exchange goes on")
	if over() {
		t.Error("a client is busy")
	}
	s.Send(ok)
	c.Want("it is told that the connection ends", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
	c.WantEOF("")
	s.WantReset("the server's connection is of no use any more")
	sc.Advance(2 * lingerTimeout)
	if !over() {
		t.Error("somebody is left")
	}
}

func TestSoftStopLetsTheQueueDrain(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1).loops(2))
	s := sc.Server("s1")
	for n := range 4 {
		sc.ClientOn(n, n%2).Send(getA)
	}
	over := sc.shutdown()
	for n := range 4 {
		s.Accept("in turn").Want("", getA)
		s.Send(ok)
		sc.Client(n).WantStart("", "HTTP/1.1 200 OK\r\n")
		sc.Client(n).WantEOF("")
	}
	sc.Advance(2 * lingerTimeout)
	if !over() {
		t.Error("somebody is left")
	}
}

func TestSoftStopWaitsForAClientThatHasJustConnected(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c := sc.Client(1)
	sc.settle()
	sc.shutdown()
	sc.WantIdle("its request may be on the way")
	c.Send(getA)
	sc.Server("s1").Want("it was", getA)
	sc.Server("s1").Send(ok)
	c.WantStart("", "HTTP/1.1 200 OK\r\n")
	c.WantEOF("")
}

func TestSoftStopLetsARelayFinish(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("one")
	s.Want("", "one")
	over := sc.shutdown()
	c.Send("two")
	s.Want("relays go on", "two")
	s.Send("three")
	c.Want("", "three")
	c.Close()
	s.WantEOF("")
	s.Close()
	if !over() {
		t.Error("somebody is left")
	}
}

func TestSoftStopEndsAClientWhoseAnswerIsStillBeingWritten(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 0))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 1000, 1000
	c := sc.Client(1)
	c.end.Pause()
	c.end.Send([]byte(strings.Repeat(getA, 30)))
	sc.settle()
	over := sc.shutdown()
	if over() {
		t.Fatal("the answers were cut")
	}
	c.end.Resume()
	sc.settle()
	got := string(c.end.Take())
	if !strings.HasSuffix(got, "</html>\n") {
		t.Errorf("the last answer is cut: %s", brief(got))
	}
	sc.Advance(2 * lingerTimeout)
	if !over() {
		t.Error("somebody is left")
	}
	c.ended = true
}

func TestRunClosesEverythingWhenItsContextEnds(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).loops(2))
	sc.served("idle afterwards", 1)
	sc.Client(2).Send(getA)
	sc.Server("s1").Accept("busy").Want("", getA)
	for _, w := range sc.p.workers {
		for _, d := range w.doors {
			d.close()
		}
		w.doors = nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- sc.p.Run(ctx) }()
	<-sc.p.Ready()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := sc.sk.OpenDescriptors(); n != 1 {
		t.Errorf("%d descriptors are open besides the listening socket:\n%s", n-1, sc.sk.Descriptors())
	}
	sc.stopped = true
}

// proxied is a site whose bind wants a PROXY header.
func proxied(mode Mode) *Config {
	cfg := site(mode, 1)
	cfg.Frontends[0].Binds[0].AcceptProxy = true
	cfg.Frontends[0].ForwardFor = &ForwardFor{}
	return cfg
}

func TestProxyHeaderGivesTheClientsAddress(t *testing.T) {
	v2 := string(listener.AppendProxyV2(nil, &listener.ProxyInfo{
		Src: netip.MustParseAddrPort("192.0.2.7:1111"), Dst: netip.MustParseAddrPort("192.0.2.9:80"),
	}, listener.ProxyOptions{}))
	const want = "GET /a HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.7\r\n\r\n"
	for name, header := range map[string]string{"v1": "PROXY TCP4 192.0.2.7 192.0.2.9 1111 80\r\n", "v2": v2} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, proxied(ModeHTTP))
			c, s := sc.Client(1), sc.Server("s1")
			c.Send(header + getA)
			s.Want("header and request in one piece", want)
			s.Send(ok)
			c.Want("", ok)
			c.Close()
			c2 := sc.Client(2)
			for i := range header {
				c2.Send(header[i : i+1])
			}
			sc.WantIdle("the header alone is no request")
			c2.Send(getA)
			s.Accept("").Want("it may come byte by byte", want)
			s.Send(okClose)
			c2.Want("", ok)
			c2.Send(getA)
			s.conns[0].Want("for all requests of the connection", want)
			s.conns[0].Send(ok)
			c2.Want("", ok)
		})
	}
}

func TestProxyHeaderOfTCP(t *testing.T) {
	cfg := proxied(ModeTCP)
	cfg.Backends[0].Servers[0].SendProxy = ProxyV1
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("PROXY TCP4 192.0.2.7 192.0.2.9 1111 80\r\nhello")
	s.Want("passed on", "PROXY TCP4 192.0.2.7 192.0.2.9 1111 80\r\nhello")
	s.Send("world")
	c.Want("", "world")
}

func TestBadProxyHeadersEndTheConnection(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		for _, bad := range []string{
			getA, "PROXY TCP4 300.0.2.7 192.0.2.9 1111 80\r\n", "PROXY TCP4 192.0.2.7 192.0.2.9 1111 65536\r\n",
			"PROXY " + strings.Repeat("x", 5000), "\r\n\r\n\x00\r\nQUIT\n\xff",
		} {
			sc := newSeededScript(t, proxied(mode), 1)
			c := sc.Client(1)
			c.Send(bad)
			sc.settle()
			if got := c.end.Take(); len(got) > 0 || !c.end.EOF() && !c.end.WasReset() {
				t.Errorf("%q: got %q, connection stands: %v", bad, got, c.end.Open())
			}
			c.ended = true
			sc.Server("s1").WantNoConnection("")
			sc.finish()
		}
	}
}

func TestClientGoneInItsProxyHeader(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		for _, leave := range []func(*peer){(*peer).Close, (*peer).Reset, (*peer).CloseWrite} {
			for _, part := range []string{"", "PROXY TCP4 "} {
				sc := newSeededScript(t, proxied(mode), 1)
				c := sc.Client(1)
				c.Send(part)
				leave(c)
				sc.settle()
				if n := sc.p.Connections(); n != 0 {
					t.Errorf("%d connections are left", n)
				}
				c.ended = true
				sc.finish()
			}
		}
	}
}

func TestMappedAddressesAreSeenAsIPv4(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].Binds[0].Address = "[::]:80"
	cfg.Frontends[0].ForwardFor = &ForwardFor{}
	cfg.Backends[0].Servers[0].SendProxy = ProxyV1
	sc := newScript(t, cfg)
	from := netip.MustParseAddrPort("[::ffff:192.0.2.7]:1111")
	c := sc.addClient(1, sc.sk.ClientFrom(from, parseSimAddress("[::ffff:192.0.2.1]:80")))
	c.Send(getA)
	sc.Server("s1").Want("both of them",
		"PROXY TCP4 192.0.2.7 192.0.2.1 1111 80\r\nGET /a HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.7\r\n\r\n")
}

func TestUnixClients(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].Binds[0].Address = "/run/weir.sock"
	cfg.Frontends[0].ForwardFor = &ForwardFor{}
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("no address to add", getA)
	s.Send(ok)
	c.Want("", ok)
	c.Close()
	sc.settle()
	if n := sc.p.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestConnectionRulesReject(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		for _, at := range []string{"connection", "session"} {
			cfg := site(mode, 1)
			reject := []Rule{{Name: "reject"}}
			if at == "connection" {
				cfg.Frontends[0].TCPRules.Connection = reject
			} else {
				cfg.Frontends[0].TCPRules.Session = reject
			}
			sc := newSeededScript(t, cfg, 1)
			if at == "connection" {
				sc.Client(1).WantReset(at)
			} else {
				sc.Client(1).WantEOF(at)
			}
			sc.Server("s1").WantNoConnection(at)
			sc.finish()
		}
	}
}

func TestManyClientsThatDoNothingCostNoBuffers(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	for n := range 300 {
		sc.served("", n)
	}
	sc.settle()
	w := sc.p.workers[0]
	if w.pool.InUse() != 0 || w.made.exchanges != w.nExchanges {
		t.Errorf("%d buffers and %d exchanges are in use", w.pool.InUse(), w.made.exchanges-w.nExchanges)
	}
	sc.sk.Faults = simkernel.Faults{}
}
