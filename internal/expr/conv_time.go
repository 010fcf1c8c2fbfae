package expr

import (
	"fmt"
	"strconv"
	"time"
)

const timeTextMax = 256 // bytes of a formatted date

func checkHTTPDate(a []Arg) error { return timeUnit(&a[1]) }

// convHTTPDate writes the date of a header field (RFC 9110 section 5.6.7); with
// units below the second HAProxy adds a fraction, and so do we.
func convHTTPDate(env *Env, in Value, a []Arg) (Value, bool) {
	perSec := nanosPerSec / a[1].Int
	n := addSat(in.Int, a[0].Int)
	sec, rest := n/perSec, n%perSec
	t := time.Unix(sec, 0).UTC()
	p := env.Scratch.room(timeTextMax)
	if p == nil || n < 0 || t.Year() > 9999 {
		return Value{}, false
	}
	p = t.AppendFormat(p, "Mon, 02 Jan 2006 15:04:05")
	if perSec > 1 {
		p = append(p, '.')
		p = strconv.AppendInt(p, rest, 10)
	}
	return Str(env.Scratch.keep(append(p, " GMT"...))), true
}

func checkTimeFormat(a []Arg) error {
	f := a[0].Text
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			continue
		}
		i++
		if i == len(f) || !knownTimeVerb(f[i]) {
			return fmt.Errorf("date format %q: only the conversions of strftime(3) without flags are supported", f)
		}
	}
	return nil
}

const timeVerbs = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"

func knownTimeVerb(c byte) bool {
	for i := range len(timeVerbs) {
		if timeVerbs[i] == c {
			return true
		}
	}
	return false
}

func convUtime(env *Env, in Value, a []Arg) (Value, bool) { return formatTime(env, in, a, time.UTC) }
func convLtime(env *Env, in Value, a []Arg) (Value, bool) { return formatTime(env, in, a, time.Local) }

func formatTime(env *Env, in Value, a []Arg, zone *time.Location) (Value, bool) {
	t := time.Unix(addSat(in.Int, a[1].Int), 0).In(zone)
	if y := t.Year(); y < 0 || y > 9999 {
		return Value{}, false
	}
	p := env.Scratch.room(timeTextMax)
	if p == nil {
		return Value{}, false
	}
	f := a[0].Text
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			p = append(p, f[i])
		} else {
			i++
			p = appendTimeVerb(p, t, f[i])
		}
		if len(p) > timeTextMax {
			return Value{}, false
		}
	}
	return Str(env.Scratch.keep(p)), true
}

// timeLayouts are the conversions of strftime(3) in the C locale that package
// time can write.
var timeLayouts = [256]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02",
	'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'h': "Jan", 'H': "15", 'I': "03", 'j': "002", 'm': "01",
	'M': "04", 'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05",
	'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func appendTimeVerb(p []byte, t time.Time, verb byte) []byte {
	if layout := timeLayouts[verb]; layout != "" {
		if verb == 'Z' && t.Location() == time.UTC {
			return append(p, "GMT"...)
		}
		return t.AppendFormat(p, layout)
	}
	year, week := t.ISOWeek()
	day := int64(t.YearDay() - 1)
	weekday := int64(t.Weekday())
	switch verb {
	case 'C':
		return appendPadded(p, int64(t.Year()/100), 2, '0')
	case 'g':
		return appendPadded(p, int64(year%100), 2, '0')
	case 'G':
		return appendPadded(p, int64(year), 1, '0')
	case 'k':
		return appendPadded(p, int64(t.Hour()), 2, ' ')
	case 'l':
		return appendPadded(p, int64((t.Hour()+11)%12+1), 2, ' ')
	case 's':
		return strconv.AppendInt(p, t.Unix(), 10)
	case 'u':
		return appendPadded(p, (weekday+6)%7+1, 1, '0')
	case 'U':
		return appendPadded(p, (day+7-weekday)/7, 2, '0')
	case 'V':
		return appendPadded(p, int64(week), 2, '0')
	case 'w':
		return appendPadded(p, weekday, 1, '0')
	case 'W':
		return appendPadded(p, (day+7-(weekday+6)%7)/7, 2, '0')
	case 'n':
		return append(p, '\n')
	case 't':
		return append(p, '\t')
	}
	return append(p, '%')
}

// appendPadded appends n with at least width digits.
func appendPadded(p []byte, n int64, width int, pad byte) []byte {
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			p = append(p, pad)
		}
		limit *= 10
	}
	return strconv.AppendInt(p, n, 10)
}
