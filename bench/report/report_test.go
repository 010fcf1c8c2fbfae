package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/scenario"
)

// sampled is rounds of a contender with so many microseconds for a request.
func sampled(name, variant string, micros ...int) result.Entry {
	e := result.Entry{Contender: name, Variant: variant, Config: "config of " + name, ResidentStart: 5e6, ResidentLoaded: 7e6}
	for i, us := range micros {
		e.Samples = append(e.Samples, result.Sample{
			Round: i, Seconds: 1, Requests: 50_000, BytesOut: 1 << 20, CPU: time.Duration(us) * 50_000 * time.Microsecond,
			Outcome: load.Outcome{Latency: load.Latency{P50: time.Millisecond, P99: time.Duration(us) * time.Millisecond}},
		})
	}
	return e
}

func exampleRun() *result.Run {
	h1 := result.Scenario{
		Scenario: scenario.Scenario{Name: "h1-64", Title: "keep-alive", Main: true, Rates: []int{60}, Load: scenario.Load{Kind: scenario.Closed}},
		Entries: []result.Entry{
			sampled("weir", "", 14, 14, 14, 14, 15), sampled("haproxy", "", 20, 20, 20, 20, 20),
			{Contender: "caddy", Out: "it is on holiday"}, sampled("floor", "", 13, 14, 13, 15, 14),
		},
	}
	h1.Entries[0].Garbage = &result.Garbage{Requests: 250_000, Allocated: 4 << 20}
	for i := range 5 {
		open := result.Sample{Round: i, Percent: 60, Rate: 30_000, Outcome: load.Outcome{Latency: load.Latency{P999: 3 * time.Millisecond}}}
		h1.Entries[1].Open = append(h1.Entries[1].Open, open)
		open.Outcome.Latency.P999 = time.Millisecond
		h1.Entries[0].Open = append(h1.Entries[0].Open, open)
	}
	balance := result.Scenario{
		Scenario: scenario.Scenario{
			Name: "balance-leastconn", Title: "many servers", Main: true, Load: scenario.Load{Kind: scenario.Closed},
			Variants: []scenario.Variant{{Name: "2 servers"}, {Name: "500 servers"}},
		},
		Entries: []result.Entry{sampled("weir", "2 servers", 10, 10, 10, 10, 10), sampled("weir", "500 servers", 13, 13, 13, 13, 13)},
	}
	return &result.Run{
		Commit: "abc1234", Contenders: []string{"weir", "haproxy", "caddy", "floor"}, ProxyCPUs: []int{1}, LoadCPUs: []int{0}, Rounds: 5, Seconds: 1,
		Versions:  map[string]string{"haproxy": "HAProxy version 2.6.12"},
		Scenarios: []result.Scenario{h1, balance, {Scenario: scenario.Scenario{Name: "h1-5000"}, Skipped: "no descriptors"}},
	}
}

func TestGoalsHaveVerdicts(t *testing.T) {
	text := string(Markdown(exampleRun()))
	for _, row := range []string{
		"| h1 keep-alive, 64 connections, CPU per request | <= 1.06 x floor | 1.07 (0.93 - 1.08) | undecided |",
		"| the same | <= 0.93 x HAProxy | 0.70 (0.70 - 0.75) | met |",
		"| p99.9 at 60 % load, 64 connections | <= HAProxy's | 0.33 (0.33 - 0.33) | met |",
		"| a connection per request | <= 0.90 x HAProxy | - | not run |",
		"| 500 servers leastconn, CPU per request | <= 1.10 x with 2 servers | 1.30 (1.30 - 1.30) | missed |",
		"| idle keep-alive connection, resident | <= 600 bytes | - | not run |",
	} {
		if !strings.Contains(text, row+"\n") {
			t.Errorf("the report lacks %q", row)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestReportShowsWhatWasMeasured(t *testing.T) {
	text := string(Markdown(exampleRun()))
	for _, want := range []string{
		"commit abc1234", "| haproxy | HAProxy version 2.6.12 |", "## h1-64", "| weir | 14.0 (14.0 - 15.0) | ",
		"| weir, 500 servers |", "caddy is not here: it is on holiday.", "Skipped: no descriptors.", "config of haproxy", "<= 16.8",
		"| weir | 60 %, 30000/s |", "Not busy all the time: weir (70 %), floor (70 %).",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, bad := range []string{"NaN", "%!", "Inf"} {
		if strings.Contains(text, bad) {
			t.Errorf("the report has %q", bad)
		}
	}
}

func TestGarbageIsAboutTheLongRun(t *testing.T) {
	run := exampleRun()
	run.Scenarios[0].Name = "garbage"
	if o := garbageOutcome(run); o.verdict != result.Met || o.measured != "0 in 250000 requests" {
		t.Errorf("%+v", o)
	}
	run.Scenarios[0].Entries[0].Garbage.Collections = 1
	if o := garbageOutcome(run); o.verdict != result.Missed {
		t.Errorf("%+v", o)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 0.0123: "0.012", 0.123: "0.12", 1.234: "1.23", 9.999: "10.0", 12.34: "12.3", 99.96: "100", 123.4: "123", 65432: "65432"} {
		if got := number(v); got != want {
			t.Errorf("%v is shown as %s, want %s", v, got, want)
		}
	}
	if got := number(math.NaN()); got != "-" {
		t.Errorf("nothing is shown as %s", got)
	}
}

func TestChartsAreXMLAndShowEverySeries(t *testing.T) {
	for name, picture := range map[string][]byte{
		"bars":        bars("CPU & more", []string{"a", "b"}, []group{{"x", []float64{1, 2}}, {"y", []float64{math.NaN(), 4}}}),
		"curves":      curves("latency", []string{"a", "b"}, []curve{{0, [][2]float64{{0, 0.1}, {0.5, 0.2}, {0.999, 30}}}, {1, [][2]float64{{0.9, 1}}}}),
		"empty bars":  bars("nothing", nil, nil),
		"empty lines": curves("nothing", nil, nil),
	} {
		if err := wellFormed(string(picture)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, picture)
		}
		if strings.Contains(string(picture), "NaN") || strings.Contains(string(picture), "Inf") {
			t.Errorf("%s has a number that is none\n%s", name, picture)
		}
	}
	picture := string(bars("t", []string{"a", "b"}, []group{{"x", []float64{1, 2}}}))
	for i := range 2 {
		if n := strings.Count(picture, `fill="`+colour(i)+`"`); n != 2 {
			t.Errorf("series %d has %d boxes, want one in the legend and one bar", i, n)
		}
	}
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestWriteMakesEveryFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Write(dir, exampleRun()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"results.json", "report.md", "cpu-per-request.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(filepath.Join(dir, "report.md", "c"), exampleRun()); err == nil {
		t.Error("a directory inside a file is made")
	}
	if !strings.Contains(fmt.Sprint(chartsOf(exampleRun())[0].title), "CPU per request") {
		t.Error("the first chart is another one")
	}
}
