package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/pattern"
)

// dotted reports whether patterns for e are written MAJOR.MINOR ("decimal match"
// of the manual): a converter makes numbers of them.
func (e *Expr) dotted() bool { return len(e.steps) == 0 && e.fetch.dotted }

// undot writes dotted patterns as the numbers that they mean, MAJOR times 65536
// plus MINOR.
func undot(entries []pattern.Entry) error {
	for i := range entries {
		from, to, isRange := strings.Cut(entries[i].Text, ":")
		low, err := undotOne(from, isRange)
		if err != nil {
			return err
		}
		if isRange {
			high, err := undotOne(to, low != "")
			if err != nil {
				return err
			}
			low += ":" + high
		}
		entries[i].Text = low
	}
	return nil
}

func undotOne(s string, mayBeEmpty bool) (string, error) {
	if s == "" && mayBeEmpty {
		return "", nil
	}
	major, minor, dot := strings.Cut(s, ".")
	if !dot {
		minor = "0"
	}
	hi, err := strconv.ParseUint(major, 10, 16)
	lo, err2 := strconv.ParseUint(minor, 10, 16)
	if err != nil || err2 != nil {
		return "", fmt.Errorf("%q is no version: MAJOR.MINOR is expected, such as 3.3", s)
	}
	return strconv.FormatUint(hi<<16|lo, 10), nil
}
