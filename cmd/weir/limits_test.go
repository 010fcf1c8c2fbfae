package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestLimitsFitWhatTheSystemGrants(t *testing.T) {
	plain := demand{bufferBytes: 16384, loops: 2, sockets: 1}
	fixed := plain.fixed()
	with := func(change func(*demand)) demand { d := plain; change(&d); return d }
	for name, row := range map[string]struct {
		supply  supply
		demand  demand
		maxConn int
		wrong   string
	}{
		"computed from descriptors":   {supply{hard: 20000}, plain, int(20000-fixed) / 2 * 8 / 10, ""},
		"a billion descriptors":       {supply{hard: 1 << 30}, plain, 419414, ""},
		"fd-hard-limit":               {supply{hard: 1 << 30}, with(func(d *demand) { d.hardLimit = 50000 }), int(50000-fixed) / 2 * 8 / 10, ""},
		"computed from memory":        {supply{hard: 20000, memoryBytes: 256 << 20}, plain, 4460, ""},
		"hardly any memory":           {supply{hard: 20000, memoryBytes: 16 << 20}, plain, 1, ""},
		"configured":                  {supply{hard: 20000}, with(func(d *demand) { d.maxConn = 100 }), 100, ""},
		"configured for 1024":         {supply{hard: 1024}, with(func(d *demand) { d.maxConn = 480 }), 480, ""},
		"configured beyond the limit": {supply{hard: 1000}, with(func(d *demand) { d.maxConn = 5000 }), 0, "cannot raise FD limit to 10039, limit is 1000"},
		"ulimit-n decides":            {supply{hard: 20000}, with(func(d *demand) { d.ulimitN = 300 }), 104, ""},
		"nothing fits":                {supply{hard: 30}, plain, 0, "no connection fits"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := computeLimits(row.supply, row.demand)
			if row.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), row.wrong) {
					t.Fatalf("error %v, want %q", err, row.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.maxConn != row.maxConn {
				t.Errorf("maxconn %d, want %d (%s)", l.maxConn, row.maxConn, l.formula)
			}
			if need := row.demand.needs(l.maxConn) + 2*uint64(l.maxPipes); need > l.descriptors {
				t.Errorf("%d connections and %d pipes need %d descriptors, %d are set", l.maxConn, l.maxPipes, need, l.descriptors)
			}
			if !strings.Contains(l.formula, "maxconn") {
				t.Errorf("formula %q", l.formula)
			}
		})
	}
}

func TestMemoryLimitOfControlGroups(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, row := range map[string]struct {
		files fstest.MapFS
		want  uint64
	}{
		"none": {fstest.MapFS{}, 0},
		"version 2": {fstest.MapFS{
			"proc/self/cgroup":               file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max":   file("max\n"),
			"sys/fs/cgroup/a/memory.max":     file("268435456\n"),
			"sys/fs/cgroup/memory.max":       file("536870912\n"),
			"sys/fs/cgroup/other/memory.max": file("1\n"),
		}, 256 << 20},
		"version 2 in a container": {fstest.MapFS{
			"proc/self/cgroup":         file("0::/../../x\n"),
			"sys/fs/cgroup/memory.max": file("1048576\n"),
		}, 1 << 20},
		"version 1": {fstest.MapFS{
			"proc/self/cgroup": file("5:cpu:/d\n4:memory:/d\n0::/\n"),
			"sys/fs/cgroup/memory/d/memory.limit_in_bytes": file("4096\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   file("9223372036854771712\n"),
		}, 4096},
		"version 1 without a limit": {fstest.MapFS{
			"proc/self/cgroup":                           file("4:memory:/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := cgroupMemoryIn(row.files); got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
		})
	}
}
