package proxy

import (
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
)

// refusedOnce bounds how often a connect that is refused is tried again: there is
// a pause of a second before each.
func (cfg *Config) refusedOnce() *Config {
	cfg.Backends[0].Retries = 1
	return cfg
}

func TestE2EServerIsKilled(t *testing.T) {
	r := newRig(t)
	server := startChild(t, "server")
	r.start(e2eSite(ModeHTTP, server.line("its address")).refusedOnce())
	waits := r.get("/hang")
	server.want("the request is there", "hangs")
	reads := r.get("/half")
	server.want("half of the answer has left", "half is sent")
	reads.wantHead("the answer has begun", 200)
	server.kill()
	waits.wantAnswer("the server was killed before it answered", 502)
	if n, err := reads.in.Discard(1000); n > 500 || err == nil {
		t.Errorf("body: got %d bytes and error %v, want 500 and a cut", n, err)
	}
	r.wantLogs("both", "502 SH-- be/s1 0 0/0", "200 SD-- be/s1 0 0/0")
	waits.get("/")
	waits.wantAnswer("nobody listens any more", 503)
	r.wantLogs("the next request", "503 SC-- be/s1 1 0/0")
	r.wantTally(tally{total: 3, answers2: 1, answers5: 2, badAnswer: 1, serverAbort: 1, connFailed: 2, retries: 1})
}

// stoppedTells is how long a server has to answer before it is taken for a
// stopped one: a busy machine is faster.
const stoppedTells = 3 * time.Second

// A stopped server's kernel still accepts: only time tells.
func TestE2EServerIsStoppedAndGoesOn(t *testing.T) {
	r := newRig(t)
	server := startChild(t, "server")
	cfg := e2eSite(ModeHTTP, server.line("its address"))
	cfg.timeouts(func(to *Timeouts) { to.Server = stoppedTells })
	cfg.Backends[0].Check = health.Spec{Kind: health.HTTP, Timeout: stoppedTells}
	cfg.Backends[0].Servers[0].Check = health.ServerSpec{Enabled: true, Inter: 20 * time.Millisecond, Rise: 2, Fall: 1}
	r.start(cfg)
	client := r.get("/stop")
	client.wantAnswer("the server stopped before it answered", 504)
	r.wantLogs("", "504 sH-- be/s1 0 0/0")
	state := r.p.plan.Load().backends[0].servers[0].bal.State
	r.until("the check takes the server down", func() bool { return state() == balancer.StateDown })
	client.get("/")
	client.wantAnswer("no server is left", 503)
	r.wantLogs("", "503 SC-- be/<NOSRV> 0 0/0")
	server.signal(syscall.SIGCONT)
	r.until("the check brings the server back", func() bool { return state() == balancer.StateUp })
	client.get("/")
	client.wantAnswer("the server is back", 200)
	r.wantLogs("", "200 ---- be/s1 0 0/0")
	r.wantTally(tally{total: 3, answers2: 1, answers5: 2, badAnswer: 1})
	if down, up := r.noted("s1 is DOWN"), r.noted("s1 is UP"); down != 1 || up != 1 {
		t.Errorf("messages: %d say DOWN and %d UP, want one each: %q", down, up, r.notes)
	}
}

func TestE2EServerRefuses(t *testing.T) {
	r := newRig(t)
	r.start(e2eSite(ModeHTTP, refusingAddress(t)).refusedOnce())
	client := r.get("/a")
	client.wantAnswer("nobody listens", 503)
	client.get("/b")
	client.wantAnswer("and the connection goes on", 503)
	r.wantLogs("", times(2, "503 SC-- be/s1 1 0/0")...)
	r.wantTally(tally{total: 2, answers5: 2, connFailed: 4, retries: 2})
}

func TestE2ERefusedRequestGoesToAnotherServer(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg := e2eSite(ModeHTTP, refusingAddress(t), server.addr)
	cfg.Backends[0].Redispatch = 1
	r.start(cfg)
	client := r.get("/a")
	client.wantAnswer("the other server answers", 200)
	r.wantLogs("", "200 ---- be/s2 +1 0/0")
	r.wantTally(tally{total: 1, answers2: 1, connFailed: 1, redispatch: 1})
}

func TestE2EServerResets(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	r.start(e2eSite(ModeHTTP, server.addr))
	for name, reply := range map[string]string{
		"length":      "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
		"chunks":      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"until close": "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
	} {
		client := r.get("/a")
		s := server.accept(name)
		s.request(name)
		s.send(reply)
		client.wantHead(name, 200)
		if b, err := client.in.Peek(5); err != nil {
			t.Fatalf("%s: got %q and error %v, want the half that was sent", name, b, err)
		}
		s.reset()
		if _, err := client.in.Discard(100); err == nil || name == "until close" && err.Error() == "EOF" {
			t.Errorf("%s: the body ends with %v: the client must see that it was cut", name, err)
		}
	}
	client := r.get("/a")
	s := server.accept("no answer")
	s.request("no answer")
	s.reset()
	client.wantAnswer("nothing of an answer had come", 502)
	r.wantLogs("", append(times(3, "200 SD-- be/s1 0 0/0"), "502 SH-- be/s1 0 0/0")...)
	r.wantTally(tally{total: 4, answers2: 3, answers5: 1, serverAbort: 3, badAnswer: 1})
}

func TestE2EServerOfARelayResets(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	r.start(e2eSite(ModeTCP, server.addr))
	client := r.dial()
	s := server.accept("a relay")
	s.send("hello")
	client.want("a relay", "hello")
	s.reset()
	client.wantEnd("the server has gone")
	r.wantLogs("", "SD be/s1 0 0/0")
	r.wantTally(tally{total: 1, serverAbort: 1})
}

func TestE2EServerOfARelayRefuses(t *testing.T) {
	r := newRig(t)
	r.start(e2eSite(ModeTCP, refusingAddress(t)).refusedOnce())
	r.dial().wantEnd("nobody listens")
	r.wantLogs("", "SC be/s1 1 0/0")
	r.wantTally(tally{total: 1, connFailed: 2, retries: 1})
}
