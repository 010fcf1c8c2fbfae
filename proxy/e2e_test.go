package proxy

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-lb/weir/listener"
)

// The e2e tests are bad days on the real kernel: real sockets on 127.0.0.1, a
// Proxy with two loops in this process, other processes where one must be
// killed or stopped. Each test ends with nothing left over: no slot, no
// connection, no buffer, no descriptor.

// A rig is a Proxy with its log and what it must give back.
type rig struct {
	t     *testing.T
	p     *Proxy
	addr  string
	logTo *net.UDPConn
	logs  chan string // closed when the log has ended
	files int         // open descriptors before
	stop  context.CancelFunc
	ended chan error

	mu    sync.Mutex
	notes []string // messages about the proxy and its servers
}

const (
	e2ePatience = time.Minute // before a condition that does not come is a failure
	e2ePoll     = 2 * time.Millisecond
)

// newRig counts descriptors and opens the log. What the test opens from now on
// is closed before the rig looks at what is left.
func newRig(t *testing.T) *rig {
	t.Helper()
	warm, err := net.Listen("tcp", "127.0.0.1:0") // the runtime's own descriptors are open from here on
	if err != nil {
		t.Fatal(err)
	}
	warm.Close()
	r := &rig{t: t, files: openFiles(), logs: make(chan string, 1<<14)}
	if r.logTo, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	r.logTo.SetReadBuffer(4 << 20)
	go r.readLog()
	t.Cleanup(r.finish)
	return r
}

const endOfLog = "end of the e2e log"

func (r *rig) readLog() {
	defer close(r.logs)
	b := make([]byte, 4096)
	for {
		n, _, err := r.logTo.ReadFromUDP(b)
		line := strings.TrimSpace(string(b[:n]))
		if err != nil || line == endOfLog {
			return
		}
		if strings.HasPrefix(line, "Proxy fe stopped ") { // noted as well
			continue
		}
		r.logs <- line
	}
}

// e2eSite is a site whose servers are at addrs and whose bind is chosen by
// the kernel. No time passes but those that a test sets: what is slow here may
// only be slow because the machine is busy.
func e2eSite(mode Mode, addrs ...string) *Config {
	cfg := site(mode, len(addrs)).loops(2)
	never := Timeouts{
		Connect: -1, Client: -1, Server: -1, Tunnel: -1, ClientFin: -1, ServerFin: -1, Queue: -1,
		HTTPRequest: -1, KeepAlive: -1, Tarpit: -1,
	}
	cfg.timeouts(func(t *Timeouts) { *t = never })
	cfg.Global.Tune.NoIOUring = withoutIOUring()
	cfg.Frontends[0].Binds = []listener.Spec{{Address: "127.0.0.1:0"}}
	for i, a := range addrs {
		cfg.Backends[0].Servers[i].Address = a
	}
	return cfg
}

// timeouts changes those of both sides.
func (cfg *Config) timeouts(change func(t *Timeouts)) *Config {
	change(&cfg.Frontends[0].Timeouts)
	change(&cfg.Backends[0].Timeouts)
	return cfg
}

// start runs cfg until the test has ended.
func (r *rig) start(cfg *Config) {
	r.t.Helper()
	cfg.Frontends[0].Logs = []LogTarget{{Address: r.logTo.LocalAddr().String(), Format: "raw", Facility: "local0"}}
	p, err := New(*cfg, Options{Logf: r.note})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.p, r.addr, r.stop, r.ended = p, p.Addrs()[0], cancel, make(chan error, 1)
	go func() { r.ended <- p.Run(ctx) }()
	<-p.Ready()
}

func (r *rig) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// noted counts the messages that contain text.
func (r *rig) noted(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.notes {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// until waits for a condition.
func (r *rig) until(why string, holds func() bool) {
	r.t.Helper()
	if !eventually(holds) {
		r.t.Fatalf("%s: did not happen in %v", why, e2ePatience)
	}
}

func eventually(holds func() bool) bool {
	deadline := time.Now().Add(e2ePatience)
	tick := time.NewTicker(e2ePoll)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		<-tick.C
	}
	return true
}

// wantLogs: the next lines of the log are these, in any order.
func (r *rig) wantLogs(why string, want ...string) {
	r.t.Helper()
	var got []string
	timeout := time.After(e2ePatience)
	for len(got) < len(want) {
		select {
		case line := <-r.logs:
			got = append(got, line)
		case <-timeout:
			r.t.Fatalf("log: %s: got %q, want %q", why, got, want)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Fatalf("log: %s:\n got %q\nwant %q", why, got, want)
	}
}

// times is n lines that are alike.
func times(n int, line string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line
	}
	return lines
}

// A tally is what the counters of the frontend and the backend say.
type tally struct {
	badRequest                             uint64
	answers2, answers4, answers5           uint64 // what clients got, by hundreds
	connFailed, retries, redispatch        uint64
	badAnswer, clientAbort, serverAbort    uint64
	queueFull, queueTimeout, total, denied uint64
}

func (r *rig) tally() tally {
	var n tally
	pl := r.p.plan.Load()
	for i := range r.p.workers {
		f, b := &pl.frontends[0].live.counters[i], &pl.backends[0].live.counters[i]
		n.badRequest += f.badRequest.load()
		n.denied += f.denied.load()
		n.answers2 += f.status[2].load()
		n.answers4 += f.status[4].load()
		n.answers5 += f.status[5].load()
		n.connFailed += b.connFailed.load()
		n.retries += b.retries.load()
		n.redispatch += b.redispatch.load()
		n.badAnswer += b.badAnswer.load()
		n.clientAbort += b.clientAbort.load()
		n.serverAbort += b.serverAbort.load()
		n.queueFull += b.queueFull.load()
		n.queueTimeout += b.queueTimeout.load()
		n.total += b.total.load()
	}
	return n
}

// wantTally: the counters come to say exactly want.
func (r *rig) wantTally(want tally) {
	r.t.Helper()
	if !eventually(func() bool { return r.tally() == want }) {
		r.t.Fatalf("counters:\n got %+v\nwant %+v", r.tally(), want)
	}
}

// waiting is how many requests are queued.
func (r *rig) waiting() int { return r.p.plan.Load().backends[0].live.bal.Queued() }

// slots is how many are taken on all servers.
func (r *rig) slots() (n int) {
	for _, s := range r.p.plan.Load().backends[0].servers {
		n += s.bal.Current()
	}
	return n
}

// Holdings are what a Proxy holds for its clients, and must give back.
type holdings struct {
	Buffers, Clients, Exchanges, H1, TCP, ServerConns int // of all loops
	Slots, Waiting, Sessions, Connections, Paused     int
}

// add takes what one loop holds; idle server connections are nobody's.
func (h *holdings) add(w *worker) {
	inUse := func(made, free, keptMax int) int {
		if made > keptMax {
			return 0 // some were given to the collector: the difference says nothing
		}
		return made - free
	}
	h.Buffers += w.pool.InUse()
	h.Clients += w.live
	h.Exchanges += inUse(w.made.exchanges, w.nExchanges, exchangesKeptMax)
	h.H1 += inUse(w.made.h1, w.nH1, connsKeptMax)
	h.TCP += inUse(w.made.tcp, w.nTCP, connsKeptMax)
	h.ServerConns += inUse(w.made.servers, w.nServers, connsKeptMax) - w.idle
}

// holdingsOf asks every loop of a running Proxy.
func holdingsOf(p *Proxy) holdings {
	h := countedIn(p)
	for _, w := range p.workers {
		done := make(chan struct{})
		if w.loop.Do(func() { h.add(w); close(done) }) {
			<-done
		}
	}
	return h
}

// countedIn is what may be read at any time.
func countedIn(p *Proxy) (h holdings) {
	h.Connections, h.Paused = p.Connections(), int(p.pausedDoors.Load())
	for _, be := range p.plan.Load().backends {
		h.Sessions += int(be.live.sessions())
		h.Waiting += be.live.bal.Queued()
		for _, s := range be.servers {
			h.Slots += s.bal.Current()
		}
	}
	return h
}

// openFiles counts the descriptors of this process.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries) - 1 // ReadDir's own
}

// finish looks at what is left when all clients have gone, ends the Proxy, and
// looks again.
func (r *rig) finish() {
	t := r.t
	if r.p != nil {
		r.finishProxy()
	}
	if end, err := net.Dial("udp", r.logTo.LocalAddr().String()); err == nil {
		end.Write([]byte(endOfLog))
		end.Close()
	}
	for line := range r.logs {
		if !t.Failed() {
			t.Errorf("log: nobody asked for the line %q", line)
		}
	}
	r.logTo.Close()
	// Also after a failure: the next test counts from here.
	if !eventually(func() bool { return openFiles() == r.files }) {
		t.Errorf("%d descriptors are open, %d were before the test", openFiles(), r.files)
	}
}

func (r *rig) finishProxy() {
	if !r.t.Failed() && !r.p.stopping.Load() && !eventually(func() bool { return holdingsOf(r.p) == holdings{} }) {
		r.t.Errorf("left over while running: %+v", holdingsOf(r.p))
	}
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	left := countedIn(r.p)
	idle := 0
	for _, w := range r.p.workers {
		left.add(w)
		idle += w.idle
	}
	if !r.t.Failed() && (left != holdings{} || idle != 0) {
		r.t.Errorf("left over at the end: %+v, %d idle server connections", left, idle)
	}
}
