package config

import (
	"fmt"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// A compiler turns a tree into a Config, one statement after the other.
type compiler struct {
	env     *Env
	out     *Result
	errs    Errors
	notices []Notice
	partial bool // as of the tree parser

	keywords *lexicon
	files    fileBase // where relative names begin (default-path)

	// What the current statement belongs to.
	sec     *Section
	in      where
	draft   *draft      // of a proxy section
	group   *errorGroup // of an http-errors section
	current *line

	global     globalDraft
	defaults   []*draft
	drafts     []*draft // frontend, listen and backend, in file order
	groups     map[string]*errorGroup
	tlsBinds   []*tlsBind
	tlsServers []*tlsServer
	statsNote  map[*Section]bool
}

// Result is a loaded configuration.
type Result struct {
	Config  *proxy.Config
	Process Process
	Notices []Notice // sorted by position
	Tree    *Tree
}

// Warned reports whether HAProxy would have printed a warning: what
// zero-warning and -dW turn into a failure.
func (r *Result) Warned() bool {
	for i := range r.Notices {
		if r.Notices[i].Level == LevelWarning {
			return true
		}
	}
	return false
}

// compile fills out.Config and out.Process from out.Tree.
func (c *compiler) compile() {
	c.out.Config = &proxy.Config{}
	c.out.Process.StrictLimits = true // manual "strict-limits"
	c.groups = map[string]*errorGroup{}
	c.statsNote = map[*Section]bool{}
	for _, s := range c.out.Tree.Sections {
		c.section(s)
	}
	c.finishGlobal()
	c.finishTLS()
	c.link()
}

// section opens one section and runs its statements.
func (c *compiler) section(s *Section) {
	c.sec, c.in, c.draft, c.group = s, 0, nil, nil
	c.files.enter(s.File)
	row, _ := sectionNamed(s.Kind())
	head := &line{st: &Statement{File: s.File, Line: s.Line, Words: s.Head, fileNo: s.fileNo, env: s.env}, args: texts(s.Head[1:])}
	c.current = head
	switch {
	case row.support == refused:
		c.fail(head, "weir does not have %s sections yet: %s", row.name, row.remark)
		return
	case row.support == ignored:
		if c.openNamed(head, row.name) {
			c.note(LevelNotice, head, "the section is not read: %s", row.remark)
		}
		return
	case row.name == "global":
		c.in = inGlobal
		if len(head.args) > 0 {
			c.fail(head, "takes no argument, got %s", quote(head.args[0]))
		}
	case row.name == "http-errors":
		c.in = inHTTPErrors
		c.openErrorGroup(head)
	default:
		c.in = row.in
		c.openDraft(head, row.in)
	}
	for _, st := range s.Statements {
		c.statement(st)
	}
}

// openNamed checks the name of a section that is not read.
func (c *compiler) openNamed(head *line, kind string) bool {
	if len(head.args) == 0 && kind != "crt-store" && kind != "traces" {
		c.fail(head, "wants a name: %s NAME", kind)
		return false
	}
	return true
}

// statement runs one line and keeps what others need of a wrong one.
func (c *compiler) statement(st *Statement) {
	errs := len(c.errs)
	l := &line{st: st, name: st.Words[0].Text}
	if !st.broken {
		c.execute(l, texts(st.Words))
	}
	if st.broken || len(c.errs) > errs {
		c.salvage(l, texts(st.Words))
	}
}

// execute finds the row of one line and runs it.
func (c *compiler) execute(l *line, words []string) {
	c.current = l
	if words[0] == "no" || words[0] == "default" {
		l.no, l.initial = words[0] == "no", words[0] == "default"
		words = words[1:]
		if len(words) == 0 {
			c.fail(l, "wants a keyword after it, such as %s option httpclose", l.name)
			return
		}
	}
	rows, n := c.keywords.find(words)
	if n == 0 {
		l.name = words[0]
		c.fail(l, "unknown keyword %s in a %s section%s", quote(c.keywords.attempt(words)), c.sec.Kind(), c.keywords.hint(words, c.in))
		return
	}
	l.name, l.args = strings.Join(words[:n], " "), words[n:]
	for _, k := range rows {
		if k.in&c.in != 0 {
			c.run(k, l)
			return
		}
	}
	k := rows[0]
	for _, other := range rows {
		if c.in&inAnywhere != 0 && other.in&inAnywhere != 0 {
			k = other
		}
	}
	c.misplaced(k, l)
}

// misplaced handles a keyword of the language that does not belong here.
func (c *compiler) misplaced(k *keyword, l *line) {
	side := map[where]string{inFrontend: "a frontend has no servers", inBackend: "a backend has no clients"}[c.in]
	switch {
	case side == "" || k.in&inProxies == 0 || k.in&sideBound != 0:
		c.fail(l, "can't stand in a %s section; it belongs in %s", c.sec.Kind(), k.in)
	case k.support == refused:
		c.note(LevelWarning, l, "ignored: %s, and weir does not support it yet", side)
	default:
		c.note(LevelWarning, l, "ignored: %s", side)
	}
}

// run checks what all keywords have in common and calls the row's function.
func (c *compiler) run(k *keyword, l *line) {
	switch {
	case l.off() && k.in&negatable == 0:
		c.fail(l, "can't follow %q; only switches such as option httpclose can", l.st.Words[0].Text)
	case k.support == refused && l.off():
		return // what weir does not have is always off
	case k.support == refused:
		c.fail(l, "weir does not support this: %s", k.remark)
	case c.in == inDefaults && k.in&namedOnly != 0 && c.draft.name == "":
		c.fail(l, "can't stand in a defaults section without a name; write \"defaults NAME\" and \"from NAME\" where it is used")
	case !k.args.holds(len(l.args)):
		c.fail(l, "wants %s, got %d%s", k.args, len(l.args), c.tooMany(k, l))
	case k.support == ignored:
		c.ignore(k, l)
	default:
		k.run(c, l)
	}
}

// tooMany shows the first word that is too much.
func (c *compiler) tooMany(k *keyword, l *line) string {
	if k.args.max == anyNumber || len(l.args) <= k.args.max {
		return ""
	}
	return "; " + quote(l.args[k.args.max]) + " is too much"
}

// ignore notes that a keyword has no effect. The statistics page takes many
// lines; one notice is enough for all of a section.
func (c *compiler) ignore(k *keyword, l *line) {
	if strings.HasPrefix(k.name, "stats ") && c.in != inGlobal {
		if c.statsNote[c.sec] {
			return
		}
		c.statsNote[c.sec] = true
	}
	if !l.off() {
		c.note(LevelNotice, l, "accepted and ignored: %s", k.remark)
	}
}

// fail notes an error at a line.
func (c *compiler) fail(l *line, format string, args ...any) {
	directive := l.name
	c.errs = append(c.errs, &Error{
		File: l.st.File, Line: l.st.Line, Section: c.sec.Name(), Directive: directive,
		Msg: fmt.Sprintf(format, args...), fileNo: l.st.fileNo,
	})
}

// check notes err, if there is one.
func (c *compiler) check(l *line, err error) bool {
	if err != nil {
		c.fail(l, "%s", err)
	}
	return err == nil
}

// checkOf is check with the option of the line that err is about.
func (c *compiler) checkOf(l *line, option string, err error) bool {
	if err != nil {
		c.fail(l, "%s %s", option, err)
	}
	return err == nil
}

func (c *compiler) note(level Level, l *line, format string, args ...any) {
	c.notices = append(c.notices, Notice{
		Level: level, File: l.st.File, Line: l.st.Line, Section: c.sec.Name(), Directive: l.name,
		Msg: fmt.Sprintf(format, args...), fileNo: l.st.fileNo,
	})
}
