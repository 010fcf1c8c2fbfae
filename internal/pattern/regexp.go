package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// A Regexp is a compiled regular expression (RE2 syntax). Matching time is
// bounded by the length of the text times the size of the expression.
type Regexp struct {
	source string
	fold   bool
	re     *regexp.Regexp
	prog   *syntax.Prog
	groups int // including the whole match
}

// CompileRegexp compiles an expression; with fold the case of letters does not
// count.
func CompileRegexp(expr string, fold bool) (*Regexp, error) {
	full := expr
	if fold {
		full = "(?i)" + expr
	}
	re, err := regexp.Compile(full)
	if err != nil {
		return nil, RegexpError(expr, err)
	}
	tree, err := syntax.Parse(full, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	return &Regexp{source: expr, fold: fold, re: re, prog: prog, groups: re.NumSubexp() + 1}, nil
}

// RegexpError says in the words of this language why an expression does not
// compile.
func RegexpError(expr string, err error) error {
	var se *syntax.Error
	if errors.As(err, &se) {
		return fmt.Errorf("regex %q is invalid: %s: %s (RE2 syntax: no look-around, no back-references)", expr, se.Code, se.Expr)
	}
	return fmt.Errorf("regex %q is invalid: %v", expr, err)
}

// Match reports whether the expression matches anywhere in b.
func (r *Regexp) Match(b []byte) bool { return r.re.Match(b) }

// Groups gives the number of groups, the whole match being one.
func (r *Regexp) Groups() int { return r.groups }

// String gives the expression as it was written.
func (r *Regexp) String() string { return r.source }

// regexpList holds the patterns of "reg".
type regexpList []regexpText

type regexpText struct {
	re    *Regexp
	index int32
}

func newRegexpList(texts []text, fold bool) (finder, error) {
	var list regexpList
	var errs []error
	for _, t := range texts {
		re, err := CompileRegexp(t.s, fold)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, regexpText{re, t.index})
	}
	return list, errors.Join(errs...)
}

func (l regexpList) find(b []byte) int {
	for i := range l {
		if l[i].re.Match(b) {
			return int(l[i].index)
		}
	}
	return -1
}

const (
	stepsMax    = 4 << 20 // of one capturing match; a match that needs more fails
	visitedMax  = 1 << 23 // bits: instructions times positions of one capturing match
	captureMax  = 2 * 64  // group bounds
	visitedWord = 64      // bits in a word of the visited set
)

// A Machine is the working memory of capturing matches on one loop. It tries the
// alternatives of an expression in order and remembers which it has tried at
// which place, so that time is bounded; unlike package regexp it gives the
// bounds of groups without allocating.
type Machine struct {
	re      *Regexp
	text    []byte
	visited []uint64
	reached int // positions of visited that may be set
	stack   []branch
	caps    [captureMax]int
	steps   int
}

// branch is something to try later: an instruction at a position or, with pc
// negative, a group bound to put back.
type branch struct {
	pc, at int
}

// Find looks for the first match of re in text that begins at from or later, and
// gives the bounds of its groups, 2 for each; -1 for a group without a match. The
// slice is valid until the next Find. ok is false when there is none, or when
// the match is too expensive.
func (m *Machine) Find(re *Regexp, text []byte, from int) (groups []int, ok bool) {
	words := (len(re.prog.Inst)*(len(text)-from+1) + visitedWord - 1) / visitedWord
	if words > visitedMax/visitedWord || 2*re.groups > captureMax || from > len(text) {
		return nil, false
	}
	if cap(m.visited) < words {
		m.visited = make([]uint64, words)
	}
	m.visited = m.visited[:words]
	m.re, m.text, m.steps, m.reached = re, text, 0, from-1
	defer m.clear(from)
	for at := from; at <= len(text); {
		for i := range 2 * re.groups {
			m.caps[i] = -1
		}
		m.caps[0] = at
		if m.run(at, from) {
			return m.caps[:2*re.groups], true
		}
		if m.steps > stepsMax || re.prog.StartCond()&syntax.EmptyBeginText != 0 {
			return nil, false
		}
		_, size := utf8.DecodeRune(text[at:])
		at += max(size, 1)
	}
	return nil, false
}

// clear forgets what was visited, only as far as the match went.
func (m *Machine) clear(from int) {
	words := (len(m.re.prog.Inst)*(m.reached-from+1) + visitedWord - 1) / visitedWord
	clear(m.visited[:min(max(words, 0), len(m.visited))])
	m.re, m.text = nil, nil
}

// run tries to match at the position at.
func (m *Machine) run(at, from int) bool {
	m.stack = append(m.stack[:0], branch{m.re.prog.Start, at})
	for len(m.stack) > 0 {
		b := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if b.pc < 0 {
			m.caps[-b.pc] = b.at
			continue
		}
		if m.follow(b.pc, b.at, from) {
			return true
		}
		if m.steps > stepsMax {
			return false
		}
	}
	return false
}

// seen marks the instruction pc at position at; it reports whether it was
// marked before.
func (m *Machine) seen(pc, at, from int) bool {
	bit := (at-from)*len(m.re.prog.Inst) + pc
	w, mask := bit/visitedWord, uint64(1)<<(bit%visitedWord)
	if m.visited[w]&mask != 0 {
		return true
	}
	m.visited[w] |= mask
	m.reached = max(m.reached, at)
	return false
}

// follow runs from one instruction until it fails or matches; what else could
// be tried goes on the stack.
func (m *Machine) follow(pc, at, from int) bool {
	for {
		m.steps++
		if m.steps > stepsMax || m.seen(pc, at, from) {
			return false
		}
		in := &m.re.prog.Inst[pc]
		switch in.Op {
		case syntax.InstFail:
			return false
		case syntax.InstMatch:
			m.caps[1] = at
			return true
		case syntax.InstNop:
		case syntax.InstAlt, syntax.InstAltMatch:
			m.stack = append(m.stack, branch{int(in.Arg), at})
		case syntax.InstCapture:
			if i := int(in.Arg); i > 1 && i < 2*m.re.groups {
				m.stack = append(m.stack, branch{-i, m.caps[i]})
				m.caps[i] = at
			}
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^m.flags(at) != 0 {
				return false
			}
		default:
			r, size := utf8.DecodeRune(m.text[at:])
			if size == 0 || !in.MatchRune(r) {
				return false
			}
			at += size
		}
		pc = int(in.Out)
	}
}

// flags are the empty matches that hold at position at.
func (m *Machine) flags(at int) syntax.EmptyOp {
	before, after := rune(-1), rune(-1)
	if at > 0 {
		before, _ = utf8.DecodeLastRune(m.text[:at])
	}
	if at < len(m.text) {
		after, _ = utf8.DecodeRune(m.text[at:])
	}
	return syntax.EmptyOpContext(before, after)
}
