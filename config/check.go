package config

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/weir-lb/weir/health"
)

// A checkDraft is what a section says about the checks of its servers. A
// section that says anything of its own starts anew: it does not add to the
// rules of its defaults section. (So does HAProxy 2.6.)
type checkDraft struct {
	kind      health.Kind
	inherited bool
	request   health.Request // of option httpchk
	ownOption bool           // the section that has the rules has the option, too
	http      []health.Step
	tcp       []health.Step
	first     *line // the first http-check or tcp-check rule

	disableOn404 bool
	sendState    bool
}

// ownCheck returns the section's own checkDraft.
func (c *compiler) ownCheck() *checkDraft {
	k := &c.draft.check
	if k.inherited {
		*k = checkDraft{kind: k.kind, request: k.request, disableOn404: k.disableOn404, sendState: k.sendState}
	}
	return k
}

// optionHTTPCheck is "option httpchk [[METHOD] URI [VERSION]]".
func (c *compiler) optionHTTPCheck(l *line) {
	k := c.ownCheck()
	k.kind, k.request, k.ownOption = health.HTTP, health.Request{}, true
	switch len(l.args) {
	case 0:
	case 1:
		k.request.URI = l.args[0]
	default:
		k.request.Method, k.request.URI = l.args[0], l.args[1]
	}
	if len(l.args) == 3 {
		c.oldCheckVersion(l, l.args[2])
	}
}

// oldCheckVersion takes a version, and headers behind it, as they were given
// before "http-check send" existed: HTTP/1.1\r\nHost:\ www.
func (c *compiler) oldCheckVersion(l *line, text string) {
	request := &c.draft.check.request
	parts := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if c.checkVersion(l, parts[0]) {
		request.Version = parts[0]
	}
	if len(parts) == 1 {
		return
	}
	c.note(LevelNotice, l, "headers behind the version are an old form; write: http-check send hdr NAME VALUE")
	for _, field := range parts[1:] {
		name, value, ok := strings.Cut(field, ":")
		switch {
		case field == "":
		case !ok || !fieldName([]byte(name)):
			c.fail(l, "%s behind the version is no header", quote(field))
		default:
			request.Headers = append(request.Headers, [2]string{name, strings.TrimSpace(value)})
		}
	}
}

func (c *compiler) checkVersion(l *line, version string) bool {
	return c.check(l, prefixed("the version", oneOf(version, "HTTP/1.0", "HTTP/1.1")))
}

func (c *compiler) optionTCPCheck(*line) { c.ownCheck().kind = health.Script }

func (c *compiler) disableOn404(*line) { c.draft.check.disableOn404 = true }
func (c *compiler) sendState(*line)    { c.draft.check.sendState = true }

const checkStepsMax = 256 // rules of one section, as package health

// addStep adds one rule where http-check rules must follow in order: connect,
// send, expect.
func (c *compiler) addStep(l *line, s health.Step) {
	k := c.ownCheck()
	if k.first == nil {
		k.first = l
	}
	isHTTP := strings.HasPrefix(l.name, "http-check")
	list := &k.tcp
	if isHTTP {
		list = &k.http
	}
	before, any := lastStep(*list)
	switch {
	case len(*list) >= checkStepsMax:
		c.fail(l, "a section has at most %d rules for checks", checkStepsMax)
		return
	case isHTTP && s.Kind == health.StepExpect && any && before == health.StepConnect:
		c.fail(l, "http-check send is missing before it: a new connection needs a request")
		return
	case isHTTP && s.Kind == health.StepSend && any && before == health.StepExpect:
		c.fail(l, "http-check connect is missing before it: a check connection carries one request")
		return
	}
	*list = append(*list, s)
}

// lastStep is the kind of the last rule that is no comment.
func lastStep(steps []health.Step) (health.StepKind, bool) {
	for _, s := range slices.Backward(steps) {
		if s.Kind != health.StepComment {
			return s.Kind, true
		}
	}
	return 0, false
}

func (c *compiler) checkComment(l *line) {
	c.addStep(l, health.Step{Kind: health.StepComment, Comment: l.args[0]})
}

var connectWords = []string{"default", "port", "addr", "send-proxy", "linger", "comment", "proto", "ssl", "sni", "alpn", "via-socks4"}

// checkConnect is "http-check connect" and "tcp-check connect".
func (c *compiler) checkConnect(l *line) {
	s := health.Step{Kind: health.StepConnect}
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		switch o.name {
		case "default":
		case "port":
			s.Port = o.integer(1, 65535)
		case "addr":
			v := o.value()
			if ip, err := netip.ParseAddr(strings.Trim(v, "[]")); err == nil {
				s.Addr = ip.String()
			} else if !o.bad {
				o.fail("addr wants an IP address, got %s", quote(v))
			}
		case "send-proxy":
			s.SendProxy = true
		case "linger":
			s.Linger = true
		case "comment":
			s.Comment = o.value()
		case "proto":
			o.choice("h1", "none")
		case "ssl", "sni", "alpn", "via-socks4":
			o.fail("%s: weir does not support this in checks yet", o.name)
			o.bad = true
		default:
			o.unknown(connectWords)
		}
	}
	c.addStep(l, s)
}

// tcpCheckSend is "tcp-check send TEXT" and "send-binary HEX".
func (c *compiler) tcpCheckSend(l *line) {
	s := health.Step{Kind: health.StepSend, Data: []byte(l.args[0])}
	if l.name == "tcp-check send-binary" {
		raw, err := hex.DecodeString(l.args[0])
		if err != nil {
			c.fail(l, "wants pairs of hexadecimal digits, got %s", quote(l.args[0]))
			return
		}
		s.Data = raw
	}
	o := options{c: c, l: l, words: l.args[1:]}
	for o.next() {
		if o.name != "comment" {
			o.unknown([]string{"comment"})
			return
		}
		s.Comment = o.value()
	}
	c.addStep(l, s)
}

// httpCheckSend is "http-check send".
func (c *compiler) httpCheckSend(l *line) {
	s := health.Step{Kind: health.StepSend, Request: &health.Request{}}
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		switch o.name {
		case "meth":
			s.Request.Method = o.value()
		case "uri":
			s.Request.URI = o.value()
		case "ver":
			if v := o.value(); !o.bad && c.checkVersion(l, v) {
				s.Request.Version = v
			}
		case "hdr":
			c.checkHeader(&o, s.Request)
		case "body":
			s.Request.Body = o.value()
		case "comment":
			s.Comment = o.value()
		case "uri-lf", "body-lf":
			o.fail("%s: weir does not support this yet: checks see no samples; use %s", o.name, strings.TrimSuffix(o.name, "-lf"))
			o.value()
		default:
			o.unknown([]string{"meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment"})
		}
	}
	c.addStep(l, s)
}

func (c *compiler) checkHeader(o *options, r *health.Request) {
	name := o.value()
	value := constantFormat(o)
	if !o.bad && !fieldName([]byte(name)) {
		o.fail("hdr: %s is no name for a header", quote(name))
	}
	r.Headers = append(r.Headers, [2]string{name, value})
}

// constantFormat takes a log-format text that has no variables, which is what
// checks can send.
func constantFormat(o *options) string {
	v := o.value()
	plain := strings.ReplaceAll(v, "%%", "")
	if strings.Contains(plain, "%") {
		o.fail("%s %s: weir does not support variables in checks yet; %%%% stands for a percent sign", o.name, quote(v))
	}
	return strings.ReplaceAll(v, "%%", "%")
}

// What can be expected, and of which kind of check.
var (
	httpMatches = map[string]health.Match{
		"status": health.MatchStatus, "rstatus": health.MatchStatusRegexp, "string": health.MatchString, "rstring": health.MatchRegexp,
	}
	tcpMatches = map[string]health.Match{
		"string": health.MatchString, "rstring": health.MatchRegexp, "binary": health.MatchBinary, "rbinary": health.MatchBinaryRegexp,
	}
	expectWords = []string{"min-recv", "comment", "ok-status", "error-status", "tout-status", "on-success", "on-error", "status-code"}
	otherMatch  = []string{"hdr", "fhdr", "string-lf", "binary-lf"}
)

// checkExpect is "http-check expect" and "tcp-check expect".
func (c *compiler) checkExpect(l *line) {
	matches := tcpMatches
	if strings.HasPrefix(l.name, "http-check") {
		matches = httpMatches
	}
	s := health.Step{Kind: health.StepExpect}
	matched, errs := false, len(c.errs)
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		if o.name == "!" && !matched && !s.Expect.Not {
			s.Expect.Not = true
			continue
		}
		negated := strings.HasPrefix(o.name, "!")
		match, isMatch := matches[strings.TrimPrefix(o.name, "!")]
		switch {
		case isMatch && !matched:
			matched = true
			s.Expect.Match, s.Expect.Not = match, s.Expect.Not || negated
			c.pattern(&o, &s.Expect)
		case containsWord(otherMatch, o.name) || o.name == "status-code":
			o.fail("%s: weir does not support this in checks yet", o.name)
			return
		default:
			c.expectOption(&o, &s)
		}
	}
	switch {
	case len(c.errs) > errs:
	case !matched:
		c.fail(l, "wants what to expect, such as string or, of HTTP, status 200-399")
	default:
		c.addStep(l, s)
	}
}

// expectOption reads what may stand beside the match.
func (c *compiler) expectOption(o *options, s *health.Step) {
	e := &s.Expect
	switch o.name {
	case "min-recv":
		switch n := o.integer(-1, intMax); n {
		case 0:
			e.MinRecv = -1 // the first bytes decide
		default:
			e.MinRecv = max(n, 0)
		}
	case "comment":
		s.Comment = o.value()
	case "ok-status":
		e.OKStatus = o.choice("L7OK", "L7OKC", "L6OK", "L4OK")
	case "error-status":
		e.ErrorStatus = o.choice("L7OKC", "L7RSP", "L7STS", "L6RSP", "L4CON")
	case "tout-status":
		e.TimeoutStatus = o.choice("L7TOUT", "L6TOUT", "L4TOUT")
	case "on-success":
		e.OnSuccess = constantFormat(o)
	case "on-error":
		e.OnError = constantFormat(o)
	default:
		o.unknown(append([]string{"status", "rstatus", "string", "rstring", "binary", "rbinary"}, expectWords...))
	}
}

// pattern reads the value of a match.
func (c *compiler) pattern(o *options, e *health.Expect) {
	e.Pattern = o.value()
	if o.bad {
		return
	}
	switch e.Match {
	case health.MatchStatus:
		e.Codes = statusCodes(e.Pattern)
		if e.Codes == nil {
			o.fail("status wants codes such as 200,204,300-399, got %s", quote(e.Pattern))
		}
		e.Pattern = ""
	case health.MatchBinary:
		if _, err := hex.DecodeString(e.Pattern); err != nil {
			o.fail("binary wants pairs of hexadecimal digits, got %s", quote(e.Pattern))
		}
	case health.MatchStatusRegexp, health.MatchRegexp, health.MatchBinaryRegexp:
		if _, err := regexp.Compile(e.Pattern); err != nil {
			o.fail("%s wants a regular expression: %s", o.name, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
}

// statusCodes reads "200,204,300-399"; nil is no such list.
func statusCodes(text string) [][2]int {
	var codes [][2]int
	for part := range strings.SplitSeq(text, ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		if !isRange {
			hi = lo
		}
		first, err := parseInteger(lo, 0, 999)
		last, err2 := parseInteger(hi, max(first, 0), 999)
		if err != nil || err2 != nil {
			return nil
		}
		codes = append(codes, [2]int{first, last})
	}
	return codes
}

// finishCheck turns the rules into the backend's check.
func (c *compiler) finishCheck(d *draft) {
	k := &d.check
	spec := &d.back.Check
	*spec = health.Spec{
		Kind: k.kind, DisableOn404: k.disableOn404, SendState: k.sendState,
		Timeout: d.times[timeCheck].value, BufSize: c.out.Config.Global.Tune.BufSize,
	}
	if len(k.http) > 0 && k.kind != health.HTTP {
		c.note(LevelWarning, k.first, "ignored: http-check rules do nothing without option httpchk")
	}
	if len(k.tcp) > 0 && k.kind != health.Script {
		c.note(LevelWarning, k.first, "ignored: tcp-check rules do nothing without option tcp-check")
	}
	switch {
	case k.kind == health.Script:
		spec.Steps = k.tcp
	case k.kind == health.HTTP && !shortCheck(spec, k):
		spec.Steps = httpSteps(k)
	}
}

// shortCheck fills the fields for one request and one expectation, if that is
// all that the rules are.
func shortCheck(spec *health.Spec, k *checkDraft) bool {
	request, steps := &k.request, k.http
	if len(steps) > 0 && steps[0].Kind == health.StepSend && steps[0].Comment == "" {
		request, steps = k.overlay(steps[0].Request), steps[1:]
	}
	var e health.Expect
	if len(steps) > 0 && steps[0].Kind == health.StepExpect && steps[0].Comment == "" {
		e, steps = steps[0].Expect, steps[1:]
	}
	plain := health.Expect{Match: e.Match, Not: e.Not, Pattern: e.Pattern, Codes: e.Codes}
	if len(steps) > 0 || e.Match != health.MatchStatus && e.Match != health.MatchString || !sameExpect(e, plain) {
		return false
	}
	spec.Method, spec.URI, spec.Version = request.Method, request.URI, request.Version
	spec.Headers, spec.Body = request.Headers, request.Body
	spec.Expect, spec.ExpectNot, spec.ExpectString = e.Codes, e.Not, e.Pattern
	return true
}

func sameExpect(a, b health.Expect) bool {
	return a.MinRecv == b.MinRecv && a.OKStatus == b.OKStatus && a.ErrorStatus == b.ErrorStatus &&
		a.TimeoutStatus == b.TimeoutStatus && a.OnSuccess == b.OnSuccess && a.OnError == b.OnError
}

// overlay is the first "http-check send" on top of what option httpchk of the
// same section says: its headers and its body replace those of the option.
func (k *checkDraft) overlay(send *health.Request) *health.Request {
	r := *send
	if !k.ownOption {
		return &r
	}
	r.Method = cmp.Or(r.Method, k.request.Method)
	r.URI = cmp.Or(r.URI, k.request.URI)
	r.Version = cmp.Or(r.Version, k.request.Version)
	return &r
}

// httpSteps writes out what rules leave unsaid: the request of option httpchk
// when there is no http-check send, and 200-399 after the last one.
func httpSteps(k *checkDraft) []health.Step {
	steps := slices.Clone(k.http)
	first := slices.IndexFunc(steps, func(s health.Step) bool { return s.Kind == health.StepSend })
	if first >= 0 {
		steps[first].Request = k.overlay(steps[first].Request)
	} else {
		at := slices.IndexFunc(steps, func(s health.Step) bool { return s.Kind == health.StepExpect })
		if at < 0 {
			at = len(steps)
		}
		request := k.request
		steps = slices.Insert(steps, at, health.Step{Kind: health.StepSend, Request: &request})
	}
	if last, _ := lastStep(steps); last == health.StepSend {
		steps = append(steps, health.Step{Kind: health.StepExpect})
	}
	return steps
}

func containsWord(list []string, word string) bool { return oneOf(word, list...) == nil }
