package rounds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/weir-lb/weir/bench/contender"
	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
	"github.com/weir-lb/weir/bench/server"
)

// A Bench runs scenarios with one set of options.
type Bench struct {
	Starter    *process.Starter
	Contenders []contender.Contender
	Rounds     int
	Length     time.Duration // of a round, unless the scenario says
	ProxyCPUs  []int
	LoadCPUs   []int
	Own        string           // this program, which is also the server, the generator and the floor
	Dir        string           // for configurations and logs
	Say        func(msg string) // progress
}

// A stage is a scenario with everything that it needs running.
type stage struct {
	*Bench
	result.Scenario

	dir      string
	length   time.Duration
	threads  int
	addrs    addresses
	counters *server.Counters
	server   *process.Process
	players  []*player
}

// A player is a contender that runs.
type player struct {
	contender.Contender
	entry   int // in Scenario.Entries
	listen  netip.AddrPort
	process *process.Process
	pids    []int
	output  string // file
}

type addresses struct {
	servers []netip.AddrPort
	log     netip.AddrPort
}

// Run carries out one scenario.
func (b *Bench) Run(ctx context.Context, s scenario.Scenario) (result.Scenario, error) {
	st := &stage{Bench: b, Scenario: result.Scenario{Scenario: s}, dir: filepath.Join(b.Dir, s.Name), length: b.Length, threads: 1}
	if s.Seconds > 0 {
		st.length = time.Duration(s.Seconds) * time.Second
	}
	if s.AllCores {
		st.threads = len(process.Busy())
	}
	defer st.close()
	if reason := st.tooMany(); reason != "" {
		st.Skipped = reason
		return st.Scenario, nil
	}
	if err := st.open(ctx); err != nil {
		return st.Scenario, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if err := st.measure(ctx); err != nil {
		return st.Scenario, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return st.Scenario, nil
}

func (st *stage) proxyCPUs() []int {
	if st.AllCores {
		return nil
	}
	return st.ProxyCPUs
}

func (st *stage) loadCPUs() []int {
	if st.AllCores {
		return nil
	}
	return st.LoadCPUs
}

// loadThreads is how many threads the server and the generator each have.
func (st *stage) loadThreads() int { return max(1, len(st.LoadCPUs)/2) }

func (st *stage) open(ctx context.Context) error {
	if err := os.MkdirAll(st.dir, 0o755); err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	if err := st.openServer(ctx); err != nil {
		return err
	}
	for _, c := range st.Contenders {
		if err := st.openPlayer(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (st *stage) openServer(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	for i := range st.Proxy.Servers {
		// Each server has an address of its own, so that each has all ports.
		st.addrs.servers = append(st.addrs.servers, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(1 + i/250), byte(1 + i%250)}), port))
	}
	spec := server.Spec{Counters: filepath.Join(st.dir, "counters"), Loops: st.loadThreads(), StreamBytes: st.Load.Stream}
	switch {
	case st.Load.Ping:
		spec.Echo = st.addrs.servers
	case st.Load.Stream > 0:
		spec.Stream = st.addrs.servers
	default:
		spec.HTTP = st.addrs.servers
	}
	if st.Proxy.Log {
		st.addrs.log = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
		spec.UDP = []netip.AddrPort{st.addrs.log}
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
	return awaitPort(ctx, st.server, st.addrs.servers[0], output)
}

func (st *stage) openPlayer(ctx context.Context, c contender.Contender) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	p := &player{Contender: c, listen: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), entry: len(st.Entries)}
	entry := result.Entry{Contender: c.Name}
	if len(st.Only) > 0 && !contains(st.Only, c.Name) {
		return nil
	}
	dir := filepath.Join(st.dir, filepath.Base(c.Name))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	setup := contender.Setup{
		TCP: st.Proxy.TCP, Listen: p.listen, Servers: st.addrs.servers, Algorithm: st.Proxy.Algorithm, ServerMax: st.Proxy.ServerMax,
		Rules: st.Proxy.Rules, Log: st.addrs.log, Clients: st.Load.Connections, Threads: st.threads, Dir: dir,
	}
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
	entry.Config, entry.Command = string(text), c.Command(config)
	p.output = filepath.Join(dir, "output")
	p.process, err = st.Starter.Start(process.Spec{Args: entry.Command, Env: c.Env(setup), Dir: dir, CPUs: st.proxyCPUs(), Output: p.output})
	if err != nil {
		return err
	}
	st.players = append(st.players, p)
	st.Entries = append(st.Entries, entry)
	if err := awaitPort(ctx, p.process, p.listen, p.output); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	p.pids = p.process.Tree()
	if err := st.check(p); err != nil {
		return fmt.Errorf("%s does not do what it shall: %w", c.Name, err)
	}
	return nil
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}

func (st *stage) close() {
	for _, p := range st.players {
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

func writeJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("can't write %s: %w", file, err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("can't write %s: %w", file, err)
	}
	return nil
}

// freePort is a port that nobody uses on 127.0.0.1. Ports of connections that
// others open are not below the kernel's range for them, so it may be taken
// again before it is used; then the program that was to have it says so.
func freePort() (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("can't find a port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port(), nil
}

// loadSpec is the scenario's load on one contender.
func (st *stage) loadSpec(p *player) load.Spec {
	l := st.Load
	return load.Spec{
		To: p.listen, Connections: l.Connections, Path: path(l.Path), Paths: l.Paths, Post: l.Post, Chunked: l.Chunked,
		Close: l.Close, Pipeline: l.Pipeline, Ping: l.Ping, Stream: l.Stream > 0, Threads: st.loadThreads(),
	}
}

func path(p string) string {
	if p == "" {
		return "/"
	}
	return p
}
