package health

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// A scene is one server under check: on a simulated machine, with a script of
// what it does.
type scene struct {
	testing.TB
	sk      *simkernel.Kernel
	loop    *evloop.Loop
	server  *simkernel.Server
	checker *Checker
	reports []Report
}

const (
	inter    = 2 * time.Second
	response = "HTTP/1.0 200 OK\r\n\r\n"
)

var serverAddr = evloop.Addr{IP: netip.MustParseAddrPort("10.0.0.1:80")}

func newScene(t testing.TB, spec Spec, srv ServerSpec, change func(*Target)) *scene {
	t.Helper()
	return newSceneOn(t, simkernel.New(1), spec, srv, change)
}

func newSceneOn(t testing.TB, sk *simkernel.Kernel, spec Spec, srv ServerSpec, change func(*Target)) *scene {
	t.Helper()
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
	loop, err := evloop.New(evloop.Config{Kernel: sk})
	if err != nil {
		t.Fatal(err)
	}
	sc := &scene{TB: t, sk: sk, loop: loop}
	target := Target{Backend: "be", Server: "s1", Addr: serverAddr, Report: func(r Report) { sc.reports = append(sc.reports, r) }}
	if change != nil {
		change(&target)
	}
	sc.server = sk.Server(target.Addr)
	sc.checker = NewChecker(loop, &spec, &srv, target)
	sc.checker.Start(0)
	t.Cleanup(func() {
		sc.checker.Stop()
		sk.Settle(loop)
		if n := sk.OpenDescriptors(); n > 0 {
			t.Errorf("%d descriptors left open:\n%s", n, sk.Descriptors())
		}
	})
	return sc
}

// pass lets time pass.
func (sc *scene) pass(d time.Duration) { sc.sk.RunFor(d, sc.loop) }

// next lets the next check begin, which must be within an interval, and returns
// its connection.
func (sc *scene) next() *simkernel.End {
	sc.Helper()
	for range 40 {
		sc.pass(inter / 20)
		if e := sc.server.Accept(); e != nil {
			sc.sk.Settle(sc.loop)
			return e
		}
	}
	sc.Fatal("no check came")
	return nil
}

// answer lets the server send text and, if fin, close.
func (sc *scene) answer(e *simkernel.End, text string, fin bool) {
	e.Send([]byte(text))
	if fin {
		e.CloseWrite()
	}
	sc.sk.Settle(sc.loop)
}

// want checks the only report since the last want: "L7OK 200 UP" with "!" for a
// change, and the info after a colon.
func (sc *scene) want(why, want string) {
	sc.Helper()
	sc.sk.Settle(sc.loop)
	if len(sc.reports) != 1 {
		sc.Fatalf("%s: %d reports, want one: %+v", why, len(sc.reports), sc.reports)
	}
	if got := reportText(sc.reports[0]); got != want {
		sc.Errorf("%s: got %s, want %s", why, got, want)
	}
	sc.reports = nil
}

func (sc *scene) wantNone(why string) {
	sc.Helper()
	sc.sk.Settle(sc.loop)
	if len(sc.reports) > 0 {
		sc.Fatalf("%s: got %+v", why, sc.reports)
	}
}

func reportText(r Report) string {
	text := r.Status
	if r.Code > 0 {
		text += fmt.Sprintf(" %d", r.Code)
	}
	text += " " + r.State
	if r.Changed {
		text += "!"
	}
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

func TestConnectIsEnough(t *testing.T) {
	sc := newScene(t, Spec{}, ServerSpec{}, nil)
	e := sc.next()
	sc.want("connected", "L4OK UP")
	if !e.WasReset() || len(e.Recv()) > 0 {
		t.Errorf("the connection of a check ends by RST; bytes %q, reset %v", e.Recv(), e.WasReset())
	}
}

func TestServerThatRefusesGoesDownAndComesBack(t *testing.T) {
	sc := newScene(t, Spec{}, ServerSpec{Inter: inter}, nil)
	sc.next()
	sc.want("first check", "L4OK UP")
	sc.server.Refuse(true)
	sc.pass(inter)
	sc.want("first failure", "L4CON UP 2/3: Connection refused")
	sc.pass(inter)
	sc.want("second failure", "L4CON UP 1/3: Connection refused")
	sc.pass(inter)
	if r := sc.reports[0]; !r.Alert || !r.Noted || r.ShutdownSessions {
		t.Errorf("going down: %+v", r)
	}
	sc.want("third failure", "L4CON DOWN!: Connection refused")
	sc.pass(inter)
	if sc.reports[0].Noted {
		t.Error("a failure like the one before, of a server that is down, is no news")
	}
	sc.want("still down", "L4CON DOWN: Connection refused")
	sc.server.Refuse(false)
	sc.next()
	sc.want("first success", "L4OK DOWN 1/2")
	sc.next()
	sc.want("second success", "L4OK UP!")
}

func TestConnectHasItsOwnTime(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		timeout, connect, inter time.Duration
		want                    time.Duration
	}{
		{"inter is all there is", 0, 200 * time.Millisecond, time.Second, time.Second},
		{"with timeout check: timeout connect", 900 * time.Millisecond, 200 * time.Millisecond, time.Second, 200 * time.Millisecond},
		{"with timeout check: inter if shorter", 100 * time.Millisecond, time.Second, 300 * time.Millisecond, 300 * time.Millisecond},
		{"no timeout connect", 100 * time.Millisecond, 0, 300 * time.Millisecond, 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := newScene(t, Spec{Timeout: tt.timeout}, ServerSpec{Inter: tt.inter, DownInter: time.Hour}, func(t *Target) { t.Connect = tt.connect })
			sc.server.Swallow(true)
			sc.pass(tt.want - 2*time.Millisecond)
			sc.wantNone("too early")
			sc.pass(4 * time.Millisecond)
			if got := sc.reports[0].Latency.Round(2 * time.Millisecond); got != tt.want {
				t.Errorf("took %v, want %v", got, tt.want)
			}
			sc.want("nobody answers", "L4TOUT DOWN!")
		})
	}
}

func TestAnswerHasItsOwnTime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		want    time.Duration // after the connection stands at 100 ms
	}{
		{"timeout check begins with the connection", 1500 * time.Millisecond, 1600 * time.Millisecond},
		{"without it inter is all there is", 0, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := newScene(t, Spec{Kind: HTTP, Timeout: tt.timeout}, ServerSpec{Inter: time.Second, DownInter: time.Hour}, nil)
			sc.server.Delay(100 * time.Millisecond)
			sc.pass(102 * time.Millisecond)
			e := sc.server.Accept()
			sc.answer(e, "HTTP/1.0 20", false)
			sc.wantNone("half a head")
			sc.pass(3 * time.Second)
			if got := sc.reports[0].Latency.Round(5 * time.Millisecond); got != tt.want {
				t.Errorf("took %v, want %v", got, tt.want)
			}
			sc.want("the rest does not come", "L7TOUT DOWN!")
			if !e.WasReset() {
				t.Error("the connection is still there")
			}
		})
	}
}

func TestHTTPCheckAsksAndReadsTheStatus(t *testing.T) {
	spec := Spec{Kind: HTTP, Method: "GET", URI: "/health", Version: "HTTP/1.1", Headers: [][2]string{{"Host", "x"}}}
	sc := newScene(t, spec, ServerSpec{Inter: inter}, nil)
	e := sc.next()
	sc.wantNone("no answer yet")
	if got, want := string(e.Recv()), "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"; got != want {
		t.Errorf("request %q, want %q", got, want)
	}
	sc.answer(e, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", false)
	sc.want("the head decides", "L7OK 200 UP")
	if !e.WasReset() {
		t.Error("the connection is still there")
	}
	sc.answer(sc.next(), "HTTP/1.1 503 Service Unavailable\r\n\r\n", true)
	sc.want("wrong status", "L7STS 503 UP 2/3: Service Unavailable")
	sc.answer(sc.next(), "", true)
	sc.want("closed without an answer", "L7RSP UP 1/3")
	sc.next().Reset()
	sc.want("reset", "SOCKERR DOWN!: Connection reset by peer")
}

func TestBodyOfHTTPCheck(t *testing.T) {
	sc := newScene(t, Spec{Kind: HTTP, ExpectString: "ready"}, ServerSpec{Inter: inter}, nil)
	e := sc.next()
	sc.answer(e, response+"not rea", false)
	sc.wantNone("the string may still come")
	sc.answer(e, "dy at all", false)
	sc.want("it came", "L7OK 200 UP")
	sc.answer(sc.next(), response+"busy", true)
	sc.want("it did not", "L7RSP UP 2/3: HTTP content check did not match")
	sc.answer(sc.next(), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbusy", false)
	sc.want("the body has ended, the connection not", "L7RSP UP 1/3: HTTP content check did not match")
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	sc := newScene(t, Spec{Kind: HTTP, ExpectString: "ready", BufSize: 5000}, ServerSpec{}, nil)
	e := sc.next()
	sc.answer(e, response+strings.Repeat("x", 100_000), false)
	sc.want("the buffer is full", "L7RSP DOWN!: HTTP content check did not match")
	if cap(sc.checker.in) > 5000 {
		t.Errorf("%d bytes were kept", cap(sc.checker.in))
	}
	sc = newScene(t, Spec{Kind: HTTP}, ServerSpec{}, nil)
	sc.answer(sc.next(), "HTTP/1.0 200 OK\r\n"+strings.Repeat("X: y\r\n", 10_000), false)
	sc.want("endless head", "L7RSP DOWN!")
}

func Test404TakesTheServerOutOfBalancing(t *testing.T) {
	const notFound = "HTTP/1.0 404 Not Found\r\n\r\n"
	sc := newScene(t, Spec{Kind: HTTP, DisableOn404: true}, ServerSpec{Fall: 1, Inter: inter}, nil)
	sc.answer(sc.next(), notFound, true)
	if r := sc.reports[0]; !r.Up || !r.Drain || r.Alert {
		t.Errorf("404: %+v", r)
	}
	sc.want("404", "L7OKC 404 NOLB!")
	sc.server.Refuse(true)
	sc.pass(inter)
	if sc.reports[0].Alert {
		t.Error("a draining server that goes down is no alert (manual, disable-on-404)")
	}
	sc.want("down", "L4CON DOWN!: Connection refused")
	sc.server.Refuse(false)
	sc.answer(sc.next(), notFound, true)
	sc.want("stays down", "L7STS 404 DOWN: Not Found")
}

func TestScriptOfTCPCheck(t *testing.T) {
	spec := Spec{Kind: Script, Steps: []Step{
		{Kind: StepSend, Data: []byte("PING\r\n")},
		{Kind: StepExpect, Expect: Expect{Match: MatchString, Pattern: "+PONG"}},
		{Kind: StepComment, Comment: "role"},
		{Kind: StepSend, Data: []byte("info\r\n")},
		{Kind: StepExpect, Expect: Expect{Match: MatchRegexp, Pattern: "role:master"}},
	}}
	sc := newScene(t, spec, ServerSpec{Inter: inter}, nil)
	e := sc.next()
	if got := string(e.Take()); got != "PING\r\n" {
		t.Errorf("sent %q", got)
	}
	sc.answer(e, "+PO", false)
	sc.wantNone("half of it")
	sc.answer(e, "NG\r\n", false)
	if got := string(e.Take()); got != "info\r\n" {
		t.Errorf("sent %q", got)
	}
	sc.answer(e, "role:master", false)
	sc.want("all came", "L7OK UP: (tcp-check)")

	e = sc.next()
	sc.answer(e, "+PONG", false)
	sc.answer(e, "role:slave", true)
	sc.want("wrong role", "L7RSP UP 2/3: TCPCHK did not match content (regex) at step 5")
	sc.next()
	sc.pass(inter)
	sc.want("silent", "L7TOUT UP 1/3:  at step 2 of tcp-check (expect string '+PONG')")
	sc.answer(sc.next(), "", true)
	sc.want("closed", "L7RSP DOWN!: TCPCHK got an empty response at step 2")
}

func TestScriptKeepsBytesBetweenExpects(t *testing.T) {
	expect := func(p string) Step {
		return Step{Kind: StepExpect, Expect: Expect{Match: MatchString, Pattern: p}}
	}
	sc := newScene(t, Spec{Kind: Script, Steps: []Step{expect("A"), expect("B")}}, ServerSpec{}, nil)
	sc.answer(sc.next(), "AB", false)
	sc.want("both in one", "L7OK UP: (tcp-check)")

	spec := Spec{Kind: Script, Steps: []Step{expect("A"), {Kind: StepSend, Data: []byte("x")}, expect("B")}}
	sc = newScene(t, spec, ServerSpec{}, nil)
	sc.answer(sc.next(), "AB", true)
	sc.want("what came before a send is gone", "L7RSP DOWN!: TCPCHK got an empty response at step 3")
}

func TestScriptOpensSeveralConnections(t *testing.T) {
	spec := Spec{Kind: Script, Steps: []Step{
		{Kind: StepConnect, Linger: true},
		{Kind: StepExpect, Expect: Expect{Match: MatchString, Pattern: "pop"}},
		{Kind: StepConnect, Port: 143, Comment: "imap"},
		{Kind: StepExpect, Expect: Expect{Match: MatchString, Pattern: "imap"}},
	}}
	sc := newScene(t, spec, ServerSpec{Inter: inter}, nil)
	other := sc.sk.Server(evloop.Addr{IP: netip.MustParseAddrPort("10.0.0.1:143")})
	e := sc.next()
	sc.answer(e, "pop", false)
	second := other.Accept()
	if !e.EOF() || e.WasReset() || second == nil {
		t.Fatalf("first connection: EOF %v, reset %v; second %v", e.EOF(), e.WasReset(), second)
	}
	sc.answer(second, "imap", false)
	sc.want("both", "L7OK UP: (tcp-check)")
	if !second.WasReset() {
		t.Error("without linger the connection ends by RST")
	}
	other.Refuse(true)
	sc.answer(sc.next(), "pop", false)
	sc.want("second port", "L4CON UP 2/3: Connection refused at step 3 of tcp-check (connect port 143) comment: 'imap'")
}

func TestInitialConnectionOfAScriptIsNamed(t *testing.T) {
	for _, tt := range []struct {
		steps []Step
		want  string
	}{
		{nil, "L4CON DOWN!: Connection refused at initial connection step of tcp-check"},
		{[]Step{{Kind: StepSend, Data: []byte("x")}}, "L4CON DOWN!: Connection refused at initial connection step of tcp-check"},
		{[]Step{{Kind: StepConnect}}, "L4CON DOWN!: Connection refused at step 1 of tcp-check (connect)"},
		{[]Step{{Kind: StepConnect, Comment: "conn"}}, "L4CON DOWN!: Connection refused at step 1 of tcp-check (connect) comment: 'conn'"},
	} {
		sc := newScene(t, Spec{Kind: Script, Steps: tt.steps}, ServerSpec{}, nil)
		sc.server.Refuse(true)
		sc.pass(time.Millisecond)
		sc.want("refused", tt.want)
	}
}

func TestLastStepNamesTheResult(t *testing.T) {
	for _, tt := range []struct {
		steps []Step
		want  string
	}{
		{nil, "L4OK UP"},
		{[]Step{{Kind: StepConnect}}, "L4OK UP: (tcp-check)"},
		{[]Step{{Kind: StepSend, Data: []byte("QUIT")}}, "L7OK UP: (tcp-check)"},
	} {
		sc := newScene(t, Spec{Kind: Script, Steps: tt.steps}, ServerSpec{}, nil)
		sc.next()
		sc.want("connected", tt.want)
	}
}

func TestExpectationMayRenameItsResults(t *testing.T) {
	e := Expect{Match: MatchString, Pattern: "A", OKStatus: StatusL7OKC, ErrorStatus: StatusL7Sts, TimeoutStatus: StatusL4Tout}
	sc := newScene(t, Spec{Kind: Script, Steps: []Step{{Kind: StepExpect, Expect: e}}}, ServerSpec{Inter: inter}, nil)
	sc.answer(sc.next(), "A", false)
	sc.want("ok-status", "L7OKC NOLB!")
	sc.answer(sc.next(), "B", true)
	sc.want("error-status", "L7STS NOLB 2/3: TCPCHK did not match content 'A' at step 1")
	sc.next()
	sc.pass(inter)
	sc.want("tout-status", "L4TOUT NOLB 1/3:  at step 1 of tcp-check (expect string 'A')")
}

func TestSeveralRequestsOfOneCheck(t *testing.T) {
	spec := Spec{Kind: HTTP, Steps: []Step{
		{Kind: StepConnect},
		{Kind: StepSend, Request: &Request{Method: "GET", URI: "/a"}},
		{Kind: StepConnect},
		{Kind: StepSend, Request: &Request{Method: "HEAD", URI: "/b"}},
		{Kind: StepExpect, Expect: Expect{Codes: [][2]int{{204, 204}}}},
		{Kind: StepExpect, Expect: Expect{Match: MatchStatusRegexp, Pattern: "4$"}},
	}}
	sc := newScene(t, spec, ServerSpec{}, nil)
	sc.next()
	sc.pass(time.Millisecond)
	e := sc.server.Accept()
	if e == nil {
		t.Fatal("no second connection")
	}
	if got := string(e.Recv()); got != "HEAD /b HTTP/1.0\r\n\r\n" {
		t.Errorf("sent %q", got)
	}
	sc.answer(e, "HTTP/1.0 204 No Content\r\n\r\n", true)
	sc.want("both expectations look at one response", "L7OK 204 UP")
}

func TestAddressAndPortOfTheCheck(t *testing.T) {
	sc := newScene(t, Spec{}, ServerSpec{Addr: "10.0.0.9", Port: 8081, Inter: inter}, nil)
	other := sc.sk.Server(evloop.Addr{IP: netip.MustParseAddrPort("10.0.0.9:8081")})
	sc.pass(time.Millisecond)
	if other.Accept() == nil || sc.server.Accept() != nil {
		t.Error("the check goes to its own address")
	}
	sc.want("connected", "L4OK UP")
}

func TestPROXYHeaderComesFirst(t *testing.T) {
	greeting := func(dst []byte, src, to netip.AddrPort) []byte {
		return append(dst, fmt.Sprintf("PROXY TCP4 %v %v\r\n", src.Addr(), to)...)
	}
	const header = "PROXY TCP4 127.0.0.1 10.0.0.1:80\r\n"
	http := Spec{Kind: HTTP}
	for _, tt := range []struct {
		name string
		spec Spec
		srv  ServerSpec
		own  bool
		want string
	}{
		{"check-send-proxy", http, ServerSpec{SendProxy: true}, false, header + "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"as traffic has it", http, ServerSpec{}, true, header + "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"not with a port of its own", http, ServerSpec{Port: 80}, true, "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"nor without", http, ServerSpec{}, false, "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"a connect step asks", Spec{Kind: Script, Steps: []Step{{Kind: StepConnect, SendProxy: true}, {Kind: StepSend, Data: []byte("x")}}}, ServerSpec{}, false, header + "x"},
		{"alone", Spec{}, ServerSpec{SendProxy: true}, false, header},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := newScene(t, tt.spec, tt.srv, func(target *Target) { target.Greeting, target.SendProxy = greeting, tt.own })
			e := sc.next()
			got := string(e.Recv())
			if i := strings.Index(got, "PROXY TCP4 "); i == 0 { // our address is the simulator's choice
				rest := got[len("PROXY TCP4 "):]
				got = "PROXY TCP4 127.0.0.1" + rest[strings.IndexByte(rest, ' '):]
			}
			if got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUNIXServers(t *testing.T) {
	unix := func(target *Target) { target.Addr = evloop.Addr{Path: "/run/s.sock"} }
	sc := newScene(t, Spec{Kind: HTTP}, ServerSpec{Inter: inter, Port: 99}, unix)
	sc.answer(sc.next(), response, true)
	sc.want("answer", "L7OK 200 UP")
	sc.server.Close()
	sc.pass(inter)
	if r := sc.reports[0]; r.Status != StatusSocket || !strings.HasPrefix(r.Detail, "General socket error (") {
		t.Errorf("got %+v, want SOCKERR as HAProxy", r)
	}
}

func TestSocketThatCantBeHad(t *testing.T) {
	sc := newScene(t, Spec{Kind: Script}, ServerSpec{}, func(target *Target) {
		target.Tune = func(int) syscall.Errno { return syscall.EADDRNOTAVAIL }
	})
	sc.pass(time.Millisecond)
	sc.want("source address", "SOCKERR DOWN!: General socket error (Cannot assign requested address) at initial connection step of tcp-check")
	sc = newScene(t, Spec{}, ServerSpec{}, nil)
	sc.sk.DescriptorsMax = 0
	sc.pass(time.Millisecond)
	sc.want("descriptors", "SOCKERR DOWN!: General socket error (Too many open files)")
	sc.sk.DescriptorsMax = 100
}

func TestNextCheckBeginsAnIntervalAfterTheLast(t *testing.T) {
	srv := ServerSpec{Inter: time.Second, FastInter: 200 * time.Millisecond, DownInter: 700 * time.Millisecond, Fall: 2}
	sc := newScene(t, Spec{Kind: HTTP}, srv, nil)
	var gaps []time.Duration
	ended := sc.sk.Now()
	for i, bad := range []bool{false, false, true, true, true, false, false, false} {
		e := sc.server.Accept()
		for ; e == nil; e = sc.server.Accept() {
			sc.pass(time.Millisecond)
		}
		gaps = append(gaps, sc.sk.Now().Sub(ended).Round(10*time.Millisecond))
		if i == 0 {
			sc.pass(400 * time.Millisecond) // a slow answer moves the next check
		}
		text := response
		if bad {
			text = "HTTP/1.0 500 x\r\n\r\n"
		}
		sc.answer(e, text, true)
		ended = sc.sk.Now()
	}
	const s, fast, down = time.Second, 200 * time.Millisecond, 700 * time.Millisecond
	want := []time.Duration{0, s, s, fast, down, down, fast, s}
	if fmt.Sprint(gaps) != fmt.Sprint(want) {
		t.Errorf("gaps %v, want %v", gaps, want)
	}
}

func TestSpreadMovesIntervalsWithinBounds(t *testing.T) {
	sc := newScene(t, Spec{}, ServerSpec{Inter: time.Second}, func(target *Target) { target.Spread = 20 })
	seen := map[time.Duration]bool{}
	for range 200 {
		d := sc.checker.spread(time.Second)
		if d < 800*time.Millisecond || d > 1200*time.Millisecond {
			t.Fatalf("interval %v, want 1 s within 20 percent", d)
		}
		seen[d] = true
	}
	if len(seen) < 100 {
		t.Errorf("only %d different intervals", len(seen))
	}
}

func TestFirstChecksAreSpread(t *testing.T) {
	for _, tt := range []struct {
		inter      time.Duration
		pos, count int
		bound      time.Duration
		want       time.Duration
	}{
		{2 * time.Second, 0, 4, 0, 0},
		{2 * time.Second, 3, 4, 0, 1500 * time.Millisecond},
		{100 * time.Millisecond, 1, 2, 0, 500 * time.Millisecond},
		{time.Minute, 1, 2, time.Second, 500 * time.Millisecond},
		{0, 1, 2, 0, time.Second},
		{time.Second, 0, 0, 0, 0},
	} {
		if got := FirstDelay(&ServerSpec{Inter: tt.inter}, tt.pos, tt.count, tt.bound); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

func TestStopEndsACheckWithoutReport(t *testing.T) {
	sc := newScene(t, Spec{Kind: HTTP}, ServerSpec{Inter: inter}, nil)
	e := sc.next()
	sc.checker.Stop()
	sc.pass(10 * inter)
	sc.wantNone("stopped")
	if !e.WasReset() || sc.checker.Running() || sc.server.Accept() != nil {
		t.Error("the check goes on")
	}
	sc.checker.Start(inter)
	sc.checker.Start(0) // it runs: this does nothing
	sc.pass(inter - time.Millisecond)
	if sc.server.Accept() != nil {
		t.Error("the check began too early")
	}
	sc.answer(sc.next(), response, true)
	sc.want("started again", "L7OK 200 UP")
}

func TestReportMayStopTheChecker(t *testing.T) {
	var c *Checker
	reports := 0
	sc := newScene(t, Spec{}, ServerSpec{Inter: inter}, func(target *Target) {
		target.Report = func(Report) { reports++; c.Stop() }
	})
	c = sc.checker
	sc.pass(10 * inter)
	if reports != 1 {
		t.Errorf("%d reports, want one", reports)
	}
}

func TestOrdersAreReported(t *testing.T) {
	sc := newScene(t, Spec{}, ServerSpec{Inter: inter, ShutdownOnDown: true, ShutdownBackupsOnUp: true}, nil)
	sc.next()
	sc.want("check", "L4OK UP")
	sc.checker.Force(ForceDown)
	if r := sc.reports[0]; !r.Ordered || r.Result || !r.ShutdownSessions {
		t.Errorf("order: %+v", r)
	}
	sc.want("order", "L4OK DOWN!")
	sc.next()
	sc.want("a check alone does not make it up", "L4OK DOWN 1/2")
	sc.checker.Force(ForceUp)
	if r := sc.reports[0]; !r.ShutdownBackups {
		t.Errorf("order: %+v", r)
	}
	sc.want("order", "L4OK UP!")
}

func TestWhatIsKnownOutlivesTheChecker(t *testing.T) {
	old := newScene(t, Spec{}, ServerSpec{Inter: inter}, nil)
	old.server.Refuse(true)
	old.pass(time.Millisecond)
	old.want("down", "L4CON DOWN!: Connection refused")
	known := old.checker.Snapshot()
	sc := newScene(t, Spec{}, ServerSpec{Inter: inter}, func(target *Target) { target.Resume = &known })
	sc.next()
	sc.want("one check is not enough", "L4OK DOWN 1/2")
	sc = newScene(t, Spec{}, ServerSpec{}, func(target *Target) { target.Down = true })
	sc.next()
	sc.want("one that begins down needs one", "L4OK UP!")
}

func TestInvalidSpecNeverPasses(t *testing.T) {
	sk := simkernel.New(1)
	loop, err := evloop.New(evloop.Config{Kernel: sk})
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	spec := Spec{Kind: HTTP, Steps: []Step{{Kind: StepExpect, Expect: Expect{Match: MatchRegexp, Pattern: "("}}}}
	c := NewChecker(loop, &spec, &ServerSpec{}, Target{Addr: serverAddr, Report: func(r Report) { got = r }})
	c.Start(0)
	sk.RunFor(time.Second, loop)
	c.Stop()
	if got.Up || got.Status != StatusSocket || !strings.Contains(got.Detail, `can't use "("`) {
		t.Errorf("got %+v", got)
	}
}
