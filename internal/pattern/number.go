package pattern

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// numberRange is lo <= n <= hi.
type numberRange struct {
	lo, hi int64
	index  int
}

// rangeList holds the patterns of "int" and "len".
type rangeList struct {
	all    []numberRange // in the order of the file
	merged []numberRange // sorted, disjoint: tells whether any of a long list fits
}

func (l *rangeList) add(lo, hi int64, index int) {
	l.all = append(l.all, numberRange{lo, hi, index})
}

// merge prepares find.
func (l *rangeList) merge() {
	sorted := slices.Clone(l.all)
	slices.SortFunc(sorted, func(a, b numberRange) int {
		switch {
		case a.lo < b.lo:
			return -1
		case a.lo > b.lo:
			return 1
		}
		return 0
	})
	for _, r := range sorted {
		last := len(l.merged) - 1
		if last >= 0 && r.lo <= l.merged[last].hi {
			l.merged[last].hi = max(l.merged[last].hi, r.hi)
			continue
		}
		l.merged = append(l.merged, r)
	}
}

func (l *rangeList) find(n int64) int {
	if len(l.all) > linearMax && !l.any(n) {
		return -1
	}
	for i := range l.all {
		if l.all[i].lo <= n && n <= l.all[i].hi {
			return l.all[i].index
		}
	}
	return -1
}

func (l *rangeList) any(n int64) bool {
	lo, hi := 0, len(l.merged)
	for lo < hi {
		mid := (lo + hi) / 2
		if l.merged[mid].lo > n {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo > 0 && n <= l.merged[lo-1].hi
}

// parseRange reads "5", "5:9", "5:" or ":9" after an operator. An operator moves
// the bound that it speaks of and leaves the other one of a range, as HAProxy
// does: "gt 3:6" is 4 to 6.
func parseRange(s string, op Op) (lo, hi int64, err error) {
	from, to, isRange := strings.Cut(s, ":")
	lo, hi = math.MinInt64, math.MaxInt64
	if !isRange {
		to = from
	}
	if from != "" {
		if lo, err = parseNumber(from); err != nil {
			return 0, 0, err
		}
	}
	if to != "" {
		if hi, err = parseNumber(to); err != nil {
			return 0, 0, err
		}
	}
	if from == "" && to == "" || lo > hi {
		return 0, 0, fmt.Errorf("%q is not a range of numbers", s)
	}
	return applyOp(lo, hi, isRange, op)
}

func applyOp(lo, hi int64, isRange bool, op Op) (int64, int64, error) {
	if !isRange {
		switch op {
		case OpGe, OpGt:
			hi = math.MaxInt64
		case OpLe, OpLt:
			lo = math.MinInt64
		}
	}
	switch {
	case op == OpGt && lo == math.MaxInt64, op == OpLt && hi == math.MinInt64:
		return 1, 0, nil // nothing is beyond: a range without numbers
	case op == OpGt:
		lo++
	case op == OpLt:
		hi--
	}
	return lo, hi, nil
}

func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] == '+' {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return n, nil
}
