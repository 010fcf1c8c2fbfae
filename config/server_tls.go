package config

import (
	"slices"

	"github.com/weir-lb/weir/tls"
)

// A tlsServerDraft is what the TLS options of a server line say.
type tlsServerDraft struct {
	tlsDraft
	on, check  bool   // ssl, check-ssl
	verify     string // empty: as ssl-server-verify says
	certFile   string
	sni        string
	verifyHost string
	noReuse    bool
	checkSNI   string
	checkALPN  []string
}

// A tlsServer is a server line with ssl or check-ssl and where its server stands.
type tlsServer struct {
	draft serverDraft
	l     *line
	d     *draft
	at    int // of d.back.Servers
}

// finishServerTLS adds the defaults of the global section.
func (c *compiler) finishServerTLS() {
	for _, s := range c.tlsServers {
		c.sec, c.draft, c.in = &Section{Head: s.d.head.st.Words}, s.d, s.d.kind
		spec := c.serverSpec(s)
		to, t := &s.d.back.Servers[s.at], &s.draft.tls
		if t.on {
			to.TLS = spec
		}
		if to.Check.Enabled && (t.check || t.on && !s.draft.checkedElse) {
			own := *spec
			own.SNI, own.ALPN = t.checkSNI, t.checkALPN
			to.CheckTLS, to.CheckTLSAll = &own, t.check
		}
	}
}

func (c *compiler) serverSpec(s *tlsServer) *tls.ClientSpec {
	c.files.enter(s.l.st.File)
	g, t := &c.global.tls, &s.draft.tls
	spec := &tls.ClientSpec{Spec: t.spec, SNI: t.sni, VerifyHost: t.verifyHost, NoReuse: t.noReuse}
	spec.Origin = s.l.origin()
	if spec.Ciphers == nil {
		spec.Ciphers = g.servers.spec.Ciphers
	}
	if spec.Curves == nil {
		spec.Curves = g.servers.spec.Curves
	}
	spec.NoTickets = !chosenSwitch(t.tickets, g.servers.tickets, true)
	spec.Verify = tls.VerifyRequired
	if t.verify == "none" || t.verify == "" && g.serversUnknown {
		spec.Verify = tls.VerifyNone
	}
	if spec.CAFile != "" && spec.CAFile[0] != '@' {
		spec.CAFile = c.under(g.caBase, spec.CAFile)
	}
	if spec.CRLFile != "" {
		spec.CRLFile = c.under(g.caBase, spec.CRLFile)
	}
	if t.certFile != "" {
		spec.CertFile = c.under(g.crtBase, t.certFile)
	}
	c.resolveVersions(s.l, &spec.Spec, t.versions, &g.servers.versions)
	return spec
}

// serverDefaults are the words of ssl-default-server-options.
var serverDefaults = []string{
	"force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13",
	"no-tls-tickets", "tls-tickets", "ssl-max-ver", "ssl-min-ver",
}

// defaultServerOptions is the global ssl-default-server-options.
func (c *compiler) defaultServerOptions(l *line) {
	var s serverDraft
	s.tls.tlsDraft = c.global.tls.servers
	o := serverLine{options: options{c: c, l: l, words: l.args}, s: &s}
	for o.next() {
		row, ok := serverOptionNamed(o.name)
		if !ok || !slices.Contains(serverDefaults, o.name) {
			o.unknown(serverDefaults)
			break
		}
		row.run(&o)
	}
	c.global.tls.servers = s.tls.tlsDraft
}

// sslServerVerify is what servers without a verify of their own are held to.
func (c *compiler) sslServerVerify(l *line) {
	if c.check(l, oneOf(l.args[0], "none", "required")) {
		c.global.tls.serversUnknown = l.args[0] == "none"
	}
}
