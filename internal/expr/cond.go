package expr

import (
	"fmt"
	"strings"

	"github.com/weir-lb/weir/internal/pattern"
)

// An Outcome is what testing a condition gives. The values are ordered: "and" is
// the smaller of two, "or" the larger.
type Outcome uint8

const (
	No     Outcome = iota // it does not hold
	Unsure                // it may hold when more bytes have come
	Yes                   // it holds
)

func (o Outcome) String() string { return [...]string{"no", "unsure", "yes"}[o] }

// A Cond is a compiled condition: the tail of a rule after "if" or "unless". A nil
// Cond holds.
type Cond struct {
	unless   bool
	suites   [][]term // any of them holds when all of its terms do
	warnings []string
}

// term is one ACL of a condition.
type term struct {
	name  string // empty: anonymous
	acl   *acl
	tests []*aclTest // those of acl that can match in the phase
	neg   bool
}

// aclTest is one "acl" line: it holds when any value of the expression matches.
type aclTest struct {
	expr    *Expr
	method  pattern.Method
	cast    Kind
	set     *pattern.Set
	words   []string // flags and patterns as written
	origin  string   // of the line; empty: anonymous
	warning string
}

// CompileCond compiles a condition for a phase. Without words there is none.
func CompileCond(words []string, unless bool, acls *ACLs, ph Phase) (*Cond, error) {
	if len(words) == 0 {
		return nil, nil
	}
	if acls == nil {
		acls = newACLs(Loader{})
	}
	c := &Cond{unless: unless}
	var suite []term
	neg := false
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		if w == "or" || w == "||" {
			suite, neg = c.endSuite(suite), false
			continue
		}
		for w != "" && w[0] == '!' {
			neg, w = !neg, w[1:]
		}
		if w == "" {
			continue // "!" alone counts for what follows
		}
		t, rest, err := acls.term(w, words)
		if err != nil {
			return nil, err
		}
		words = rest
		t.neg, neg = neg, false
		c.restrict(&t, ph)
		suite = append(suite, t)
	}
	c.endSuite(suite)
	if len(c.suites) == 0 {
		return nil, fmt.Errorf("the condition is empty")
	}
	return c, nil
}

// endSuite ends a list of terms. Empty ones count for nothing, as in HAProxy.
func (c *Cond) endSuite(suite []term) []term {
	if len(suite) > 0 {
		c.suites = append(c.suites, suite)
	}
	return nil
}

// term finds a named ACL, or compiles an anonymous one up to its brace.
func (set *ACLs) term(w string, words []string) (term, []string, error) {
	if w != "{" {
		a, err := set.find(w)
		return term{name: w, acl: a}, words, err
	}
	for i, end := range words {
		if end == "}" {
			t, err := set.compileTest(words[:i])
			return term{acl: &acl{tests: []*aclTest{t}}}, words[i+1:], err
		}
	}
	return term{}, nil, fmt.Errorf("the closing '}' is missing")
}

// restrict leaves out tests that can't match in the phase, since what they look
// at is not there any more, or not yet.
func (c *Cond) restrict(t *term, ph Phase) {
	for _, test := range t.acl.tests {
		if what := ph.missing(test.expr.needs); what != "" {
			c.warnings = append(c.warnings, fmt.Sprintf("acl %s never matches in %s: %s needs %s",
				t.title(), ph, test.expr, what))
			continue
		}
		t.tests = append(t.tests, test)
		if test.warning != "" && t.name == "" {
			c.warnings = append(c.warnings, test.warning)
		}
	}
}

func (t *term) title() string {
	if t.name == "" {
		return "{ " + t.acl.tests[0].expr.String() + " }"
	}
	return t.name
}

// Warnings tells what is allowed but probably wrong.
func (c *Cond) Warnings() []string {
	if c == nil {
		return nil
	}
	return c.warnings
}

// References lists the names that the anonymous ACLs refer to.
func (c *Cond) References() []Reference {
	if c == nil {
		return nil
	}
	var list []Reference
	for _, suite := range c.suites {
		for _, t := range suite {
			if t.name == "" {
				list = append(list, t.acl.tests[0].expr.References()...)
			}
		}
	}
	return list
}

// Eval reports whether the condition holds.
func (c *Cond) Eval(env *Env) bool { return c.Test(env) == Yes }

// Test is Eval for rules that may wait for more bytes.
func (c *Cond) Test(env *Env) Outcome {
	if c == nil {
		return Yes
	}
	result := No
	for i := range c.suites {
		result = max(result, evalSuite(env, c.suites[i]))
		if result == Yes {
			break
		}
	}
	if c.unless {
		return Yes - result
	}
	return result
}

func evalSuite(env *Env, suite []term) Outcome {
	result := Yes
	for i := range suite {
		t := &suite[i]
		o := t.eval(env)
		if t.neg {
			o = Yes - o
		}
		result = min(result, o)
		if result == No {
			break
		}
	}
	return result
}

func (t *term) eval(env *Env) Outcome {
	result := No
	for _, test := range t.tests {
		result = max(result, test.eval(env))
		if result == Yes {
			break
		}
	}
	return result
}

// eval tries all values of the expression.
func (t *aclTest) eval(env *Env) Outcome {
	env.unsure = false
	e := t.expr
	at := first
	for {
		env.Scratch.reset()
		var v Value
		var ok bool
		next := last
		if e.all != nil {
			v, next, ok = e.all(env, e.args, at)
		} else {
			v, ok = e.one(env, e.args)
		}
		if ok && len(e.steps) > 0 {
			v, ok = e.convert(env, v)
		}
		if ok && t.matches(env, v) {
			return Yes
		}
		if next == last {
			break
		}
		at = next
	}
	if env.unsure {
		return Unsure
	}
	return No
}

// matches compares one value with the patterns.
func (t *aclTest) matches(env *Env, v Value) bool {
	if t.method == pattern.Found {
		return true
	}
	if v.Kind != t.cast {
		var ok bool
		if v, ok = env.cast(v, t.cast); !ok {
			return false
		}
	}
	switch t.method {
	case pattern.Bool:
		return v.Int != 0
	case pattern.Int:
		return t.set.FindInt(v.Int) >= 0
	case pattern.Len:
		return t.set.FindInt(int64(len(v.Bytes))) >= 0
	case pattern.IP:
		return t.set.FindIP(v.IP) >= 0
	}
	var lower []byte
	if t.set.Folds() {
		if lower = env.Scratch.room(len(v.Bytes)); lower == nil {
			return false
		}
	}
	return t.set.FindBytes(v.Bytes, lower) >= 0
}

// Words writes the condition so that it compiles to the same program.
func (c *Cond) Words() []string {
	var words []string
	if c == nil {
		return nil
	}
	for i, suite := range c.suites {
		if i > 0 {
			words = append(words, "||")
		}
		for _, t := range suite {
			bang := ""
			if t.neg {
				bang = "!"
			}
			if t.name != "" {
				words = append(words, bang+t.name)
				continue
			}
			test := t.acl.tests[0]
			words = append(words, bang+"{", test.expr.String())
			words = append(append(words, test.words...), "}")
		}
	}
	return words
}

// String writes the condition as it could stand on a line, for messages.
func (c *Cond) String() string {
	if c == nil {
		return "TRUE"
	}
	kind := "if "
	if c.unless {
		kind = "unless "
	}
	return kind + strings.Join(c.Words(), " ")
}
