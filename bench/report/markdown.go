package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/weir-lb/weir/bench/result"
)

// Markdown is the report for people.
func Markdown(run *result.Run) []byte {
	w := &writer{}
	w.line("# Benchmark of %s, commit %s", run.Date.Format("2006-01-02"), run.Commit)
	w.line("")
	w.machine(run)
	for i := range run.Scenarios {
		w.scenario(run, &run.Scenarios[i])
	}
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) machine(run *result.Run) {
	m := run.Machine
	w.line("%s, %d processors, %d MB, Linux %s %s. Proxy on processors %v, load and servers on %v.", m.CPU, m.CPUs, m.MemoryMB, m.Kernel, m.Arch, run.ProxyCPUs, run.LoadCPUs)
	w.line("%d rounds of %g s. Command: `%s`", run.Rounds, run.Seconds, strings.Join(run.Command, " "))
	w.line("")
}

func (w *writer) scenario(run *result.Run, s *result.Scenario) {
	w.line("## %s", s.Name)
	w.line("")
	w.line("%s.", s.Title)
	w.line("")
	if s.Skipped != "" {
		w.line("Skipped: %s.", s.Skipped)
		w.line("")
		return
	}
	cost := result.CPUPerRequest
	if s.Load.Bulk() {
		cost = result.CPUPerMB
	}
	columns := []result.Metric{cost, result.RequestRate, result.P50, result.P99, result.Switches}
	w.line("| | %s |%s|", cell(columns), " x floor")
	w.line("|---|%s---|", strings.Repeat("---|", len(columns)))
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Out != "" {
			w.line("| %s | not here: %s |", e.Name(), e.Out)
			continue
		}
		var cells []string
		for _, m := range columns {
			cells = append(cells, spread(result.Summarize(m.Values(e.Samples))))
		}
		ratio := "-"
		if f := s.Entry("floor", e.Variant); f != nil {
			ratio = number(result.Compare(cost, e.Samples, f.Samples).Median)
		}
		w.line("| %s | %s | %s |", e.Name(), strings.Join(cells, " | "), ratio)
	}
	w.line("")
}

func cell(columns []result.Metric) string {
	var names []string
	for _, m := range columns {
		name := m.Name
		if m.Unit != "" {
			name += ", " + m.Unit
		}
		names = append(names, name)
	}
	return strings.Join(names, " | ")
}

// spread shows the median, and the least and greatest value.
func spread(s result.Summary) string {
	if s.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s - %s)", number(s.Median), number(s.Min), number(s.Max))
}

// number has three significant digits, and all digits before the point.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
