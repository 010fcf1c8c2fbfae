package difftest

import (
	"fmt"
	"slices"
	"strings"
)

// A Result is what one run showed: a text for each client, for each server
// connection and for the log.
type Result struct {
	sections []section
}

func (r *Result) set(name, text string) {
	for i := range r.sections {
		if r.sections[i].name == name {
			r.sections[i].text = text
			return
		}
	}
	r.sections = append(r.sections, section{name, text})
}

func (r *Result) get(name string) string {
	for _, s := range r.sections {
		if s.name == name {
			return s.text
		}
	}
	return ""
}

func (r *Result) clone() Result { return Result{slices.Clone(r.sections)} }

// Empty reports whether nothing was recorded yet.
func (r *Result) Empty() bool { return len(r.sections) == 0 }

// names returns the section names of both results, in order.
func names(a, b *Result) []string {
	var out []string
	for _, r := range []*Result{a, b} {
		for _, s := range r.sections {
			if !slices.Contains(out, s.name) {
				out = append(out, s.name)
			}
		}
	}
	return out
}

// Equal reports whether both results show the same.
func (r *Result) Equal(other *Result) bool {
	for _, name := range names(r, other) {
		if r.get(name) != other.get(name) {
			return false
		}
	}
	return true
}

// Differing returns the sections of got that are not as in want.
func Differing(want, got *Result) Result {
	var out Result
	for _, name := range names(want, got) {
		if want.get(name) != got.get(name) {
			out.set(name, got.get(name))
		}
	}
	return out
}

// Explain prints the sections that differ, both ways.
func Explain(wantName, gotName string, want, got *Result) string {
	var b strings.Builder
	for _, name := range names(want, got) {
		w, g := want.get(name), got.get(name)
		if w == g {
			continue
		}
		fmt.Fprintf(&b, "== %s\n", name)
		fmt.Fprintf(&b, "--- %s\n%s--- %s\n%s", wantName, indent(w), gotName, indent(g))
	}
	return b.String()
}

func indent(text string) string {
	if text == "" {
		return "    (nothing)\n"
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}
