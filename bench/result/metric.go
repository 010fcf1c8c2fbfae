package result

import "time"

// A Metric is one figure of a sample.
type Metric struct {
	Name  string
	Unit  string
	Value func(Sample) (float64, bool) // false: this sample has none
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func per(amount float64, count int64) (float64, bool) {
	return amount / float64(count), count > 0
}

func latency(d time.Duration) (float64, bool) { return float64(d) / float64(time.Millisecond), d > 0 }

// Metrics of one round.
var (
	CPUPerRequest = Metric{"CPU per request", "us", func(s Sample) (float64, bool) { return per(micros(s.CPU), s.Requests) }}
	CPUPerMB      = Metric{"CPU per megabyte", "us", func(s Sample) (float64, bool) { return per(micros(s.CPU)*1e6, s.Bytes()) }}
	RequestRate   = Metric{"requests per second", "", func(s Sample) (float64, bool) { return float64(s.Requests) / s.Seconds, s.Seconds > 0 }}
	ByteRate      = Metric{"megabytes per second", "", func(s Sample) (float64, bool) { return float64(s.Bytes()) / 1e6 / s.Seconds, s.Seconds > 0 }}
	Switches      = Metric{"context switches per 1000 requests", "", func(s Sample) (float64, bool) { return per(1000*float64(s.Voluntary+s.Involuntary), s.Requests) }}
	SystemCalls   = Metric{"system calls per request", "", func(s Sample) (float64, bool) { return per(float64(s.SystemCalls), s.Requests) }}
	SystemCallsMB = Metric{"system calls per megabyte", "", func(s Sample) (float64, bool) { return per(float64(s.SystemCalls)*1e6, s.Bytes()) }}
	PerConnection = Metric{"resident bytes per connection", "", func(s Sample) (float64, bool) { return s.PerConnection, s.PerConnection > 0 }}
	CPUShare      = Metric{"CPU of the proxy", "%", func(s Sample) (float64, bool) { return 100 * s.CPU.Seconds() / s.Seconds, s.Seconds > 0 }}
	LoadShare     = Metric{"CPU of load and servers", "%", func(s Sample) (float64, bool) {
		return 100 * (s.LoadCPU + s.ServerCPU).Seconds() / s.Seconds, s.Seconds > 0
	}}
	OtherShare = Metric{"CPU of everything else", "%", func(s Sample) (float64, bool) { return 100 * s.OtherCPU.Seconds() / s.Seconds, s.Seconds > 0 }}
	P50        = Metric{"p50", "ms", func(s Sample) (float64, bool) { return latency(s.Outcome.Latency.P50) }}
	P99        = Metric{"p99", "ms", func(s Sample) (float64, bool) { return latency(s.Outcome.Latency.P99) }}
	P999       = Metric{"p99.9", "ms", func(s Sample) (float64, bool) { return latency(s.Outcome.Latency.P999) }}
	Late       = Metric{"late", "us", func(s Sample) (float64, bool) { return micros(s.Outcome.Late), true }}
	LatencyMax = Metric{"max", "ms", func(s Sample) (float64, bool) { return latency(s.Outcome.Latency.Max) }}
)

// Values of a metric, in the order of the rounds, where there are any.
func (m Metric) Values(samples []Sample) []float64 {
	var out []float64
	for _, s := range samples {
		if v, ok := m.Value(s); ok {
			out = append(out, v)
		}
	}
	return out
}
