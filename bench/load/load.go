package load

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// A Tool is a program that makes load.
type Tool string

const (
	Wrk    Tool = "wrk"
	H2load Tool = "h2load"
	Own    Tool = "own"
)

// A Spec says what the clients do.
type Spec struct {
	To          netip.AddrPort `json:"to"`
	Connections int            `json:"connections"`
	Path        string         `json:"path,omitempty"`
	Paths       int            `json:"paths,omitempty"` // that many in turn: path/0, path/1 ...
	Post        int64          `json:"post,omitempty"`
	HasBody     bool           `json:"has_body,omitempty"` // POST, even with an empty body
	Chunked     bool           `json:"chunked,omitempty"`
	Close       bool           `json:"close,omitempty"`
	Pipeline    int            `json:"pipeline,omitempty"` // with HTTP/2, streams
	TLS         bool           `json:"tls,omitempty"`      // wrk and h2load can
	H2          bool           `json:"h2,omitempty"`       // h2load can
	Ping        bool           `json:"ping,omitempty"`     // TCP
	Stream      bool           `json:"stream,omitempty"`   // TCP
	Idle        bool           `json:"idle,omitempty"`     // one request each, then nothing
	Slow        int            `json:"slow,omitempty"`     // further connections that read slowly
	SlowPath    string         `json:"slow_path,omitempty"`
	Drip        int64          `json:"drip,omitempty"`    // bytes per second of each of them
	Sources     int            `json:"sources,omitempty"` // addresses that the clients come from; 0: the kernel's choice
	Rate        float64        `json:"rate,omitempty"`    // requests per second; zero: closed loop
	Threads     int            `json:"threads,omitempty"`

	// Warm passes before anything counts; then it counts for Length, or until
	// SIGINT if that is zero.
	Warm   time.Duration `json:"warm"`
	Length time.Duration `json:"length"`
}

// An Outcome is what the generator saw.
type Outcome struct {
	Tool    Tool    `json:"tool"`
	Answers int64   `json:"answers"`
	Errors  int64   `json:"errors"` // sockets that failed, answers other than 2xx and 3xx
	Latency Latency `json:"latency"`

	// Late is how long after its time a request was sent although a connection
	// was free: the 99th percentile. It is the generator's own delay.
	Late time.Duration `json:"late,omitempty"`
	// Histogram is of an open loop, in HdrHistogram's compressed form, base64.
	Histogram string `json:"histogram,omitempty"`
}

// A Latency is percentiles of the time from request to answer. What a tool
// does not tell is zero.
type Latency struct {
	P50  time.Duration `json:"p50"`
	P90  time.Duration `json:"p90"`
	P99  time.Duration `json:"p99"`
	P999 time.Duration `json:"p999"`
	Max  time.Duration `json:"max"`
}

// Command is the program and its arguments; own is the path of this benchmark
// and file where it finds the Spec.
func Command(tool Tool, s Spec, own, file string) ([]string, error) {
	switch tool {
	case Wrk:
		return wrkCommand(s), nil
	case H2load:
		return h2loadCommand(s), nil
	case Own:
		return []string{own, "load", file}, nil
	}
	return nil, fmt.Errorf("can't make load with %q", tool)
}

// Parse reads what the tool has written.
func Parse(tool Tool, output []byte) (Outcome, error) {
	switch tool {
	case Wrk:
		return parseWrk(output)
	case H2load:
		return parseH2load(output)
	}
	return parseOwn(output)
}

func (s Spec) url() string {
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%v%s", scheme, s.To, s.Path)
}

// foreverSeconds is the length of a run that SIGINT ends.
const foreverSeconds = 3600

// parseOwn reads what Run has returned to its caller, as JSON.
func parseOwn(output []byte) (Outcome, error) {
	var o Outcome
	if err := json.Unmarshal(output, &o); err != nil {
		return o, fmt.Errorf("can't read what the generator says: %w: %s", err, output)
	}
	return o, nil
}
