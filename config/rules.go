package config

import (
	"slices"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// A ruleSet is one of the lists of rules that a request meets.
type ruleSet uint8

const (
	setHTTPRequest ruleSet = 1 << iota
	setHTTPResponse
	setHTTPAfter
	setTCPConnection
	setTCPSession
	setTCPContent
	setTCPResponse

	setsHTTP    = setHTTPRequest | setHTTPResponse | setHTTPAfter
	setsReply   = setHTTPResponse | setHTTPAfter
	setsTCPIn   = setTCPConnection | setTCPSession | setTCPContent
	setsTCP     = setsTCPIn | setTCPResponse
	setsContent = setHTTPRequest | setHTTPResponse | setTCPContent | setTCPResponse
)

var ruleSetNames = []struct {
	set  ruleSet
	name string
}{
	{setHTTPRequest, "http-request"}, {setHTTPResponse, "http-response"}, {setHTTPAfter, "http-after-response"},
	{setTCPConnection, "tcp-request connection"}, {setTCPSession, "tcp-request session"},
	{setTCPContent, "tcp-request content"}, {setTCPResponse, "tcp-response content"},
}

func (s ruleSet) String() string {
	var names []string
	for _, n := range ruleSetNames {
		if s&n.set != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}

// An action is one row of the table of rules: what may stand after
// "http-request" and its like.
type action struct {
	name    string // with "(" at its end if an argument in parentheses follows
	in      ruleSet
	words   int            // that always follow
	options map[string]int // and these may, with so many values
	manual  string
	support support
	remark  string
}

// ruleLine makes the function of one ruleset's row.
func ruleLine(set ruleSet) func(*compiler, *line) {
	return func(c *compiler, l *line) { c.rule(l, set) }
}

func (c *compiler) rule(l *line, set ruleSet) {
	d := c.draft
	if c.in == inDefaults && d.leader == nil {
		d.leader = l
	}
	name := l.args[0]
	a, found := actionNamed(name, set)
	switch {
	case !found:
		other, _ := actionNamed(name, ^ruleSet(0))
		if other.in != 0 {
			c.fail(l, "%s can't stand here; it belongs in %s", name, other.in)
			return
		}
		c.fail(l, "no such action %s%s", quote(name), didYouMean(name, actionNames(set)))
		return
	case a.support == refused:
		c.fail(l, "%s: weir does not support this action: %s", name, a.remark)
		return
	}
	if set == setTCPContent && c.in == inBackend {
		c.fail(l, "weir does not run these rules in a backend yet; they can stand in its frontends")
		return
	}
	rule := proxy.Rule{Name: name, Origin: l.origin()}
	rest, ok := c.actionArguments(l, a, l.args[1:])
	if !ok {
		return
	}
	rule.Args = l.args[1 : len(l.args)-len(rest)]
	rule.Args = c.resolveBodies(rule.Name, rule.Args)
	rule.Cond, _ = c.condition(l, rest)
	if !c.checkAction(l, &rule) || name == "capture" && !c.captureRule(l, &rule, set) {
		rule = carrier(rule, set)
	}
	if a.support == ignored {
		c.note(LevelNotice, l, "%s accepted and ignored: %s", name, a.remark)
		return
	}
	list := d.rulesOf(set)
	*list = append(*list, rule)
	if set&setsHTTP != 0 {
		d.httpOptions = append(d.httpOptions, l)
	}
}

func (s *settings) rulesOf(set ruleSet) *[]proxy.Rule {
	h, t := &s.common.HTTPRules, &s.common.TCPRules
	return map[ruleSet]*[]proxy.Rule{
		setHTTPRequest: &h.Request, setHTTPResponse: &h.Response, setHTTPAfter: &h.AfterResponse,
		setTCPConnection: &t.Connection, setTCPSession: &t.Session, setTCPContent: &t.Content, setTCPResponse: &t.Response,
	}[set]
}

// actionNamed finds the row of an action; "set-var(txn.x)" is that of
// "set-var(".
func actionNamed(word string, set ruleSet) (action, bool) {
	head, rest, parens := strings.Cut(word, "(")
	if parens {
		if !strings.HasSuffix(rest, ")") {
			return action{}, false
		}
		head += "("
	}
	for _, a := range actions {
		if a.in&set != 0 && a.name == head {
			return a, true
		}
	}
	return action{}, false
}

func actionNames(set ruleSet) []string {
	var names []string
	for _, a := range actions {
		if a.in&set != 0 {
			names = append(names, strings.TrimSuffix(a.name, "("))
		}
	}
	return names
}

// actionArguments passes over the words of the action and returns what is
// left: the condition.
func (c *compiler) actionArguments(l *line, a action, words []string) (rest []string, ok bool) {
	if len(words) < a.words || slices.Contains(words[:a.words], "") {
		c.fail(l, "%s wants %s, got %d", strings.TrimSuffix(a.name, "("), arguments(a.words), len(words))
		return nil, false
	}
	rest = words[a.words:]
	for len(rest) > 0 {
		n, known := a.options[rest[0]]
		if !known {
			break
		}
		if len(rest) <= n {
			c.fail(l, "%s of %s wants %s", rest[0], a.name, arguments(n))
			return nil, false
		}
		rest = rest[1+n:]
	}
	if len(rest) > 0 && rest[0] != "if" && rest[0] != "unless" {
		var known []string
		for name := range a.options {
			known = append(known, name)
		}
		slices.Sort(known)
		c.fail(l, "unexpected %s after %s; if, unless%s can stand there%s", quote(rest[0]), strings.TrimSuffix(a.name, "("),
			strings.Join(append([]string{""}, known...), ", "), didYouMean(rest[0], known))
		return nil, false
	}
	return rest, true
}

// checkAction checks values that can be judged without knowing samples.
func (c *compiler) checkAction(l *line, r *proxy.Rule) bool {
	switch r.Name {
	case "redirect":
		return c.checkRedirect(l, r.Args)
	case "deny", "tarpit", "return":
		return c.checkReply(l, r)
	case "strict-mode":
		return c.checkArg(l, r, oneOf(r.Args[0], "on", "off"))
	case "set-log-level":
		return c.checkArg(l, r, oneOf(r.Args[0], append([]string{"silent"}, logLevels...)...))
	case "set-status":
		_, err := parseInteger(r.Args[0], 100, 999)
		return c.checkArg(l, r, err)
	}
	if head, variable, ok := parenthesis(r.Name); ok && strings.HasSuffix(head, "-var") || ok && head == "set-var-fmt" {
		return c.checkVariable(l, variable)
	}
	return true
}

func (c *compiler) checkArg(l *line, r *proxy.Rule, err error) bool { return c.checkOf(l, r.Name, err) }

// resolveBodies applies default-path to the files that a reply is read from.
func (c *compiler) resolveBodies(action string, words []string) []string {
	switch {
	case len(words) == 0:
		return nil
	case action != "deny" && action != "tarpit" && action != "return":
		return slices.Clip(words)
	}
	out := slices.Clone(words)
	for i := 0; i+1 < len(out); i += 1 + replyOptions[out[i]] {
		if out[i] == "errorfile" || out[i] == "file" || out[i] == "lf-file" {
			out[i+1] = c.files.resolve(out[i+1])
		}
	}
	return out
}

// checkVariable checks the scope of "txn.name[,condition...]".
func (c *compiler) checkVariable(l *line, text string) bool {
	name, _, _ := strings.Cut(text, ",")
	scope, rest, ok := strings.Cut(name, ".")
	if !ok || rest == "" || !containsWord([]string{"proc", "sess", "txn", "req", "res"}, scope) {
		c.fail(l, "a variable's name begins with its scope, proc, sess, txn, req or res, such as txn.name; got %s", quote(name))
		return false
	}
	return true
}

// redirectLine is the "redirect" keyword, which is a rule like http-request
// redirect.
func (c *compiler) redirectLine(l *line) {
	r := *l
	r.args = append([]string{"redirect"}, l.args...)
	c.rule(&r, setHTTPRequest)
}

func (c *compiler) checkRedirect(l *line, words []string) bool {
	kinds := 0
	for i := 0; i < len(words); {
		switch words[i] {
		case "location", "prefix", "scheme":
			kinds++
		case "code":
			if err := oneOf(words[i+1], "301", "302", "303", "307", "308"); !c.checkOf(l, "code", err) {
				return false
			}
		}
		i += 1 + redirectOptions[words[i]]
	}
	if kinds != 1 {
		c.fail(l, "wants one of location, prefix and scheme with its value, such as: redirect scheme https")
		return false
	}
	return true
}

// checkReply checks the words of deny, tarpit and return.
func (c *compiler) checkReply(l *line, r *proxy.Rule) bool {
	bodies, needsType, hasType := 0, false, false
	for i := 0; i < len(r.Args); {
		word := r.Args[i]
		switch word {
		case "status", "deny_status":
			if !c.replyStatus(l, r, r.Args[i+1]) {
				return false
			}
		case "content-type":
			hasType = true
		case "string", "lf-string", "file", "lf-file":
			bodies++
			needsType = needsType || r.Args[i+1] != "" && strings.HasSuffix(word, "string")
		case "errorfile", "errorfiles", "default-errorfiles":
			bodies++
		}
		i += 1 + replyOptions[word]
	}
	switch {
	case bodies > 1:
		c.fail(l, "%s takes one of string, lf-string, file, lf-file, errorfile, errorfiles and default-errorfiles", r.Name)
	case needsType && !hasType:
		c.fail(l, "%s wants a content-type beside the text", r.Name)
	default:
		return true
	}
	return false
}

// replyStatus checks a status that the action can answer with.
func (c *compiler) replyStatus(l *line, r *proxy.Rule, word string) bool {
	if r.Name == "return" {
		_, err := parseInteger(word, 200, 599)
		return c.checkOf(l, "status", err)
	}
	_, ok := c.errorStatus(l, word)
	return ok
}

func (c *compiler) inspectDelay(l *line) {
	d, err := parseDuration(l.args[0], 1e6)
	if c.check(l, err) {
		c.draft.common.TCPRules.InspectDelay = d
	}
}

// useBackend is one use_backend line. The name may be a log-format text.
func (c *compiler) useBackend(l *line) {
	cond, _ := c.condition(l, l.args[1:])
	if l.args[0] == "" {
		c.fail(l, "wants the name of a backend")
		return
	}
	d := c.draft
	d.front.UseBackend = append(d.front.UseBackend, proxy.UseBackend{Backend: l.args[0], Cond: cond, Origin: l.origin()})
	d.routes = append(d.routes, route{l, l.args[0]})
}

func (c *compiler) defaultBackend(l *line) {
	c.draft.front.DefaultBackend = l.args[0]
	c.draft.fallback = route{l, l.args[0]}
}

// A route is a line that names a backend.
type route struct {
	line   *line
	target string
}

func (c *compiler) monitorFail(l *line) {
	if len(l.args) < 2 {
		c.fail(l, "wants a condition: monitor fail if ...")
		return
	}
	cond, ok := c.condition(l, l.args)
	if ok {
		cond.Origin = l.origin()
		c.draft.front.MonitorFail = append(c.draft.front.MonitorFail, cond)
	}
}
