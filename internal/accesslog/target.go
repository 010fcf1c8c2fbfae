package accesslog

import (
	"fmt"
	"strconv"
	"strings"
)

// A TargetSpec is one "log" line of the configuration.
type TargetSpec struct {
	Address      string // "127.0.0.1:514", "/dev/log", "stdout", "stderr", "fd@3", "tcp@host:port"
	Len          int    // bytes of a line; 0: 1024
	Format       string // empty: local, or rfc3164 when a host name is sent
	Facility     string
	Level        string // the least severe that is sent; empty: debug
	MinLevel     string // more severe lines get this level; empty: emerg
	SampleRanges string // "1-3,5"; empty: every line
	SampleSize   int
	Origin       string // "haproxy.cfg:4"
}

// A TargetError says which "log" line is wrong, and why.
type TargetError struct {
	Address string
	Origin  string
	Err     error
}

func (e *TargetError) Error() string {
	text := "log " + e.Address + ": " + e.Err.Error()
	if e.Origin == "" {
		return text
	}
	return e.Origin + ": " + text
}

func (e *TargetError) Unwrap() error { return e.Err }

const (
	lenDefault = 1024
	lenMin     = 80
	lenMax     = 65535
)

// target is a compiled TargetSpec.
type target struct {
	out      output
	framing  framing
	header   header
	lenMax   int
	facility int
	max, min Level
	sample   sample
}

// framings by name.
var framings = []struct {
	name string
	f    framing
}{
	{"local", frameLocal}, {"rfc3164", frameRFC3164}, {"rfc5424", frameRFC5424}, {"priority", framePriority},
	{"short", frameShort}, {"timed", frameTimed}, {"iso", frameISO}, {"raw", frameRaw},
}

func compileTarget(spec *TargetSpec, host string) (*target, error) {
	t := &target{lenMax: lenDefault, max: LevelDebug}
	if spec.Len != 0 {
		t.lenMax = spec.Len
	}
	if t.lenMax < lenMin || t.lenMax > lenMax {
		return nil, fmt.Errorf("len %d: a line has %d to %d bytes", spec.Len, lenMin, lenMax)
	}
	var ok bool
	if t.facility, ok = facilityOf(spec.Facility); !ok {
		return nil, fmt.Errorf("there is no facility %q: %s", spec.Facility, strings.Join(facilities[:], " "))
	}
	if err := t.levels(spec); err != nil {
		return nil, err
	}
	if err := t.frame(spec.Format, host); err != nil {
		return nil, err
	}
	var err error
	t.sample, err = parseSample(spec.SampleRanges, spec.SampleSize)
	return t, err
}

func (t *target) levels(spec *TargetSpec) error {
	var ok bool
	if spec.Level != "" {
		if t.max, ok = ParseLevel(spec.Level); !ok {
			return fmt.Errorf("there is no level %q: %s", spec.Level, strings.Join(levelNames[:], " "))
		}
	}
	if spec.MinLevel != "" {
		if t.min, ok = ParseLevel(spec.MinLevel); !ok {
			return fmt.Errorf("there is no level %q: %s", spec.MinLevel, strings.Join(levelNames[:], " "))
		}
	}
	return nil
}

func (t *target) frame(name, host string) error {
	if name == "" {
		name = "local"
		if host != "" {
			name = "rfc3164"
		}
	}
	for _, f := range framings {
		if f.name == name {
			t.framing = f.f
			return nil
		}
	}
	return fmt.Errorf("there is no format %q: local rfc3164 rfc5424 priority short timed iso raw", name)
}

// sample sends only some of each size lines.
type sample struct {
	ranges []sampleRange
	size   int
	next   int // number of the next line, from 1; 0 before the first
}

type sampleRange struct{ low, high int }

func parseSample(ranges string, size int) (sample, error) {
	s := sample{size: size}
	if ranges == "" {
		return s, nil
	}
	for w := range strings.SplitSeq(ranges, ",") {
		low, high, found := strings.Cut(w, "-")
		if !found {
			high = low
		}
		r, err1 := strconv.Atoi(low)
		h, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || r < 1 || h < r {
			return s, fmt.Errorf("sample range %q: numbers from 1 on are expected, such as 1-3", w)
		}
		if h > size {
			return s, fmt.Errorf("sample size %d is less than the end of the range %q", size, w)
		}
		for _, o := range s.ranges {
			if r <= o.high && o.low <= h {
				return s, fmt.Errorf("sample ranges %q overlap", ranges)
			}
		}
		s.ranges = append(s.ranges, sampleRange{r, h})
	}
	return s, nil
}

// take counts a line and reports whether it is one of the sample.
func (s *sample) take() bool {
	if len(s.ranges) == 0 {
		return true
	}
	s.next = s.next%s.size + 1
	for _, r := range s.ranges {
		if r.low <= s.next && s.next <= r.high {
			return true
		}
	}
	return false
}
