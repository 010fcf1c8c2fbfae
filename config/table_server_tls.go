package config

import (
	"slices"
	"strings"

	"github.com/weir-lb/weir/tls"
)

// serverTLSOptions are the options of server lines about TLS.
var serverTLSOptions = []serverOption{
	{"ssl", 0, func(o *serverLine) { o.s.tls.on = true }, supported, ""},
	{"alpn", 1, func(o *serverLine) { o.s.tls.spec.ALPN = o.protocols() }, supported, "h2 is left out with a notice: weir speaks HTTP/1 to servers"},
	{"ca-file", 1, func(o *serverLine) { o.s.tls.spec.CAFile = o.value() }, supported, "@system-ca too"},
	{"check-alpn", 1, func(o *serverLine) { o.s.tls.checkALPN = o.protocols() }, supported, "see alpn"},
	{"check-sni", 1, func(o *serverLine) { o.s.tls.checkSNI = o.value() }, supported, ""},
	{"check-ssl", 0, func(o *serverLine) { o.s.tls.check = true }, supported, ""},
	{"ciphers", 1, func(o *serverLine) { o.tlsWords().ciphers() }, supported, "see ciphers of bind"},
	{"ciphersuites", 1, func(o *serverLine) { o.tlsWords().suites13() }, supported, "see ciphersuites of bind"},
	{"crl-file", 1, func(o *serverLine) { o.s.tls.spec.CRLFile = o.value() }, supported, ""},
	{"crt", 1, func(o *serverLine) { o.s.tls.certFile = o.value() }, supported, "a file with certificate and key, or with FILE.key beside it"},
	{"curves", 1, func(o *serverLine) { o.tlsWords().curves() }, supported, "see curves of bind"},
	{"force-sslv3", 0, nil, refused, "Go's TLS has no SSLv3"},
	{"force-tlsv10", 0, func(o *serverLine) { o.tlsWords().force() }, supported, ""},
	{"force-tlsv11", 0, func(o *serverLine) { o.tlsWords().force() }, supported, ""},
	{"force-tlsv12", 0, func(o *serverLine) { o.tlsWords().force() }, supported, ""},
	{"force-tlsv13", 0, func(o *serverLine) { o.tlsWords().force() }, supported, ""},
	{"no-check-ssl", 0, func(o *serverLine) { o.s.tls.check = false }, supported, ""},
	{"no-ssl", 0, func(o *serverLine) { o.s.tls.on = false }, supported, ""},
	{"no-ssl-reuse", 0, func(o *serverLine) { o.s.tls.noReuse = true }, supported, ""},
	{"no-sslv3", 0, func(o *serverLine) {}, supported, "there is none in any case"},
	{"no-tls-tickets", 0, func(o *serverLine) { o.s.tls.tickets = new(bool) }, supported, "nor is there another way to resume sessions"},
	{"no-tlsv10", 0, func(o *serverLine) { o.tlsWords().not() }, supported, ""},
	{"no-tlsv11", 0, func(o *serverLine) { o.tlsWords().not() }, supported, ""},
	{"no-tlsv12", 0, func(o *serverLine) { o.tlsWords().not() }, supported, ""},
	{"no-tlsv13", 0, func(o *serverLine) { o.tlsWords().not() }, supported, ""},
	{"no-verifyhost", 0, func(o *serverLine) { o.s.tls.verifyHost = "" }, supported, ""},
	{"sni", 1, func(o *serverLine) { o.s.tls.sni = o.value() }, supported, "a name that depends on the request is asked for on connections that no other client shares"},
	{"ssl-max-ver", 1, func(o *serverLine) { o.tlsWords().version(&o.s.tls.versions.Max) }, supported, ""},
	{"ssl-min-ver", 1, func(o *serverLine) { o.tlsWords().version(&o.s.tls.versions.Min) }, supported, "TLSv1.2 unless an older one is asked for"},
	{"ssl-reuse", 0, func(o *serverLine) { o.s.tls.noReuse = false }, supported, ""},
	{"tls-tickets", 0, func(o *serverLine) { on := true; o.s.tls.tickets = &on }, supported, ""},
	{"verify", 1, (*serverLine).verify, supported, ""},
	{"verifyhost", 1, func(o *serverLine) { o.s.tls.verifyHost = o.value() }, supported, ""},

	{"allow-0rtt", 0, nil, ignored, "weir sends no early data"},
	{"check-sni-auto", 0, nil, ignored, "give the name with check-sni"},
	{"ktls", 1, nil, ignored, "weir does not use the kernel's TLS"},
	{"no-check-sni-auto", 0, nil, ignored, "there is none"},
	{"no-renegotiate", 0, nil, ignored, "weir never renegotiates"},
	{"no-sni-auto", 0, nil, ignored, "there is none"},
	{"npn", 1, nil, ignored, "NPN was replaced by ALPN: use alpn"},
	{"renegotiate", 0, nil, ignored, "weir never renegotiates"},
	{"sni-auto", 0, nil, ignored, "give the name with sni"},
	{"client-sigalgs", 1, nil, refused, ownTLS},
	{"sigalgs", 1, nil, refused, ownTLS},
}

func (o *serverLine) tlsWords() tlsWords { return tlsWords{&o.options, &o.s.tls.tlsDraft} }

func (o *serverLine) verify() {
	v := o.choice("none", "required")
	o.s.tls.verify = v
}

// protocols reads what may be offered to a server.
func (o *serverLine) protocols() []string {
	v := o.value()
	if o.bad {
		return nil
	}
	protocols, left := tls.ParseALPN(v)
	keep := slices.DeleteFunc(protocols, func(p string) bool {
		if p == "h2" {
			left = append(left, p)
		}
		return p == "h2"
	})
	if len(left) > 0 {
		o.c.note(LevelNotice, o.l, "%s: %s is not offered: weir speaks HTTP/1 to servers", o.name, strings.Join(left, ", "))
	}
	if len(keep) == 0 {
		o.fail("%s leaves no protocol that weir speaks to servers, got %s; http/1.1 is one", o.name, quote(v))
	}
	return keep
}

// isServerTLS reports whether a server option is nothing without ssl.
func isServerTLS(name string) bool {
	for _, row := range serverTLSOptions {
		if row.name == name {
			return true
		}
	}
	return false
}
