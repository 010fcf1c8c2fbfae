package config

import (
	"fmt"
	"slices"
	"strings"
)

// A keyword is one row of the table that the language consists of: it fills
// the configuration, prints docs/compat.md and feeds the hints.
type keyword struct {
	name    string // one to three words
	in      where
	args    arity
	run     func(*compiler, *line) // nil unless supported
	manual  string                 // chapter of configuration.txt
	support support
	remark  string // what weir makes of it, or what to use instead
}

// where says in which sections a keyword may stand.
type where uint16

const (
	inGlobal where = 1 << iota
	inDefaults
	inFrontend
	inListen
	inBackend
	inHTTPErrors

	negatable // may follow "no" and "default"
	sideBound // on the wrong side (a server in a frontend) it is an error; others are ignored there with a warning
	namedOnly // in defaults only if the section has a name

	inProxies   = inFrontend | inListen | inBackend
	inAnywhere  = inDefaults | inProxies
	inFrontSide = inFrontend | inListen
	inBackSide  = inListen | inBackend
	sectionMask = inGlobal | inDefaults | inProxies | inHTTPErrors
)

var sectionLetters = []struct {
	in   where
	name string
}{
	{inGlobal, "global"}, {inDefaults, "defaults"}, {inFrontend, "frontend"},
	{inListen, "listen"}, {inBackend, "backend"}, {inHTTPErrors, "http-errors"},
}

func (w where) String() string {
	var names []string
	for _, s := range sectionLetters {
		if w&s.in != 0 {
			names = append(names, s.name)
		}
	}
	return strings.Join(names, ", ")
}

// support says what weir does with a keyword.
type support uint8

const (
	supported support = iota
	ignored           // accepted with a notice: leaving it out changes nothing that traffic can see
	refused           // an error: leaving it out would change what the file means
)

func (s support) String() string {
	return [...]string{"supported", "accepted and ignored", "refused"}[s]
}

// arity is how many words follow the name.
type arity struct{ min, max int }

const anyNumber = -1 // as max

func args(lo, hi int) arity { return arity{lo, hi} }

func (a arity) String() string {
	switch {
	case a.max == 0:
		return "no argument"
	case a.max == anyNumber:
		return "at least " + arguments(a.min)
	case a.min == a.max:
		return arguments(a.min)
	}
	return fmt.Sprintf("%d to %d arguments", a.min, a.max)
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func (a arity) holds(n int) bool { return n >= a.min && (a.max == anyNumber || n <= a.max) }

// A line is one statement with the keyword that it begins with.
type line struct {
	st      *Statement
	name    string   // of the row: "option httplog"
	args    []string // the words after it
	no      bool     // "no option httplog"
	initial bool     // "default option httplog": back to the documented default
}

// off reports that the line takes something back.
func (l *line) off() bool { return l.no || l.initial }

func (l *line) origin() string { return origin(l.st.File, l.st.Line) }

func origin(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// A lexicon finds rows by their names.
type lexicon struct {
	rows  map[string][]*keyword // several when sections differ
	names []string
}

const nameWordsMax = 3

func newLexicon(tables ...[]keyword) *lexicon {
	x := &lexicon{rows: map[string][]*keyword{}}
	for _, table := range tables {
		for i := range table {
			k := &table[i]
			x.rows[k.name] = append(x.rows[k.name], k)
			x.names = append(x.names, k.name)
		}
	}
	return x
}

// language is the lexicon of all tables.
func language() *lexicon {
	return newLexicon(globalKeywords, tuneKeywords, tlsKeywords, proxyKeywords, optionKeywords, ruleKeywords, httpErrorsKeywords)
}

// begins reports whether a line may begin with word.
func (x *lexicon) begins(word string) bool {
	return word == "no" || word == "default" || x.rows[word] != nil ||
		slices.ContainsFunc(x.names, func(name string) bool { return strings.HasPrefix(name, word+" ") })
}

// find returns the rows whose name takes most of the first words.
func (x *lexicon) find(words []string) (rows []*keyword, taken int) {
	for n := min(nameWordsMax, len(words)); n > 0; n-- {
		name := strings.Join(words[:n], " ")
		if rows := x.rows[name]; rows != nil {
			return rows, n
		}
		name, _, call := strings.Cut(name, "(") // tcp-check set-var(check.a)
		if rows := x.rows[name]; rows != nil && call && n > 1 {
			return rows, n
		}
	}
	return nil, 0
}

// attempt is the part of words that was meant as a keyword: as many words as
// keywords of that family have.
func (x *lexicon) attempt(words []string) string {
	n := 1
	for _, name := range x.names {
		if strings.HasPrefix(name, words[0]+" ") {
			n = max(n, strings.Count(name, " ")+1)
		}
	}
	return strings.Join(words[:min(n, len(words))], " ")
}

// hint suggests a name for words that no row has. Of "option htplog" the whole
// is compared, of others the first word.
func (x *lexicon) hint(words []string, in where) string {
	var near []string
	family := words[0] + " "
	for _, name := range x.names {
		for _, k := range x.rows[name] {
			if k.in&in != 0 && strings.HasPrefix(name, family) {
				near = append(near, name)
				break
			}
		}
	}
	switch {
	case len(near) > 0 && len(words) == 1:
		return "; a second word must follow, such as " + strings.TrimPrefix(near[0], family)
	case len(near) > 0:
		return nearestOfFamily(words, near)
	}
	return didYouMean(words[0], append(x.firstWords(in), sectionWords()...))
}

// firstWords are those that lines of a section may begin with.
func (x *lexicon) firstWords(in where) []string {
	var words []string
	for _, name := range x.names {
		for _, k := range x.rows[name] {
			if k.in&in != 0 {
				first, _, _ := strings.Cut(name, " ")
				words = append(words, first)
			}
		}
	}
	return words
}

// nearestOfFamily compares each name with as many words as it has.
func nearestOfFamily(words, names []string) string {
	for n := nameWordsMax; n > 1; n-- {
		var same []string
		for _, name := range names {
			if strings.Count(name, " ")+1 == n {
				same = append(same, name)
			}
		}
		if hint := didYouMean(strings.Join(words[:min(n, len(words))], " "), same); hint != "" {
			return hint
		}
	}
	return ""
}
