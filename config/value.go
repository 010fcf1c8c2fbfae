package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// durationMax is the longest time that HAProxy can hold: 2^31-1 milliseconds.
const durationMax = (1<<31 - 1) * time.Millisecond

// parseDuration reads a time (manual 2.5); without a unit it counts units.
func parseDuration(text string, unit time.Duration) (time.Duration, error) {
	return parseLongDuration(text, unit, durationMax)
}

// parseLongDuration is parseDuration up to longest.
func parseLongDuration(text string, unit, longest time.Duration) (time.Duration, error) {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	wrong := fmt.Errorf("wants a time such as 500ms, 30s or 2m, got %s", quote(text))
	if end == 0 {
		return 0, wrong
	}
	switch text[end:] {
	case "":
	case "us":
		unit = time.Microsecond
	case "ms":
		unit = time.Millisecond
	case "s":
		unit = time.Second
	case "m":
		unit = time.Minute
	case "h":
		unit = time.Hour
	case "d":
		unit = 24 * time.Hour
	default:
		return 0, wrong
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	switch {
	case err == nil && n <= int64(longest/unit):
	case longest == durationMax:
		return 0, fmt.Errorf("%s is too long; at most %d ms (about 24.8 days) can be waited", quote(text), durationMax.Milliseconds())
	default:
		return 0, fmt.Errorf("%s is too long; at most %.0f s can be given", quote(text), longest.Seconds())
	}
	d := time.Duration(n) * unit
	if rest := d % time.Millisecond; rest != 0 {
		d += time.Millisecond - rest // HAProxy counts whole milliseconds and rounds up
	}
	return d, nil
}

// parseInteger reads a whole number between lo and hi.
func parseInteger(text string, lo, hi int) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("wants a number, got %s", quote(text))
	case err != nil || n < lo || n > hi:
		if hi == intMax {
			return 0, fmt.Errorf("wants a number from %d on, got %s", lo, quote(text))
		}
		return 0, fmt.Errorf("wants a number from %d to %d, got %s", lo, hi, quote(text))
	}
	return n, nil
}

const intMax = 1<<31 - 1

// parseSize reads a number of bytes, with k, m or g for powers of 1024.
func parseSize(text string, lo, hi int) (int, error) {
	shift := 0
	digits := text
	if text != "" {
		if i := strings.IndexByte("kmg", text[len(text)-1]|0x20); i >= 0 {
			shift, digits = 10*(i+1), text[:len(text)-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n<<shift > uint64(hi) || int(n<<shift) < lo {
		return 0, fmt.Errorf("wants a number of bytes from %d to %d, got %s", lo, hi, quote(text))
	}
	return int(n << shift), nil
}

// oneOf says what would have been right.
func oneOf(text string, allowed ...string) error {
	for _, a := range allowed {
		if a == text {
			return nil
		}
	}
	what := strings.Join(allowed, ", ")
	if len(allowed) > 1 {
		what = "one of " + what
	}
	return fmt.Errorf("wants %s, got %s%s", what, quote(text), didYouMean(text, allowed))
}

// Setters for rows that only fill one field.

func setInteger(at func(*compiler) *int, lo, hi int) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		n, err := parseInteger(l.args[0], lo, hi)
		c.check(l, err)
		*at(c) = n
	}
}

func setSize(at func(*compiler) *int, lo, hi int) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		n, err := parseSize(l.args[0], lo, hi)
		c.check(l, err)
		*at(c) = n
	}
}

func setDuration(at func(*compiler) *time.Duration) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		d, err := parseDuration(l.args[0], time.Millisecond)
		c.check(l, err)
		*at(c) = d
	}
}

func setText(at func(*compiler) *string) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		if l.args[0] == "" {
			c.fail(l, "wants a text, got an empty word")
		}
		*at(c) = l.args[0]
	}
}

// setJoined takes all words of the line as one text.
func setJoined(at func(*compiler) *string) func(*compiler, *line) {
	return func(c *compiler, l *line) { *at(c) = strings.Join(l.args, " ") }
}

func setFlag(at func(*compiler) *bool) func(*compiler, *line) {
	return func(c *compiler, l *line) { *at(c) = !l.off() }
}
