package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing that is wrong in a configuration file: where it
// stands, what is wrong, and what would be right.
type Error struct {
	File      string
	Line      int    // from 1; 0 when the file itself can't be read
	Column    int    // from 1; 0: the whole line
	Section   string // "backend www"; empty outside of sections
	Directive string // "server"; empty for broken lines
	Msg       string

	fileNo int // the order in which files were read
}

func (e *Error) Error() string {
	return position(e.File, e.Line) + e.What()
}

// What is the message without its place.
func (e *Error) What() string { return describe(e.Section, e.Directive, e.Msg) }

// Errors is what Load returns: all that is wrong, sorted by position.
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

// sorted puts errors in the order of the files and says each once: a listen
// section is compiled as a frontend and as a backend, and the rules of a
// defaults section in each that inherits them.
func (es Errors) sorted() Errors {
	slices.SortStableFunc(es, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.fileNo, b.fileNo), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	said := map[Error]bool{}
	return slices.DeleteFunc(es, func(e *Error) bool {
		before := said[*e]
		said[*e] = true
		return before
	})
}

// Level says how much a Notice matters.
type Level uint8

const (
	LevelNotice  Level = iota // weir accepts the line and says what it makes of it
	LevelWarning              // HAProxy warns as well; fatal with zero-warning or -dW
	LevelDiag                 // only for those who asked for diagnostics (-dD)
)

func (l Level) String() string { return [...]string{"notice", "warning", "diag"}[l] }

// A Notice is what the reader of a file should know although it loads: a
// deprecated form, a keyword that is accepted and ignored, a doubtful setting.
type Notice struct {
	Level     Level
	File      string
	Line      int
	Section   string
	Directive string
	Msg       string

	fileNo int
}

func (n *Notice) String() string {
	return position(n.File, n.Line) + n.What()
}

// What is the message without its place.
func (n *Notice) What() string { return describe(n.Section, n.Directive, n.Msg) }

func sortNotices(ns []Notice) {
	slices.SortStableFunc(ns, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(a.fileNo, b.fileNo), cmp.Compare(a.Line, b.Line))
	})
}

func position(file string, line int) string {
	switch {
	case file == "":
		return ""
	case line == 0:
		return file + ": "
	}
	return fmt.Sprintf("%s:%d: ", file, line)
}

func describe(section, directive, msg string) string {
	for _, part := range []string{directive, section} {
		if part != "" {
			msg = part + ": " + msg
		}
	}
	return msg
}

// quote shows a word of the file in a message.
func quote(word string) string {
	if len(word) > quotedBytesMax {
		word = word[:quotedBytesMax] + "..."
	}
	return fmt.Sprintf("%q", word)
}

const quotedBytesMax = 80 // of a word shown in a message
