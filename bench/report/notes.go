package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
)

const (
	busyFrom      = 90.0 // percent of its processors, from which on the proxy is the limit of a closed loop
	disturbedFrom = 10.0 // percent of a processor that other programs may use
)

// notesOf is what a reader has to know about a scenario's figures.
func notesOf(s *result.Scenario, proxyCPUs int) []string {
	notes := append([]string(nil), s.Notes...)
	var waited []string
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Out != "" {
			notes = append(notes, fmt.Sprintf("%s is not here: %s.", e.Name(), e.Out))
			continue
		}
		if e.OpenOut != "" {
			notes = append(notes, fmt.Sprintf("%s sits out the constant rates: %s.", e.Name(), e.OpenOut))
		}
		if busy := result.Median(result.CPUShare.Values(e.Samples)) / float64(proxyCPUs); busy < busyFrom {
			waited = append(waited, fmt.Sprintf("%s (%.0f %%)", e.Name(), busy))
		}
		notes = append(notes, notesOfEntry(e)...)
	}
	if closed := s.Load.Kind == scenario.Closed && s.Load.Rate == 0 && !s.AllCores; closed && len(waited) > 0 {
		notes = append(notes, "Not busy all the time: "+strings.Join(waited, ", ")+". There the load side, or another program, was the limit: the pace is "+
			"a lower bound, and the CPU has wake-ups in it that a busy proxy does not make.")
	}
	return notes
}

func notesOfEntry(e *result.Entry) (notes []string) {
	var errors int64
	for _, sample := range slices.Concat(e.Samples, e.Open) {
		errors += sample.Outcome.Errors
	}
	if errors > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d failed requests.", e.Name(), errors))
	}
	if e.Syscalls == nil && e.SyscallsHow != "" {
		notes = append(notes, fmt.Sprintf("%s: system calls were not counted: %s.", e.Name(), e.SyscallsHow))
	}
	return notes
}

// otherShare is what programs that are no part of the benchmark used of a
// processor, at the median.
func otherShare(run *result.Run) float64 {
	var all []float64
	for _, s := range run.Scenarios {
		for _, e := range s.Entries {
			all = append(all, result.OtherShare.Values(e.Samples)...)
		}
	}
	return result.Median(all)
}
