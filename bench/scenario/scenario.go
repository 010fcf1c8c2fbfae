package scenario

import (
	"fmt"
	"regexp"
	"slices"
)

const (
	connectionsMax = 10_000
	serversMax     = 500
)

// A Scenario is one row of the report.
type Scenario struct {
	Name  string `json:"name"`
	Title string `json:"title"` // for a reader who has never seen weir
	Main  bool   `json:"main"`  // part of make bench, not only of make bench-full
	Proxy Proxy  `json:"proxy"`
	Load  Load   `json:"load"`

	// Variants run beside each other, each contender once with each of them;
	// nil means one, without a name.
	Variants []Variant `json:"variants,omitempty"`

	// Rates are for the open loop, in percent of what the weakest contender
	// can do in the closed loop.
	Rates []int `json:"rates,omitempty"`

	// AllCores lets the proxy and the load use every processor, with as many
	// threads of the proxy as there are.
	AllCores bool `json:"all_cores,omitempty"`

	// Seconds of one round; zero means as the command line says.
	Seconds int `json:"seconds,omitempty"`

	// Only names the contenders that the scenario is about; nil means all.
	Only []string `json:"only,omitempty"`
}

// A Variant changes what the proxy shall do.
type Variant struct {
	Name    string `json:"name"`
	Servers int    `json:"servers,omitempty"` // unless 0
	Rules   int    `json:"rules,omitempty"`
	Threads int    `json:"threads,omitempty"` // unless 0
	Main    bool   `json:"main,omitempty"`
}

// With is what a proxy shall do in a variant.
func (p Proxy) With(v Variant) Proxy {
	if v.Servers > 0 {
		p.Servers = v.Servers
	}
	p.Rules += v.Rules
	if v.Threads > 0 {
		p.Threads = v.Threads
	}
	return p
}

// Proxy is what the proxy shall do.
type Proxy struct {
	TCP       bool   `json:"tcp,omitempty"`
	Servers   int    `json:"servers"`
	Algorithm string `json:"algorithm,omitempty"`  // empty: roundrobin
	ServerMax int    `json:"server_max,omitempty"` // server maxconn
	Rules     int    `json:"rules,omitempty"`
	Threads   int    `json:"threads,omitempty"` // 0: one, or with AllCores as many as there are processors
	Log       bool   `json:"log,omitempty"`     // a line for each request, by UDP
	TLS       bool   `json:"tls,omitempty"`     // towards clients: version 1.3, an ECDSA P-256 key
	H2        bool   `json:"h2,omitempty"`      // HTTP/2 towards clients
}

// A Kind says how the load comes.
type Kind string

const (
	// Closed: each connection sends its next request when it has the answer to
	// the one before. It finds out what a proxy can do, and says little about
	// latency: a slow proxy is asked less often.
	Closed Kind = "closed"
	// Idle: connections that have made one request and now do nothing.
	Idle Kind = "idle"
)

// A Tool makes the load.
type Tool string

const (
	Wrk    Tool = "wrk"
	H2load Tool = "h2load"
	Own    Tool = "own" // package load
)

// Load is what clients do.
type Load struct {
	Kind        Kind   `json:"kind"`
	Tool        Tool   `json:"tool"`
	Connections int    `json:"connections"`
	Path        string `json:"path,omitempty"` // as package server answers it
	Upload      bool   `json:"upload,omitempty"`
	Post        int64  `json:"post,omitempty"` // bytes of an upload's body
	Chunked     bool   `json:"chunked,omitempty"`
	Close       bool   `json:"close,omitempty"`    // a connection for each request
	Pipeline    int    `json:"pipeline,omitempty"` // requests on their way at once; with HTTP/2, streams
	Paths       int    `json:"paths,omitempty"`    // that many different ones in turn
	Sources     int    `json:"sources,omitempty"`  // addresses that the clients come from
	Ping        bool   `json:"ping,omitempty"`     // TCP: 128 bytes there and back
	Stream      int64  `json:"stream,omitempty"`   // TCP: bytes that the server sends to each connection
	Slow        int    `json:"slow,omitempty"`     // further connections that read a large answer slowly
	SlowPath    string `json:"slow_path,omitempty"`
	Drip        int64  `json:"drip,omitempty"` // bytes per second that each of them takes
	Rate        int    `json:"rate,omitempty"` // requests per second of the other connections
}

// Bulk reports whether bytes are what counts, not requests.
func (l Load) Bulk() bool {
	return l.Stream > 0 || l.Post >= bulkBytes || l.BodyBytes() >= bulkBytes
}

const bulkBytes = 1 << 16

// BodyBytes is the size of the answers that are asked for.
func (l Load) BodyBytes() (n int64) {
	if _, err := fmt.Sscanf(l.Path, "/b/%d", &n); err != nil {
		fmt.Sscanf(l.Path, "/c/%d/", &n) // any other path is a small answer, which counts as none
	}
	return n
}

// Select returns the scenarios whose name matches. Without a pattern it is the
// main table, cut to what that needs, or everything if full is set.
func Select(pattern string, full bool) ([]Scenario, error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("can't select scenarios: %w", err)
	}
	var out []Scenario
	for _, s := range All() {
		switch {
		case pattern == "" && s.Main && !full:
			out = append(out, s.cut())
		case pattern == "" && full, pattern != "" && match.MatchString(s.Name):
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("can't select scenarios: no name matches %q (bench -list prints them)", pattern)
	}
	return out, nil
}

// mainRate is the one rate of the open loop in the main table.
const mainRate = 60

// cut is the scenario as the main table has it.
func (s Scenario) cut() Scenario {
	s.Rates = slices.DeleteFunc(slices.Clone(s.Rates), func(r int) bool { return r != mainRate })
	s.Variants = slices.DeleteFunc(slices.Clone(s.Variants), func(v Variant) bool { return !v.Main })
	return s
}
