package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

// This file lets one run tell all errors, and each mistake once: it goes on
// behind a wrong line, keeps the names that the line would have given, and asks
// package proxy what it thinks of the rest.

// salvage keeps what other lines need of a wrong one.
func (c *compiler) salvage(l *line, words []string) {
	if c.draft == nil {
		return
	}
	common := &c.draft.common
	switch words[0] {
	case "mode":
		c.draft.modeUnknown, common.Mode = true, proxy.ModeHTTP // where more lines mean something
	case "acl":
		if len(words) > 1 && aclName(words[1]) && !c.draft.aclNames[words[1]] {
			c.draft.aclNames[words[1]] = true
			common.ACLs = append(common.ACLs, proxy.ACL{Name: words[1], Words: []string{"always_false"}, Origin: l.origin()})
		}
	case "server":
		if len(words) > 1 && c.draft.serverNames[words[1]] == nil {
			c.draft.serverNames[words[1]] = l
		}
	case "server-template":
		c.draft.serversLost = true
	}
}

// carrier is a rule that does nothing but carry the condition of a wrong one.
func carrier(wrong proxy.Rule, set ruleSet) proxy.Rule {
	wrong.Name, wrong.Args = "accept", nil
	if set&setsHTTP != 0 {
		wrong.Name = "allow"
	}
	return wrong
}

// checkRest adds what package proxy finds wrong with those lines that are right
// so far.
func (c *compiler) checkRest() {
	for _, b := range c.out.Config.Backends {
		for i := range b.Servers {
			b.Servers[i].Check.Track = "" // finishTracks has told all that can be wrong with it
		}
	}
	var found proxy.Errors
	errors.As(proxy.Check(*c.out.Config, proxy.Options{ReadFile: c.env.ReadFile}), &found)
	found = slices.DeleteFunc(found, func(e *proxy.Error) bool { return c.mayExist(e.Missing) })
	var rest Errors
	if len(found) > 0 && errors.As(c.out.Place(found), &rest) {
		c.errs = append(c.errs, rest...)
	}
}

// mayExist reports whether what is missing, such as "backend www" or "server
// www/s1", may stand on a line that is wrong, or was not read.
func (c *compiler) mayExist(missing string) bool {
	kind, name, _ := strings.Cut(missing, " ")
	switch kind {
	case "frontend", "backend":
		return c.partial
	case "server":
		byName := map[string]*draft{}
		for _, d := range c.drafts {
			if d.isBack() {
				byName[d.name] = d
			}
		}
		return c.mayBeServer(byName, name)
	}
	return false
}

// Place says of errors of package proxy about r.Config where in the files they
// stand: it turns them into Errors, sorted. An error that names no line is
// returned as it is.
func (r *Result) Place(err error) error {
	var found proxy.Errors
	if !errors.As(err, &found) {
		return err
	}
	places := r.Tree.places()
	words := language()
	placed := make(Errors, 0, len(found))
	for _, e := range found {
		at, ok := places[e.Origin]
		if !ok {
			return err
		}
		placed = append(placed, at.place(e, words))
	}
	return placed.sorted()
}

// A spot is a line of the files: a statement, or the head of a section.
type spot struct {
	sec *Section
	st  *Statement // nil: the head
}

// places finds lines by what Origin fields of package proxy say.
func (t *Tree) places() map[string]spot {
	all := map[string]spot{}
	for _, s := range t.Sections {
		all[origin(s.File, s.Line)] = spot{sec: s}
		for _, st := range s.Statements {
			all[origin(st.File, st.Line)] = spot{s, st}
		}
	}
	return all
}

// place turns an error of package proxy into one of this package. Package proxy
// begins its messages with the keyword, as in "acl bad: ..." or "http-request
// redirect: ...", which has a field of its own here.
func (at spot) place(e *proxy.Error, words *lexicon) *Error {
	out := &Error{File: at.sec.File, Line: at.sec.Line, Section: at.sec.Name(), Msg: e.Msg, fileNo: at.sec.fileNo}
	if at.st == nil {
		return out
	}
	out.File, out.Line, out.fileNo = at.st.File, at.st.Line, at.st.fileNo
	names := texts(at.st.Words)
	if names[0] == "no" || names[0] == "default" {
		names = names[1:]
	}
	_, n := words.find(names)
	out.Directive = strings.Join(names[:n], " ")
	if at.sec.Kind() == "defaults" && len(at.sec.Head) > 1 {
		e = &proxy.Error{Msg: strings.Replace(e.Msg, hiddenACL(at.sec.Head[1].Text), "", 1)}
	}
	head, msg, ok := strings.Cut(e.Msg, ": ")
	subject, begins := strings.CutPrefix(head, out.Directive)
	switch {
	case ok && begins && subject == "", ok && strings.HasSuffix(head, " "+out.Directive):
		out.Msg = msg
	case ok && begins && subject[0] == ' ':
		out.Msg = subject[1:] + ": " + msg
	}
	return out
}
