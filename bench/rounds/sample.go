package rounds

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/server"
)

// A look is everything that is counted, at one moment.
type look struct {
	proxy, load, server, own process.Usage
	counts                   server.Counts
	busy                     time.Duration // all processors
}

func (st *stage) look(p *player, generator *process.Process) (look, error) {
	var l look
	var err error
	for _, of := range []struct {
		usage *process.Usage
		pids  []int
	}{{&l.proxy, p.pids}, {&l.load, []int{generator.PID}}, {&l.server, []int{st.server.PID}}, {&l.own, []int{os.Getpid()}}} {
		if *of.usage, err = process.Look(of.pids); err != nil {
			return l, err
		}
		if of.usage == &l.proxy {
			l.counts = st.counters.Read() // as close to the proxy's clock as can be
		}
	}
	for _, d := range process.Busy() {
		l.busy += d
	}
	return l, nil
}

// until makes the sample of what happened between two looks.
func (a look) until(b look) result.Sample {
	proxy, counts := b.proxy.Sub(a.proxy), b.counts.Sub(a.counts)
	s := result.Sample{
		Seconds:  b.proxy.At.Sub(a.proxy.At).Seconds(),
		Requests: counts.Requests, BytesIn: counts.BytesIn, BytesOut: counts.BytesOut, Connections: counts.Connections, LogLines: counts.Datagrams,
		CPU: proxy.CPU, User: proxy.User, System: proxy.System,
		Voluntary: proxy.Voluntary, Involuntary: proxy.Involuntary, Resident: b.proxy.Resident,
		LoadCPU: b.load.Sub(a.load).CPU, ServerCPU: b.server.Sub(a.server).CPU,
	}
	s.OtherCPU = max(0, b.busy-a.busy-s.CPU-s.LoadCPU-s.ServerCPU-b.own.Sub(a.own).CPU)
	return s
}

// A turn is one contender under load for one round.
type turn struct {
	player     *player
	tool       load.Tool
	spec       load.Spec
	length     time.Duration
	countCalls bool
}

// Before a look, so that buffers and windows have grown. Those of slow readers are
// full only after seconds, and until then proxies move more than the readers take.
const (
	settle     = 200 * time.Millisecond
	settleSlow = 4 * time.Second
)

// A generator is the load of a turn, running.
type generator struct {
	*process.Process
	output string
}

func (st *stage) generator(t turn) (generator, error) {
	g := generator{output: filepath.Join(st.dir, "load.out")}
	file := filepath.Join(st.dir, "load.json")
	if err := writeJSON(file, t.spec); err != nil {
		return g, err
	}
	args, err := load.Command(t.tool, t.spec, st.Own, file)
	if err != nil {
		return g, err
	}
	g.Process, err = st.Starter.Start(process.Spec{Args: args, CPUs: st.loadCPUs(), Output: g.output})
	return g, err
}

// A taken sample knows more than the report.
type taken struct {
	result.Sample
	callsHow string // how system calls were counted, or why not
	served   int64  // requests, with those before and after the looks
}

// take makes one sample.
func (st *stage) take(ctx context.Context, t turn) (taken, error) {
	t.spec.Warm = settle
	if t.tool == load.H2load {
		t.spec.Length = t.length // no signal ends it with a report
	}
	before := st.counters.Read()
	g, err := st.generator(t)
	if err != nil {
		return taken{}, err
	}
	defer g.Stop()
	sample, err := st.between(ctx, t, g.Process, before)
	if err == nil {
		err = endLoad(ctx, g.Process, t.tool)
	}
	sample.served = st.counters.Read().Sub(before).Requests
	said, readErr := os.ReadFile(g.output)
	if err == nil {
		err = readErr
	}
	if err == nil {
		sample.Outcome, err = load.Parse(t.tool, said)
	}
	if err != nil {
		return sample, fmt.Errorf("%s under %s: %w: %s", t.player.Name, t.tool, err, said)
	}
	return sample, nil
}

// between waits until the load flows, and looks before and after the round.
func (st *stage) between(ctx context.Context, t turn, generator *process.Process, began server.Counts) (s taken, err error) {
	if err := await(ctx, warmMax, func() bool { return st.flows(t, generator, began) }); err != nil {
		return s, fmt.Errorf("the load does not begin: %w", err)
	}
	wait := settle
	if st.Load.Slow > 0 {
		wait = settleSlow
	}
	if err := pause(ctx, wait); err != nil {
		return s, err
	}
	var calls *process.SyscallCounter
	if t.countCalls {
		if calls, err = process.CountSyscalls(t.player.pids, st.dir); err != nil {
			s.callsHow = err.Error()
		}
	}
	a, err := st.look(t.player, generator)
	if err != nil {
		return s, err
	}
	if err := pause(ctx, t.length); err != nil {
		return s, err
	}
	b, err := st.look(t.player, generator)
	if err != nil {
		return s, err
	}
	s.Sample = a.until(b)
	if calls != nil {
		s.callsHow = calls.How
		s.SystemCalls, err = calls.Stop()
	}
	return s, err
}

// flows reports that every connection has had its first answer, or that the
// generator has ended.
func (st *stage) flows(t turn, generator *process.Process, began server.Counts) bool {
	select {
	case <-generator.Done():
		return true // the look fails, with the reason
	default:
	}
	now := st.counters.Read().Sub(began)
	if st.Load.Bulk() {
		return now.BytesIn+now.BytesOut > 0
	}
	return now.Requests >= int64(t.spec.Connections+t.spec.Slow)
}

const loadEndMax = 20 * time.Second

// endLoad lets the generator write what it has seen.
func endLoad(ctx context.Context, generator *process.Process, tool load.Tool) error {
	if tool != load.H2load {
		if err := generator.Signal(syscall.SIGINT); err != nil {
			return fmt.Errorf("can't end %s: %w", tool, err)
		}
	}
	late := time.NewTimer(loadEndMax)
	defer late.Stop()
	select {
	case <-generator.Done():
		return generator.Err()
	case <-late.C:
		return fmt.Errorf("%s does not end", tool)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
