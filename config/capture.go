package config

import (
	"strconv"

	"github.com/weir-lb/weir/proxy"
)

// capture is "capture cookie", "capture request header" or "capture response
// header": NAME len LENGTH.
func (c *compiler) capture(l *line) {
	if l.args[1] != "len" {
		c.fail(l, "wants: %s NAME len LENGTH, got %s", l.name, quote(l.args[1]))
		return
	}
	n, err := parseInteger(l.args[2], 1, captureBytesMax)
	if !c.checkOf(l, "len", err) {
		return
	}
	log, one := &c.draft.front.Log, proxy.Capture{Name: l.args[0], Len: n}
	switch l.name {
	case "capture request header":
		log.CaptureRequest = append(log.CaptureRequest, one)
	case "capture response header":
		log.CaptureResponse = append(log.CaptureResponse, one)
	default:
		limit := c.global.cookieLen
		if limit == 0 {
			limit = cookieBytesDefault
		}
		if one.Len > limit {
			c.note(LevelWarning, l, "len is cut to %d (tune.http.cookielen)", limit)
			one.Len = limit
		}
		log.CaptureCookie = &one
	}
}

const (
	captureBytesMax    = 65536 // as package proxy
	cookieBytesDefault = 63    // tune.http.cookielen
)

// declareCapture makes a slot that http-request capture fills by its id.
func (c *compiler) declareCapture(l *line) {
	if !c.check(l, oneOf(l.args[0], "request", "response")) || !c.check(l, oneOf(l.args[1], "len")) {
		return
	}
	n, err := parseInteger(l.args[2], 1, captureBytesMax)
	if !c.checkOf(l, "len", err) {
		return
	}
	log := &c.draft.front.Log
	slots := &log.CaptureRequest
	if l.args[0] == "response" {
		slots = &log.CaptureResponse
	}
	*slots = append(*slots, proxy.Capture{Len: n})
}

// captureRule reads "capture SAMPLE len LENGTH" and "capture SAMPLE id NUMBER".
// With len the rule gets a slot of its own, which stands in the log between
// those of the lines around it: from here on the rule names it by its id.
func (c *compiler) captureRule(l *line, r *proxy.Rule, set ruleSet) bool {
	if len(r.Args) != 3 {
		c.fail(l, "capture wants a sample and then len LENGTH or id NUMBER")
		return false
	}
	n, err := parseInteger(r.Args[2], 0, captureBytesMax)
	switch {
	case !c.checkOf(l, "capture", err):
	case r.Args[1] == "id" && set == setTCPContent:
		c.fail(l, "capture: id can't stand here; give the value a slot of its own with len LENGTH")
	case r.Args[1] == "id":
		return true
	case set&setsReply != 0:
		c.fail(l, "capture: len can't stand here; use id NUMBER with: declare capture response len LENGTH")
	case c.in == inBackend:
		c.fail(l, "capture: len can only stand where there is a frontend; use id NUMBER with a declared capture")
	case n == 0:
		c.fail(l, "capture: len wants a number above zero")
	default:
		slots := &c.draft.front.Log.CaptureRequest
		*slots = append(*slots, proxy.Capture{Len: n})
		r.Args = []string{r.Args[0], "id", strconv.Itoa(len(*slots) - 1)}
		return true
	}
	return false
}
