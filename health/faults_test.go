package health

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// A server that answers well on a bad network: whatever breaks, checks go on,
// each ends within its time, and nothing is left open.
func TestChecksSurviveABadNetwork(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, 5}
	if s, err := strconv.ParseUint(os.Getenv("WEIR_SEED"), 10, 64); err == nil {
		seeds = []uint64{s}
	}
	for _, seed := range seeds {
		spec := Spec{Kind: HTTP, Timeout: 500 * time.Millisecond, ExpectString: "ready"}
		sk := simkernel.New(seed)
		sk.Faults = simkernel.Faults{ShortRead: 0.3, ShortWrite: 0.3, Again: 0.3, Reset: 0.05, Refuse: 0.05, Slow: 0.2, Spurious: 0.2}
		sc := newSceneOn(t, sk, spec, ServerSpec{Inter: time.Second, FastInter: 100 * time.Millisecond}, nil)
		good := 0
		for range 600 {
			sc.pass(50 * time.Millisecond)
			for e := sc.server.Accept(); e != nil; e = sc.server.Accept() {
				e.Send([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n"))
			}
		}
		for _, r := range sc.reports {
			if r.Status == StatusL7OK {
				good++
			}
			if r.Latency > 2*time.Second {
				t.Errorf("seed %d: a check took %v", seed, r.Latency)
			}
			switch r.Status {
			case StatusL7OK, StatusL4Con, StatusL4Tout, StatusL7Tout, StatusSocket:
			default:
				t.Errorf("seed %d: the answer was right, the result is %s %s", seed, r.Status, r.Detail)
			}
		}
		if good == 0 || good == len(sc.reports) {
			t.Errorf("seed %d: %d good of %d", seed, good, len(sc.reports))
		}
	}
}
