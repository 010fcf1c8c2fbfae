package report

import (
	"fmt"
	"math"

	"github.com/weir-lb/weir/bench/result"
)

// A side is one contender in one scenario.
type side struct {
	scenario, contender, variant string
	percent                      int // of the open loop's rates; 0: closed loop
}

// A goal is a ratio of two sides, or a figure of one, and its limit.
type goal struct {
	what   string
	want   string
	metric result.Metric
	of     side
	over   side // without a scenario: the figure itself is held against the limit
	limit  float64
}

func weir(scenario string) side    { return side{scenario: scenario, contender: "weir"} }
func floor(scenario string) side   { return side{scenario: scenario, contender: "floor"} }
func nginx(scenario string) side   { return side{scenario: scenario, contender: "nginx"} }
func haproxy(scenario string) side { return side{scenario: scenario, contender: "haproxy"} }

func (s side) in(variant string) side { s.variant = variant; return s }
func (s side) at(percent int) side    { s.percent = percent; return s }

// goals is what weir is to reach: ratios within one run on two cores, HAProxy
// being Debian's 2.6.
func goals() []goal {
	return []goal{
		{"h1 keep-alive, 64 connections, CPU per request", "<= 1.06 x floor", result.CPUPerRequest, weir("h1-64"), floor("h1-64"), 1.06},
		{"the same", "<= 0.93 x HAProxy", result.CPUPerRequest, weir("h1-64"), haproxy("h1-64"), 0.93},
		{"the same, stretch with io_uring", "<= 0.87 x HAProxy", result.CPUPerRequest, weir("h1-64"), haproxy("h1-64"), 0.87},
		{"h1 keep-alive, 1000 connections, CPU per request", "<= 1.10 x floor", result.CPUPerRequest, weir("h1-1000"), floor("h1-1000"), 1.10},
		{"the same", "<= 0.75 x HAProxy", result.CPUPerRequest, weir("h1-1000"), haproxy("h1-1000"), 0.75},
		{"the same, p99 of the closed loop", "<= 0.7 x HAProxy", result.P99, weir("h1-1000"), haproxy("h1-1000"), 0.7},
		{"p99.9 at 60 % load, 64 connections", "<= HAProxy's", result.P999, weir("h1-64").at(60), haproxy("h1-64").at(60), 1},
		{"a connection per request", "<= 0.90 x HAProxy", result.CPUPerRequest, weir("close"), haproxy("close"), 0.9},
		{"64 KB answers, CPU per byte", "<= 0.9 x HAProxy", result.CPUPerMB, weir("get-64k"), haproxy("get-64k"), 0.9},
		{"1 MB answers, CPU per byte", "<= 0.9 x HAProxy", result.CPUPerMB, weir("get-1m"), haproxy("get-1m"), 0.9},
		{"64 KB requests, CPU per byte", "<= 0.9 x HAProxy", result.CPUPerMB, weir("post-64k"), haproxy("post-64k"), 0.9},
		{"1 MB requests, CPU per byte", "<= 0.9 x HAProxy", result.CPUPerMB, weir("post-1m"), haproxy("post-1m"), 0.9},
		{"TCP bulk, CPU per byte", "<= 1.05 x floor", result.CPUPerMB, weir("tcp-bulk"), floor("tcp-bulk"), 1.05},
		{"50 ACL rules, CPU per request", "<= 0.8 x HAProxy", result.CPUPerRequest, weir("acl").in("50 rules"), haproxy("acl").in("50 rules"), 0.8},
		{
			"500 servers leastconn, CPU per request", "<= 1.10 x with 2 servers", result.CPUPerRequest,
			weir("balance-leastconn").in("500 servers"), weir("balance-leastconn").in("2 servers"), 1.1,
		},
		{"TLS 1.3 keep-alive, 64 connections, CPU per request", "<= 0.80 x HAProxy", result.CPUPerRequest, weir("tls-64"), haproxy("tls-64"), 0.8},
		{"the same", "<= 0.95 x nginx", result.CPUPerRequest, weir("tls-64"), nginx("tls-64"), 0.95},
		{"a full TLS 1.3 handshake and a request, CPU", "<= 0.9 x HAProxy", result.CPUPerRequest, weir("tls-close"), haproxy("tls-close"), 0.9},
		{"1 MB answers over TLS 1.3, CPU per byte", "<= 1.0 x HAProxy", result.CPUPerMB, weir("tls-get-1m"), haproxy("tls-get-1m"), 1},
		{"HTTP/2 without TLS, 32 x 16 streams, CPU per request", "<= 1.0 x HAProxy", result.CPUPerRequest, weir("h2c-32x16"), haproxy("h2c-32x16"), 1},
		{"the same, stretch", "<= 0.85 x HAProxy", result.CPUPerRequest, weir("h2c-32x16"), haproxy("h2c-32x16"), 0.85},
		{"HTTP/2 over TLS 1.3, 32 x 16 streams, CPU per request", "<= 1.0 x HAProxy", result.CPUPerRequest, weir("h2-32x16"), haproxy("h2-32x16"), 1},
		{"idle keep-alive connection, resident", "<= 600 bytes", result.PerConnection, weir("idle"), side{}, 600},
	}
}

// An outcome is a row of the goals' table.
type outcome struct {
	what, want, measured string
	verdict              result.Verdict
}

func outcomes(run *result.Run) []outcome {
	var rows []outcome
	for _, g := range goals() {
		rows = append(rows, g.outcome(run))
	}
	return append(rows, garbageOutcome(run))
}

func samples(run *result.Run, s side) []result.Sample {
	sc := run.Scenario(s.scenario)
	if sc == nil {
		return nil
	}
	e := sc.Entry(s.contender, s.variant)
	if e == nil {
		return nil
	}
	return e.At(s.percent)
}

func (g goal) outcome(run *result.Run) outcome {
	var c result.Comparison
	if g.over.scenario != "" {
		c = result.Compare(g.metric, samples(run, g.of), samples(run, g.over))
	} else {
		c = result.Absolute(g.metric, samples(run, g.of))
	}
	o := outcome{what: g.what, want: g.want, measured: "-", verdict: c.AtMost(g.limit)}
	switch {
	case c.Rounds == 0:
	case math.IsNaN(c.Low): // too few rounds to say more
		o.measured = number(c.Median)
	default:
		o.measured = fmt.Sprintf("%s (%s - %s)", number(c.Median), number(c.Low), number(c.High))
	}
	return o
}

// garbageOutcome is about a minute of nothing but requests.
func garbageOutcome(run *result.Run) outcome {
	o := outcome{what: "collections of garbage in a 60 s run", want: "none", measured: "-", verdict: result.NotRun}
	s := run.Scenario("garbage")
	if s == nil {
		return o
	}
	e := s.Entry("weir", "")
	if e == nil || e.Garbage == nil {
		return o
	}
	o.measured = fmt.Sprintf("%d in %d requests", e.Garbage.Collections, e.Garbage.Requests)
	if o.verdict = result.Missed; e.Garbage.Collections == 0 {
		o.verdict = result.Met
	}
	return o
}
