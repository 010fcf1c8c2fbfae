package accesslog

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// A framing is what stands before each line (manual "log ... format").
type framing uint8

const (
	framingRFC3164  framing = iota // <PRI>Mon dd hh:mm:ss [host ]tag[pid]:
	framingRFC5424                 // <PRI>1 date host tag pid - -
	framingRaw                     // nothing
	framingShort                   // <LEVEL>
	framingPriority                // <PRI>
	framingTimed                   // <LEVEL>date
	framingISO                     // date
	framingLocal                   // RFC 3164 without a host name
)

var framingNames = map[string]framing{
	"": framingRFC3164, "rfc3164": framingRFC3164, "rfc5424": framingRFC5424, "raw": framingRaw, "short": framingShort,
	"priority": framingPriority, "timed": framingTimed, "iso": framingISO, "local": framingLocal,
}

func parseFraming(s string) (framing, error) {
	f, ok := framingNames[s]
	if !ok {
		return 0, fmt.Errorf("unknown format %q; it is rfc3164, rfc5424, local, raw, short, priority, timed or iso", s)
	}
	return f, nil
}

// A header keeps the date of the second that it was last made for.
type header struct {
	second int64
	date   []byte
}

func (h *header) append(t *target, dst []byte, level Level, at int64) []byte {
	if s := at / int64(time.Second); s != h.second || h.date == nil {
		h.second = s
		h.date = t.appendDate(h.date[:0], time.Unix(0, at))
	}
	pri := t.facility<<3 | int(level)
	switch t.framing {
	case framingRaw:
		return dst
	case framingShort:
		return appendPRI(dst, int(level))
	case framingPriority:
		return appendPRI(dst, pri)
	case framingTimed:
		dst = append(appendPRI(dst, int(level)), h.date...)
		return append(dst, ' ')
	case framingISO:
		return append(append(dst, h.date...), ' ')
	case framingRFC5424:
		dst = append(appendPRI(dst, pri), "1 "...)
		dst = append(dst, h.date...)
		dst = append(dst, ' ')
		dst = append(dst, t.opt.host5424()...)
		dst = append(dst, ' ')
		dst = append(dst, t.opt.Tag...)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(t.opt.PID), 10)
		return append(dst, " - - "...)
	}
	dst = append(appendPRI(dst, pri), h.date...)
	dst = append(dst, ' ')
	if t.opt.Host != "" && t.framing == framingRFC3164 {
		dst = append(dst, t.opt.Host...)
		dst = append(dst, ' ')
	}
	dst = append(dst, t.opt.Tag...)
	dst = append(dst, '[')
	dst = strconv.AppendInt(dst, int64(t.opt.PID), 10)
	return append(dst, "]: "...)
}

func appendPRI(dst []byte, pri int) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(pri), 10)
	return append(dst, '>')
}

func (t *target) appendDate(dst []byte, at time.Time) []byte {
	switch t.framing {
	case framingRFC5424, framingTimed, framingISO:
		return at.AppendFormat(dst, "2006-01-02T15:04:05-07:00")
	}
	return at.AppendFormat(dst, "Jan _2 15:04:05")
}

// host5424 is the host name that RFC 5424 wants in any case.
func (o *Options) host5424() string {
	if o.Host != "" {
		return o.Host
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "-"
	}
	return name
}
