package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-lb/weir/bench/result"
)

// build makes the benchmark itself: it is also the server, the generator and the
// floor, so the test binary can't stand in for it.
func build(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "bench")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("can't build: %v\n%s", err, out)
	}
	return path
}

// One scenario of each kind of load, end to end: weir and the floor only, which
// every machine has.
func TestBenchmarkRunsEndToEnd(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "report")
	cmd := exec.CommandContext(t.Context(), build(t, dir), "-scenario", "^(h1-64|tcp-ping)$", "-contender", "weir,floor", "-rounds", "1", "-seconds", "0.2", "-out", out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(filepath.Join(out, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var run result.Run
	if err := json.Unmarshal(text, &run); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"h1-64", "tcp-ping"} {
		for _, contender := range []string{"weir", "floor"} {
			s := run.Scenario(name)
			if s == nil || s.Entry(contender, "") == nil {
				t.Fatalf("%s of %s is missing", contender, name)
			}
			checkEntry(t, name, s.Entry(contender, ""))
		}
	}
	checkFiles(t, out)
}

func checkEntry(t *testing.T, scenario string, e *result.Entry) {
	t.Helper()
	if len(e.Samples) != 1 {
		t.Fatalf("%s, %s: %d samples", scenario, e.Name(), len(e.Samples))
	}
	if s := e.Samples[0]; s.Requests == 0 || s.CPU == 0 || s.Resident == 0 || s.LoadCPU == 0 || s.ServerCPU == 0 || s.Outcome.Errors > 0 {
		t.Errorf("%s, %s: %+v", scenario, e.Name(), s)
	}
	if scenario == "h1-64" && (len(e.At(60)) != 1 || e.At(60)[0].Outcome.Histogram == "") {
		t.Errorf("%s, %s: open loop %+v", scenario, e.Name(), e.At(60))
	}
}

func checkFiles(t *testing.T, out string) {
	t.Helper()
	for file, want := range map[string]string{
		"report.md": "## Goals", "cpu-per-request.svg": "</svg>", "latency-h1-64-60.svg": "<polyline",
	} {
		text, err := os.ReadFile(filepath.Join(out, file))
		if err != nil || !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s lacks %q (%v)", file, want, err)
		}
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, bad := range [][]string{
		{"-scenario", "("}, {"-scenario", "nothing has this name"}, {"-contender", "weir,apache"}, {"-rounds", "0"},
		{"-seconds", "-1"}, {"-proxy-cpus", "999"}, {"word"}, {"-nothing"},
	} {
		if _, err := parseFlags(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
	o, err := parseFlags([]string{"-contender", "floor,haproxy", "-haproxy", "/opt/haproxy-3.2", "-proxy-cpus", "0"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range o.contenders {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "floor haproxy haproxy:haproxy-3.2" || o.proxyCPUs[0] != 0 {
		t.Errorf("contenders %s, processors %v", got, o.proxyCPUs)
	}
}

func TestCommandIsWhatAReaderHasToType(t *testing.T) {
	o := options{args: []string{"-rounds", "9", "-lock", "/tmp/lock", "--out", "dir", "-publish", "-nice", "-10"}}
	if got := strings.Join(o.command(), " "); got != "bench -rounds 9 -nice -10" {
		t.Errorf("%s", got)
	}
}

func TestMissingProgramsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	o, err := parseFlags([]string{"-contender", "caddy"})
	if err != nil {
		t.Fatal(err)
	}
	o.contenders[0] = o.contenders[0].With("caddy-that-nobody-has")
	err = runBench(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "apt-get install -y --no-install-recommends caddy wrk nghttp2-client") {
		t.Errorf("error %v", err)
	}
}
