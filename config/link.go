package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/proxy"
)

// link checks what only the whole configuration can tell and turns the drafts
// into frontends and backends.
func (c *compiler) link() {
	byName := map[string]*draft{}
	for _, d := range c.drafts {
		if d.isBack() {
			byName[d.name] = d
		}
	}
	c.assignIDs()
	for _, d := range c.drafts {
		c.sec, c.draft, c.in = &Section{Head: d.head.st.Words}, d, d.kind
		c.finishMode(d)
		c.finishRoutes(d, byName)
		c.finishTracks(d, byName)
		c.finishInherited(d)
		c.warnDraft(d)
	}
	c.splitRules()
	for _, d := range c.drafts {
		if d.isFront() {
			c.out.Config.Frontends = append(c.out.Config.Frontends, d.frontend())
		}
		if d.isBack() {
			c.out.Config.Backends = append(c.out.Config.Backends, d.backend())
		}
	}
	if len(c.errs) > 0 {
		c.checkRest()
	}
}

// assignIDs gives each proxy, server and bind without an id the lowest free
// number, in file order (manual "id").
func (c *compiler) assignIDs() {
	taken := map[int]*draft{}
	for _, d := range c.drafts {
		if before := taken[d.common.ID]; d.common.ID > 0 && before != nil {
			c.sec = &Section{Head: d.head.st.Words}
			c.fail(d.head, "id %d is taken by %s at %s", d.common.ID, before.describe(), before.head.origin())
		}
		taken[d.common.ID] = d
	}
	next := 0
	free := func() int {
		for next++; taken[next] != nil; next++ {
		}
		return next
	}
	for _, d := range c.drafts {
		if d.common.ID == 0 {
			d.common.ID = free()
		}
		d.numberServers()
		d.numberBinds()
	}
}

func (d *draft) numberServers() {
	taken := map[int]bool{}
	for i := range d.back.Servers {
		taken[d.back.Servers[i].ID] = true
	}
	next := 1
	for i := range d.back.Servers {
		if d.back.Servers[i].ID == 0 {
			for taken[next] {
				next++
			}
			d.back.Servers[i].ID = next
			next++
		}
		d.back.Balance.Servers[i].ID = d.back.Servers[i].ID
	}
}

func (d *draft) numberBinds() {
	taken := map[int]bool{}
	for i := range d.front.Binds {
		taken[d.front.Binds[i].ID] = true
	}
	next := 1
	for i := range d.front.Binds {
		if d.front.Binds[i].ID != 0 {
			continue
		}
		for taken[next] {
			next++
		}
		d.front.Binds[i].ID = next
		next++
	}
}

// finishMode takes out what needs HTTP in a section that is a relay of bytes.
func (c *compiler) finishMode(d *draft) {
	c.finishCheck(d)
	c.finishBalance(d)
	if d.common.Mode == proxy.ModeHTTP || d.modeUnknown {
		return
	}
	for _, l := range d.httpOptions {
		c.note(LevelWarning, l, "ignored: it needs mode http, and %s has mode tcp", d.describe())
	}
	if d.logFmt != nil && d.isFront() && (d.front.Log.Format == proxy.LogHTTP || d.front.Log.Format == proxy.LogCLF) {
		if d.from == nil || d.from.logFmt != d.logFmt {
			c.note(LevelWarning, d.logFmt, "needs mode http; option tcplog is used")
		}
		d.front.Log.Format = proxy.LogTCP
	}
	d.common.HTTPRules = proxy.HTTPRules{}
	d.common.ForwardFor, d.common.OriginalTo = nil, nil
	d.front.MonitorURI, d.front.MonitorFail = "", nil
	d.back.Cookie, d.back.RetryOn, d.back.HTTPSendName = nil, nil, ""
}

// finishRoutes checks that the backends that a frontend names exist and speak
// its language.
func (c *compiler) finishRoutes(d *draft, byName map[string]*draft) {
	if !d.isFront() {
		return
	}
	for i, r := range d.routes {
		if strings.Contains(r.target, "%") {
			continue // a log-format text names it at run time
		}
		if !c.checkRoute(d, r, byName) {
			d.front.UseBackend[i].Backend = ""
		}
	}
	if d.fallback.line == nil {
		if d.kind == inListen {
			d.front.DefaultBackend = d.common.Name
		}
		return
	}
	if !c.checkRoute(d, d.fallback, byName) {
		d.front.DefaultBackend = ""
	}
	if d.kind == inListen && len(d.back.Servers) > 0 {
		c.note(LevelWarning, d.fallback.line, "the servers of %s are never used: default_backend comes first", d.describe())
	}
}

// checkRoute reports whether a route leads anywhere.
func (c *compiler) checkRoute(d *draft, r route, byName map[string]*draft) bool {
	names := slices.Sorted(maps.Keys(byName))
	switch to := byName[r.target]; {
	case to == nil && c.partial: // it may stand where nothing was read
	case to == nil:
		c.fail(r.line, "there is no backend %s%s", quote(r.target), didYouMean(r.target, names))
	case to == d:
		c.fail(r.line, "%s can't lead to itself", d.describe())
	case to.modeUnknown || d.modeUnknown:
	case to.common.Mode == proxy.ModeTCP && d.common.Mode == proxy.ModeHTTP:
		c.fail(r.line, "%s (%s) has mode tcp, but %s has mode http", to.describe(), to.head.origin(), d.describe())
	case to.common.Mode != d.common.Mode:
		c.fail(r.line, "%s (%s) has mode http, but %s has mode tcp: weir does not turn a relay into HTTP yet; use mode http on both sides",
			to.describe(), to.head.origin(), d.describe())
	default:
		return true
	}
	return false
}

// finishInherited refuses rules of a defaults section that weir does not run
// where they ended up.
func (c *compiler) finishInherited(d *draft) {
	if d.kind == inBackend && len(d.common.TCPRules.Content) > 0 {
		c.fail(d.head, "inherits the rule at %s: weir does not run tcp-request content in a backend yet", d.common.TCPRules.Content[0].Origin)
	}
}

// finishTracks checks that tracked servers exist and are checked themselves. A
// server that tracks one that tracks another is given the last one: their
// states are the same.
func (c *compiler) finishTracks(d *draft, byName map[string]*draft) {
	for i := range d.back.Servers {
		path := d.back.Servers[i].Check.Track
		if path == "" {
			continue
		}
		l := d.serverLines[i]
		target, hops := trackedServer(byName, path), 0
		for target != nil && target.Track != "" && hops <= trackHopsMax {
			path = target.Track
			target = trackedServer(byName, path)
			hops++
		}
		switch {
		case target == nil && c.mayBeServer(byName, path):
		case target == nil:
			c.fail(l, "track: there is no server %s", quote(path))
		case hops > trackHopsMax:
			c.fail(l, "track: %s leads in a circle or over more than %d servers", quote(path), trackHopsMax)
		case !target.Enabled:
			c.fail(l, "track: the server %s has no check", quote(path))
		default:
			d.back.Servers[i].Check.Track = path
		}
	}
}

// mayBeServer reports whether a server that is not there may stand on a line
// that is wrong, or was not read.
func (c *compiler) mayBeServer(byName map[string]*draft, path string) bool {
	backend, name, _ := strings.Cut(path, "/")
	d := byName[backend]
	if d == nil {
		return c.partial
	}
	return d.serversLost || d.serverNames[name] != nil
}

const trackHopsMax = 64 // servers that track each other in a row

func trackedServer(byName map[string]*draft, path string) *health.ServerSpec {
	backend, name, _ := strings.Cut(path, "/")
	d := byName[backend]
	if d == nil {
		return nil
	}
	for i := range d.back.Servers {
		if d.back.Servers[i].Name == name {
			return &d.back.Servers[i].Check
		}
	}
	return nil
}

// warnDraft says what is legal and hardly meant.
func (c *compiler) warnDraft(d *draft) {
	c.warnCookie(d)
	if d.isFront() && len(d.front.Binds) == 0 && !d.common.Disabled {
		c.note(LevelWarning, d.head, "has no bind line: nothing can connect to it")
	}
	if missing := d.missingTimeouts(); len(missing) > 0 && !d.common.Disabled {
		c.note(LevelWarning, d.head, "missing timeouts: sessions can hang for good; set timeout %s above zero", strings.Join(missing, ", "))
	}
}

// splitRules says which half of a listen section runs its rules, since each
// must run once: the frontend, unless other frontends lead to the section.
func (c *compiler) splitRules() {
	led, anywhere := map[string]bool{}, false
	for _, d := range c.drafts {
		for _, r := range append(d.routes, d.fallback) {
			led[r.target] = true
			anywhere = anywhere || strings.Contains(r.target, "%")
		}
	}
	for _, d := range c.drafts {
		d.frontOnly = d.kind == inListen && !led[d.name] && !anywhere
	}
}

func (d *draft) frontend() proxy.Frontend {
	f := d.front
	f.Common = d.common
	f.Timeouts = d.timeouts()
	f.TCPRules.Response = nil
	return f
}

func (d *draft) backend() proxy.Backend {
	b := d.back
	b.Common = d.common
	b.Timeouts = d.timeouts()
	b.TCPRules.Connection, b.TCPRules.Session, b.TCPRules.Content, b.TCPRules.InspectDelay = nil, nil, nil, 0
	if d.frontOnly {
		b.HTTPRules = proxy.HTTPRules{}
	}
	b.Balance.Name, b.Balance.Origin = d.name, d.common.Origin
	if d.algorithm != nil {
		b.Balance.Origin = d.algorithm.origin()
	}
	return b
}
