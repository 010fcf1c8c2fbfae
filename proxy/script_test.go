package proxy

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
	"github.com/weir-lb/weir/listener"
)

// A script plays clients and servers against a whole Proxy on a simulated
// machine: no sockets, no goroutines of loops, no clock but its own. The test's
// goroutine turns the loops, in an order that comes from the seed. What a step
// expects carries the reason; at the end nothing may be left over.
type script struct {
	t       *testing.T
	sk      *simkernel.Kernel
	p       *Proxy
	loops   []*evloop.Loop
	rng     *rand.Rand
	clients map[int]*peer
	servers map[string]*scriptServer
	order   []*scriptServer
	doors   []evloop.Addr // in the order of the Config's binds

	logs     *bufio.Reader // what the log target got
	logEnds  [2]*os.File   // the pipe it comes through: ours, the target's
	logsRead uint32
	finished bool
	stopped  bool // Run has ended: there is nothing left to end
}

// seedOf is the seed of a script: fixed, unless WEIR_SEED says another.
func seedOf(t testing.TB, def uint64) uint64 {
	text := os.Getenv("WEIR_SEED")
	if text == "" {
		return def
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("WEIR_SEED: %v", err)
	}
	return seed
}

// newScript starts a Proxy with cfg, and every server that cfg names. Loops: 1,
// unless cfg says otherwise.
func newScript(t *testing.T, cfg *Config) *script {
	t.Helper()
	sc := newSeededScript(t, cfg, seedOf(t, 1))
	t.Cleanup(sc.finish)
	return sc
}

func newSeededScript(t *testing.T, cfg *Config, seed uint64) *script {
	t.Helper()
	sc := &script{
		t: t, sk: simkernel.New(seed), rng: rand.New(rand.NewPCG(seed, 7)),
		clients: map[int]*peer{}, servers: map[string]*scriptServer{},
	}
	cfg.Global.Loops = max(cfg.Global.Loops, 1)
	for i := range cfg.Frontends {
		sc.openLog(&cfg.Frontends[i])
	}
	binds := make([][]listener.Spec, len(cfg.Frontends))
	for i := range cfg.Frontends {
		binds[i], cfg.Frontends[i].Binds = cfg.Frontends[i].Binds, nil
	}
	start := sc.sk.Now()
	p, err := New(*cfg, Options{
		Kernel: func(int) evloop.Kernel { return sc.sk },
		Now:    func() time.Time { return time.Unix(1_000_000_000, 0).Add(sc.sk.Now().Sub(start)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	sc.p = p
	for i, fe := range p.plan.Load().frontends {
		for _, spec := range binds[i] {
			p.addDoor(i, fe, spec, sc.listen(spec))
		}
	}
	p.watching.Store(int32(len(p.workers)))
	for _, w := range p.workers {
		sc.loops = append(sc.loops, w.loop)
		if err := w.watchDoors(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range cfg.Backends {
		for _, s := range cfg.Backends[i].Servers {
			if !strings.Contains(s.Address, ":+") { // else the test knows which there are
				sc.startServer(s.Name, s.Address)
			}
		}
	}
	return sc
}

func parseSimAddress(address string) evloop.Addr {
	if strings.HasPrefix(address, "/") {
		return evloop.Addr{Path: address}
	}
	return evloop.Addr{IP: netip.MustParseAddrPort(address)}
}

// listen opens a bind on the simulated machine.
func (sc *script) listen(spec listener.Spec) *listener.Socket {
	addr := parseSimAddress(spec.Address)
	sc.doors = append(sc.doors, addr)
	return &listener.Socket{
		FD: sc.sk.Listen(addr), Spec: spec, Local: addr.IP, Path: addr.Path, UNIX: addr.Path != "",
	}
}

// openLog gives a frontend whose log format is the script's own a target.
func (sc *script) openLog(fe *Frontend) {
	if fe.Log.Custom != scriptLogHTTP && fe.Log.Custom != scriptLogTCP {
		return
	}
	if sc.logs == nil {
		r, w, err := os.Pipe()
		if err != nil {
			sc.t.Fatal(err)
		}
		sc.logs, sc.logEnds = bufio.NewReader(r), [2]*os.File{r, w}
	}
	fd := sc.logEnds[1].Fd()
	fe.Logs = []LogTarget{{Address: fmt.Sprintf("fd@%d", fd), Format: "raw", Facility: "local0", Origin: fe.Name}}
}

// settle turns the loops, in an order of its own each time, until nothing
// happens any more.
func (sc *script) settle() {
	for idle := 0; idle <= len(sc.loops); {
		idle++
		if sc.loops[sc.rng.IntN(len(sc.loops))].Turn(0) > 0 {
			idle = 0
		}
	}
	sc.sk.Settle(sc.loops...)
}

// Advance lets d pass, with all that is due meanwhile.
func (sc *script) Advance(d time.Duration) {
	sc.settle()
	sc.sk.RunFor(d, sc.loops...)
}

// Expire passes over a deadline that is d away: just before it nothing may
// happen, and then it has passed.
func (sc *script) Expire(why string, d time.Duration) {
	sc.t.Helper()
	sc.settle()
	sc.Advance(d - expireLate)
	sc.WantIdle(why + " (not yet)")
	sc.Advance(2 * expireLate)
}

// expireLate is how long before and behind a deadline Expire stands.
const expireLate = 5 * time.Millisecond

// Client is the script's client n, connected to the first bind when first
// asked for.
func (sc *script) Client(n int) *peer {
	if p := sc.clients[n]; p != nil {
		return p
	}
	return sc.ClientTo(n, 0)
}

// ClientTo connects client n to a bind of the Config, by its place there.
func (sc *script) ClientTo(n, bind int) *peer {
	return sc.addClient(n, sc.sk.Client(sc.doors[bind]))
}

// ClientOn connects client n to the first bind and has a certain loop accept
// it.
func (sc *script) ClientOn(n, loop int) *peer {
	sc.t.Helper()
	sc.settle()
	live := sc.p.workers[loop].live
	p := sc.addClient(n, sc.sk.Client(sc.doors[0]))
	for sc.loops[loop].Turn(0) > 0 {
	}
	if sc.p.workers[loop].live != live+1 {
		sc.t.Fatalf("client %d was not accepted by loop %d", n, loop)
	}
	return p
}

func (sc *script) addClient(n int, end *simkernel.End) *peer {
	p := &peer{sc: sc, name: fmt.Sprintf("client %d", n), end: end}
	sc.clients[n] = p
	return p
}

// Server is the script's server of that name.
func (sc *script) Server(name string) *scriptServer {
	sc.t.Helper()
	s := sc.servers[name]
	if s == nil {
		sc.t.Fatalf("there is no server %q", name)
	}
	return s
}

func (sc *script) startServer(name, address string) {
	s := &scriptServer{sc: sc, name: name, srv: sc.sk.Server(parseSimAddress(address))}
	sc.servers[name] = s
	sc.order = append(sc.order, s)
}

// WantIdle: nothing new has come to anybody.
func (sc *script) WantIdle(why string) {
	sc.t.Helper()
	sc.settle()
	for _, p := range sc.peers() {
		p.wantNothing(why)
	}
	for _, s := range sc.order {
		s.WantNoConnection(why)
	}
}

// peers are all ends that the script holds.
func (sc *script) peers() []*peer {
	var all []*peer
	for _, p := range sc.clients {
		all = append(all, p)
	}
	for _, s := range sc.order {
		all = append(all, s.conns...)
	}
	return all
}

// The log formats of the script's frontends: what does not depend on time.
const (
	scriptLogHTTP = "%ST %tsc %b/%s %rc %sq/%bq"
	scriptLogTCP  = "%ts %b/%s %rc %sq/%bq"
)

// WantLog: the next line of the log, in the script's own format.
func (sc *script) WantLog(why, want string) {
	sc.t.Helper()
	sc.settle()
	if sc.logLines() == sc.logsRead {
		sc.t.Fatalf("log: %s: no line was written, want %q", why, want)
	}
	sc.logsRead++
	if line := sc.logLine(); line != want {
		sc.t.Fatalf("log: %s:\n got %q\nwant %q", why, line, want)
	}
}

// logLine reads the next line of a session; what a soft stop tells is passed over.
func (sc *script) logLine() string {
	sc.t.Helper()
	for {
		line, err := sc.logs.ReadString('\n')
		if err != nil {
			sc.t.Fatal(err)
		}
		if !strings.HasPrefix(line, "Proxy ") {
			return strings.TrimSuffix(line, "\n")
		}
	}
}

// WantNoLog: all lines were asked for.
func (sc *script) WantNoLog(why string) {
	sc.t.Helper()
	sc.settle()
	if n := sc.logLines() - sc.logsRead; n != 0 {
		sc.t.Fatalf("log: %s: %d more lines, the next is %q", why, n, sc.logLine())
	}
}

// logLines is how many lines were written so far.
func (sc *script) logLines() (n uint32) {
	for _, fe := range sc.p.plan.Load().frontends {
		n += fe.live.logged.Load()
	}
	return n
}

// site is a Config with one frontend at 127.0.0.1:80 and one backend "be" of
// servers s1, s2, ... at 127.0.0.1:8001 and on. All timeouts differ, so that a
// test can tell which one passed; the log lines are the script's.
func site(mode Mode, servers int) *Config {
	common := Common{Mode: mode, Timeouts: Timeouts{
		Connect: 3 * time.Second, Client: 40 * time.Second, Server: 30 * time.Second, Tunnel: 600 * time.Second,
		ClientFin: 7 * time.Second, ServerFin: 8 * time.Second, Queue: 20 * time.Second,
		HTTPRequest: 10 * time.Second, KeepAlive: 15 * time.Second, Tarpit: 9 * time.Second,
	}}
	fe := Frontend{Common: common, Binds: []listener.Spec{{Address: "127.0.0.1:80"}}, DefaultBackend: "be"}
	fe.Name, fe.Log.Custom = "fe", scriptLogHTTP
	if mode == ModeTCP {
		fe.Log.Custom = scriptLogTCP
	}
	be := Backend{Common: common}
	be.Name = "be"
	for i := range servers {
		name := "s" + strconv.Itoa(i+1)
		be.Servers = append(be.Servers, Server{Name: name, Address: fmt.Sprintf("127.0.0.1:%d", 8001+i)})
		be.Balance.Servers = append(be.Balance.Servers, balancer.ServerSpec{Name: name, Weight: -1})
	}
	return &Config{Frontends: []Frontend{fe}, Backends: []Backend{be}}
}

// limited gives every server of the site's backend n slots.
func (cfg *Config) limited(n int) *Config {
	servers := cfg.Backends[0].Balance.Servers
	for i := range servers {
		servers[i].MaxConn = n
	}
	return cfg
}

// loops makes the site run on n loops.
func (cfg *Config) loops(n int) *Config {
	cfg.Global.Loops = n
	return cfg
}
