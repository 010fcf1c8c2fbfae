package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// predefinedACLs need no acl line (manual 7.4).
var predefinedACLs = []string{
	"FALSE", "HTTP", "HTTP_1.0", "HTTP_1.1", "HTTP_2.0", "HTTP_3.0", "HTTP_CONTENT", "HTTP_URL_ABS", "HTTP_URL_SLASH",
	"HTTP_URL_STAR", "LOCALHOST", "METH_CONNECT", "METH_DELETE", "METH_GET", "METH_HEAD", "METH_OPTIONS", "METH_POST",
	"METH_PUT", "METH_TRACE", "RDP_COOKIE", "REQ_CONTENT", "TRUE", "WAIT_END",
}

// acl keeps the words; package proxy compiles them.
func (c *compiler) acl(l *line) {
	name := l.args[0]
	switch bad := badNameByte(name); {
	case name == "":
		c.fail(l, "wants a name and a condition, such as: acl static path_beg /static/")
		return
	case bad != "":
		c.fail(l, "%s can't stand in the name %s; letters, digits, -, _, . and : can", bad, quote(name))
		return
	case conditionWord(name):
		c.fail(l, "%s can't be a name: it is a word of conditions", quote(name))
		return
	case len(l.args) < 2 || l.args[1] == "":
		c.fail(l, "wants a fetch after the name, such as: acl %s path_beg /static/", name)
		return
	}
	d := c.draft
	d.common.ACLs = append(d.common.ACLs, proxy.ACL{Name: name, Words: c.resolveFiles(l.args[1:]), Origin: l.origin()})
	d.aclNames[name] = true
	if c.in == inDefaults && d.leader == nil {
		d.leader = l
	}
}

// conditionWord reports whether a name would be taken for a word of conditions.
func conditionWord(name string) bool {
	return strings.EqualFold(name, "or") || strings.EqualFold(name, "if") || strings.EqualFold(name, "unless")
}

// aclName reports whether an ACL can have the name.
func aclName(name string) bool { return badNameByte(name) == "" && !conditionWord(name) }

// resolveFiles applies default-path to the pattern files of an ACL: -f FILE.
func (c *compiler) resolveFiles(words []string) []string {
	out := slices.Clone(words)
	for i := 1; i < len(out); i++ {
		if out[i-1] == "-f" {
			out[i] = c.files.resolve(out[i])
		}
	}
	return out
}

// condition reads "if ..." or "unless ..." at the end of a line; nothing at
// all always holds, and stands for a wrong one.
func (c *compiler) condition(l *line, words []string) (cond proxy.Cond, ok bool) {
	if len(words) == 0 {
		return cond, true
	}
	if words[0] != "if" && words[0] != "unless" {
		c.fail(l, "unexpected %s; a condition begins with if or unless", quote(words[0]))
		return cond, false
	}
	if len(words) == 1 {
		c.fail(l, "a condition is missing after %s", words[0])
		return cond, false
	}
	tail := c.resolveFiles(words[1:])
	if !c.checkCondition(l, tail) {
		return cond, false
	}
	return proxy.Cond{Unless: words[0] == "unless", Words: tail}, true
}

// checkCondition finds names of ACLs that do not exist and braces that do not
// match. What stands in braces is compiled by package proxy.
func (c *compiler) checkCondition(l *line, words []string) bool {
	terms, open := 0, false
	for _, w := range words {
		bare := strings.TrimLeft(w, "!")
		switch {
		case open:
			open = w != "}"
		case bare == "{":
			open = true
			terms++
		case bare == "" && w != "", w == "or", w == "||":
		case c.draft.aclNames[bare], slices.Contains(predefinedACLs, bare):
			terms++
		default:
			c.fail(l, "no ACL %s stands before this line%s", quote(bare), didYouMean(bare, slices.Sorted(maps.Keys(c.draft.aclNames))))
			return false
		}
	}
	if open {
		c.fail(l, "a closing } is missing in the condition; it needs a space before it")
		return false
	}
	if terms == 0 {
		c.fail(l, "the condition names no ACL")
		return false
	}
	return true
}
