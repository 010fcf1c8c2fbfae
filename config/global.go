package config

import (
	"strconv"
	"strings"
)

func (c *compiler) nbproc(l *line) {
	n, err := parseInteger(l.args[0], 1, intMax)
	if !c.check(l, err) {
		return
	}
	if n > 1 {
		c.fail(l, "weir is one process, as HAProxy is since 2.5; remove the line, threads are used (nbthread)")
		return
	}
	c.note(LevelNotice, l, "accepted and ignored: one process is what weir is")
}

// environmentLine checks what the tree parser has applied already, so that the
// lines after it could see it.
func (c *compiler) environmentLine(l *line) {
	if strings.HasSuffix(l.name, "etenv") && l.name != "resetenv" && !validVariable(l.args[0]) {
		c.fail(l, "%s is no name for a variable", quote(l.args[0]))
	}
}

func (c *compiler) node(l *line) {
	for i := range len(l.args[0]) {
		b := l.args[0][i]
		if !isLetter(b) && !isDigit(b) && b != '-' && b != '.' {
			c.fail(l, "wants a name of letters, digits, -, _ and ., got %s", quote(l.args[0]))
			return
		}
	}
	c.out.Process.Node = l.args[0]
}

func (c *compiler) logSendHostname(l *line) {
	g := &c.out.Config.Global
	g.LogHost = c.env.Hostname
	if len(l.args) > 0 {
		g.LogHost = l.args[0]
	}
}

func (c *compiler) defaultPath(l *line) {
	if !c.check(l, oneOf(l.args[0], "current", "config", "parent", "origin")) {
		return
	}
	if (l.args[0] == "origin") != (len(l.args) == 2) {
		c.fail(l, "only origin wants a folder after it: default-path origin /etc/haproxy")
		return
	}
	c.files.policy = l.args[0]
	if len(l.args) == 2 {
		c.files.origin = l.args[1]
	}
}

// spreadChecks takes the old form of max-spread-checks as well: a time.
func (c *compiler) spreadChecks(l *line) {
	n, err := parseInteger(l.args[0], 0, 50)
	c.check(l, err)
	c.out.Config.Global.SpreadRate = n
}

func (c *compiler) maxAccept(l *line) {
	n, err := parseInteger(l.args[0], -1, intMax)
	c.check(l, err)
	c.out.Config.Global.Tune.MaxAccept = n
}

func (c *compiler) sharedIdlePool(l *line) {
	if c.check(l, oneOf(l.args[0], "on", "off")) && l.args[0] == "on" {
		c.note(LevelNotice, l, "accepted and ignored: weir's idle server connections belong to one loop each")
	}
}

// h1CaseAdjust only matters with the options that use it, and those are
// refused, so that checking is all there is to do.
func (c *compiler) h1CaseAdjust(l *line) {
	if !strings.EqualFold(l.args[0], l.args[1]) || l.args[0] == l.args[1] {
		c.fail(l, "the two names may only differ in case, got %s and %s", quote(l.args[0]), quote(l.args[1]))
		return
	}
	c.note(LevelNotice, l, "accepted and ignored: weir sends header names in lower case; option h1-case-adjust-bogus-client and -server are refused")
}

func (c *compiler) cpuMap(l *line) {
	set := strings.TrimPrefix(l.args[0], "auto:")
	for part := range strings.SplitSeq(set, "/") {
		for end := range strings.SplitSeq(part, "-") {
			switch _, err := strconv.Atoi(end); {
			case err == nil, end == "all", end == "odd", end == "even", end == "":
			default:
				c.fail(l, "wants threads such as 1/all, 1/1-4 or auto:1/1-4, got %s", quote(l.args[0]))
				return
			}
		}
	}
	c.note(LevelNotice, l, "accepted and ignored: weir's loops go where the kernel puts them; use taskset or a cpuset")
}

// A unixBind holds what unix-bind sets for all UNIX sockets of bind lines.
type unixBind struct {
	prefix      string
	mode        uint32
	user, group string
	uid, gid    int // with user and group
}

func (c *compiler) unixBindLine(l *line) {
	u := &c.global.unixBind
	for i := 0; i < len(l.args); i += 2 {
		if !c.check(l, oneOf(l.args[i], "prefix", "mode", "user", "uid", "group", "gid")) {
			return
		}
		if i+1 == len(l.args) {
			c.fail(l, "%s wants a value after it", l.args[i])
			return
		}
		var s socketOwner
		err := s.set(c.env, l.args[i], l.args[i+1])
		if l.args[i] == "prefix" {
			u.prefix, err = l.args[i+1], nil
		}
		c.checkOf(l, l.args[i], err)
		s.applyTo(u)
	}
}

func (c *compiler) statsSocket(l *line) {
	s := StatsSocket{Address: expandBare(l.args[0], l.st.env), Level: "operator", Origin: l.origin()}
	_, err := parseAddress(s.Address, bindAddress)
	c.check(l, err)
	o := options{c: c, l: l, words: l.args[1:]}
	for o.next() {
		var owner socketOwner
		switch o.name {
		case "level":
			s.Level = o.choice("user", "operator", "admin")
		case "mode", "user", "uid", "group", "gid":
			o.check(owner.set(c.env, o.name, o.value()))
			s.adopt(&owner)
		case "expose-fd":
			s.ExposeFD = o.choice("listeners") != ""
		case "severity-output":
			o.choice("none", "number", "string")
		case "accept-proxy", "defer-accept", "tfo", "transparent", "v4v6", "v6only":
		case "backlog", "id", "interface", "maxconn", "mss", "name", "namespace", "nice", "process", "shards", "tcp-ut", "thread":
			o.value()
		default:
			o.unknown([]string{"level", "mode", "user", "uid", "group", "gid", "expose-fd", "severity-output", "name", "maxconn"})
		}
	}
	c.out.Process.StatsSockets = append(c.out.Process.StatsSockets, s)
	c.note(LevelNotice, l, "accepted; weir does not serve run-time commands yet, so the socket is not opened")
}

// adopt copies what an owner option set.
func (s *StatsSocket) adopt(o *socketOwner) {
	if o.mode != 0 {
		s.Mode = o.mode
	}
	if o.user != "" {
		s.User = o.user
	}
	if o.group != "" {
		s.Group = o.group
	}
}
