package config

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// The statuses that HAProxy can answer with and a file may replace.
var errorStatuses = []int{
	200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
}

// An errorGroup is one http-errors section.
type errorGroup struct {
	answers map[int]proxy.ErrorAnswer
	line    *line
}

func (c *compiler) openErrorGroup(head *line) {
	c.group = &errorGroup{answers: map[int]proxy.ErrorAnswer{}, line: head}
	if len(head.args) == 0 {
		c.fail(head, "wants a name: http-errors NAME")
		return
	}
	if before := c.groups[head.args[0]]; before != nil {
		c.fail(head, "the name %s is taken by the section at %s", quote(head.args[0]), before.line.origin())
		return
	}
	c.groups[head.args[0]] = c.group
}

// errorStatus reads the status that a line replaces.
func (c *compiler) errorStatus(l *line, word string) (int, bool) {
	n, err := parseInteger(word, 100, 999)
	if err == nil && !slices.Contains(errorStatuses, n) {
		err = fmt.Errorf("wants one of the statuses %s, got %s", strings.Trim(fmt.Sprint(errorStatuses), "[]"), quote(word))
	}
	return n, c.check(l, err)
}

// setAnswer replaces one answer of the section.
func (c *compiler) setAnswer(status int, a proxy.ErrorAnswer) {
	if c.group != nil {
		c.group.answers[status] = a
		return
	}
	all := maps.Clone(c.draft.common.Errors)
	if all == nil {
		all = map[int]proxy.ErrorAnswer{}
	}
	all[status] = a
	c.draft.common.Errors = all
}

// errorFile reads the file now, so that it need not exist in a chroot.
func (c *compiler) errorFile(l *line) {
	status, ok := c.errorStatus(l, l.args[0])
	if !ok {
		return
	}
	raw, err := c.env.ReadFile(c.files.resolve(l.args[1]))
	if err != nil {
		c.fail(l, "can't read %s: %s", l.args[1], reason(err))
		return
	}
	limit := cmp.Or(c.out.Config.Global.Tune.BufSize, bufSizeDefault)
	if err := checkResponse(raw, status, limit); err != nil {
		c.fail(l, "%s: %s", l.args[1], err)
		return
	}
	if raw == nil {
		raw = []byte{}
	}
	c.setAnswer(status, proxy.ErrorAnswer{Raw: raw, Origin: l.origin()})
}

const bufSizeDefault = 16384 // tune.bufsize

// checkResponse refuses what clients could not read as an HTTP/1 response. An
// empty file is right: it closes the connection without an answer.
func checkResponse(raw []byte, status, limit int) error {
	switch {
	case len(raw) == 0:
		return nil
	case len(raw) > limit:
		return fmt.Errorf("the answer has %d bytes; at most %d fit into tune.bufsize", len(raw), limit)
	}
	text := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	head, _, complete := bytes.Cut(text, []byte("\n\n"))
	lines := bytes.Split(head, []byte("\n"))
	first := string(lines[0])
	version, rest, _ := strings.Cut(first, " ")
	code, _, _ := strings.Cut(rest, " ")
	switch {
	case version != "HTTP/1.0" && version != "HTTP/1.1":
		return fmt.Errorf("wants a status line such as \"HTTP/1.0 %d Reason\" first, got %s", status, quote(first))
	case code != fmt.Sprint(status):
		return fmt.Errorf("holds an answer with status %s, not %d", quote(code), status)
	case !complete:
		return fmt.Errorf("has no empty line after its headers")
	}
	for _, field := range lines[1:] {
		name, value, ok := bytes.Cut(field, []byte(":"))
		if !ok || !fieldName(name) || bytes.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("has a broken header %s", quote(string(field)))
		}
	}
	return nil
}

// fieldName reports whether b is a token (RFC 9110 section 5.6.2).
func fieldName(b []byte) bool {
	for _, c := range b {
		if !isLetter(c) && !isDigit(c) && bytes.IndexByte([]byte("!#$%&'*+-.^`|~"), c) < 0 {
			return false
		}
	}
	return len(b) > 0
}

func (c *compiler) errorLocation(l *line) {
	status, ok := c.errorStatus(l, l.args[0])
	if !ok {
		return
	}
	code := 302
	if l.name == "errorloc303" {
		code = 303
	}
	c.setAnswer(status, proxy.ErrorAnswer{Location: l.args[1], Code: code, Origin: l.origin()})
}

// errorFiles imports an http-errors section, all of it or some statuses. The
// section must stand before.
func (c *compiler) errorFiles(l *line) {
	group := c.groups[l.args[0]]
	if group == nil && c.partial {
		return
	}
	if group == nil {
		c.fail(l, "no http-errors section %s stands before this line%s",
			quote(l.args[0]), didYouMean(l.args[0], slices.Collect(maps.Keys(c.groups))))
		return
	}
	wanted := map[int]bool{}
	for _, word := range l.args[1:] {
		status, ok := c.errorStatus(l, word)
		if _, has := group.answers[status]; ok && !has {
			c.note(LevelWarning, l, "the section %s has no errorfile for %d", l.args[0], status)
		}
		wanted[status] = true
	}
	for status, a := range group.answers {
		if len(wanted) == 0 || wanted[status] {
			c.setAnswer(status, a)
		}
	}
}
