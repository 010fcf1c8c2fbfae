package rounds

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
)

const warmUp = 500 * time.Millisecond // of each contender before the first round

func (st *stage) measure(ctx context.Context) error {
	for _, p := range st.players {
		u, err := process.Look(p.pids)
		if err != nil {
			return err
		}
		st.Entries[p.entry].ResidentStart = u.Resident
	}
	return st.closedLoop(ctx)
}

// closedLoop gives each contender its turn in each round.
func (st *stage) closedLoop(ctx context.Context) error {
	for _, p := range st.players {
		if _, err := st.take(ctx, st.turn(p, warmUp)); err != nil {
			return err
		}
	}
	for round := range st.Rounds {
		for _, p := range st.players {
			sample, err := st.take(ctx, st.turn(p, st.length))
			if err != nil {
				return err
			}
			sample.Round = round
			e := &st.Entries[p.entry]
			e.Samples = append(e.Samples, sample)
			e.ResidentLoaded = max(e.ResidentLoaded, sample.Resident)
		}
	}
	return nil
}

func (st *stage) turn(p *player, length time.Duration) turn {
	return turn{player: p, tool: load.Tool(st.Load.Tool), spec: st.loadSpec(p), length: length}
}

// collections counts the lines that Go's runtime has written, one for each
// collection of garbage; -1 if the contender's runtime writes none.
func (p *player) collections() int {
	if !p.TellsGarbage() {
		return -1
	}
	text, _ := os.ReadFile(p.output) // no file, no line
	n := bytes.Count(text, []byte("\ngc "))
	if bytes.HasPrefix(text, []byte("gc ")) {
		n++
	}
	return n
}

// filesSpare is descriptors of a process besides its connections.
const filesSpare = 300

// tooMany says why this machine can't have so many connections; empty if it can.
func (st *stage) tooMany() string {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Sprintf("the limit of descriptors can't be read: %v", err)
	}
	// A relay of TCP has two connections for each client; of HTTP, only while a
	// request is on its way, and idle clients have none.
	need := uint64(st.Load.Connections + filesSpare)
	if st.Load.Kind != "idle" {
		need += uint64(st.Load.Connections)
	}
	if need > limit.Max {
		return fmt.Sprintf("it needs %d descriptors in the proxy, ulimit -Hn allows %d", need, limit.Max)
	}
	return ""
}
