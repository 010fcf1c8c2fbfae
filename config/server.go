package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/proxy"
)

// A serverDraft is what one server or default-server line has said so far.
type serverDraft struct {
	proxy       proxy.Server
	balance     balancer.ServerSpec
	resolvers   string // refused when a server still has it at the end of its line
	sendProxy   bool   // send-proxy*, which checks follow
	checkProxy  bool   // check-send-proxy
	trackLine   *line
	checkedElse bool // check port or addr: the check does not go where traffic goes
	tls         tlsServerDraft
}

const (
	templateServersMax = 4096 // as balancer: servers of one backend
	serverNameMax      = 255
)

// server is "server NAME ADDRESS[:PORT] [options]".
func (c *compiler) server(l *line) {
	if l.args[0] == "" || l.args[1] == "" {
		c.fail(l, "wants a name and an address, such as: server app1 192.0.2.1:8080 check")
		return
	}
	if !c.checkServerName(l, l.args[0]) {
		return
	}
	s, ok := c.serverOptions(l, l.args[1], l.args[2:])
	if ok {
		c.addServer(l, l.args[0], s)
	}
}

func (c *compiler) checkServerName(l *line, name string) bool {
	if bad := badNameByte(name); bad != "" || len(name) > serverNameMax {
		c.fail(l, "%s can't stand in the name %s; letters, digits, -, _, . and : can", bad, quote(name))
		return false
	}
	return true
}

// serverTemplate is "server-template PREFIX N|FIRST-LAST ADDRESS [options]":
// that many server lines.
func (c *compiler) serverTemplate(l *line) {
	first, last, err := templateRange(l.args[1])
	if !c.check(l, err) || !c.checkServerName(l, l.args[0]) {
		return
	}
	s, ok := c.serverOptions(l, l.args[2], l.args[3:])
	if !ok {
		return
	}
	if s.proxy.ID != 0 {
		c.fail(l, "id can't be the same for all servers of a template")
		return
	}
	for n := first; n <= last; n++ {
		c.addServer(l, l.args[0]+strconv.Itoa(n), s)
	}
}

func templateRange(text string) (first, last int, err error) {
	lo, hi, isRange := strings.Cut(text, "-")
	if !isRange {
		lo, hi = "1", text
	}
	first, err1 := parseInteger(lo, 1, templateServersMax)
	last, err2 := parseInteger(hi, max(first, 1), templateServersMax)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("wants a number of servers or a range such as 1-5, at most %d, got %s", templateServersMax, quote(text))
	}
	return first, last, nil
}

// serverOptions reads address and options on top of default-server.
func (c *compiler) serverOptions(l *line, address string, words []string) (serverDraft, bool) {
	s := c.draft.settings.server
	s.proxy.Address = expandBare(address, l.st.env)
	errs := len(c.errs)
	c.serverAddress(l, &s)
	o := serverLine{options: options{c: c, l: l, words: words}, s: &s}
	o.read()
	if s.resolvers != "" {
		c.fail(l, "resolvers: weir does not resolve names at run time yet; they are resolved when it starts")
	}
	if len(c.errs) > errs {
		return s, false
	}
	c.finishServerCheck(l, &s)
	return s, true
}

func (c *compiler) serverAddress(l *line, s *serverDraft) {
	text := s.proxy.Address
	if strings.HasPrefix(text, "rhttp@") || strings.HasPrefix(text, "sockpair@") {
		c.fail(l, "%s: weir does not support such addresses", quote(text))
		return
	}
	a, err := listener.ParseServerAddress(text)
	switch {
	case err != nil:
		c.check(l, err)
	case a.ClientDst:
		c.fail(l, "%s: weir does not connect to the address that the client asked for yet; give the server's own", quote(text))
	case a.Host != "" && !hostName(a.Host):
		c.fail(l, "%s: %s is neither an IP address nor a host name", quote(text), quote(a.Host))
	}
}

// finishServerCheck settles what depends on several options.
func (c *compiler) finishServerCheck(l *line, s *serverDraft) {
	check := &s.proxy.Check
	check.SendProxy = s.checkProxy || s.sendProxy && !s.checkedElse
	if check.Track != "" {
		s.trackLine = l
		if check.Enabled {
			c.fail(l, "check and track can't be combined: a tracked server's state is its own check")
		}
		if !strings.Contains(check.Track, "/") {
			check.Track = c.draft.name + "/" + check.Track
		}
	}
	a, _ := listener.ParseServerAddress(s.proxy.Address)
	if check.Enabled && check.Port == 0 && a.MapPort {
		c.fail(l, "a check needs a port: give one in the address or with port")
	}
}

// addServer adds one server under its name.
func (c *compiler) addServer(l *line, name string, s serverDraft) {
	d := c.draft
	if before := d.serverNames[name]; before != nil {
		c.fail(l, "the name %s is taken by the server at %s", quote(name), before.origin())
		return
	}
	for i := range d.back.Servers {
		if s.proxy.ID > 0 && d.back.Servers[i].ID == s.proxy.ID {
			c.fail(l, "id %d is taken by the server at %s", s.proxy.ID, d.back.Servers[i].Origin)
			return
		}
	}
	if len(d.back.Servers) >= templateServersMax {
		c.fail(l, "a backend has at most %d servers", templateServersMax)
		return
	}
	s.proxy.Name, s.proxy.Origin = name, l.origin()
	s.balance.Name, s.balance.Origin = name, l.origin()
	s.balance.ID = s.proxy.ID
	d.serverNames[name] = l
	d.back.Servers = append(d.back.Servers, s.proxy)
	d.back.Balance.Servers = append(d.back.Balance.Servers, s.balance)
	if s.tls.on || s.tls.check {
		c.tlsServers = append(c.tlsServers, &tlsServer{draft: s, l: l, d: d, at: len(d.back.Servers) - 1})
	}
	d.serverLines = append(d.serverLines, l)
}

// defaultServer changes what server lines after it begin with.
func (c *compiler) defaultServer(l *line) {
	if a, err := netip.ParseAddrPort(first(l.args)); err == nil {
		c.fail(l, "wants options only, got the address %s", a)
		return
	}
	s := c.draft.settings.server
	o := serverLine{options: options{c: c, l: l, words: l.args}, s: &s, defaults: true}
	o.read()
	c.draft.settings.server = s
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// A serverLine reads the options of a server or default-server line.
type serverLine struct {
	options
	s        *serverDraft
	defaults bool
	idle     []string // TLS options, which are nothing without ssl
}

func (o *serverLine) read() {
	for o.next() {
		row, ok := serverOptionNamed(o.name)
		if !ok {
			o.unknown(serverOptionNames())
			break
		}
		if isServerTLS(row.name) {
			o.idle = append(o.idle, row.name)
		}
		switch {
		case row.support == supported:
			row.run(o)
		case row.support == refused:
			o.fail("%s: weir does not support this: %s", row.name, row.remark)
			o.skip(row.values)
		default:
			o.c.note(LevelNotice, o.l, "%s accepted and ignored: %s", row.name, row.remark)
			o.skip(row.values)
		}
	}
	if len(o.idle) > 0 && !o.defaults && !o.s.tls.on && !o.s.tls.check {
		o.c.note(LevelNotice, o.l, "%s accepted and ignored: nothing without ssl", strings.Join(o.idle, ", "))
	}
}

func (o *serverLine) skip(values int) {
	for range values {
		o.value()
	}
}

// probe is the check of the server.
func (o *serverLine) probe() *health.ServerSpec { return &o.s.proxy.Check }

func (o *serverLine) checkAddress() {
	v := o.value()
	if o.bad {
		return
	}
	a, err := parseAddress(v, portlessAddress)
	ip, ipErr := netip.ParseAddr(strings.Trim(a.host, "[]"))
	if err != nil || ipErr != nil {
		o.fail("addr wants an IP address, got %s", quote(v))
		return
	}
	o.probe().Addr, o.s.checkedElse = ip.String(), true
	if a.first > 0 {
		o.probe().Port = a.first
	}
}

func (o *serverLine) checkPort() {
	o.probe().Port = o.integer(1, 65535)
	o.s.checkedElse = true
}

func (o *serverLine) observe() {
	modes := map[string]health.Observe{"none": health.ObserveNone, "layer4": health.ObserveLayer4, "layer7": health.ObserveLayer7}
	o.probe().Observe = modes[o.choice("none", "layer4", "layer7")]
}

func (o *serverLine) onError() {
	modes := map[string]health.OnError{
		"fail-check": health.OnErrorFailCheck, "fastinter": health.OnErrorFastInter,
		"sudden-death": health.OnErrorSuddenDeath, "mark-down": health.OnErrorMarkDown,
	}
	o.probe().OnError = modes[o.choice("fastinter", "fail-check", "sudden-death", "mark-down")]
}

// initAddr is a comma list of last, libc, none and IP addresses.
func (o *serverLine) initAddr() {
	v := o.value()
	if o.bad {
		return
	}
	list := strings.Split(v, ",")
	for _, word := range list {
		if _, err := netip.ParseAddr(word); err != nil && !containsWord([]string{"last", "libc", "none"}, word) {
			o.fail("init-addr wants last, libc, none or an IP address, separated by commas, got %s", quote(word))
			return
		}
	}
	o.s.proxy.InitAddr = list
}

// source takes its own words: an address, then usesrc or interface.
func (o *serverLine) source() {
	spec, rest, err := readSource(o.l, o.words)
	o.words = rest
	o.check(err)
	o.s.proxy.Source = spec
}

// readSource reads ADDRESS [usesrc WHERE] [interface NAME] and returns the
// words left.
func readSource(l *line, words []string) (spec listener.SourceSpec, rest []string, err error) {
	if len(words) == 0 || words[0] == "" {
		return spec, nil, errors.New("wants an address, such as: source 192.0.2.7")
	}
	read := listener.SourceSpec{Address: expandBare(words[0], l.st.env)}
	for rest = words[1:]; len(rest) > 0 && (rest[0] == "usesrc" || rest[0] == "interface"); rest = rest[2:] {
		if len(rest) == 1 || rest[1] == "" {
			return spec, nil, fmt.Errorf("wants a value after %s", rest[0])
		}
		if rest[0] == "usesrc" {
			read.UseSrc = expandBare(rest[1], l.st.env)
		} else {
			read.Interface = rest[1]
		}
	}
	if _, err := listener.ParseSource(read); err != nil {
		return spec, rest, fmt.Errorf("wants an address of its own: %s", strings.TrimPrefix(err.Error(), "source: "))
	}
	return read, rest, nil
}

func (c *compiler) sourceLine(l *line) {
	spec, rest, err := readSource(l, l.args)
	if c.check(l, err) && len(rest) > 0 {
		c.fail(l, "unexpected %s; usesrc and interface can stand there", quote(rest[0]))
	}
	c.draft.back.Source = spec
}

// sendsProxy is send-proxy and its variants; v2 with TLS details sends what
// there is, which is nothing without TLS.
func sendsProxy(version proxy.ProxyHeader, options ...string) func(*serverLine) {
	return func(o *serverLine) {
		o.s.proxy.SendProxy, o.s.sendProxy = version, true
		for _, name := range options {
			o.addProxyOption(name)
		}
	}
}

func (o *serverLine) addProxyOption(name string) {
	if !slices.Contains(o.s.proxy.ProxyOptions, name) {
		o.s.proxy.ProxyOptions = append(o.s.proxy.ProxyOptions, name)
	}
}

func noProxy(o *serverLine) {
	o.s.proxy.SendProxy, o.s.sendProxy, o.s.proxy.ProxyOptions = proxy.ProxyNone, false, nil
}

func (o *serverLine) proxyOptions() {
	v := o.value()
	if o.bad {
		return
	}
	for name := range strings.SplitSeq(v, ",") {
		if _, err := listener.ParseProxyOptions([]string{name}); err != nil {
			o.c.check(o.l, err)
			return
		}
		o.addProxyOption(name)
	}
}

func (o *serverLine) proto() {
	switch v := o.value(); v {
	case "h1", "none":
		o.s.proxy.Proto = v
	case "":
	case "h2", "fcgi":
		o.fail("proto %s: weir does not support this: servers are spoken to in HTTP/1.1", v)
	default:
		o.check(oneOf(v, "h1", "h2", "fcgi", "none"))
	}
}

func (o *serverLine) poolMax() {
	n := o.integer(-1, intMax)
	o.s.proxy.PoolMaxConn, o.s.proxy.PoolNone = n, n == 0
}

// maxReuse counts how often a connection is used again, weir counts requests.
func (o *serverLine) maxReuse() {
	o.s.proxy.MaxReuse = o.integer(-1, intMax-1) + 1
}

func (o *serverLine) slowStart() { o.s.balance.SlowStart = o.duration() }

func (o *serverLine) id() {
	n := o.integer(1, intMax)
	if o.defaults {
		o.c.note(LevelWarning, o.l, "id ignored: it belongs to one server")
		return
	}
	o.s.proxy.ID = n
}

// longTime makes the function of an option whose time must not be zero.
func longTime(at func(*serverLine) *time.Duration) func(*serverLine) {
	return func(o *serverLine) { *at(o) = o.longerThanZero() }
}
