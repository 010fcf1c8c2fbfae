package proxy

import (
	"bytes"
	"strings"
	"time"
)

// This file holds the dates of a persistence cookie (manual 4.2 "cookie"
// maxidle, maxlife). The manual says when they count, not how they are written;
// HAProxy writes NAME=SERVER|LAST or NAME=SERVER|LAST|FIRST, each date as five
// digits of base64: the seconds since 1970, divided by four and rounded up.

const (
	cookieDateStep   = 4 // seconds
	cookieDateDigits = 5
	cookieDateBits   = 6 * cookieDateDigits // holds until 2106
	// cookieAheadMax: "cookies that have a date in the future further than 24
	// hours are ignored", in seconds.
	cookieAheadMax = int64(24 * time.Hour / time.Second)

	cookieDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// A cookieDate counts steps since 1970; zero is no date.
type cookieDate uint32

func cookieDateAt(seconds int64) cookieDate {
	return cookieDate((seconds + cookieDateStep - 1) / cookieDateStep & (1<<cookieDateBits - 1))
}

func (d cookieDate) append(dst []byte) []byte {
	for shift := cookieDateBits - 6; shift >= 0; shift -= 6 {
		dst = append(dst, cookieDigits[d>>shift&63])
	}
	return dst
}

// parseCookieDate reads the date that b begins with. What is no date is as good
// as none: the cookie is then accepted and gets one.
func parseCookieDate(b []byte) (d cookieDate) {
	if len(b) < cookieDateDigits {
		return 0
	}
	for _, c := range b[:cookieDateDigits] {
		digit := strings.IndexByte(cookieDigits, c)
		if digit < 0 {
			return 0
		}
		d = d<<6 | cookieDate(digit)
	}
	return d
}

// cookieDates are those that a client presented: of the last answer that set
// the cookie, and of the first.
type cookieDates struct{ last, first cookieDate }

func cutDates(value []byte) (server []byte, d cookieDates) {
	server, rest, _ := bytes.Cut(value, []byte("|"))
	last, rest, _ := bytes.Cut(rest, []byte("|"))
	return server, cookieDates{parseCookieDate(last), parseCookieDate(rest)}
}

// cookieAges are maxidle and maxlife in seconds; zero: no bound.
type cookieAges struct{ idle, life int64 }

// late says whether a cookie is to be ignored at now, and why, as the log has
// it: 'O' it is too old, 'E' it was not used for too long, 0 it counts.
func (a cookieAges) late(d cookieDates, now int64) byte {
	switch {
	case a.life > 0 && !believed(d.first, now, a.life):
		return 'O'
	case a.idle > 0 && !believed(d.last, now, a.idle):
		return 'E'
	}
	return 0
}

func believed(d cookieDate, now, ageMax int64) bool {
	age := now - int64(d)*cookieDateStep
	return d == 0 || age <= ageMax && age >= -cookieAheadMax
}

// outdated reports whether a client that came back to its server is to be told
// of new dates: because it lacks one, has one that is not wanted any more, or
// its last one is not of now.
func (a cookieAges) outdated(d cookieDates, now cookieDate) bool {
	switch {
	case a.life == 0 && d.first != 0, a.life > 0 && d.first == 0:
		return true
	case d.last == 0:
		return a.idle > 0
	}
	return d.last < now
}

// appendDates writes the dates of a cookie that is set now. Its first date stays
// when it goes on from one that counted.
func (a cookieAges) appendDates(dst []byte, d cookieDates, now cookieDate) []byte {
	if a.idle == 0 && a.life == 0 {
		return dst
	}
	dst = now.append(append(dst, '|'))
	if a.life == 0 {
		return dst
	}
	if d.first == 0 {
		d.first = now
	}
	return d.first.append(append(dst, '|'))
}
