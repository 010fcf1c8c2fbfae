package result

import (
	"time"

	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/scenario"
)

// A Run is one run of the command.
type Run struct {
	Date       time.Time         `json:"date"`
	Commit     string            `json:"commit"`
	Command    []string          `json:"command"`
	Machine    process.Machine   `json:"machine"`
	Versions   map[string]string `json:"versions"` // by contender or tool
	Rounds     int               `json:"rounds"`
	Seconds    float64           `json:"seconds"` // of a round
	ProxyCPUs  []int             `json:"proxy_cpus"`
	LoadCPUs   []int             `json:"load_cpus"`
	Contenders []string          `json:"contenders"`
	Notes      []string          `json:"notes,omitempty"` // what a reader has to know about all figures
	Scenarios  []Scenario        `json:"scenarios"`
	Took       time.Duration     `json:"took"`
}

// A Scenario is what became of one.
type Scenario struct {
	scenario.Scenario
	Skipped string   `json:"skipped,omitempty"` // why it was not run
	Notes   []string `json:"notes,omitempty"`   // what a reader has to know about its figures
	Entries []Entry  `json:"entries"`
}

// An Entry is one contender in a scenario.
type Entry struct {
	Contender string   `json:"contender"`
	Variant   string   `json:"variant,omitempty"`
	Out       string   `json:"out,omitempty"` // why it does not take part
	Config    string   `json:"config,omitempty"`
	Command   []string `json:"command,omitempty"`

	ResidentStart  int64    `json:"resident_start"`    // bytes, before the first request
	ResidentLoaded int64    `json:"resident_loaded"`   // the most that was seen at the end of a round
	Samples        []Sample `json:"samples,omitempty"` // of the closed loop
	Open           []Sample `json:"open,omitempty"`    // of the open loop, all rates
	OpenOut        string   `json:"open_out,omitempty"`

	// Counted in a round of its own, because counting costs.
	Syscalls    *Sample `json:"syscalls,omitempty"`
	SyscallsHow string  `json:"syscalls_how,omitempty"` // or why not

	// Of contenders that tell of each collection of garbage, over all rounds.
	Garbage *Garbage `json:"garbage,omitempty"`
}

// Garbage is what the collections of a runtime tell of allocation.
type Garbage struct {
	Collections int   `json:"collections"`
	Requests    int64 `json:"requests"`
	// Allocated is the bytes between the collections of these rounds, or, if
	// there was none, what can have been allocated at most without one.
	Allocated int64 `json:"allocated"`
}

// A Sample is one round of one contender.
type Sample struct {
	Round   int     `json:"round"`
	Percent int     `json:"percent,omitempty"` // open loop: of the weakest contender's capacity
	Rate    float64 `json:"rate,omitempty"`    // open loop: requests per second that were due
	Seconds float64 `json:"seconds"`

	// Counted by the server while the proxy's clock ran.
	Requests    int64 `json:"requests"`
	BytesIn     int64 `json:"bytes_in"`
	BytesOut    int64 `json:"bytes_out"`
	Connections int64 `json:"connections"`
	LogLines    int64 `json:"log_lines,omitempty"`

	// Of the proxy, by the kernel.
	CPU         time.Duration `json:"cpu"`
	User        time.Duration `json:"user"`
	System      time.Duration `json:"system"`
	Voluntary   int64         `json:"voluntary_switches"`
	Involuntary int64         `json:"involuntary_switches"`
	Resident    int64         `json:"resident"`

	SystemCalls   int64   `json:"system_calls,omitempty"`
	PerConnection float64 `json:"per_connection,omitempty"` // resident bytes of an idle or slow one

	LoadCPU   time.Duration `json:"load_cpu"`
	ServerCPU time.Duration `json:"server_cpu"`
	OtherCPU  time.Duration `json:"other_cpu"` // of whatever else ran on the machine

	Outcome load.Outcome `json:"outcome"`
}

// Bytes is what the proxy has moved, either way.
func (s Sample) Bytes() int64 { return s.BytesIn + s.BytesOut }

// Name is the contender and its variant.
func (e *Entry) Name() string {
	if e.Variant == "" {
		return e.Contender
	}
	return e.Contender + ", " + e.Variant
}

// Entry finds a contender that took part. An empty variant is the only one.
func (s *Scenario) Entry(contender, variant string) *Entry {
	for i := range s.Entries {
		if e := &s.Entries[i]; e.Contender == contender && e.Variant == variant && e.Out == "" {
			return e
		}
	}
	return nil
}

// Scenario finds one that was run.
func (r *Run) Scenario(name string) *Scenario {
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; s.Name == name && s.Skipped == "" {
			return s
		}
	}
	return nil
}

// At picks the samples of one rate.
func (e *Entry) At(percent int) []Sample {
	if percent == 0 {
		return e.Samples
	}
	var out []Sample
	for _, s := range e.Open {
		if s.Percent == percent {
			out = append(out, s)
		}
	}
	return out
}
