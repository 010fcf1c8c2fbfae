package load

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// Latencies are kept in nanoseconds, with three digits.
const (
	latencyMin    = time.Microsecond
	latencyMax    = time.Minute
	latencyDigits = 3
)

func newHistogram() *hdr.Histogram {
	return hdr.New(int64(latencyMin), int64(latencyMax), latencyDigits)
}

func record(h *hdr.Histogram, d time.Duration) {
	h.RecordValue(int64(min(max(d, latencyMin), latencyMax))) // it can't be out of range
}

// Run makes the load of a Spec until its time is over, or SIGINT comes.
func Run(spec Spec) (Outcome, error) {
	runtime.LockOSThread()
	// The thread wakes when it should, not when the kernel finds it handy.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return Outcome{}, fmt.Errorf("can't ask for exact timers: %w", err)
	}
	g, err := newGenerator(spec)
	if err != nil {
		return Outcome{}, err
	}
	if err := g.stopOn(syscall.SIGINT); err != nil {
		return Outcome{}, err
	}
	if err := g.run(); err != nil {
		return Outcome{}, err
	}
	return g.outcome()
}

// stopOn ends the run on a signal.
func (g *generator) stopOn(sig os.Signal) error {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("can't watch for a signal: %w", err)
	}
	if err := g.poller.AddListener(fd, socket.Tag{Kind: kindStop}); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, sig)
	go func() {
		<-signals
		unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // an empty eventfd takes it
	}()
	return nil
}

// outcome counts what is still due as late as it is by now: leaving it out would
// make an overloaded proxy look better than it is.
func (g *generator) outcome() (Outcome, error) {
	if g.spec.Rate > 0 && !g.countFrom.IsZero() {
		for _, c := range g.clients {
			if c.waiting && c.role == rated && !c.due.Before(g.countFrom) {
				record(g.latency, g.ended.Sub(c.due))
			}
		}
		for due := g.dueAt(g.sent); due.Before(g.ended); due = g.dueAt(g.sent) {
			if !due.Before(g.countFrom) {
				record(g.latency, g.ended.Sub(due))
			}
			g.sent++
		}
	}
	o := Outcome{Tool: Own, Answers: g.answers, Errors: g.errors, Late: time.Duration(g.late.ValueAtPercentile(99)), Latency: percentiles(g.latency)}
	if g.spec.Rate == 0 {
		return o, nil
	}
	packed, err := g.latency.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return o, fmt.Errorf("can't pack the histogram: %w", err)
	}
	o.Histogram = string(packed)
	return o, nil
}

func percentiles(h *hdr.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	at := func(p float64) time.Duration { return time.Duration(h.ValueAtPercentile(p)) }
	return Latency{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max())}
}

// A Point is one of a latency curve: the share of requests that took at most so long.
type Point struct {
	Share   float64
	Latency time.Duration
}

// Curve merges packed histograms of several rounds.
func Curve(packed []string) ([]Point, error) {
	sum := newHistogram()
	for _, p := range packed {
		h, err := hdr.Decode([]byte(p))
		if err != nil {
			return nil, fmt.Errorf("can't unpack a histogram: %w", err)
		}
		sum.Merge(h)
	}
	var points []Point
	for _, b := range sum.CumulativeDistribution() {
		points = append(points, Point{b.Quantile / 100, time.Duration(b.ValueAt)})
	}
	return points, nil
}
