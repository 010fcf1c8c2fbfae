package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
)

// A chart is a file of the report.
type chart struct {
	title, file string
	svg         []byte
}

func chartsOf(run *result.Run) []chart {
	var out []chart
	for _, c := range []struct {
		title, file string
		metric      result.Metric
		bulk        bool
	}{
		{"CPU per request, microseconds (less is better)", "cpu-per-request.svg", result.CPUPerRequest, false},
		{"CPU per megabyte, microseconds (less is better)", "cpu-per-megabyte.svg", result.CPUPerMB, true},
	} {
		if groups := groupsOf(run, c.metric, c.bulk); len(groups) > 0 {
			out = append(out, chart{c.title, c.file, bars(c.title, run.Contenders, groups)})
		}
	}
	for i := range run.Scenarios {
		out = append(out, curvesOf(run, &run.Scenarios[i])...)
	}
	return out
}

// groupsOf is the scenarios of the main table whose cost the metric is.
func groupsOf(run *result.Run, m result.Metric, bulk bool) []group {
	var groups []group
	for i := range run.Scenarios {
		s := &run.Scenarios[i]
		if s.Load.Bulk() != bulk || s.Load.Kind != scenario.Closed || !s.Main || len(s.Only) > 0 {
			continue
		}
		for _, v := range variantsOf(s) {
			groups = append(groups, groupOf(run, s, v, m))
		}
	}
	return groups
}

func groupOf(run *result.Run, s *result.Scenario, variant string, m result.Metric) group {
	g := group{name: s.Name}
	if variant != "" {
		g.name += ", " + variant
	}
	for _, name := range run.Contenders {
		value := math.NaN()
		if e := s.Entry(name, variant); e != nil {
			value = result.Median(m.Values(e.Samples))
		}
		g.values = append(g.values, value)
	}
	return g
}

func variantsOf(s *result.Scenario) []string {
	if len(s.Variants) == 0 {
		return []string{""}
	}
	var names []string
	for _, v := range s.Variants {
		names = append(names, v.Name)
	}
	return names
}

// curvesOf is one chart for each rate of a scenario's open loop.
func curvesOf(run *result.Run, s *result.Scenario) []chart {
	var out []chart
	for _, percent := range s.Rates {
		var lines []curve
		for i := range s.Entries {
			e := &s.Entries[i]
			if points := pointsOf(e.At(percent)); len(points) > 0 {
				lines = append(lines, curve{slices.Index(run.Contenders, e.Contender), points})
			}
		}
		if len(lines) == 0 {
			continue
		}
		title := fmt.Sprintf("%s at %d %% of the weakest's capacity: latency from when a request was due", s.Name, percent)
		out = append(out, chart{title, fmt.Sprintf("latency-%s-%d.svg", s.Name, percent), curves(title, run.Contenders, lines)})
	}
	return out
}

// pointsOf is the curve of all rounds together.
func pointsOf(samples []result.Sample) [][2]float64 {
	var packed []string
	for _, s := range samples {
		if s.Outcome.Histogram != "" {
			packed = append(packed, s.Outcome.Histogram)
		}
	}
	curve, err := load.Curve(packed)
	if err != nil {
		return nil // a histogram that can't be read has no line; its percentiles are in the table
	}
	var out [][2]float64
	for _, p := range curve {
		if ms := p.Latency.Seconds() * 1000; p.Share < 1 && ms > 0 {
			out = append(out, [2]float64{p.Share, ms})
		}
	}
	return out
}
