package load

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

func wrkCommand(s Spec) []string {
	args := []string{"wrk", "-t" + strconv.Itoa(max(s.Threads, 1)), "-c" + strconv.Itoa(s.Connections), "--latency",
		"-d" + strconv.Itoa(foreverSeconds) + "s", "--timeout", "60s"}
	if s.Close {
		args = append(args, "-H", "Connection: close")
	}
	return append(args, s.url())
}

var (
	wrkAnswers = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkStatus  = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	wrkSockets = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkShare   = regexp.MustCompile(`(?m)^\s*(50|90|99)%\s+(\S+)$`)
	wrkMax     = regexp.MustCompile(`(?m)^\s*Latency\s+\S+\s+\S+\s+(\S+)`)
)

func parseWrk(output []byte) (Outcome, error) {
	o := Outcome{Tool: Wrk}
	m := wrkAnswers.FindSubmatch(output)
	if m == nil {
		return o, fmt.Errorf("can't read what wrk says: %s", output)
	}
	o.Answers = number(m[1])
	for _, re := range []*regexp.Regexp{wrkStatus, wrkSockets} {
		m := re.FindSubmatch(output)
		for i := 1; i < len(m); i++ {
			o.Errors += number(m[i])
		}
	}
	for _, m := range wrkShare.FindAllSubmatch(output, -1) {
		d, err := time.ParseDuration(string(m[2]))
		if err != nil {
			return o, fmt.Errorf("can't read what wrk says of latency: %w", err)
		}
		switch string(m[1]) {
		case "50":
			o.Latency.P50 = d
		case "90":
			o.Latency.P90 = d
		case "99":
			o.Latency.P99 = d
		}
	}
	if m := wrkMax.FindSubmatch(output); m != nil {
		o.Latency.Max, _ = time.ParseDuration(string(m[1])) // shown, nothing is decided by it
	}
	return o, nil
}

// number is of digits that a pattern has matched.
func number(digits []byte) int64 {
	n, _ := strconv.ParseInt(string(digits), 10, 64)
	return n
}
