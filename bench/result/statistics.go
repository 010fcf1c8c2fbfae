package result

import (
	"math"
	"slices"
)

// Median of values; NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// A Summary is what a table shows of some values.
type Summary struct {
	Median, Min, Max float64
	Count            int
}

// Summarize is of none all NaN.
func Summarize(values []float64) Summary {
	if len(values) == 0 {
		return Summary{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	return Summary{Median(values), slices.Min(values), slices.Max(values), len(values)}
}

// coverageMin is how sure the interval of a median has to be. 0.92 makes it all
// of five rounds, and all but one at each end of eight or nine.
const coverageMin = 0.92

// roundsMin is where the least and the greatest value reach coverageMin.
const roundsMin = 5

// Interval is the shortest pair of observed values between which the true median
// lies with coverageMin, whatever the distribution: the sign test's. ok is false
// if there are too few values for any.
func Interval(values []float64) (low, high float64, ok bool) {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	outside, term := 0.0, math.Pow(0.5, float64(n)) // probability that at most k values are on one side
	cut := -1
	for k := 0; k < n/2; k++ {
		outside += term
		if 1-2*outside < coverageMin {
			break
		}
		cut = k
		term *= float64(n-k) / float64(k+1)
	}
	if cut < 0 {
		return math.NaN(), math.NaN(), false
	}
	return v[cut], v[n-1-cut], true
}

// A Comparison is the ratio of two contenders, taken within each round, so that
// a machine whose speed drifts changes both sides of it; or a figure of one.
type Comparison struct {
	Median    float64 `json:"median"`
	Low, High float64 // of the sign test; NaN with too few rounds
	Rounds    int
}

// Compare divides a by b round by round.
func Compare(m Metric, a, b []Sample) Comparison {
	var ratios []float64
	for _, x := range a {
		i := slices.IndexFunc(b, func(y Sample) bool { return y.Round == x.Round })
		if i < 0 {
			continue
		}
		va, oka := m.Value(x)
		vb, okb := m.Value(b[i])
		if oka && okb && vb != 0 {
			ratios = append(ratios, va/vb)
		}
	}
	c := Comparison{Median: Median(ratios), Rounds: len(ratios)}
	c.Low, c.High, _ = Interval(ratios)
	return c
}

// Absolute is the figure of one contender, to be held against a limit.
func Absolute(m Metric, samples []Sample) Comparison {
	values := m.Values(samples)
	c := Comparison{Median: Median(values), Rounds: len(values)}
	c.Low, c.High, _ = Interval(values)
	return c
}

// A Verdict says whether a figure holds a limit.
type Verdict string

const (
	Met       Verdict = "met"
	Missed    Verdict = "missed"
	Undecided Verdict = "undecided" // the spread of the rounds swamps the difference
	NotRun    Verdict = "not run"
)

// AtMost holds the comparison against a limit: met if the whole interval is at
// most limit, missed if the whole interval is above it, otherwise undecided.
func (c Comparison) AtMost(limit float64) Verdict {
	switch {
	case c.Rounds == 0:
		return NotRun
	case c.Rounds < roundsMin:
		return Undecided
	case c.High <= limit:
		return Met
	case c.Low > limit:
		return Missed
	}
	return Undecided
}
