package config

import (
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// Functions of rows in table_proxy.go that need no file of their own.

func (c *compiler) mode(l *line) {
	c.draft.modeUnknown = false
	switch l.args[0] {
	case "tcp":
		c.draft.common.Mode = proxy.ModeTCP
	case "http":
		c.draft.common.Mode = proxy.ModeHTTP
	case "health":
		c.fail(l, "weir does not support mode health: HAProxy removed it; use http-request return status 200")
	case "log", "spop", "udp":
		c.fail(l, "weir does not support mode %s; there are tcp and http", l.args[0])
	default:
		c.check(l, oneOf(l.args[0], "tcp", "http"))
	}
}

func (c *compiler) fullConn(l *line) {
	n, err := parseInteger(l.args[0], 0, intMax)
	c.check(l, err)
	c.draft.back.FullConn, c.draft.back.Balance.FullConn = n, n
}

// retries keeps a plain zero apart from "not set".
func (c *compiler) retries(l *line) {
	n, err := parseInteger(l.args[0], 0, intMax)
	c.check(l, err)
	if n == 0 {
		n = -1
	}
	c.draft.back.Retries = n
}

var retryWords = []string{
	"none", "conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected", "all-retryable-errors",
	"401", "403", "404", "408", "421", "425", "429", "500", "501", "502", "503", "504",
}

// retryOn replaces what was there before: it is not cumulative (manual).
func (c *compiler) retryOn(l *line) {
	for _, word := range l.args {
		if !c.check(l, oneOf(word, retryWords...)) {
			return
		}
		if word == "none" && len(l.args) > 1 {
			c.fail(l, "none can't stand beside other words")
			return
		}
	}
	c.draft.back.RetryOn = l.args
}

func (c *compiler) httpReuse(l *line) {
	modes := map[string]proxy.Reuse{
		"never": proxy.ReuseNever, "safe": proxy.ReuseSafe, "aggressive": proxy.ReuseAggressive, "always": proxy.ReuseAlways,
	}
	if c.check(l, oneOf(l.args[0], "never", "safe", "aggressive", "always")) {
		c.draft.back.Reuse = modes[l.args[0]]
	}
}

func (c *compiler) sendNameHeader(l *line) {
	name := l.args[0]
	switch {
	case !fieldName([]byte(name)):
		c.fail(l, "wants the name of a header, got %s", quote(name))
	case strings.EqualFold(name, "host"), strings.EqualFold(name, "content-length"), strings.EqualFold(name, "transfer-encoding"):
		c.fail(l, "%s can't carry the name: it decides where a request goes or ends", name)
	default:
		c.draft.back.HTTPSendName = name
	}
}

func (c *compiler) monitorURI(l *line) {
	if l.args[0] == "" {
		c.fail(l, "wants a URI such as /alive")
	}
	c.draft.front.MonitorURI = l.args[0]
	c.draft.httpOptions = append(c.draft.httpOptions, l)
}

func (c *compiler) uniqueID(l *line) {
	c.draft.front.UniqueIDFormat, c.draft.front.UniqueIDOrigin = l.args[0], l.origin()
}
