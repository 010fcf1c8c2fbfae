package proxy

import (
	"fmt"
	"strings"
)

// An Error is one thing that is wrong with a Config: where it came from, what
// it belongs to, and what would be right.
type Error struct {
	Origin  string // "haproxy.cfg:41"; may be empty for a Config made by hand
	Section string // "backend www"
	Msg     string
	Missing string // "backend www" or "server www/s1", if the mistake is that it does not exist
}

func (e *Error) Error() string {
	s := e.Msg
	if e.Section != "" {
		s = e.Section + ": " + s
	}
	if e.Origin != "" {
		s = e.Origin + ": " + s
	}
	return s
}

// Errors is what New and Check return: all that is wrong, in the order of the
// Config.
type Errors []*Error

func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the errors one by one to package errors.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// add notes one more error.
func (es *Errors) add(origin, section, format string, args ...any) {
	*es = append(*es, &Error{Origin: origin, Section: section, Msg: fmt.Sprintf(format, args...)})
}

// orNil keeps an empty list from becoming a non-nil error.
func (es Errors) orNil() error {
	if len(es) == 0 {
		return nil
	}
	return es
}
