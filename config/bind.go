package config

import (
	"slices"
	"strings"

	"github.com/weir-lb/weir/listener"
)

// bind is one bind line: addresses, then options that hold for all of them.
func (c *compiler) bind(l *line) {
	spec := listener.Spec{Origin: l.origin()}
	b := bindLine{options: options{c: c, l: l, words: l.args[1:]}, spec: &spec, tls: new(tlsDraft)}
	b.ssl = slices.Contains(b.words, "ssl")
	b.read()
	first := len(c.draft.front.Binds)
	text := expandBare(l.args[0], l.st.env)
	addresses := strings.Split(text, ",")
	if spec.ID > 0 {
		c.checkBindID(l, &spec, len(addresses))
	}
	for _, text := range addresses {
		spec.Address = text
		a, err := parseAddress(text, bindAddress)
		if !c.check(l, err) {
			continue
		}
		if spec.ID > 0 && a.last > a.first {
			c.fail(l, "id can only be used with a single socket, and %s is a range", quote(text))
		}
		if a.path != "" && !a.descriptor {
			c.unixDefaults(&spec, a)
		}
		c.draft.front.Binds = append(c.draft.front.Binds, spec)
	}
	if b.ssl {
		c.tlsBinds = append(c.tlsBinds, &tlsBind{tlsDraft: *b.tls, l: l, d: c.draft, from: first, end: len(c.draft.front.Binds)})
	}
}

func (c *compiler) checkBindID(l *line, spec *listener.Spec, addresses int) {
	d := c.draft
	switch before := d.bindIDs[spec.ID]; {
	case addresses > 1:
		c.fail(l, "id can only be used with a single socket, and the line has %d addresses", addresses)
	case before != nil:
		c.fail(l, "id %d is taken by the line at %s", spec.ID, before.origin())
	default:
		d.bindIDs[spec.ID] = l
	}
}

// unixDefaults applies the global unix-bind to a UNIX socket.
func (c *compiler) unixDefaults(spec *listener.Spec, a addressParts) {
	u := &c.global.unixBind
	if u.prefix != "" && !strings.HasPrefix(a.prefix, "abns") {
		spec.Address = strings.TrimSuffix(spec.Address, a.path) + u.prefix + a.path
	}
	if spec.Mode == 0 {
		spec.Mode = u.mode
	}
	if spec.User == "" {
		spec.User, spec.UID = u.user, u.uid
	}
	if spec.Group == "" {
		spec.Group, spec.GID = u.group, u.gid
	}
}

// A bindLine reads the options of one bind line.
type bindLine struct {
	options
	spec *listener.Spec
	tls  *tlsDraft
	ssl  bool
	idle []string // TLS options without ssl
}

// A bindOption is one row of the table of bind options (manual 5.1).
type bindOption struct {
	name    string
	values  int // words that follow
	run     func(*bindLine)
	support support
	remark  string
}

func (b *bindLine) read() {
	for b.next() {
		row, ok := bindOptionNamed(b.name)
		if !ok {
			b.unknown(bindOptionNames())
			break
		}
		switch {
		case !b.ssl && isTLS(row.name) && row.support != refused:
			b.idle = append(b.idle, row.name)
			b.skip(row.values)
		case row.support == supported:
			row.run(b)
		case row.support == refused:
			b.fail("%s: weir does not support this: %s", row.name, row.remark)
			b.skip(row.values)
		default:
			b.c.note(LevelNotice, b.l, "%s accepted and ignored: %s", row.name, row.remark)
			b.skip(row.values)
		}
	}
	if len(b.idle) > 0 {
		b.c.note(LevelNotice, b.l, "%s accepted and ignored: nothing without ssl", strings.Join(b.idle, ", "))
	}
}

func (b *bindLine) skip(values int) {
	for range values {
		b.value()
	}
}

func bindOptionNamed(name string) (bindOption, bool) {
	for _, row := range bindOptions {
		if row.name == name {
			return row, true
		}
	}
	return bindOption{}, false
}

func bindOptionNames() []string {
	var names []string
	for _, row := range bindOptions {
		names = append(names, row.name)
	}
	return names
}

func (b *bindLine) owner() {
	var o socketOwner
	b.check(o.set(b.c.env, b.name, b.value()))
	if o.mode != 0 {
		b.spec.Mode = o.mode
	}
	if o.hasUID {
		b.spec.User, b.spec.UID = o.user, o.uid
	}
	if o.hasGID {
		b.spec.Group, b.spec.GID = o.group, o.gid
	}
}

func (b *bindLine) mss() {
	n := b.integer(-65535, 65535)
	if n == 0 && !b.bad {
		b.fail("mss wants a number from 1 to 65535, or below zero for a difference")
	}
	b.spec.MSS = n
}

func (b *bindLine) shards() {
	v := b.value()
	if v == "by-thread" || v == "by-group" || b.bad {
		return // as weir does it
	}
	n, err := parseInteger(v, 1, loopsMax)
	b.check(err)
	b.spec.Shards = n
}

// threads checks what "thread" and the older "process" may say; weir lets all
// loops accept.
func (b *bindLine) threads() {
	v := b.value()
	if b.bad {
		return
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(v, "/", "-"), "-") {
		if part == "" || part == "all" || part == "odd" || part == "even" {
			continue
		}
		_, err := parseInteger(part, 1, loopsMax)
		b.check(err)
	}
	b.c.note(LevelNotice, b.l, "%s accepted and ignored: all loops accept", b.name)
}

func (b *bindLine) proto() {
	switch v := b.value(); v {
	case "h1", "none", "":
	case "h2":
		b.spec.HTTP2 = true
	default:
		b.check(oneOf(v, "h1", "h2", "none"))
	}
}

// bindOptions are all options of bind lines.
var bindOptions = slices.Concat(bindSocketOptions, bindTLSOptions)

var bindSocketOptions = []bindOption{
	{"accept-netscaler-cip", 1, nil, refused, "weir reads PROXY headers; use accept-proxy"},
	{"accept-proxy", 0, func(b *bindLine) { b.spec.AcceptProxy = true }, supported, ""},
	{"backlog", 1, func(b *bindLine) { b.spec.Backlog = b.integer(0, intMax) }, supported, ""},
	{"defer-accept", 0, func(b *bindLine) { b.spec.DeferAccept = true }, supported, ""},
	{"gid", 1, (*bindLine).owner, supported, ""},
	{"group", 1, (*bindLine).owner, supported, ""},
	{"id", 1, func(b *bindLine) { b.spec.ID = b.integer(1, intMax) }, supported, ""},
	{"interface", 1, func(b *bindLine) { b.spec.Interface = b.value() }, supported, ""},
	{"maxconn", 1, func(b *bindLine) { b.spec.MaxConn = b.integer(0, intMax) }, supported, ""},
	{"mode", 1, (*bindLine).owner, supported, ""},
	{"mss", 1, (*bindLine).mss, supported, ""},
	{"name", 1, func(b *bindLine) { b.spec.Name = b.value() }, supported, ""},
	{"nice", 1, func(b *bindLine) { b.spec.Nice = b.integer(-1024, 1024) }, supported, "checked; weir's loops treat all connections alike"},
	{"process", 1, (*bindLine).threads, supported, "checked and ignored: all loops accept"},
	{"proto", 1, (*bindLine).proto, supported, "h1, h2 and none; without it a client's preface tells which"},
	{"shards", 1, (*bindLine).shards, supported, ""},
	{"tcp-ut", 1, func(b *bindLine) { b.spec.TCPUserTimeout = b.duration() }, supported, ""},
	{"tfo", 0, func(b *bindLine) { b.spec.TFO = true }, supported, ""},
	{"thread", 1, (*bindLine).threads, supported, "checked and ignored: all loops accept"},
	{"transparent", 0, func(b *bindLine) { b.spec.Transparent = true }, supported, ""},
	{"uid", 1, (*bindLine).owner, supported, ""},
	{"user", 1, (*bindLine).owner, supported, ""},
	{"v4v6", 0, func(b *bindLine) { b.spec.V4V6 = true }, supported, ""},
	{"v6only", 0, func(b *bindLine) { b.spec.V6Only = true }, supported, ""},

	{"expose-fd", 1, nil, ignored, "upgrades hand sockets over without it"},
	{"guid-prefix", 1, nil, ignored, "it only names counters"},
	{"idle-ping", 1, nil, ignored, "weir sends no PING; timeouts end idle connections"},
	{"label", 1, nil, ignored, "it only names counters"},
	{"level", 1, func(b *bindLine) { b.spec.Level = b.choice("user", "operator", "admin") }, supported, "only means something on a stats socket"},
	{"severity-output", 1, func(b *bindLine) { b.choice("none", "number", "string") }, supported, "only means something on a stats socket"},
	{"namespace", 1, nil, refused, "weir opens no sockets in other network namespaces; start it there"},
	{"cc", 1, nil, refused, "set net.ipv4.tcp_congestion_control instead"},
	{"tcp-md5sig", 1, nil, refused, "weir does not sign TCP segments"},
	{"tcp-ss", 1, nil, ignored, "it only saves SYN headers for a fetch that weir does not have"},
	{"nbconn", 1, nil, refused, "weir has no reverse connections"},
	{"quic-cc-algo", 1, nil, ignored, noQUIC},
	{"quic-force-retry", 0, nil, ignored, noQUIC},
	{"quic-socket", 1, nil, ignored, noQUIC},
}
