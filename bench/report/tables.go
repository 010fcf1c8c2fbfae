package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
)

// A column of a scenario's table.
type column struct {
	title string
	cell  func(s *result.Scenario, e *result.Entry) string
}

func metricColumn(m result.Metric) column {
	title := m.Name
	if m.Unit != "" {
		title += ", " + m.Unit
	}
	return column{title, func(_ *result.Scenario, e *result.Entry) string {
		return spread(result.Summarize(m.Values(e.Samples)))
	}}
}

// ratioColumn compares with one contender in the same variant.
func ratioColumn(m result.Metric, other string) column {
	return column{"x " + other, func(s *result.Scenario, e *result.Entry) string {
		o := s.Entry(other, e.Variant)
		if o == nil || e.Contender == other {
			return "-"
		}
		return comparison(result.Compare(m, e.Samples, o.Samples))
	}}
}

// comparison shows a ratio and what it lies between.
func comparison(c result.Comparison) string {
	switch {
	case c.Rounds == 0:
		return "-"
	case math.IsNaN(c.Low):
		return number(c.Median) + " (undecided)"
	case c.Low <= 1 && c.High >= 1:
		return fmt.Sprintf("%s (%s - %s, undecided)", number(c.Median), number(c.Low), number(c.High))
	}
	return fmt.Sprintf("%s (%s - %s)", number(c.Median), number(c.Low), number(c.High))
}

func residentColumn() column {
	return column{"resident at start, loaded, MB", func(_ *result.Scenario, e *result.Entry) string {
		return fmt.Sprintf("%s, %s", number(float64(e.ResidentStart)/1e6), number(float64(e.ResidentLoaded)/1e6))
	}}
}

func callsColumn(m result.Metric) column {
	return column{m.Name, func(_ *result.Scenario, e *result.Entry) string {
		if e.Syscalls == nil {
			return "-"
		}
		return spread(result.Summarize(m.Values([]result.Sample{*e.Syscalls})))
	}}
}

// allocatedColumn is of contenders whose runtime tells of its collections.
func allocatedColumn() column {
	return column{"allocated bytes per request", func(_ *result.Scenario, e *result.Entry) string {
		g := e.Garbage
		switch {
		case g == nil || g.Requests == 0:
			return "-"
		case g.Collections == 0:
			return "<= " + number(float64(g.Allocated)/float64(g.Requests))
		}
		return fmt.Sprintf("%s (%d collections)", number(float64(g.Allocated)/float64(g.Requests)), g.Collections)
	}}
}

// columnsOf are those of the two tables of a scenario: what came out, and what
// it took.
func columnsOf(s *result.Scenario) (results, means []column) {
	cost, pace, calls := result.CPUPerRequest, result.RequestRate, result.SystemCalls
	if s.Load.Bulk() {
		cost, pace, calls = result.CPUPerMB, result.ByteRate, result.SystemCallsMB
	}
	shares := []column{metricColumn(result.CPUShare), metricColumn(result.LoadShare), metricColumn(result.OtherShare)}
	switch {
	case s.Load.Kind == scenario.Idle:
		return []column{metricColumn(result.PerConnection), residentColumn()}, shares
	case s.Load.Slow > 0: // two kinds of clients at once, at a pace that is given
		results = []column{metricColumn(result.CPUShare), ratioColumn(result.CPUShare, "floor"), ratioColumn(result.CPUShare, "haproxy"),
			metricColumn(result.PerConnection), metricColumn(result.P50), metricColumn(result.P99), metricColumn(result.P999)}
		return results, append([]column{metricColumn(pace), metricColumn(result.ByteRate), residentColumn()}, shares[1:]...)
	}
	results = []column{metricColumn(cost), ratioColumn(cost, "floor"), ratioColumn(cost, "haproxy"), metricColumn(pace)}
	if s.Load.Tool != scenario.H2load {
		results = append(results, metricColumn(result.P50), metricColumn(result.P99))
	}
	return results, append([]column{callsColumn(calls), metricColumn(result.Switches), residentColumn(), allocatedColumn()}, shares...)
}

func (w *writer) scenario(s *result.Scenario, proxyCPUs int) {
	w.line("## %s", s.Name)
	w.line("")
	w.line("%s.", s.Title)
	w.line("")
	if s.Skipped != "" {
		w.line("Skipped: %s.", s.Skipped)
		w.line("")
		return
	}
	results, means := columnsOf(s)
	w.table(s, results)
	w.open(s)
	w.table(s, means)
	for _, note := range notesOf(s, proxyCPUs) {
		w.line("* %s", note)
	}
	w.line("")
}

func (w *writer) table(s *result.Scenario, columns []column) {
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	w.line("| | %s |", strings.Join(titles, " | "))
	w.line("|---|%s", strings.Repeat("---|", len(columns)))
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Out != "" {
			continue
		}
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(s, e))
		}
		w.line("| %s | %s |", e.Name(), strings.Join(cells, " | "))
	}
	w.line("")
}

// open is the table of the constant rates.
func (w *writer) open(s *result.Scenario) {
	if !slices.ContainsFunc(s.Entries, func(e result.Entry) bool { return len(e.Open) > 0 }) {
		return
	}
	w.line("At a constant rate, latency from when a request was due:")
	w.line("")
	w.line("| | rate | p50, ms | p99, ms | p99.9, ms | x haproxy | max, ms | CPU per request, us | x haproxy | late, us |")
	w.line("|---|---|---|---|---|---|---|---|---|---|")
	for _, percent := range s.Rates {
		for i := range s.Entries {
			if e := &s.Entries[i]; len(e.At(percent)) > 0 {
				w.openRow(s, e, percent)
			}
		}
	}
	w.line("")
}

func (w *writer) openRow(s *result.Scenario, e *result.Entry, percent int) {
	at := e.At(percent)
	cell := func(m result.Metric) string { return spread(result.Summarize(m.Values(at))) }
	cells := []string{
		cell(result.P50), cell(result.P99), cell(result.P999), openRatio(s, e, result.P999, percent), cell(result.LatencyMax),
		cell(result.CPUPerRequest), openRatio(s, e, result.CPUPerRequest, percent), cell(result.Late),
	}
	w.line("| %s | %d %%, %.0f/s | %s |", e.Name(), percent, at[0].Rate, strings.Join(cells, " | "))
}

func openRatio(s *result.Scenario, e *result.Entry, m result.Metric, percent int) string {
	o := s.Entry("haproxy", e.Variant)
	if o == nil || e.Contender == "haproxy" {
		return "-"
	}
	return comparison(result.Compare(m, e.At(percent), o.At(percent)))
}
