package config

import (
	"strings"

	"github.com/weir-lb/weir/health"
)

// optionHTTPCheck is "option httpchk [[METHOD] URI [VERSION]]".
func (c *compiler) optionHTTPCheck(l *line) {
	d := c.draft
	check := &d.back.Check
	check.Kind, d.tcpCheck = health.HTTP, false
	check.Method, check.URI, check.Version, check.Headers, check.Body = "", "", "", nil, ""
	switch len(l.args) {
	case 0:
	case 1:
		check.URI = l.args[0]
	default:
		check.Method, check.URI = l.args[0], l.args[1]
	}
	if len(l.args) == 3 {
		c.oldCheckVersion(l, l.args[2])
	}
}

// oldCheckVersion takes a version, and headers behind it, as they were given
// before "http-check send" existed: HTTP/1.1\r\nHost:\ www.
func (c *compiler) oldCheckVersion(l *line, text string) {
	check := &c.draft.back.Check
	parts := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if c.checkVersion(l, parts[0]) {
		check.Version = parts[0]
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
			check.Headers = extend(check.Headers, [2]string{name, strings.TrimSpace(value)})
		}
	}
}

func (c *compiler) checkVersion(l *line, version string) bool {
	return c.check(l, prefixed("the version", oneOf(version, "HTTP/1.0", "HTTP/1.1")))
}

func (c *compiler) optionTCPCheck(*line) {
	c.draft.back.Check.Kind, c.draft.tcpCheck = health.TCP, true
}

func (c *compiler) markCheckLine(l *line) {
	if c.draft.checkLine == nil {
		c.draft.checkLine = l
	}
}

// httpCheckSend is "http-check send".
func (c *compiler) httpCheckSend(l *line) {
	c.markCheckLine(l)
	d := c.draft
	check := &d.back.Check
	if d.ownSend {
		c.fail(l, "weir sends one request for a check; this is the second http-check send of the section")
		return
	}
	d.ownSend = true
	check.Headers, check.Body = nil, ""
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		switch o.name {
		case "meth":
			check.Method = o.value()
		case "uri":
			check.URI = o.value()
		case "ver":
			if v := o.value(); !o.bad && c.checkVersion(l, v) {
				check.Version = v
			}
		case "hdr":
			name := o.value()
			value := constantFormat(&o)
			if !o.bad && !fieldName([]byte(name)) {
				o.fail("hdr %s is no name for a header", quote(name))
			}
			check.Headers = extend(check.Headers, [2]string{name, value})
		case "body":
			check.Body = o.value()
		case "comment":
			o.value() // only reports of failures would show it
		case "uri-lf", "body-lf":
			o.fail("%s: weir does not support this yet: checks see no samples; use %s", o.name, strings.TrimSuffix(o.name, "-lf"))
			o.value()
		default:
			o.unknown([]string{"meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment"})
		}
	}
}

// constantFormat takes a log-format text that has no variables, which is what
// checks can send.
func constantFormat(o *options) string {
	v := o.value()
	plain := strings.ReplaceAll(v, "%%", "")
	if strings.Contains(plain, "%") {
		o.fail("hdr %s: weir does not support variables in checks yet; %%%% stands for a percent sign", quote(v))
	}
	return strings.ReplaceAll(v, "%%", "%")
}

var expectKinds = []string{"status", "string", "rstatus", "rstring", "hdr", "fhdr", "comment", "min-recv"}

// httpCheckExpect is "http-check expect [!] status LIST | string TEXT".
func (c *compiler) httpCheckExpect(l *line) {
	c.markCheckLine(l)
	d := c.draft
	if d.ownExpect {
		c.fail(l, "weir expects one thing of a check; this is the second http-check expect of the section")
		return
	}
	d.ownExpect = true
	check := &d.back.Check
	check.Expect, check.ExpectNot, check.ExpectString = nil, false, ""
	o := options{c: c, l: l, words: l.args}
	for matched := false; o.next(); {
		switch {
		case o.name == "comment":
			o.value() // only reports of failures would show it
		case o.name == "!" && !matched && !check.ExpectNot:
			check.ExpectNot = true
		case (o.name == "status" || o.name == "string") && !matched:
			matched = true
			c.expectation(&o, check)
		case containsWord(expectKinds, o.name) && !matched:
			o.fail("%s: weir does not support this yet; it can expect status and string", o.name)
			return
		default:
			o.unknown(expectKinds)
		}
	}
	if check.Expect == nil && check.ExpectString == "" && !o.bad {
		c.fail(l, "wants what to expect, such as: http-check expect status 200-399")
	}
}

func containsWord(list []string, word string) bool { return oneOf(word, list...) == nil }

func (c *compiler) expectation(o *options, check *health.Spec) {
	v := o.value()
	if o.bad {
		return
	}
	if o.name == "string" {
		check.ExpectString = v
		return
	}
	for part := range strings.SplitSeq(v, ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		if !isRange {
			hi = lo
		}
		first, err := parseInteger(lo, 100, 999)
		last, err2 := parseInteger(hi, max(first, 100), 999)
		if err != nil || err2 != nil {
			o.fail("status wants codes such as 200,204,300-399, got %s", quote(v))
			return
		}
		check.Expect = extend(check.Expect, [2]int{first, last})
	}
}

// checkConnect is "http-check connect" and "tcp-check connect" as long as they
// only say what a check does anyway.
func (c *compiler) checkConnect(l *line) {
	c.markCheckLine(l)
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		switch o.name {
		case "default":
		case "comment":
			o.value()
		case "port", "addr", "send-proxy", "via-socks4", "ssl", "sni", "alpn", "proto", "linger":
			o.fail("%s: weir does not support this yet; use check port, addr and check-send-proxy of the server", o.name)
			o.bad = true
		default:
			o.unknown([]string{"default", "comment", "port", "addr", "send-proxy", "ssl", "sni", "alpn", "proto", "linger"})
		}
	}
}

// checkComment is "http-check comment" and "tcp-check comment".
func (c *compiler) checkComment(l *line) { c.markCheckLine(l) }

func (c *compiler) disableOn404(*line) { c.draft.back.Check.DisableOn404 = true }
func (c *compiler) sendState(*line)    { c.draft.back.Check.SendState = true }

// finishCheck drops what belongs to a kind of check that was not chosen.
func (c *compiler) finishCheck(d *draft) {
	check := &d.back.Check
	check.Timeout = d.times[timeCheck].value
	if check.Kind == health.HTTP {
		return
	}
	if d.checkLine != nil && strings.HasPrefix(d.checkLine.name, "http-check") {
		c.note(LevelWarning, d.checkLine, "ignored: http-check lines do nothing without option httpchk")
	}
	if d.checkLine != nil && strings.HasPrefix(d.checkLine.name, "tcp-check") && !d.tcpCheck {
		c.note(LevelWarning, d.checkLine, "ignored: tcp-check lines do nothing without option tcp-check")
	}
	*check = health.Spec{Kind: health.TCP, Timeout: check.Timeout}
}
