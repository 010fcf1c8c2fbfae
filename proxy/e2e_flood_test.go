package proxy

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
	"github.com/weir-lb/weir/tls/tlstest"
)

// What hostile clients cost others, and what they leave behind: the attackers,
// the Proxy, its server and the clients that are watched are in four processes.
const (
	floodLatencyMax   = 20 * time.Millisecond // median of the others' requests, on a machine of our own,
	floodLatencyTimes = 10                    // and as many times what it is without the attack
	// New connections stand in the kernel's queue behind those of an attack that
	// brings more than a processor can take: first come, first served.
	floodQueueMax  = 200 * time.Millisecond
	floodMemoryMax = 16 << 20              // bytes that the Proxy grows by
	floodWorkMax   = 100                   // CPU time of the Proxy by that of its attackers
	floodWorkLeast = 20 * time.Millisecond // of the attackers' CPU time, before that is compared

	floodProbes      = 100         // requests of others on new connections, and as many on one that stays;
	floodProbesLeast = 10          // that many at least
	floodProbesTime  = time.Second // when this has passed
	floodPlaceMax    = time.Minute // for all attackers to have had their first step
	idleReports      = 20          // after an attack
)

// The binds of a flooded site, in this order.
const (
	plainDoor     = iota // HTTP
	proxyDoor            // HTTP behind a PROXY header
	bufferingDoor        // HTTP with option http-buffer-request
	relayDoor            // TCP
	tlsDoor              // HTTP over TLS
)

// floodedSite has a server and a hostile one. No deadline passes while it is
// flooded, so that what is held is held.
func floodedSite(server, hostile, logs, certificate string) *Config {
	cfg := e2eSite(ModeHTTP, server)
	cfg.Backends = append(cfg.Backends, e2eSite(ModeHTTP, hostile).Backends[0], e2eSite(ModeTCP, server).Backends[0])
	cfg.Backends[1].Name, cfg.Backends[2].Name = "hostile", "relay"
	fe := &cfg.Frontends[0]
	fe.Logs = []LogTarget{{Address: logs, Format: "raw", Facility: "local0"}}
	fe.HTTPRules.Request = []Rule{{Name: "return", Args: []string{"status", "200", "string", "own"}, Cond: Cond{Words: []string{"{", "path", "/own", "}"}}}}
	fe.UseBackend = []UseBackend{{Backend: "hostile", Cond: Cond{Words: []string{"{", "path", "/hostile", "}"}}}}
	for door := proxyDoor; door <= tlsDoor; door++ {
		other := *fe
		other.Name = fmt.Sprintf("fe%d", door)
		other.Binds = []listener.Spec{{Address: "127.0.0.1:0", AcceptProxy: door == proxyDoor}}
		other.HTTPBufferRequest = door == bufferingDoor
		if door == tlsDoor {
			other.TLS = []*tls.Spec{{Sources: []tls.Source{{Path: certificate}}, Origin: "test.cfg:1"}}
		}
		if door == relayDoor {
			other.Mode, other.HTTPRules, other.UseBackend, other.DefaultBackend = ModeTCP, HTTPRules{}, nil, "relay"
			other.Log.Custom = scriptLogTCP
		}
		cfg.Frontends = append(cfg.Frontends, other)
	}
	return cfg
}

func TestE2EFloods(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) { newFlood(t).run(&a) })
	}
}

// A flooding is one attack with all who take part.
type flooding struct {
	*rig
	proxy, attackers *child
	addrs            []string
	kept             *wire
}

func newFlood(t *testing.T) *flooding {
	f := &flooding{rig: newRig(t)}
	certificate := tlstest.NewAuthority(t, "weir test authority").File(t.TempDir(), "site.pem", tlstest.Request{Names: []string{"example.com"}})
	server := startChild(t, "server")
	f.attackers = startChild(t, "attack")
	f.proxy = startChild(t, strings.Join([]string{"flooded", server.line("its address"), f.attackers.line("its server's address"), f.nobody(), certificate}, " "))
	f.addrs = strings.Fields(f.proxy.line("its addresses"))
	f.addr = f.addrs[plainDoor]
	f.kept = f.dial()
	return f
}

// nobody is where the log goes: a socket that is not read.
func (f *flooding) nobody() string {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

func (f *flooding) run(a *attack) {
	t := f.t
	quiet := f.probe()
	eventually(func() bool { return f.proxy.report().Held.Connections == 1 }) // the last of the probe may still be counted
	before := f.proxy.ask("mark")

	fmt.Fprintf(f.attackers.in, "%s:%s\n", a.name, strings.Join(f.addrs, " "))
	late := time.AfterFunc(floodPlaceMax, func() { f.attackers.cmd.Process.Kill() })
	f.attackers.want("every client", "in place")
	late.Stop()
	start, began, ran := f.attackReport(), f.proxy.report(), f.proxy.schedule()
	flooded := f.probe()
	end, full, slower := f.attackReport(), f.proxy.report(), f.proxy.schedule().slowdown(ran)

	for i, most := range []time.Duration{floodLatencyMax, floodQueueMax} {
		limit := floodLatencyTimes*quiet[i] + time.Duration(slower*float64(most))
		if flooded[i] > limit && !raceDetector {
			t.Errorf("median of the others' requests on %s: %v, want at most %v: it is %v without the attack, and the machine made the proxy %.1f times slower",
				[]string{"a connection that stays", "new connections"}[i], flooded[i], limit, quiet[i], slower)
		}
	}
	grown := full.Peak - before.Resident
	if grown > a.grows() && !raceDetector {
		t.Errorf("the process grew by %d bytes, want at most %d", grown, a.grows())
	}
	work, spent := full.CPU-began.CPU, end.CPU-start.CPU
	if spent >= floodWorkLeast && work > floodWorkMax*spent {
		t.Errorf("the proxy worked %v, its attackers %v", work, spent)
	}
	if a.moves && end.Steps == start.Steps {
		t.Error("the attack stood still")
	}
	f.attackers.kill()
	left := f.checkIdle(&before)
	t.Logf("p50 kept, new: %v, %v without; memory +%d KiB, +%d KiB afterwards; CPU time %v, attackers' %v in %d steps; machine %.1f times slower",
		flooded, quiet, grown>>10, left>>10, work, spent, end.Steps, slower)
}

// A schedule is how long the threads of a process ran, and how long they were
// ready to run and had to wait for a processor, in nanoseconds (schedstats of the
// kernel's documentation).
type schedule struct{ ran, waited float64 }

func (c *child) schedule() (s schedule) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", c.cmd.Process.Pid))
	for _, name := range threads {
		b, _ := os.ReadFile(name)
		var ran, waited float64
		if n, _ := fmt.Sscan(string(b), &ran, &waited); n == 2 {
			s.ran, s.waited = s.ran+ran, s.waited+waited
		}
	}
	return s
}

// slowdown is how many times slower others on the machine made the process since
// before.
func (s schedule) slowdown(before schedule) float64 {
	ran, waited := s.ran-before.ran, s.waited-before.waited
	if ran <= 0 {
		return 1
	}
	return (ran + waited) / ran
}

func (f *flooding) attackReport() (out attackReport) {
	f.t.Helper()
	f.attackers.askFor("report", &out)
	if out.Err != "" {
		f.t.Fatalf("attackers: %s", out.Err)
	}
	return out
}

// probe is the median time of requests of clients who mean no harm, on a
// connection that stays, and on new ones.
func (f *flooding) probe() (medians [2]time.Duration) {
	f.t.Helper()
	var took [2][]time.Duration
	ask := func(kind int, c *wire, start time.Time) {
		c.conn.SetDeadline(start.Add(e2ePatience))
		c.get("/")
		c.wantAnswer("an answer for who means no harm", 200)
		took[kind] = append(took[kind], time.Since(start))
	}
	for begin := time.Now(); len(took[1]) < floodProbes && (len(took[1]) < floodProbesLeast || time.Since(begin) < floodProbesTime); {
		ask(0, f.kept, time.Now())
		start := time.Now()
		fresh := f.dial()
		ask(1, fresh, start)
		fresh.reset()
	}
	for i := range took {
		slices.Sort(took[i])
		medians[i] = took[i][len(took[i])/2]
	}
	return medians
}

// checkIdle: all is as before but for idle server connections, and nothing
// turns. It returns what is left in memory.
func (f *flooding) checkIdle(before *childReport) (left int) {
	t := f.t
	var now childReport
	calm := func() bool {
		last := now
		now = f.proxy.report()
		if now.Held.H1 == 0 { // so many at once that they are not counted any more
			now.Held.H1 = before.Held.H1
		}
		return now.Held == before.Held && now.Files-now.Idle == before.Files-before.Idle && now.events() == last.events()
	}
	if !eventually(calm) {
		t.Errorf("left over: %+v with %d descriptors, %d of them idle; before: %+v with %d, %d", now.Held, now.Files, now.Idle, before.Held, before.Files, before.Idle)
	}
	for i, l := range now.Loops {
		// Idle server connections may have their last deadline in the wheel.
		if was := before.Loops[i]; l.Timers > was.Timers+now.Idle {
			t.Errorf("loop %d: %d timers, %d before, with %d idle server connections", i, l.Timers, was.Timers, now.Idle)
		}
	}
	first := now
	for range idleReports {
		now = f.proxy.report()
	}
	if n := now.events() - first.events(); n != 0 {
		t.Errorf("%d events when all is over", n)
	}
	for i := range now.Loops {
		turns, sleeps := now.Loops[i].Turns-first.Loops[i].Turns, now.Loops[i].Sleeps-first.Loops[i].Sleeps
		if turns > sleeps+2*idleReports {
			t.Errorf("loop %d: %d turns with %d sleeps when all is over", i, turns, sleeps)
		}
	}
	return f.proxy.tidyReport().Resident - before.Resident
}

// events that came from descriptors.
func (c *childReport) events() (n uint64) {
	for _, l := range c.Loops {
		n += l.Events - l.Wakes
	}
	return n
}
