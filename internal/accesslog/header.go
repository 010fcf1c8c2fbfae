package accesslog

import (
	"strconv"
	"time"
)

// framing is what stands before the text of a line (manual, "log ... format").
type framing uint8

const (
	frameLocal    framing = iota // "<PRI>Mon dd hh:mm:ss TAG[PID]: "
	frameRFC3164                 // "<PRI>Mon dd hh:mm:ss HOST TAG[PID]: "
	frameRFC5424                 // "<PRI>1 DATE HOST TAG PID - SD "
	framePriority                // "<PRI>"
	frameShort                   // "<LEVEL>"
	frameTimed                   // "<LEVEL>DATE "
	frameISO                     // "DATE "
	frameRaw                     // nothing
)

// header writes what stands before a line. The part that is the same during a
// second is kept.
type header struct {
	host, tag, pid string

	sec    int64 // of what is kept; -1: nothing yet
	date   []byte
	offset []byte // "+01:00"
}

func newHeader(opt *Options) header {
	return header{host: opt.Host, tag: opt.Tag, pid: strconv.Itoa(opt.PID), sec: -1}
}

// append writes the header of a line of the given level, facility and time.
func (h *header) append(dst []byte, t *target, rec *record) []byte {
	switch t.framing {
	case frameRaw:
		return dst
	case frameShort, frameTimed:
		dst = appendPriority(dst, 0, rec.level)
	case frameISO:
	default:
		dst = appendPriority(dst, t.facility, rec.level)
	}
	switch t.framing {
	case frameLocal, frameRFC3164:
		return h.appendBSD(dst, t, rec.time)
	case frameTimed, frameISO:
		return append(h.appendISO(dst, rec.time), ' ')
	case frameRFC5424:
		return h.append5424(dst, rec)
	}
	return dst
}

func appendPriority(dst []byte, facility int, level Level) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(facility*8)+int64(level), 10)
	return append(dst, '>')
}

// appendBSD writes date, host and tag as RFC 3164 section 4.1 has them.
func (h *header) appendBSD(dst []byte, t *target, ns int64) []byte {
	if sec := ns / int64(time.Second); sec != h.sec {
		h.sec = sec
		h.date = time.Unix(sec, 0).AppendFormat(h.date[:0], "Jan _2 15:04:05 ")
		if t.framing == frameRFC3164 {
			h.date = append(append(h.date, orDefault(h.host, "localhost")...), ' ')
		}
		h.date = append(append(h.date, h.tag...), '[')
		h.date = append(append(h.date, h.pid...), "]: "...)
	}
	return append(dst, h.date...)
}

// appendISO writes a date with microseconds (RFC 5424 section 6.2.3).
func (h *header) appendISO(dst []byte, ns int64) []byte {
	if sec := ns / int64(time.Second); sec != h.sec {
		h.sec = sec
		now := time.Unix(sec, 0)
		h.date = now.AppendFormat(h.date[:0], "2006-01-02T15:04:05.")
		h.offset = now.AppendFormat(h.offset[:0], "-07:00")
	}
	dst = append(dst, h.date...)
	us := ns % int64(time.Second) / 1000
	for unit := int64(100000); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+us/unit%10))
	}
	return append(dst, h.offset...)
}

func (h *header) append5424(dst []byte, rec *record) []byte {
	dst = h.appendISO(append(dst, "1 "...), rec.time)
	dst = append(append(dst, ' '), orDefault(h.host, "-")...)
	dst = append(append(dst, ' '), orDefault(h.tag, "-")...)
	dst = append(append(dst, ' '), h.pid...)
	dst = append(dst, " - "...)
	if len(rec.data) == 0 {
		dst = append(dst, '-')
	} else {
		dst = append(dst, rec.data...)
	}
	return append(dst, ' ')
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// appendLine writes a whole line as the target wants it. len counts the header
// and the text; of a raw line also the line break.
func (t *target) appendLine(dst []byte, rec *record) []byte {
	start := len(dst)
	dst = t.header.append(dst, t, rec)
	limit := start + t.lenMax
	if t.framing == frameRaw {
		limit--
	}
	dst = append(dst, rec.text...)
	if len(dst) > limit {
		dst = dst[:limit]
	}
	return append(dst, '\n')
}
