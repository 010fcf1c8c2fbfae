package rounds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weir-lb/weir/bench/contender"
	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
	"github.com/weir-lb/weir/bench/server"
)

// A stage is a scenario with everything that it needs running.
type stage struct {
	*Bench
	result.Scenario

	dir      string
	length   time.Duration
	threads  int
	servers  []netip.AddrPort
	log      netip.AddrPort
	counters *server.Counters
	server   *process.Process
	players  []*player
}

// A player is a contender that runs, in one variant.
type player struct {
	contender.Contender
	entry   int // in Scenario.Entries
	listen  netip.AddrPort
	spec    process.Spec
	process *process.Process
	pids    []int
}

func (st *stage) proxyCPUs() []int {
	if st.AllCores {
		return slices.Sorted(maps.Keys(process.Busy()))
	}
	return st.ProxyCPUs
}

func (st *stage) loadCPUs() []int {
	if st.AllCores {
		return slices.Sorted(maps.Keys(process.Busy()))
	}
	return st.LoadCPUs
}

// loadThreads is how many threads the server and the generator each have.
func (st *stage) loadThreads() int { return max(1, len(st.LoadCPUs)/2) }

func (st *stage) open(ctx context.Context) error {
	if err := os.MkdirAll(st.dir, 0o755); err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	variants := st.Variants
	if len(variants) == 0 {
		variants = []scenario.Variant{{}}
	}
	if err := st.openServer(ctx, variants); err != nil {
		return err
	}
	for _, c := range st.Contenders {
		if len(st.Only) > 0 && !slices.Contains(st.Only, c.Name) {
			continue
		}
		for _, v := range variants {
			if err := st.openPlayer(ctx, c, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (st *stage) openServer(ctx context.Context, variants []scenario.Variant) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	most := 0
	for _, v := range variants {
		most = max(most, st.Proxy.With(v).Servers)
	}
	for i := range most {
		// Each server has an address of its own, so that each has all ports.
		st.servers = append(st.servers, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(1 + i/250), byte(1 + i%250)}), port))
	}
	spec := server.Spec{Counters: filepath.Join(st.dir, "counters"), Loops: st.loadThreads(), StreamBytes: st.Load.Stream}
	switch {
	case st.Load.Ping:
		spec.Echo = st.servers
	case st.Load.Stream > 0:
		spec.Stream = st.servers
	default:
		spec.HTTP = st.servers
	}
	if st.Proxy.Log {
		st.log = loopback(port)
		spec.UDP = []netip.AddrPort{st.log}
	}
	if st.counters, err = server.CreateCounters(spec.Counters); err != nil {
		return err
	}
	file := filepath.Join(st.dir, "server.json")
	if err := writeJSON(file, spec); err != nil {
		return err
	}
	output := filepath.Join(st.dir, "server.out")
	st.server, err = st.Starter.Start(process.Spec{Args: []string{st.Own, "server", file}, CPUs: st.loadCPUs(), Output: output})
	if err != nil {
		return err
	}
	return awaitPort(ctx, st.server, st.servers[0], output)
}

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// openPlayer starts a contender and sees that it does what it shall.
func (st *stage) openPlayer(ctx context.Context, c contender.Contender, v scenario.Variant) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	dir := filepath.Join(st.dir, filepath.Base(c.Name)+"-"+strings.ReplaceAll(v.Name, " ", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	want := st.Proxy.With(v)
	setup := contender.Setup{
		TCP: want.TCP, Listen: loopback(port), Servers: st.servers[:want.Servers], Algorithm: want.Algorithm, ServerMax: want.ServerMax,
		Rules: want.Rules, Log: st.log, Clients: st.Load.Connections + st.Load.Slow, Threads: cmp.Or(want.Threads, st.threads), Dir: dir, Close: st.Load.Close,
		H2: want.H2,
	}
	if want.TLS {
		setup.Certificate = filepath.Join(dir, "bench.pem")
		if err := contender.WriteCertificate(setup.Certificate); err != nil {
			return err
		}
	}
	entry := result.Entry{Contender: c.Name, Variant: v.Name}
	file, text, err := c.Config(setup)
	if unable := (*contender.Unable)(nil); errors.As(err, &unable) {
		entry.Out = unable.Reason
		st.Entries = append(st.Entries, entry)
		return nil
	}
	if err != nil {
		return err
	}
	config := filepath.Join(dir, file)
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return fmt.Errorf("can't write a configuration: %w", err)
	}
	entry.Config, entry.Command = abridge(strings.ReplaceAll(string(text), dir, "DIR")), c.Command(file)
	p := &player{Contender: c, listen: setup.Listen, entry: len(st.Entries)}
	p.spec = process.Spec{Args: c.Command(config), Env: c.Env(setup), Dir: dir, CPUs: st.proxyCPUs(), Output: filepath.Join(dir, "output")}
	st.players = append(st.players, p)
	st.Entries = append(st.Entries, entry)
	return st.start(ctx, p)
}

const alikeMax = 6 // lines that begin alike, of which a report shows all

// abridge leaves out most of many lines that begin alike, such as those of 500
// servers.
func abridge(config string) string {
	var out []string
	var alike []string
	flush := func() {
		if n := len(alike); n > alikeMax {
			indent := alike[0][:len(alike[0])-len(strings.TrimLeft(alike[0], " \t"))]
			alike = []string{alike[0], alike[1], fmt.Sprintf("%s# ... %d more like these", indent, n-3), alike[n-1]}
		}
		out = append(out, alike...)
		alike = nil
	}
	for line := range strings.SplitSeq(config, "\n") {
		if len(alike) > 0 && firstWord(line) != firstWord(alike[0]) {
			flush()
		}
		alike = append(alike, line)
	}
	flush()
	return strings.Join(out, "\n")
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}

func (st *stage) start(ctx context.Context, p *player) (err error) {
	if p.process, err = st.Starter.Start(p.spec); err != nil {
		return err
	}
	if err := awaitPort(ctx, p.process, p.listen, p.spec.Output); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	p.pids = p.process.Tree()
	if err := st.check(p); err != nil {
		return fmt.Errorf("%s does not do what it shall: %w", p.Name, err)
	}
	u, err := process.Look(p.pids)
	if err != nil {
		return err
	}
	st.Entries[p.entry].ResidentStart = u.Resident
	return nil
}

// restart is for what only a fresh process can show.
func (st *stage) restart(ctx context.Context, p *player) error {
	if err := p.process.Stop(); err != nil {
		return err
	}
	return st.start(ctx, p)
}

func (st *stage) close() {
	for _, p := range st.players {
		if p.process == nil {
			continue
		}
		if err := p.process.Stop(); err != nil {
			st.Say(err.Error())
		}
	}
	if st.server != nil {
		if err := st.server.Stop(); err != nil {
			st.Say(err.Error())
		}
	}
}

// loadSpec is the scenario's load on one contender.
func (st *stage) loadSpec(p *player) load.Spec {
	l := st.Load
	return load.Spec{
		To: p.listen, Connections: l.Connections, Path: path(l.Path), Paths: l.Paths, Sources: l.Sources,
		HasBody: l.Upload, Post: l.Post, Chunked: l.Chunked, Close: l.Close, Pipeline: l.Pipeline, Ping: l.Ping, Stream: l.Stream > 0, TLS: st.Proxy.TLS, H2: st.Proxy.H2,
		Slow: l.Slow, SlowPath: l.SlowPath, Drip: l.Drip, Rate: float64(l.Rate), Threads: st.loadThreads(),
	}
}

func path(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

const (
	filesSpare = 300 // descriptors of a process besides its connections
	// filesPerClient is what weir reckons with: the client's connection, a
	// server's, and a part of a pipe. HAProxy reckons with two.
	filesPerClient = 2.5
)

// fit cuts the number of idle clients to what descriptors allow, or says why the
// scenario can't be run.
func (st *stage) fit() (skip string) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Sprintf("the limit of descriptors can't be read: %v", err)
	}
	clients := st.Load.Connections + st.Load.Slow
	most := int(float64(limit.Max-min(limit.Max, filesSpare)) / filesPerClient)
	switch {
	case clients <= most:
	case st.Load.Kind == scenario.Idle:
		st.Load.Connections = most
		st.Notes = append(st.Notes, fmt.Sprintf("%d clients: ulimit -Hn is %d here.", most, limit.Max))
	default:
		return fmt.Sprintf("it needs %.0f descriptors, ulimit -Hn allows %d", float64(clients)*filesPerClient+filesSpare, limit.Max)
	}
	return ""
}
