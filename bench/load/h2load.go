package load

import (
	"fmt"
	"regexp"
	"strconv"
)

func h2loadCommand(s Spec) []string {
	args := []string{"h2load"}
	if !s.H2 {
		args = append(args, "--h1")
	}
	return append(args, "-t"+strconv.Itoa(max(s.Threads, 1)), "-c"+strconv.Itoa(s.Connections),
		"-m"+strconv.Itoa(max(s.Pipeline, 1)), "-D"+strconv.Itoa(int((s.Warm+s.Length).Seconds()+2)), s.url())
}

var (
	h2loadRequests = regexp.MustCompile(`requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	h2loadStatus   = regexp.MustCompile(`status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx`)
)

func parseH2load(output []byte) (Outcome, error) {
	o := Outcome{Tool: H2load}
	requests, status := h2loadRequests.FindSubmatch(output), h2loadStatus.FindSubmatch(output)
	if requests == nil || status == nil {
		return o, fmt.Errorf("can't read what h2load says: %s", output)
	}
	o.Answers = number(requests[3])
	o.Errors = number(requests[5]) + number(status[3]) + number(status[4])
	return o, nil
}
