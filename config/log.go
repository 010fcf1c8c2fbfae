package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

var (
	logFacilities = []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp", "audit",
		"alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	logLevels  = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	logFormats = []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"}
)

func (c *compiler) globalLog(l *line) {
	logs := &c.out.Config.Global.Logs
	if l.off() {
		*logs = nil
		return
	}
	if len(l.args) > 0 && l.args[0] == "global" {
		c.fail(l, "global can't refer to itself; give an address such as /dev/log")
		return
	}
	if t, ok := c.logTarget(l); ok {
		*logs = append(*logs, t)
	}
}

func (c *compiler) proxyLog(l *line) {
	logs := &c.draft.common.Logs
	switch {
	case l.off():
		*logs = nil
	case len(l.args) == 1 && l.args[0] == "global" && slices.ContainsFunc(*logs, isGlobalLog):
		// Said again, or inherited: each target gets a line once.
	case len(l.args) == 1 && l.args[0] == "global":
		*logs = append(*logs, proxy.LogTarget{Global: true, Origin: l.origin()})
	default:
		if t, ok := c.logTarget(l); ok {
			*logs = append(*logs, t)
		}
	}
}

func isGlobalLog(t proxy.LogTarget) bool { return t.Global }

// logTarget reads "log ADDRESS [options] FACILITY [MAX [MIN]]".
func (c *compiler) logTarget(l *line) (proxy.LogTarget, bool) {
	t := proxy.LogTarget{Origin: l.origin()}
	if len(l.args) < 2 {
		c.fail(l, "wants an address and a facility, such as: log /dev/log local0")
		return t, false
	}
	address, err := logAddressOf(expandBare(l.args[0], l.st.env))
	good := c.check(l, err)
	t.Address = address
	o := options{c: c, l: l, words: l.args[1:]}
	facility := false
	for !facility && o.next() {
		facility = !logOption(&o, &t)
	}
	switch {
	case o.bad:
		return t, false
	case !facility:
		c.fail(l, "wants a facility after the options, such as local0")
		return t, false
	case !c.check(l, prefixed("the facility", oneOf(o.name, logFacilities...))):
		return t, false
	}
	t.Facility = o.name
	return t, c.logLevelsOf(l, &t, o.words) && good
}

// logOption reads one option; anything else is the facility.
func logOption(o *options, t *proxy.LogTarget) bool {
	switch o.name {
	case "len":
		t.Len = o.integer(80, 65535)
	case "format":
		t.Format = o.choice(logFormats...)
	case "sample":
		logSample(o, t)
	case "profile":
		o.fail("profile: weir has no log profiles yet; use log-format")
		o.value()
	default:
		return false
	}
	return true
}

// logSample reads "1,3-5:8": which of each 8 lines go to this target.
func logSample(o *options, t *proxy.LogTarget) {
	v := o.value()
	if o.bad {
		return
	}
	ranges, size, ok := strings.Cut(v, ":")
	n, err := parseInteger(size, 1, intMax)
	if !ok || err != nil {
		o.fail("sample wants ranges and a size such as 1-3,5:10, got %s", quote(v))
		return
	}
	t.SampleRanges, t.SampleSize = ranges, n
	last := 0
	for part := range strings.SplitSeq(ranges, ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		if !isRange {
			hi = lo
		}
		first, err := parseInteger(lo, last+1, n)
		if err == nil {
			last, err = parseInteger(hi, first, n)
		}
		if err != nil {
			o.fail("sample wants ranges in order, from 1 to the size %d, got %s", n, quote(part))
			return
		}
	}
}

func (c *compiler) logLevelsOf(l *line, t *proxy.LogTarget, rest []string) bool {
	if len(rest) > 2 {
		c.fail(l, "unexpected %s after the levels", quote(rest[2]))
		return false
	}
	for i, word := range rest {
		if !c.check(l, prefixed("the level", oneOf(word, logLevels...))) {
			return false
		}
		*[]*string{&t.Level, &t.MinLevel}[i] = word
	}
	return true
}

func prefixed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", what, err)
}

// logAddressOf checks a target and gives it the form that LogTarget documents.
func logAddressOf(text string) (string, error) {
	if text == "stdout" || text == "stderr" {
		return text, nil
	}
	if strings.HasPrefix(text, "ring@") || strings.HasPrefix(text, "backend@") {
		return "", fmt.Errorf("%s: weir has no rings and no log backends yet", quote(text))
	}
	a, err := parseAddress(text, logAddress)
	stream := a.stream || strings.HasPrefix(a.prefix, "tcp") || a.prefix == "uxst"
	switch {
	case err != nil:
		return "", err
	case a.descriptor:
		return "fd@" + a.path, nil
	case strings.HasPrefix(a.prefix, "abns"):
		return "@" + a.path, nil
	case a.path != "" && stream:
		return "uxst@" + a.path, nil
	case a.path != "":
		return a.path, nil
	case a.host == "" || a.host == "*":
		return "", fmt.Errorf("%s: an address to send to is missing, such as 127.0.0.1:514", quote(text))
	}
	port := a.port
	if port == "" {
		port = "514" // syslog (manual, "log")
	}
	host := a.host
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	if stream {
		return "tcp@" + host + ":" + port, nil
	}
	return host + ":" + port, nil
}

// logFormat is option httplog, tcplog or httpslog.
func (c *compiler) logFormat(l *line) {
	format := map[string]proxy.LogFormat{"tcplog": proxy.LogTCP, "httplog": proxy.LogHTTP, "httpslog": proxy.LogHTTPS}
	name := strings.TrimPrefix(l.name, "option ")
	f := format[name]
	if len(l.args) > 0 {
		if name == "httpslog" || !c.check(l, oneOf(l.args[0], "clf")) {
			return
		}
		if name == "tcplog" {
			c.fail(l, "weir does not have tcplog clf yet; use log-format")
			return
		}
		f = proxy.LogCLF
	}
	if c.in == inBackend {
		c.note(LevelWarning, l, "ignored: a backend has no clients and writes no lines of its own")
		return
	}
	d := c.draft
	d.front.Log.Format, d.front.Log.Custom, d.front.Log.Origin = f, "", ""
	d.logFmt = l
}

// customLogFormat is log-format; package proxy compiles the text.
func (c *compiler) customLogFormat(l *line) {
	log := &c.draft.front.Log
	log.Custom, log.Origin = l.args[0], l.origin()
	c.draft.logFmt = nil
}

func (c *compiler) structuredDataFormat(l *line) {
	log := &c.draft.front.Log
	log.CustomSD, log.SDOrigin = l.args[0], l.origin()
}

func (c *compiler) errorLogFormat(l *line) {
	log := &c.draft.front.Log
	log.ErrorFormat, log.ErrorOrigin = l.args[0], l.origin()
}
