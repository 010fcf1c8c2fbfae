package rounds

import (
	"testing"

	"github.com/weir-lb/weir/bench/result"
)

const trace = `listening
gc 1 @0.042s 1%: 0.067+3.0+0.002 ms clock, 0.13+1.0/0/0+0.004 ms cpu, 3->4->2 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @0.142s 1%: 0.067+3.0+0.002 ms clock, 0.13+1.0/0/0+0.004 ms cpu, 5->6->3 MB, 6 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 3 @120.0s 1%: 0.067+3.0+0.002 ms clock, 0.13+1.0/0/0+0.004 ms cpu, 4->4->3 MB, 6 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
`

func TestTraceOfCollections(t *testing.T) {
	all := parseTrace(trace)
	if len(all) != 3 || all[0] != (collection{before: 3 << 20, live: 2 << 20, goal: 4 << 20}) || !all[2].forced {
		t.Fatalf("%+v", all)
	}
	for name, tc := range map[string]struct {
		known int
		want  result.Garbage
	}{
		"from the start":      {0, result.Garbage{Collections: 2, Requests: 9, Allocated: (3 + 5 - 2) << 20}},
		"after the first":     {1, result.Garbage{Collections: 1, Requests: 9, Allocated: (5 - 2) << 20}},
		"none but the forced": {2, result.Garbage{Requests: 9, Allocated: (6 - 3) << 20}},
	} {
		if got := allocated(all, tc.known, 9); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
	if got := allocated(nil, 0, 9); got != (result.Garbage{Requests: 9, Allocated: heapMin}) {
		t.Errorf("no collection at all: %+v", got)
	}
}
