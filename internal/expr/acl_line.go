package expr

import (
	"fmt"
	"strings"

	"github.com/weir-lb/weir/internal/pattern"
)

// aclSuffixes are the endings of criteria that name a method (path_beg).
var aclSuffixes = []pattern.Method{
	pattern.Beg, pattern.Dir, pattern.Dom, pattern.End, pattern.Len, pattern.Reg, pattern.Str, pattern.Sub,
}

// aclLine is an "acl" line while it is compiled.
type aclLine struct {
	set     *ACLs
	test    *aclTest
	method  pattern.Method
	given   bool // a method was given with -m
	fold    bool
	columns int // of files: 2 after -M
	noNames bool
	ended   bool // "--" was seen
	op      pattern.Op
	entries []pattern.Entry
}

// compileTest compiles criterion, flags and patterns.
func (set *ACLs) compileTest(words []string) (*aclTest, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("a criterion is missing, such as \"path_beg\"")
	}
	e, derived, err := compileCriterion(words[0])
	if err != nil {
		return nil, err
	}
	l := aclLine{set: set, columns: 1, test: &aclTest{expr: e, words: words[1:]}}
	rest, err := l.flags(words[1:])
	if err != nil {
		return nil, err
	}
	if err := l.chooseMethod(derived); err != nil {
		return nil, err
	}
	if err := l.patterns(rest); err != nil {
		return nil, err
	}
	return l.finish()
}

// compileCriterion compiles a fetch with converters, or a suffixed form of a
// fetch; derived is the method that the suffix names. Ambiguous names mean the
// request in ACLs.
func compileCriterion(word string) (e *Expr, derived pattern.Method, err error) {
	l := lexer{s: word}
	calls, err := l.calls(0)
	if err != nil {
		return nil, 0, err
	}
	name := calls[0].name
	if _, known := findFetch(name); known == nil {
		e, err = compileChain(calls, PhaseRequest)
		return e, pattern.Found, err
	}
	for _, m := range aclSuffixes {
		base, ok := strings.CutSuffix(name, "_"+m.String())
		if !ok {
			continue
		}
		if row, err := findFetch(base); err != nil || row.out != KindStr {
			continue
		}
		calls[0].name = base
		if e, err = compileChain(calls, PhaseRequest); err != nil {
			return nil, 0, err
		}
		calls[0].name = name
		if len(calls) > 1 {
			m = pattern.Found // a converter makes the suffix void (manual 7.1)
		}
		return e, m, nil
	}
	return nil, 0, unknownCriterion(name)
}

// unknownCriterion tells the nearest name, among the suffixed ones too.
func unknownCriterion(name string) error {
	_, err := findFetch(name)
	if named(laterFetches, name) {
		return err
	}
	names := fetchNames()
	for _, n := range fetchNames() {
		if row, err := findFetch(n); err != nil || row.out != KindStr {
			continue
		}
		for _, m := range aclSuffixes {
			names = append(names, n+"_"+m.String())
		}
	}
	return fmt.Errorf("there is no criterion %q%s", name, didYouMean(name, names))
}

// flags reads what stands before the patterns and gives the rest.
func (l *aclLine) flags(words []string) ([]string, error) {
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
		flag := words[0]
		words = words[1:]
		switch flag {
		case "-i":
			l.fold = true
			continue
		case "-n":
			l.noNames = true
			continue
		case "-M":
			l.columns = 2
			continue
		case "--":
			l.ended = true
			return words, nil
		}
		if flag != "-f" && flag != "-m" && flag != "-u" {
			return nil, fmt.Errorf("%q is no flag; write \"--\" before patterns if it is the first of them", flag)
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("the argument of %s is missing", flag)
		}
		if err := l.flagWithArg(flag, words[0]); err != nil {
			return nil, err
		}
		words = words[1:]
	}
	return words, nil
}

func (l *aclLine) flagWithArg(flag, arg string) error {
	switch flag {
	case "-f":
		entries, err := l.set.readFile(fileKey{arg, l.columns, l.fold})
		l.entries = append(l.entries, entries...)
		l.ended = true
		return err
	case "-m":
		if len(l.entries) > 0 {
			return fmt.Errorf("-m must stand before -f")
		}
		m, ok := pattern.MethodOf(arg)
		if !ok {
			return fmt.Errorf("matching method %q does not exist%s", arg, didYouMean(arg, methodNames()))
		}
		l.method, l.given = m, true
	}
	return nil // -u gives an id to a list: only the CLI could use it
}

func methodNames() []string {
	var names []string
	for m := pattern.Found; m <= pattern.Reg; m++ {
		names = append(names, m.String())
	}
	return names
}

// chooseMethod takes the method of -m, else of the suffix, else of the type.
func (l *aclLine) chooseMethod(derived pattern.Method) error {
	kind := l.test.expr.kind
	switch {
	case l.given:
	case derived != pattern.Found:
		l.method = derived
	case kind == KindBool:
		l.method = pattern.Bool
	case kind == KindInt:
		l.method = pattern.Int
	case kind == KindIP:
		l.method = pattern.IP
	case kind == KindStr:
		l.method = pattern.Str
	case kind == KindMethod:
		l.method = pattern.Str
		l.fold = false // methods are case-sensitive (RFC 9110 section 9.1)
	default:
		return fmt.Errorf("%s gives a value of type %s: say with -m how to compare it", l.test.expr, kind)
	}
	l.test.method = l.method
	l.test.cast = castFor(l.method)
	if l.method != pattern.Found && !castable(kind, l.test.cast) {
		return fmt.Errorf("%s gives a value of type %s, which -m %s can't compare", l.test.expr, kind, l.method)
	}
	return nil
}

// castFor gives the kind of value that a method compares.
func castFor(m pattern.Method) Kind {
	switch m {
	case pattern.Found:
		return KindAny
	case pattern.Bool:
		return KindBool
	case pattern.Int:
		return KindInt
	case pattern.IP:
		return KindIP
	case pattern.Bin:
		return KindBin
	}
	return KindStr
}

func (l *aclLine) patterns(words []string) error {
	numbers := l.method == pattern.Int || l.method == pattern.Len
	for _, w := range words {
		if op, ok := pattern.OpOf(w); ok && numbers {
			l.op = op
			continue
		}
		l.entries = append(l.entries, pattern.Entry{Text: w, Fold: l.fold, Op: l.op})
	}
	if len(l.entries) == 0 && !l.ended && l.method != pattern.Found && l.method != pattern.Bool {
		l.test.warning = fmt.Sprintf("%s has no patterns, so it never matches; use -m found to ask whether it exists", l.test.expr)
	}
	return nil
}

func (l *aclLine) finish() (*aclTest, error) {
	resolve := l.set.loader.Resolve
	if l.noNames {
		resolve = nil
	}
	if l.method == pattern.Int && l.test.expr.dotted() {
		if err := undot(l.entries); err != nil {
			return nil, err
		}
	}
	set, err := pattern.Compile(l.method, l.entries, resolve)
	if err != nil {
		return nil, err
	}
	l.test.set = set
	return l.test, nil
}
