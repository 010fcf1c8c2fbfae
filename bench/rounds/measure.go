package rounds

import (
	"context"
	"fmt"
	"time"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
)

const (
	warmUp     = 400 * time.Millisecond // of each contender before the first round
	openLength = time.Second            // of a round of the open loop, at least: percentiles need requests
)

func (st *stage) measure(ctx context.Context) error {
	if st.Load.Kind == scenario.Idle {
		return st.idle(ctx)
	}
	if err := st.closedLoop(ctx); err != nil {
		return err
	}
	return st.openLoop(ctx)
}

// closedLoop gives each contender its turn in each round.
func (st *stage) closedLoop(ctx context.Context) error {
	for _, p := range st.players {
		if err := st.warmUp(ctx, p); err != nil {
			return err
		}
	}
	known, served := make([]int, len(st.players)), make([]int64, len(st.players))
	for i, p := range st.players {
		known[i] = len(p.trace())
	}
	for round := range st.Rounds {
		for i, p := range st.players {
			sample, err := st.take(ctx, st.turn(p, st.length))
			if err != nil {
				return err
			}
			sample.Round = round
			served[i] += sample.served
			e := &st.Entries[p.entry]
			if st.Load.Slow > 0 {
				sample.PerConnection = float64(sample.Resident-e.ResidentStart) / float64(st.Load.Slow)
			}
			e.Samples = append(e.Samples, sample.Sample)
			e.ResidentLoaded = max(e.ResidentLoaded, sample.Resident)
		}
		if st.Seconds > 0 {
			break // a long scenario is not for comparison
		}
	}
	for i, p := range st.players {
		if p.TellsGarbage() {
			g := allocated(p.trace(), known[i], served[i])
			st.Entries[p.entry].Garbage = &g
		}
	}
	return nil
}

func (st *stage) turn(p *player, length time.Duration) turn {
	return turn{player: p, tool: load.Tool(st.Load.Tool), spec: st.loadSpec(p), length: length}
}

// warmUp is a round that does not count, but for its system calls.
func (st *stage) warmUp(ctx context.Context, p *player) error {
	t := st.turn(p, warmUp)
	t.countCalls = true
	sample, err := st.take(ctx, t)
	if err != nil {
		return err
	}
	e := &st.Entries[p.entry]
	e.SyscallsHow = sample.callsHow
	if sample.SystemCalls > 0 {
		e.Syscalls = &sample.Sample
	}
	return nil
}

// sitsOutBelow is the share of the strongest contender's capacity below which
// one neither sets nor runs the rates of the open loop: at a rate that it can
// bear all others would be nearly idle.
const sitsOutBelow = 0.5

// openLoop gives each contender its turn at each rate.
func (st *stage) openLoop(ctx context.Context) error {
	if len(st.Rates) == 0 {
		return nil
	}
	weakest, players := st.capacity()
	for _, percent := range st.Rates {
		r := rate{percent, weakest * float64(percent) / 100}
		for round := range st.Rounds {
			if err := st.openRound(ctx, players, round, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (st *stage) openRound(ctx context.Context, players []*player, round int, r rate) error {
	for _, p := range players {
		if err := st.openSample(ctx, p, round, r); err != nil {
			return err
		}
	}
	return nil
}

type rate struct {
	percent   int
	perSecond float64
}

func (st *stage) openSample(ctx context.Context, p *player, round int, r rate) error {
	t := st.turn(p, max(st.length, openLength))
	t.tool, t.spec.Rate = load.Own, r.perSecond
	sample, err := st.take(ctx, t)
	if err != nil {
		return err
	}
	sample.Round, sample.Percent, sample.Rate = round, r.percent, r.perSecond
	e := &st.Entries[p.entry]
	e.Open = append(e.Open, sample.Sample)
	return nil
}

// capacity is what the weakest of the contenders that take part in the open loop
// can do.
func (st *stage) capacity() (weakest float64, players []*player) {
	best := 0.0
	of := func(p *player) float64 {
		return result.Median(result.RequestRate.Values(st.Entries[p.entry].Samples))
	}
	for _, p := range st.players {
		best = max(best, of(p))
	}
	weakest = best
	for _, p := range st.players {
		if of(p) < sitsOutBelow*best {
			st.Entries[p.entry].OpenOut = fmt.Sprintf("%.0f requests per second are less than half of the strongest's %.0f", of(p), best)
			continue
		}
		weakest = min(weakest, of(p))
		players = append(players, p)
	}
	return weakest, players
}

const idleFirst = 200 // clients before the first look: free lists, stacks, scratch memory

// idle opens clients that make one request each and then do nothing. What they
// take can only be seen in a fresh process.
func (st *stage) idle(ctx context.Context) error {
	for round := range st.Rounds {
		for _, p := range st.players {
			if err := st.restart(ctx, p); err != nil {
				return err
			}
			sample, err := st.takeIdle(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			sample.Round = round
			e := &st.Entries[p.entry]
			e.Samples = append(e.Samples, sample)
			e.ResidentLoaded = max(e.ResidentLoaded, sample.Resident)
		}
	}
	return nil
}

func (st *stage) takeIdle(ctx context.Context, p *player) (result.Sample, error) {
	few, err := st.openIdle(ctx, p, idleFirst)
	if err != nil {
		return result.Sample{}, err
	}
	defer few.Stop()
	before, err := process.Look(p.pids)
	if err != nil {
		return result.Sample{}, err
	}
	count := st.Load.Connections - idleFirst
	many, err := st.openIdle(ctx, p, count)
	if err != nil {
		return result.Sample{}, err
	}
	defer many.Stop()
	a, err := st.look(p, many)
	if err != nil {
		return result.Sample{}, err
	}
	if err := pause(ctx, st.length); err != nil {
		return result.Sample{}, err
	}
	b, err := st.look(p, many)
	if err != nil {
		return result.Sample{}, err
	}
	s := a.until(b)
	s.PerConnection = float64(s.Resident-before.Resident) / float64(count)
	return s, nil
}

// openIdle opens clients and waits until each has had its answer.
func (st *stage) openIdle(ctx context.Context, p *player, count int) (*process.Process, error) {
	spec := st.loadSpec(p)
	spec.Idle, spec.Connections = true, count
	t := turn{player: p, tool: load.Own, spec: spec}
	before := st.counters.Read()
	generator, err := st.generator(t)
	if err != nil {
		return nil, err
	}
	err = await(ctx, warmMax, func() bool { return st.flows(t, generator.Process, before) })
	if err == nil {
		err = pause(ctx, settle)
	}
	if err != nil {
		generator.Stop()
		return nil, fmt.Errorf("can't open %d clients: %w", count, err)
	}
	return generator.Process, nil
}
