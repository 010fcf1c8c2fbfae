package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-lb/weir/internal/expr"
)

// A mention is a name that an expression refers to, and where it stands. All of
// them are looked up when every section is compiled.
type mention struct {
	expr.Reference
	section string // "frontend www"
	in      string // the name of the section, where a server without a backend is looked for
	what    string // "http-request deny"
}

// mentions notes what an expression refers to.
func (c *compiler) mentions(origin, what string, list []expr.Reference) {
	_, in, _ := strings.Cut(c.section, " ")
	for _, ref := range list {
		if ref.Name == "" {
			continue // the section that is current when the expression is evaluated
		}
		if ref.Origin == "" {
			ref.Origin = origin
		}
		c.named = append(c.named, mention{ref, c.section, in, what})
	}
}

// references of all that a rule evaluates.
func (r *rule) references() []expr.Reference {
	list := r.cond.References()
	if r.expr != nil {
		list = append(list, r.expr.References()...)
	}
	for _, f := range r.formats() {
		list = append(list, f.References()...)
	}
	return list
}

// looks is what a rule wants to know of connections.
func (r *rule) looks() expr.Look {
	all := r.cond.Looks()
	if r.expr != nil {
		all |= r.expr.Looks()
	}
	for _, f := range r.formats() {
		all |= f.Looks()
	}
	return all
}

// formats are those that a rule has.
func (r *rule) formats() []*expr.Format {
	list := []*expr.Format{r.format}
	if r.redir != nil {
		list = append(list, r.redir.to)
	}
	if a := r.answer; a != nil {
		list = append(list, a.body)
		for _, h := range a.headers {
			list = append(list, h.value)
		}
	}
	return slices.DeleteFunc(list, func(f *expr.Format) bool { return f == nil })
}

// checkMentions finds names of sections and servers that do not exist.
func (c *compiler) checkMentions() {
	for _, m := range c.named {
		if missing := c.missing(&m); missing != "" {
			c.errs.add(m.Origin, m.section, "%s: %s", m.what, missing)
			c.errs[len(c.errs)-1].Missing = m.Kind + " " + m.Name
		}
	}
}

// missing says what m names in vain; empty: it exists.
func (c *compiler) missing(m *mention) string {
	switch m.Kind {
	case "frontend":
		if !slices.ContainsFunc(c.cfg.Frontends, func(f Frontend) bool { return f.Name == m.Name }) {
			return fmt.Sprintf("there is no frontend %q", m.Name)
		}
		return ""
	case "backend":
		if c.plan.byName[m.Name] == nil {
			return fmt.Sprintf("there is no backend %q", m.Name)
		}
		return ""
	}
	backend, server, ok := strings.Cut(m.Name, "/")
	if !ok {
		backend, server = m.in, m.Name
		m.Name = backend + "/" + server
	}
	be := c.plan.byName[backend]
	if be == nil {
		return fmt.Sprintf("there is no backend %q with a server %q", backend, server)
	}
	if !slices.ContainsFunc(be.spec.Servers, func(s Server) bool { return s.Name == server }) {
		return fmt.Sprintf("backend %s has no server %q", backend, server)
	}
	return ""
}
