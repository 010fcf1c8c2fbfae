package result

import (
	"math"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		in   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(tc.in); got != tc.want {
			t.Errorf("median of %v: %v, want %v", tc.in, got, tc.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("nothing has a median")
	}
}

// The coverages are those of the binomial distribution: of n values the k-th
// from either end bound the median with 1 - 2 * P(at most k-1 of n heads).
func TestIntervalOfTheSignTest(t *testing.T) {
	for _, tc := range []struct {
		n    int
		skip int // values left out at each end; -1: no interval
	}{{1, -1}, {4, -1}, {5, 0}, {6, 0}, {7, 0}, {8, 1}, {9, 1}, {11, 2}, {20, 5}} {
		values := make([]float64, tc.n)
		for i := range values {
			values[i] = float64((i*7 + 3) % tc.n * 10) // some order; 7 is prime to each n but 7
			if tc.n == 7 {
				values[i] = float64(i * 10)
			}
		}
		low, high, ok := Interval(values)
		if ok != (tc.skip >= 0) {
			t.Errorf("n=%d: ok %v", tc.n, ok)
			continue
		}
		if ok && (low != float64(tc.skip*10) || high != float64((tc.n-1-tc.skip)*10)) {
			t.Errorf("n=%d: %v to %v, want all but %d at each end", tc.n, low, high, tc.skip)
		}
	}
}

// rounds of a contender whose CPU per request is given in microseconds.
func rounds(micros ...int) []Sample {
	var out []Sample
	for i, us := range micros {
		out = append(out, Sample{Round: i, Requests: 10, CPU: time.Duration(us) * 10 * time.Microsecond})
	}
	return out
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	// The machine gets twice as slow in the middle: the ratio does not notice.
	c := Compare(CPUPerRequest, rounds(9, 9, 18, 18, 9), rounds(10, 10, 20, 20, 10))
	if c.Median != 0.9 || c.Low != 0.9 || c.High != 0.9 {
		t.Errorf("%+v, want 0.9 throughout", c)
	}
	if got := c.AtMost(0.95); got != Met {
		t.Errorf("0.9 is at most 0.95: %v", got)
	}
	if got := c.AtMost(0.85); got != Missed {
		t.Errorf("0.9 is at most 0.85: %v", got)
	}
}

func TestSpreadThatSwampsTheDifferenceIsUndecided(t *testing.T) {
	c := Compare(CPUPerRequest, rounds(90, 91, 92, 90, 97), rounds(100, 100, 100, 100, 100))
	if got := c.AtMost(0.95); got != Undecided {
		t.Errorf("%+v against 0.95: %v, one round says otherwise", c, got)
	}
	if got := Compare(CPUPerRequest, rounds(90, 90, 90, 90), rounds(100, 100, 100, 100)).AtMost(0.95); got != Undecided {
		t.Errorf("four rounds are too few: %v", got)
	}
	if got := Compare(CPUPerRequest, nil, rounds(1)).AtMost(1); got != NotRun {
		t.Errorf("nothing was run: %v", got)
	}
}

func TestSamplesWithoutAValueAreLeftOut(t *testing.T) {
	samples := rounds(10, 20, 30)
	samples[1].Requests = 0
	if got := CPUPerRequest.Values(samples); len(got) != 2 {
		t.Errorf("values %v", got)
	}
	if c := Compare(CPUPerRequest, samples, rounds(10, 10, 10)); c.Rounds != 2 {
		t.Errorf("%+v: want two rounds", c)
	}
}
