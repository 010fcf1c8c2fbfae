package proxy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
	"github.com/weir-lb/weir/internal/pattern"
)

// A rule is one compiled http-request, http-response, http-after-response,
// tcp-request or tcp-response line. It is immutable and evaluated without
// allocation.
type rule struct {
	cond   *expr.Cond // nil: always
	op     ruleOp
	name   []byte       // of a header, in lower case
	format *expr.Format // value, path, location, ...
	expr   *expr.Expr
	re     *regexp.Regexp
	vars   *expr.VarName
	answer *answerRule
	redir  *redirectRule
	match  matchKind
	number int
	side   int // of a capture
	origin string
}

// A ruleOp is what a rule does.
type ruleOp uint8

const (
	opNone          ruleOp = iota // nothing: accepted for its notice only
	opAllow                       // stop evaluating this ruleset
	opDeny                        // answer and stop
	opReturn                      // answer and stop, not counted as denied
	opRedirect                    // answer and stop
	opReject                      // close without an answer
	opSilentDrop                  // close so that the client learns nothing
	opTarpit                      // hold the request, then answer
	opSetHeader                   // delete all of the name, add one
	opAddHeader                   // add one
	opDelHeader                   // delete by name, prefix, suffix, part or pattern
	opReplaceHeader               // regex over whole values
	opReplaceValue                // regex over comma-separated values
	opSetMethod                   // request line ...
	opSetPath                     // ... without the query
	opSetPathQ                    // ... with it
	opSetQuery                    // ... only it
	opSetURI                      // ... all of it
	opReplacePath                 // regex over the path
	opReplacePathQ                // regex over path and query
	opReplaceURI                  // regex over all of it
	opSetStatus                   // of a response
	opSetVar                      // from an expression
	opSetVarFmt                   // from a format
	opUnsetVar                    //
	opSetLogLevel                 // of this exchange's line
	opCapture                     // into a capture slot
	opUseService                  // answered by a part of weir
)

// matchKind is the -m of del-header.
type matchKind uint8

const (
	matchName   matchKind = iota // str: the whole name
	matchPrefix                  // beg
	matchSuffix                  // end
	matchPart                    // sub
	matchRegex                   // reg
)

// A redirectRule is the "redirect" keyword, as a rule or on its own.
type redirectRule struct {
	kind        string // location, prefix, scheme
	to          *expr.Format
	code        int
	dropQuery   bool
	appendSlash bool
	setCookie   string
	ignoreEmpty bool
}

// An answerRule is what deny, return and tarpit send.
type answerRule struct {
	status      int     // 0: the action's default
	fixed       *answer // body and headers known when the plan was compiled
	headers     []headerFormat
	contentType string
	body        *expr.Format // lf-string or lf-file
}

type headerFormat struct {
	name  string
	value *expr.Format
}

// A ruleScope says which ruleset is compiled: what its rules may see and do.
type ruleScope struct {
	name  string // "http-request"
	phase expr.Phase
	fe    *frontend // nil: a backend's
}

// A ruleMaker compiles the arguments of one action into r.
type ruleMaker struct {
	scope    ruleScope
	acls     *expr.ACLs
	errors   map[int]*answer
	readFile func(name string) ([]byte, error)
}

// actionTable holds every action: where it may stand and how its arguments
// compile. A keyword that is not here is refused by name.
var actionTable = map[string]struct {
	where string // "q" http-request, "s" http-response, "a" http-after-response, "t" tcp-request, "r" tcp-response
	op    ruleOp
	make  func(m *ruleMaker, r *rule, args []string) error
}{
	"allow":          {"qsa", opAllow, noArgs},
	"accept":         {"tr", opAllow, noArgs},
	"deny":           {"qs", opDeny, (*ruleMaker).denial},
	"tarpit":         {"q", opTarpit, (*ruleMaker).denial},
	"return":         {"qs", opReturn, (*ruleMaker).reply},
	"redirect":       {"qs", opRedirect, (*ruleMaker).redirect},
	"reject":         {"qt", opReject, noArgs},
	"close":          {"r", opReject, noArgs},
	"silent-drop":    {"qstr", opSilentDrop, noArgs},
	"set-header":     {"qsa", opSetHeader, (*ruleMaker).headerValue},
	"add-header":     {"qsa", opAddHeader, (*ruleMaker).headerValue},
	"del-header":     {"qsa", opDelHeader, (*ruleMaker).headerName},
	"replace-header": {"qsa", opReplaceHeader, (*ruleMaker).replaceField},
	"replace-value":  {"qsa", opReplaceValue, (*ruleMaker).replaceField},
	"set-method":     {"q", opSetMethod, (*ruleMaker).oneFormat},
	"set-path":       {"q", opSetPath, (*ruleMaker).oneFormat},
	"set-pathq":      {"q", opSetPathQ, (*ruleMaker).oneFormat},
	"set-query":      {"q", opSetQuery, (*ruleMaker).oneFormat},
	"set-uri":        {"q", opSetURI, (*ruleMaker).oneFormat},
	"replace-path":   {"q", opReplacePath, (*ruleMaker).replaceTarget},
	"replace-pathq":  {"q", opReplacePathQ, (*ruleMaker).replaceTarget},
	"replace-uri":    {"q", opReplaceURI, (*ruleMaker).replaceTarget},
	"set-status":     {"sa", opSetStatus, (*ruleMaker).status},
	"set-var":        {"qsatr", opSetVar, (*ruleMaker).variable},
	"set-var-fmt":    {"qsatr", opSetVarFmt, (*ruleMaker).variable},
	"unset-var":      {"qsatr", opUnsetVar, (*ruleMaker).variable},
	"set-log-level":  {"qsa", opSetLogLevel, (*ruleMaker).logLevel},
	"capture":        {"qsat", opCapture, (*ruleMaker).capture},
	"strict-mode":    {"qsa", opNone, (*ruleMaker).oneWord},
}

// compileRules compiles one ruleset; every error names its line.
func (c *compiler) compileRules(scope ruleScope, letter string, rules []Rule, acls *expr.ACLs) []rule {
	out := make([]rule, 0, len(rules))
	for _, spec := range rules {
		r, condErr, err := c.compileRule(scope, letter, spec, acls)
		if err != nil {
			c.errs.add(spec.Origin, c.section, "%s %s: %v", scope.name, spec.Name, err)
		}
		if condErr != nil {
			c.errs.add(spec.Origin, c.section, "%s: in the condition: %v", scope.name, condErr)
		}
		if err == nil {
			c.mentions(spec.Origin, scope.name+" "+spec.Name, r.references())
			c.looks |= r.looks()
			c.sessVars = c.sessVars || r.vars != nil && r.vars.Scope == expr.ScopeSess
		}
		out = append(out, r)
	}
	return out
}

// compileRule tells what is wrong with the condition apart from the rest, since
// both can be.
func (c *compiler) compileRule(scope ruleScope, letter string, spec Rule, acls *expr.ACLs) (r rule, condErr, err error) {
	r.origin = spec.Origin
	r.cond, condErr = expr.CompileCond(spec.Cond.Words, spec.Cond.Unless, acls, scope.phase)
	name, args := spec.Name, spec.Args
	// "set-var(txn.x)" carries its argument in the name.
	if head, rest, ok := strings.Cut(name, "("); ok {
		name = head
		args = append([]string{strings.TrimSuffix(rest, ")")}, args...)
	}
	a, ok := actionTable[name]
	if !ok || !strings.Contains(a.where, letter) {
		return r, condErr, fmt.Errorf("weir does not have this action here; it has: %s", actionsFor(letter))
	}
	r.op = a.op
	m := &ruleMaker{scope: scope, acls: acls, errors: c.answers, readFile: c.readFile}
	if err = a.make(m, &r, args); err != nil {
		r.op = opNone // it is looked at no further
	}
	return r, condErr, err
}

// actionsFor lists the actions of one ruleset for an error message.
func actionsFor(letter string) string {
	var names []string
	for name, a := range actionTable {
		if strings.Contains(a.where, letter) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func noArgs(_ *ruleMaker, _ *rule, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("takes no argument, got %q", args[0])
	}
	return nil
}

func wantArgs(args []string, n int, usage string) error {
	if len(args) != n {
		return fmt.Errorf("wants %s, got %d words", usage, len(args))
	}
	return nil
}

func (m *ruleMaker) oneWord(_ *rule, args []string) error { return wantArgs(args, 1, "on or off") }

func (m *ruleMaker) headerValue(r *rule, args []string) error {
	if err := wantArgs(args, 2, "a name and a format"); err != nil {
		return err
	}
	if !message.ValidToken([]byte(args[0])) {
		return fmt.Errorf("%q is not a header name", args[0])
	}
	r.name = []byte(strings.ToLower(args[0]))
	f, err := expr.CompileFormat(args[1], m.scope.phase)
	r.format = f
	return err
}

func (m *ruleMaker) headerName(r *rule, args []string) (err error) {
	if len(args) == 0 || len(args) == 2 || len(args) > 3 || len(args) == 3 && args[1] != "-m" {
		return fmt.Errorf("wants a name, and -m str|beg|end|sub|reg if it is not the whole name")
	}
	r.name = []byte(strings.ToLower(args[0]))
	if len(args) == 1 {
		return nil
	}
	switch args[2] {
	case "str":
	case "beg":
		r.match = matchPrefix
	case "end":
		r.match = matchSuffix
	case "sub":
		r.match = matchPart
	case "reg":
		r.match = matchRegex
		r.re, err = compileRegexp("(?i)", args[0])
	default:
		return fmt.Errorf("-m wants str, beg, end, sub or reg, got %q", args[2])
	}
	return err
}

func (m *ruleMaker) replaceField(r *rule, args []string) error {
	if err := wantArgs(args, 3, "a name, a regular expression and a format"); err != nil {
		return err
	}
	r.name = []byte(strings.ToLower(args[0]))
	return m.regexFormat(r, args[1], args[2])
}

func (m *ruleMaker) replaceTarget(r *rule, args []string) error {
	if err := wantArgs(args, 2, "a regular expression and a format"); err != nil {
		return err
	}
	return m.regexFormat(r, args[0], args[1])
}

func (m *ruleMaker) regexFormat(r *rule, text, format string) (err error) {
	if r.re, err = compileRegexp("", text); err != nil {
		return err
	}
	r.format, err = expr.CompileFormat(format, m.scope.phase)
	return err
}

// compileRegexp compiles text with flags such as "(?i)" before it.
func compileRegexp(flags, text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(flags + text)
	if err != nil {
		return nil, pattern.RegexpError(text, err)
	}
	return re, nil
}

func (m *ruleMaker) oneFormat(r *rule, args []string) (err error) {
	if err := wantArgs(args, 1, "one format"); err != nil {
		return err
	}
	r.format, err = expr.CompileFormat(args[0], m.scope.phase)
	return err
}

func (m *ruleMaker) status(r *rule, args []string) (err error) {
	if len(args) != 1 && (len(args) != 3 || args[1] != "reason") {
		return fmt.Errorf("wants a status, and reason TEXT if it is not the usual one")
	}
	if r.number, err = parseStatus(args[0]); err != nil {
		return err
	}
	if len(args) == 3 {
		r.name = []byte(args[2])
	} else {
		r.name = []byte(reasonOf(r.number))
	}
	return nil
}

func parseStatus(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 100 || n > 999 {
		return 0, fmt.Errorf("a status is a number from 100 to 999, got %q", s)
	}
	return n, nil
}

func (m *ruleMaker) variable(r *rule, args []string) (err error) {
	if len(args) == 0 {
		return fmt.Errorf("wants a variable in parentheses, such as (txn.name)")
	}
	if r.vars, err = expr.CompileVarName(strings.Split(args[0], ",")[0]); err != nil {
		return err
	}
	rest := strings.Join(args[1:], " ")
	switch r.op {
	case opUnsetVar:
		return noArgs(m, r, args[1:])
	case opSetVarFmt:
		return m.oneFormat(r, args[1:])
	}
	r.expr, err = expr.CompileExpr(rest, m.scope.phase)
	return err
}

func (m *ruleMaker) logLevel(r *rule, args []string) error {
	if err := wantArgs(args, 1, "a level or silent"); err != nil {
		return err
	}
	if args[0] == "silent" {
		r.number = -1
		return nil
	}
	n, ok := accesslog.ParseLevel(args[0])
	if !ok {
		return fmt.Errorf("wants a syslog level or silent, got %q", args[0])
	}
	r.number = int(n)
	return nil
}
