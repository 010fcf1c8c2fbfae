package config

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/weir-lb/weir/tls"
)

// A tlsDraft is what the TLS options of a line say, before the defaults of the
// global section, which may stand behind it, are added.
type tlsDraft struct {
	spec     tls.Spec
	versions tls.Versions
	tickets  *bool // tls-tickets, no-tls-tickets
	strict   *bool // strict-sni, no-strict-sni
}

// A tlsBind is a bind line with ssl and where its binds stand.
type tlsBind struct {
	tlsDraft
	l         *line
	d         *draft
	from, end int // of d.front.Binds
}

// tlsDefaults are what the global section says of all binds.
type tlsDefaults struct {
	tlsDraft
	servers         tlsDraft // ssl-default-server-*
	serversUnknown  bool     // ssl-server-verify none
	caBase, crtBase string
}

// finishTLS adds the defaults to each bind and each server with ssl.
func (c *compiler) finishTLS() {
	c.finishServerTLS()
	for _, b := range c.tlsBinds {
		c.sec, c.draft, c.in = &Section{Head: b.d.head.st.Words}, b.d, b.d.kind
		spec := c.bindSpec(b)
		front := &b.d.front
		for len(front.TLS) < b.end {
			front.TLS = append(front.TLS, nil)
		}
		for i := b.from; i < b.end; i++ {
			front.TLS[i] = spec
		}
	}
}

func (c *compiler) bindSpec(b *tlsBind) *tls.Spec {
	c.files.enter(b.l.st.File)
	g, spec := &c.global.tls, b.spec
	spec.Origin = b.l.origin()
	if spec.Ciphers == nil {
		spec.Ciphers = g.spec.Ciphers
	}
	if spec.Curves == nil {
		spec.Curves = g.spec.Curves
	}
	spec.NoTickets = !chosenSwitch(b.tickets, g.tickets, true)
	spec.StrictSNI = chosenSwitch(b.strict, g.strict, false)
	for i := range spec.Sources {
		src := &spec.Sources[i]
		if src.List { // crt-base is for the names in it
			src.Path, src.Base = c.files.resolve(src.Path), g.crtBase
		} else {
			src.Path = c.under(g.crtBase, src.Path)
		}
	}
	if spec.CAFile != "" && !strings.HasPrefix(spec.CAFile, "@") {
		spec.CAFile = c.under(g.caBase, spec.CAFile)
	}
	if spec.CRLFile != "" {
		spec.CRLFile = c.under(g.caBase, spec.CRLFile)
	}
	c.resolveVersions(b.l, &spec, b.versions, &g.versions)
	return &spec
}

// resolveVersions adds the defaults to what a line says of versions.
func (c *compiler) resolveVersions(l *line, spec *tls.Spec, v tls.Versions, def *tls.Versions) {
	if v.Min == 0 && v.Max == 0 {
		v.Min, v.Max = def.Min, def.Max
		v.Not = append(slices.Clone(v.Not), def.Not...)
	}
	var err error
	spec.MinVersion, spec.MaxVersion, err = v.Range()
	c.check(l, err)
}

// chosenSwitch is what the line says, else the global section, else def.
func chosenSwitch(line, global *bool, def bool) bool {
	switch {
	case line != nil:
		return *line
	case global != nil:
		return *global
	}
	return def
}

// under resolves a relative name against ca-base or crt-base, else as all names.
func (c *compiler) under(base, name string) string {
	if base == "" || filepath.IsAbs(name) {
		return c.files.resolve(name)
	}
	return filepath.Join(base, name)
}

// A tlsWords reads TLS settings that stand on bind lines, and some of which
// stand in ssl-default-bind-options too.
type tlsWords struct {
	*options
	tls *tlsDraft
}

// source adds the certificates of a file, a folder or a list.
func (o tlsWords) source(src tls.Source) {
	v := o.value()
	switch {
	case o.bad:
	case strings.HasPrefix(v, "@"):
		o.fail("%s: weir does not read crt-store sections yet; name the file", o.name)
	default:
		src.Path = v
		o.tls.spec.Sources = append(o.tls.spec.Sources, src)
	}
}

func (o tlsWords) alpn() {
	v := o.value()
	if o.bad {
		return
	}
	protocols, left := tls.ParseALPN(v)
	if len(left) > 0 {
		o.c.note(LevelNotice, o.l, "alpn: %s is not offered: %s", strings.Join(left, ", "), "weir has no QUIC yet")
	}
	if len(protocols) == 0 {
		o.fail("alpn leaves no protocol that weir speaks, got %s; http/1.1 and h2 are two", quote(v))
	}
	o.tls.spec.ALPN = protocols
}

// leftOut says which words of a list mean nothing here.
func (o *options) leftOut(name string, words []string) {
	if len(words) > 0 {
		o.c.note(LevelNotice, o.l, "%s: not in Go's TLS, and left out: %s", name, strings.Join(words, ", "))
	}
}

func (o tlsWords) ciphers() {
	v := o.value()
	if o.bad {
		return
	}
	ids, left, err := tls.ParseCiphers(v)
	o.check(err)
	o.leftOut(o.name, left)
	o.tls.spec.Ciphers = ids
}

func (o tlsWords) suites13() {
	v := o.value()
	if o.bad {
		return
	}
	missing, left, err := tls.ParseSuites13(v)
	o.check(err)
	o.leftOut(o.name, left)
	if len(missing) > 0 && err == nil {
		o.c.note(LevelNotice, o.l, "%s: Go always offers all of its suites of TLS 1.3, so also %s", o.name, strings.Join(missing, ", "))
	}
}

func (o tlsWords) curves() {
	v := o.value()
	if o.bad {
		return
	}
	ids, left, err := tls.ParseCurves(v)
	o.check(err)
	o.leftOut(o.name, left)
	o.tls.spec.Curves = ids
}

func (o tlsWords) version(at *uint16) {
	v := o.value()
	if o.bad {
		return
	}
	id, err := tls.ParseVersion(v)
	o.check(err)
	o.tellSSLv3(id)
	*at = id
}

func (o tlsWords) tellSSLv3(id uint16) {
	if id != 0 && tls.VersionName(id) == "SSLv3" {
		o.c.note(LevelNotice, o.l, "%s: Go has no SSLv3; TLSv1.0 is the oldest version that can be spoken", o.name)
	}
}

// not is no-tlsv12 and the like: the option's name ends in the version.
func (o tlsWords) not() {
	o.tls.versions.Not = append(slices.Clip(o.tls.versions.Not), sslVersionOf(o.name))
}

// force is force-tlsv12 and the like.
func (o tlsWords) force() {
	id := sslVersionOf(o.name)
	o.tls.versions.Min, o.tls.versions.Max = id, id
}

// sslVersionOf is the version in the name of an option such as no-tlsv12.
func sslVersionOf(option string) uint16 {
	_, v, _ := strings.Cut(option, "-")
	words := map[string]string{"sslv3": "SSLv3", "tlsv10": "TLSv1.0", "tlsv11": "TLSv1.1", "tlsv12": "TLSv1.2", "tlsv13": "TLSv1.3"}
	id, _ := tls.ParseVersion(words[v])
	return id
}

func (o tlsWords) verify() {
	v := o.value()
	if o.bad {
		return
	}
	mode, err := tls.ParseVerify(v)
	o.check(err)
	o.tls.spec.Verify = mode
}

func (o tlsWords) errors(at *tls.ErrorSet) {
	v := o.value()
	if o.bad {
		return
	}
	set, err := tls.ParseErrors(v)
	o.check(err)
	*at = set
}

// bindDefaults are the words of ssl-default-bind-options.
var bindDefaults = []string{
	"force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12",
	"no-tlsv13", "no-tls-tickets", "tls-tickets", "prefer-client-ciphers", "ssl-max-ver", "ssl-min-ver", "strict-sni", "no-strict-sni",
}

// defaultBindOptions is the global ssl-default-bind-options.
func (c *compiler) defaultBindOptions(l *line) {
	b := bindLine{options: options{c: c, l: l, words: l.args}, ssl: true}
	b.tls = &c.global.tls.tlsDraft
	for b.next() {
		row, ok := bindOptionNamed(b.name)
		switch {
		case !ok || !slices.Contains(bindDefaults, b.name):
			b.unknown(bindDefaults)
		case row.support == ignored:
			b.c.note(LevelNotice, l, "%s accepted and ignored: %s", row.name, row.remark)
		default:
			row.run(&b)
		}
	}
}

// defaultTLS runs one of the global keywords that set what all binds begin with.
func defaultTLS(run func(tlsWords)) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		run(tlsWords{&options{c: c, l: l, words: l.args, name: "the list"}, &c.global.tls.tlsDraft})
	}
}

// defaultServerTLS is defaultTLS for all servers.
func defaultServerTLS(run func(tlsWords)) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		run(tlsWords{&options{c: c, l: l, words: l.args, name: "the list"}, &c.global.tls.servers})
	}
}
