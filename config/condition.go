package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// EvalCondition evaluates the expression of .if, .elif and the command's -cc
// (manual 2.4). An empty expression is false.
func EvalCondition(expr string, env Env) (bool, error) {
	env = env.withDefaults()
	s := scanner{
		text:  ".if " + expr, // so that it is cut as a line of a file is
		env:   newEnvironment(&env, nil),
		named: func(string) (string, bool) { return "", false },
	}
	words, bad := s.split()
	if bad != nil {
		return false, fmt.Errorf("can't read the condition: %s", bad.msg)
	}
	if len(words) == 1 {
		return false, nil
	}
	return evalCondition(words[1].Text, s.env, &env)
}

// A condition is the state of one evaluation.
type condition struct {
	text  string
	pos   int
	depth int
	vars  *environment
	env   *Env
}

const conditionDepthMax = 64 // nested parentheses and negations

func evalCondition(text string, vars *environment, env *Env) (bool, error) {
	c := condition{text: text, vars: vars, env: env}
	c.space()
	if c.pos == len(text) {
		return false, nil
	}
	v, err := c.or()
	if err != nil {
		return false, err
	}
	if c.pos < len(c.text) {
		return false, fmt.Errorf("unexpected %s after the condition; && or || may stand there", quote(c.text[c.pos:]))
	}
	return v, nil
}

func (c *condition) space() {
	for c.pos < len(c.text) && isSpace(c.text[c.pos]) {
		c.pos++
	}
}

// take consumes word if it comes next.
func (c *condition) take(word string) bool {
	if !strings.HasPrefix(c.text[c.pos:], word) {
		return false
	}
	c.pos += len(word)
	c.space()
	return true
}

func (c *condition) or() (bool, error) {
	v, err := c.and()
	for err == nil && c.take("||") {
		var right bool
		right, err = c.and()
		v = v || right
	}
	return v, err
}

func (c *condition) and() (bool, error) {
	v, err := c.term()
	for err == nil && c.take("&&") {
		var right bool
		right, err = c.term()
		v = v && right
	}
	return v, err
}

func (c *condition) term() (bool, error) {
	if c.depth++; c.depth > conditionDepthMax {
		return false, fmt.Errorf("the condition is nested deeper than %d", conditionDepthMax)
	}
	defer func() { c.depth-- }()
	switch {
	case c.take("!"):
		v, err := c.term()
		return !v, err
	case c.take("("):
		v, err := c.or()
		if err == nil && !c.take(")") {
			err = fmt.Errorf("a closing ) is missing, got %s", quote(c.text[c.pos:]))
		}
		return v, err
	}
	if v, ok := c.integer(); ok {
		return v, nil
	}
	return c.predicate()
}

// integer is true unless it is zero.
func (c *condition) integer() (v, ok bool) {
	end := c.pos
	if end < len(c.text) && (c.text[end] == '-' || c.text[end] == '+') {
		end++
	}
	from := end
	for end < len(c.text) && isDigit(c.text[end]) {
		end++
	}
	if end == from {
		return false, false
	}
	v = strings.Trim(c.text[from:end], "0") != ""
	c.pos = end
	c.space()
	return v, true
}

// A predicate is a function of the condition language.
type predicate struct {
	args int
	eval func(c *condition, args []string) bool
}

func predicateNamed(name string) (predicate, bool) {
	never := func(*condition, []string) bool { return false }
	p, ok := map[string]predicate{
		"defined":         {1, func(c *condition, a []string) bool { _, ok := c.vars.lookup(a[0]); return ok }},
		"feature":         {1, func(c *condition, a []string) bool { return slices.Contains(c.env.Features, a[0]) }},
		"enabled":         {1, func(_ *condition, a []string) bool { return slices.Contains(enabledAtRunTime, a[0]) }},
		"streq":           {2, func(_ *condition, a []string) bool { return a[0] == a[1] }},
		"strneq":          {2, func(_ *condition, a []string) bool { return a[0] != a[1] }},
		"strstr":          {2, func(_ *condition, a []string) bool { return strings.Contains(a[0], a[1]) }},
		"version_atleast": {1, func(c *condition, a []string) bool { return compareVersions(c.env.Version, a[0]) >= 0 }},
		"version_before":  {1, func(c *condition, a []string) bool { return compareVersions(c.env.Version, a[0]) < 0 }},
		// Questions about the TLS library that HAProxy is built on: weir uses none.
		"awslc_api_atleast":       {1, never},
		"awslc_api_before":        {1, never},
		"openssl_version_atleast": {1, never},
		"openssl_version_before":  {1, never},
		"ssllib_name_startswith":  {1, never},
	}[name]
	return p, ok
}

// What enabled() may ask for and weir has.
var enabledAtRunTime = []string{"EPOLL", "GETADDRINFO", "REUSEPORT", "SPLICE"}

func (c *condition) predicate() (bool, error) {
	end := c.pos
	for end < len(c.text) && (isLetter(c.text[end]) || isDigit(c.text[end])) {
		end++
	}
	name := c.text[c.pos:end]
	p, ok := predicateNamed(name)
	if !ok {
		return false, fmt.Errorf("can't read the condition at %s; it may be an integer, defined(), feature(), enabled(), "+
			"streq(), strneq(), strstr(), version_atleast() or version_before()", quote(c.text[c.pos:]))
	}
	c.pos = end
	if !strings.HasPrefix(c.text[c.pos:], "(") {
		return false, fmt.Errorf("%s wants %d argument(s) in parentheses right after its name", name, p.args)
	}
	args, err := c.arguments(name)
	if err != nil {
		return false, err
	}
	if len(args) != p.args {
		return false, fmt.Errorf("%s wants %d argument(s), got %d", name, p.args, len(args))
	}
	return p.eval(c, args), nil
}

// arguments reads "(a,b)": quotes and backslashes protect once more here
// (manual 2.2, second level of quoting).
func (c *condition) arguments(name string) ([]string, error) {
	var args []string
	var arg []byte
	for c.pos++; c.pos < len(c.text); {
		switch ch := c.text[c.pos]; ch {
		case ')':
			c.pos++
			c.space()
			return append(args, string(arg)), nil
		case ',':
			args, arg = append(args, string(arg)), nil
			c.pos++
		case '\'', '"', '\\':
			text, n := unquoteArgument(c.text[c.pos:])
			if n == 0 {
				return nil, fmt.Errorf("unmatched quote in the arguments of %s", name)
			}
			arg = append(arg, text...)
			c.pos += n
		default:
			arg = append(arg, ch)
			c.pos++
		}
	}
	return nil, fmt.Errorf("expected ) after the arguments of %s", name)
}

// unquoteArgument returns what a quoted or escaped part at the start of text
// stands for and how many bytes it takes; 0 when it does not end.
func unquoteArgument(text string) (string, int) {
	if text[0] == '\\' {
		if len(text) == 1 {
			return `\`, 1
		}
		if i := strings.IndexByte("nrt", text[1]); i >= 0 {
			return "\n\r\t"[i : i+1], 2
		}
		return text[1:2], 2
	}
	var out []byte
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == text[0]:
			return string(out), i + 1
		case text[i] == '\\' && text[0] == '"' && i+1 < len(text):
			part, n := unquoteArgument(text[i:])
			out = append(out, part...)
			i += n - 1
		default:
			out = append(out, text[i])
		}
	}
	return "", 0
}

// compareVersions orders versions like "3.2", "3.2-dev5" and "3.2.1": parts
// that are missing are zero, and -devN comes before .0.
func compareVersions(a, b string) int { return slices.Compare(versionOf(a), versionOf(b)) }

func versionOf(text string) []int {
	branch, dev, isDev := strings.Cut(text, "-dev")
	v := make([]int, 4) // major, minor, released, patch
	for i, part := range strings.SplitN(branch, ".", 3) {
		n := leadingInt(part)
		v[i+i/2] = n
	}
	if isDev {
		v[3] = leadingInt(dev)
		return v
	}
	v[2] = 1
	return v
}

func leadingInt(s string) int {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	n, _ := strconv.Atoi(s[:end]) // what is no number counts as zero, as in HAProxy
	return n
}
