package rounds

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/weir-lb/weir/bench/contender"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
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
	if reason := st.fit(); reason != "" {
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
