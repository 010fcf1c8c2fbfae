package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/weir-lb/weir/bench/result"
)

// Markdown is the report for people.
func Markdown(run *result.Run) []byte {
	w := &writer{}
	w.line("# Benchmark of %s, commit %s", run.Date.Format(time.DateOnly), run.Commit)
	w.line("")
	w.introduction(run)
	w.goals(run)
	w.machine(run)
	for i := range run.Scenarios {
		w.scenario(&run.Scenarios[i], len(run.ProxyCPUs))
	}
	w.configurations(run)
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) introduction(run *result.Run) {
	w.line("Proxies under the same load on one machine, over loopback: %s.", strings.Join(run.Contenders, ", "))
	w.line("*weir* is this project's load balancer, *floor* a bare relay without rules in the fewest")
	w.line("system calls: what no proxy of this kind can go below. The proxies take turns, %d rounds", run.Rounds)
	w.line("of %g s. CPU, context switches and memory are the kernel's account of the proxy's processes, requests", run.Seconds)
	w.line("and bytes those that the servers behind it have counted. A cell is the median of the")
	w.line("rounds (least - greatest). Ratios are taken within each round; in brackets is where the true")
	w.line("median lies by the sign test. A verdict needs all of that on one side of the limit, otherwise it is")
	w.line("*undecided*. [README](../../README.md) has the method, and what could mislead.")
	w.line("")
	if share := otherShare(run); share > disturbedFrom {
		w.line("**Other programs used %.0f %% of a processor meanwhile: do not trust small differences.**", share)
		w.line("")
	}
	for _, note := range run.Notes {
		w.line("**%s**", note)
		w.line("")
	}
	if charts := chartsOf(run); len(charts) > 0 {
		for _, c := range charts {
			w.line("![%s](%s)", c.title, c.file)
		}
		w.line("")
	}
}

func (w *writer) goals(run *result.Run) {
	w.line("## Goals")
	w.line("")
	w.line("| | goal | measured | |")
	w.line("|---|---|---|---|")
	for _, o := range outcomes(run) {
		w.line("| %s | %s | %s | %s |", o.what, o.want, o.measured, o.verdict)
	}
	w.line("")
}

func (w *writer) machine(run *result.Run) {
	m := run.Machine
	w.line("## Machine and programs")
	w.line("")
	w.line("%s, %d processors, %d MB, Linux %s %s, load average before the run %s. The proxies have processors %v,", m.CPU, m.CPUs, m.MemoryMB, m.Kernel, m.Arch, m.Load, run.ProxyCPUs)
	w.line("load and servers %v. It took %v.", run.LoadCPUs, run.Took.Round(time.Second))
	w.line("")
	w.line("```")
	w.line("%s", strings.Join(run.Command, " "))
	for _, s := range m.Settings {
		w.line("%s", s)
	}
	w.line("```")
	w.line("")
	w.line("| | version |")
	w.line("|---|---|")
	for _, name := range append(run.Contenders, "wrk", "h2load") {
		if v := run.Versions[name]; v != "" {
			w.line("| %s | %s |", name, v)
		}
	}
	w.line("")
}

// configurations are of each contender's first scenario; results.json has the others.
func (w *writer) configurations(run *result.Run) {
	w.line("## Configurations")
	w.line("")
	for _, name := range run.Contenders {
		for i := range run.Scenarios {
			s := &run.Scenarios[i]
			if len(s.Entries) == 0 {
				continue
			}
			e := s.Entry(name, s.Entries[0].Variant)
			if e == nil {
				continue
			}
			w.line("%s in %s:", name, s.Name)
			w.line("")
			w.line("```")
			w.line("%s", strings.TrimSpace(e.Config))
			w.line("```")
			w.line("")
			break
		}
	}
}

// spread shows the median, and the least and greatest value.
func spread(s result.Summary) string {
	switch s.Count {
	case 0:
		return "-"
	case 1:
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s - %s)", number(s.Median), number(s.Min), number(s.Max))
}

// number has three significant digits, and all digits before the point.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case a >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.0995 || v == 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
