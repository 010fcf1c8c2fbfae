package listener

import (
	"fmt"
	"strings"
)

// parsePortRange reads "", "80" or "80-90"; an empty text is 0-0.
func parsePortRange(s string) (first, last uint16, err error) {
	if s == "" {
		return 0, 0, nil
	}
	low, high, isRange := strings.Cut(s, "-")
	first, ok := parsePort([]byte(low))
	last, ok2 := first, ok
	if isRange {
		last, ok2 = parsePort([]byte(high))
	}
	switch {
	case !ok || !ok2 || isRange && first == 0:
		return 0, 0, fmt.Errorf("a port is a number of 1 to 65535, a range is first-last, got %q", s)
	case first > last:
		return 0, 0, fmt.Errorf("the port range %q ends before it begins", s)
	}
	return first, last, nil
}
