package expr

import "time"

const (
	dateSlots    = 4               // seconds remembered for each zone
	dateLen      = 20              // "06/Feb/2009:12:14:14"
	nanosPerSec  = int64(1e9)      // in one second
	nanosPerMS   = int64(1e6)      // in one millisecond
	dateLongLen  = dateLen + 1 + 5 // with " +0100"
	dateLongForm = "02/Jan/2006:15:04:05 -0700"
)

// dateCache remembers the text of the last seconds, since most lines that a
// loop writes together carry the same ones.
type dateCache struct {
	local, gmt [dateSlots]dateText
}

type dateText struct {
	sec  int64
	set  bool
	text [dateLongLen]byte
}

// long returns "06/Feb/2009:12:14:14 +0100" for the second sec; its first
// dateLen bytes are the form without a zone.
func (c *dateCache) long(sec int64, gmt bool) []byte {
	row, zone := &c.local, time.Local
	if gmt {
		row, zone = &c.gmt, time.UTC
	}
	e := &row[uint64(sec)%dateSlots]
	if !e.set || e.sec != sec {
		t := time.Unix(sec, 0).In(zone)
		if t.Year() < 0 || t.Year() > 9999 {
			t = time.Unix(0, 0).UTC() // no clock says so; the text would not fit
		}
		t.AppendFormat(e.text[:0], dateLongForm)
		e.sec, e.set = sec, true
	}
	return e.text[:]
}

// appendMillis appends the three digits of ns's milliseconds.
func appendMillis(dst []byte, ns int64) []byte {
	ms := ns / nanosPerMS % 1000
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
