package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/weir-lb/weir/proxy"
)

// A draft is a defaults, frontend, listen or backend section while its lines
// are read. Both sides are kept; link takes those that the section has.
type draft struct {
	settings
	kind   where
	name   string // empty: a defaults section without one
	head   *line
	from   *draft // the defaults section that it began with
	mixed  where  // of a defaults section: the sides that used it without naming it
	leader *line  // of a defaults section: its first rule or ACL

	serverNames map[string]*line // also of wrong lines
	nameTaken   bool             // by a section before
	serversLost bool             // a wrong line may have given more
	serverLines []*line          // of back.Servers
	bindIDs     map[int]*line
	algorithm   *line
	httpOptions []*line // lines that need mode http
	routes      []route // use_backend
	aclNames    map[string]bool
	frontOnly   bool // a listen section whose rules run in its frontend half
}

// settings are what a section inherits from its defaults section. They are
// copied as a struct, so maps and what pointers lead to are replaced and never
// changed in place; slices are clipped when they are inherited, so that
// appending to them leaves the defaults section alone.
type settings struct {
	common      proxy.Common
	front       proxy.Frontend
	back        proxy.Backend
	times       [timeoutCount]setTime
	server      serverDraft // default-server
	logFmt      *line       // the last of option httplog, tcplog, log-format ...
	fallback    route       // default_backend
	modeUnknown bool        // the line that would say it is wrong

	check checkDraft
}

func (d *draft) isFront() bool { return d.kind&inFrontSide != 0 }
func (d *draft) isBack() bool  { return d.kind&inBackSide != 0 }

// describe is "frontend www" or "backend www", as HAProxy calls sections.
func (d *draft) describe() string { return sectionOf(d.kind) + " " + d.name }

func sectionOf(kind where) string {
	for _, s := range sectionLetters {
		if kind&s.in != 0 {
			return s.name
		}
	}
	return ""
}

// newSettings are the documented defaults.
func newSettings() settings {
	var s settings
	s.server.balance.Weight = 1
	s.server.proxy.PoolMaxConn = -1
	return s
}

// openDraft begins a section with the settings of its defaults section.
func (c *compiler) openDraft(head *line, kind where) {
	d := &draft{kind: kind, head: head, settings: newSettings(), bindIDs: map[int]*line{}, aclNames: map[string]bool{}, serverNames: map[string]*line{}}
	c.draft = d
	words := head.args
	if len(words) > 0 && (kind == inDefaults && words[0] != "from" || kind != inDefaults) {
		d.name, words = words[0], words[1:]
	}
	if kind != inDefaults {
		c.checkSectionName(head, d)
	}
	words = c.inherit(head, d, words)
	if kind == inDefaults {
		if len(words) > 0 {
			c.fail(head, "unexpected %s; the form is: defaults [NAME] [from NAME]", quote(words[0]))
		}
		c.defaults = append(c.defaults, d)
		return
	}
	d.common.Name, d.common.Origin = d.name, head.origin()
	if d.nameTaken {
		d.common.Name += " at " + head.origin() // the rest of it is checked all the same
	}
	c.drafts = append(c.drafts, d)
	if len(words) > 0 {
		c.sectionAddress(head, d, words)
	}
}

func (c *compiler) checkSectionName(head *line, d *draft) {
	if d.name == "" {
		c.fail(head, "wants a name: %s NAME", sectionOf(d.kind))
		return
	}
	if bad := badNameByte(d.name); bad != "" {
		c.fail(head, "%s can't stand in the name %s; letters, digits, -, _, . and : can", bad, quote(d.name))
		return
	}
	for _, other := range c.drafts {
		frontTwice := d.isFront() && other.isFront()
		backTwice := d.isBack() && other.isBack()
		if other.name == d.name && (frontTwice || backTwice) {
			c.fail(head, "the name %s is taken by %s at %s", quote(d.name), other.describe(), other.head.origin())
			d.nameTaken = true
			return
		}
	}
}

// badNameByte returns the first byte that names of sections and ACLs can't
// have, quoted, or nothing.
func badNameByte(name string) string {
	for _, b := range []byte(name) {
		if !isLetter(b) && !isDigit(b) && b != '-' && b != '.' && b != ':' {
			return quote(string([]byte{b}))
		}
	}
	return ""
}

// inherit copies the settings of the defaults section that is named after
// "from", or of the last one, and returns the words that are left.
func (c *compiler) inherit(head *line, d *draft, words []string) []string {
	named := len(words) > 0 && words[0] == "from"
	switch {
	case named && len(words) == 1:
		c.fail(head, "from wants the name of a defaults section")
		return nil
	case named:
		d.from = c.defaultsNamed(head, words[1])
		d.modeUnknown = d.from == nil
		words = words[2:]
	case d.kind != inDefaults && len(c.defaults) > 0:
		d.from = c.defaults[len(c.defaults)-1]
		c.checkSharedRules(head, d)
	}
	if d.from != nil {
		d.settings = d.from.settings
		d.check.inherited = true
		d.clip()
		d.hideACLs()
		if d.kind == inBackend && len(d.front.Log.CaptureRequest) > 0 {
			c.fail(head, "a backend can't inherit from a defaults section that captures something (%s)", d.from.head.origin())
		}
		if d.kind == inDefaults && d.from.leader != nil {
			c.fail(head, "a defaults section can't inherit from one that has rules (%s)", d.from.leader.origin())
		}
	}
	return words
}

// clip makes every slice full, so that the next append copies it.
func (s *settings) clip() {
	for _, part := range []any{&s.common, &s.front, &s.back, &s.server.proxy} {
		clipSlices(reflect.ValueOf(part).Elem())
	}
	s.check.http, s.check.tcp = slices.Clip(s.check.http), slices.Clip(s.check.tcp)
	s.check.request.Headers = slices.Clip(s.check.request.Headers)
}

func clipSlices(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			clipSlices(v.Field(i))
		}
	case reflect.Slice:
		v.Set(v.Slice3(0, v.Len(), v.Len()))
	}
}

func (c *compiler) defaultsNamed(head *line, name string) *draft {
	var found *draft
	for _, d := range c.defaults {
		if d.name != name {
			continue
		}
		if found != nil {
			c.fail(head, "the name %s is ambiguous: two defaults sections have it, at %s and %s", quote(name), found.head.origin(), d.head.origin())
			return found
		}
		found = d
	}
	if found == nil && c.partial {
		return nil
	}
	if found == nil {
		var names []string
		for _, d := range c.defaults {
			names = append(names, d.name)
		}
		c.fail(head, "no defaults section %s stands before this line%s", quote(name), didYouMean(name, names))
		return nil
	}
	if bad := badNameByte(name); bad != "" {
		c.fail(head, "%s can't stand in the name %s of a defaults section", bad, quote(name))
	}
	return found
}

// checkSharedRules keeps one defaults section with rules from serving both
// sides: its rules would mean different things (manual 4.2, http-request).
func (c *compiler) checkSharedRules(head *line, d *draft) {
	if d.from.leader == nil {
		return
	}
	d.from.mixed |= d.kind
	if d.from.mixed&inListen != 0 || d.from.mixed&(inFrontend|inBackend) == inFrontend|inBackend {
		c.fail(head, "a defaults section with rules (%s) serves either frontends or backends, not both; name them and use \"from\"",
			d.from.leader.origin())
	}
}

// hideACLs renames the ACLs of the defaults section, which only its own rules
// may see, to names that nobody else can have (manual "acl").
func (d *draft) hideACLs() {
	if len(d.common.ACLs) == 0 {
		return
	}
	prefix := hiddenACL(d.from.name)
	own := map[string]bool{}
	renamed := make([]proxy.ACL, len(d.common.ACLs))
	for i, a := range d.common.ACLs {
		own[a.Name] = true
		a.Name = prefix + a.Name
		renamed[i] = a
	}
	d.common.ACLs = renamed
	for _, rules := range d.ruleLists() {
		*rules = renameACLs(*rules, prefix, own)
	}
}

// hiddenACL is what the name of an ACL of a defaults section begins with where
// it is inherited.
func hiddenACL(section string) string { return "defaults:" + section + ":" }

// ruleLists are all lists of rules of the section.
func (s *settings) ruleLists() []*[]proxy.Rule {
	h, t := &s.common.HTTPRules, &s.common.TCPRules
	return []*[]proxy.Rule{&h.Request, &h.Response, &h.AfterResponse, &t.Connection, &t.Session, &t.Content, &t.Response}
}

// renameACLs returns the rules with the names of own ACLs prefixed.
func renameACLs(rules []proxy.Rule, prefix string, own map[string]bool) []proxy.Rule {
	out := slices.Clone(rules)
	for i := range out {
		words := slices.Clone(out[i].Cond.Words)
		depth := 0
		for j, w := range words {
			name := strings.TrimLeft(w, "!")
			switch {
			case name == "{":
				depth++
			case name == "}":
				depth--
			case depth == 0 && own[name]:
				words[j] = w[:len(w)-len(name)] + prefix + name
			}
		}
		out[i].Cond.Words = words
	}
	return out
}

// sectionAddress is the old form of a bind line: "listen www :80".
func (c *compiler) sectionAddress(head *line, d *draft, words []string) {
	if !d.isFront() {
		c.fail(head, "unexpected %s; the form is: %s NAME [from NAME]", quote(words[0]), sectionOf(d.kind))
		return
	}
	if words[0] == "" {
		return
	}
	c.note(LevelWarning, head, "an address on the %s line is an old form; write: bind %s", sectionOf(d.kind), strings.Join(words, " "))
	c.bind(&line{st: head.st, args: words})
}

// A setTime is a timeout that may be set.
type setTime struct {
	value time.Duration
	line  *line
}

// The timeouts of the manual's "timeout" keyword.
const (
	timeConnect = iota
	timeClient
	timeServer
	timeTunnel
	timeClientFin
	timeServerFin
	timeQueue
	timeHTTPRequest
	timeKeepAlive
	timeCheck
	timeTarpit
	timeoutCount
)

var timeoutNames = [timeoutCount]string{
	timeConnect: "connect", timeClient: "client", timeServer: "server", timeTunnel: "tunnel",
	timeClientFin: "client-fin", timeServerFin: "server-fin", timeQueue: "queue",
	timeHTTPRequest: "http-request", timeKeepAlive: "http-keep-alive", timeCheck: "check", timeTarpit: "tarpit",
}

// setTimeout makes the function of one "timeout" row.
func setTimeout(which int) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		d, err := parseDuration(l.args[0], time.Millisecond)
		if !c.check(l, err) {
			return
		}
		t := &c.draft.times[which]
		if t.line != nil && t.line.st.File == l.st.File && c.owns(t.line) {
			c.note(LevelWarning, l, "overwrites the value of line %d", t.line.st.Line)
		}
		*t = setTime{d, l}
		// HAProxy takes it without a word, too.
		if c.env.Diagnose && d > 0 && d < plainTimeMin && isDigit(l.args[0][len(l.args[0])-1]) {
			c.note(LevelDiag, l, "%s without a unit is %s milliseconds; %ss is seconds", l.args[0], l.args[0], l.args[0])
		}
	}
}

const plainTimeMin = 100 * time.Millisecond // a shorter time without a unit is hardly meant

// owns reports that the line stands in the current section.
func (c *compiler) owns(l *line) bool { return slices.Contains(c.sec.Statements, l.st) }

// oldTimeout is setTimeout for contimeout, clitimeout and srvtimeout.
func oldTimeout(which int) func(*compiler, *line) {
	set := setTimeout(which)
	return func(c *compiler, l *line) {
		c.note(LevelWarning, l, "is an old form; write: timeout %s %s", timeoutNames[which], l.args[0])
		set(c, l)
	}
}

// timeouts says what was set. A haproxy.cfg without connect, client or server
// has no bound there, as with zero; the others have fallbacks, which proxy
// resolves when they are zero.
func (s *settings) timeouts() proxy.Timeouts {
	bound := func(which int) time.Duration {
		if s.times[which].value == 0 {
			return -1
		}
		return s.times[which].value
	}
	return proxy.Timeouts{
		Connect: bound(timeConnect), Client: bound(timeClient), Server: bound(timeServer),
		Tunnel: s.times[timeTunnel].value, ClientFin: s.times[timeClientFin].value, ServerFin: s.times[timeServerFin].value,
		Queue: s.times[timeQueue].value, HTTPRequest: s.times[timeHTTPRequest].value, KeepAlive: s.times[timeKeepAlive].value,
		Check: s.times[timeCheck].value, Tarpit: s.times[timeTarpit].value,
	}
}

// missingTimeouts lists the timeouts without which sessions can hang for good.
func (d *draft) missingTimeouts() []string {
	var missing []string
	need := func(side bool, which int) {
		if side && d.times[which].value == 0 {
			missing = append(missing, timeoutNames[which])
		}
	}
	need(d.isFront(), timeClient)
	need(d.isBack(), timeConnect)
	need(d.isBack(), timeServer)
	return missing
}
