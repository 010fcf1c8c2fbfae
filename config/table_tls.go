package config

import "github.com/weir-lb/weir/tls"

// Why some settings do nothing here.
const (
	ownTLS    = "weir uses Go's TLS, which has no such setting"
	noDH      = "Go's TLS has no finite-field Diffie-Hellman; ECDHE is used"
	ownTicket = "sessions are resumed with tickets, which the clients keep"
)

// bindTLSOptions are the options of bind lines that mean something with ssl
// only.
var bindTLSOptions = []bindOption{
	{"ssl", 0, func(b *bindLine) {}, supported, ""},
	{"alpn", 1, func(b *bindLine) { b.tlsWords().alpn() }, supported, "h2 is left out with a notice until weir has HTTP/2"},
	{"ca-file", 1, func(b *bindLine) { b.tls.spec.CAFile = b.value() }, supported, "@system-ca too"},
	{"ca-ignore-err", 1, func(b *bindLine) { b.tlsWords().errors(&b.tls.spec.IgnoreCA) }, supported, "OpenSSL's numbers"},
	{"ciphers", 1, func(b *bindLine) { b.tlsWords().ciphers() }, supported, "OpenSSL's strings; Go prefers by its own measure, and what it lacks is left out with a notice"},
	{"ciphersuites", 1, func(b *bindLine) { b.tlsWords().suites13() }, supported, "checked; Go always offers its three suites of TLS 1.3, which a notice says"},
	{"crl-file", 1, func(b *bindLine) { b.tls.spec.CRLFile = b.value() }, supported, ""},
	{"crt", 1, func(b *bindLine) { b.tlsWords().source(tls.Source{}) }, supported, "file, folder, or FILE.rsa and FILE.ecdsa; with FILE.key, FILE.ocsp, FILE.sctl"},
	{"crt-ignore-err", 1, func(b *bindLine) { b.tlsWords().errors(&b.tls.spec.IgnoreCert) }, supported, "OpenSSL's numbers"},
	{"crt-list", 1, func(b *bindLine) { b.tlsWords().source(tls.Source{List: true}) }, supported, ""},
	{"curves", 1, func(b *bindLine) { b.tlsWords().curves() }, supported, "what Go lacks is left out with a notice"},
	{"default-crt", 1, func(b *bindLine) { b.tlsWords().source(tls.Source{Default: true}) }, supported, ""},
	{"ecdhe", 1, func(b *bindLine) { b.tlsWords().curves() }, supported, "the same as curves with one name"},
	{"force-sslv3", 0, nil, refused, "Go's TLS has no SSLv3"},
	{"force-tlsv10", 0, func(b *bindLine) { b.tlsWords().force() }, supported, ""},
	{"force-tlsv11", 0, func(b *bindLine) { b.tlsWords().force() }, supported, ""},
	{"force-tlsv12", 0, func(b *bindLine) { b.tlsWords().force() }, supported, ""},
	{"force-tlsv13", 0, func(b *bindLine) { b.tlsWords().force() }, supported, ""},
	{"no-alpn", 0, func(b *bindLine) { b.tls.spec.ALPN = nil }, supported, ""},
	{"no-ca-names", 0, func(b *bindLine) { b.tls.spec.WithoutCANames = true }, supported, ""},
	{"no-sslv3", 0, func(b *bindLine) {}, supported, "there is none in any case"},
	{"no-strict-sni", 0, func(b *bindLine) { b.tls.strict = new(bool) }, supported, ""},
	{"no-tls-tickets", 0, func(b *bindLine) { b.tls.tickets = new(bool) }, supported, "nor is there another way to resume sessions"},
	{"no-tlsv10", 0, func(b *bindLine) { b.tlsWords().not() }, supported, ""},
	{"no-tlsv11", 0, func(b *bindLine) { b.tlsWords().not() }, supported, ""},
	{"no-tlsv12", 0, func(b *bindLine) { b.tlsWords().not() }, supported, ""},
	{"no-tlsv13", 0, func(b *bindLine) { b.tlsWords().not() }, supported, ""},
	{"ssl-max-ver", 1, func(b *bindLine) { b.tlsWords().version(&b.tls.versions.Max) }, supported, ""},
	{"ssl-min-ver", 1, func(b *bindLine) { b.tlsWords().version(&b.tls.versions.Min) }, supported, "TLSv1.2 unless an older one is asked for"},
	{"strict-sni", 0, func(b *bindLine) { on := true; b.tls.strict = &on }, supported, ""},
	{"tls-tickets", 0, func(b *bindLine) { on := true; b.tls.tickets = &on }, supported, ""},
	{"verify", 1, func(b *bindLine) { b.tlsWords().verify() }, supported, ""},

	{"allow-0rtt", 0, nil, ignored, "weir takes no early data; clients send it after the handshake"},
	{"ktls", 1, nil, ignored, "weir does not use the kernel's TLS"},
	{"npn", 1, nil, ignored, "NPN was replaced by ALPN: use alpn"},
	{"prefer-client-ciphers", 0, nil, ignored, "Go chooses the suite by what both sides do fastest"},

	{"ca-sign-file", 1, nil, refused, "weir makes no certificates"},
	{"ca-sign-pass", 1, nil, refused, "weir makes no certificates"},
	{"ca-verify-file", 1, nil, refused, "name all authorities in ca-file; no-ca-names keeps them from clients"},
	{"client-sigalgs", 1, nil, refused, ownTLS},
	{"ech", 1, nil, refused, "weir has no Encrypted Client Hello yet"},
	{"generate-certificates", 0, nil, refused, "weir makes no certificates"},
	{"ocsp-update", 1, nil, refused, "weir does not ask OCSP responders yet; it staples FILE.ocsp"},
	{"sigalgs", 1, nil, refused, ownTLS},
	{"tls-ticket-keys", 1, nil, refused, "weir makes and changes the keys of tickets itself"},
}

func (b *bindLine) tlsWords() tlsWords { return tlsWords{&b.options, b.tls} }

// isTLS reports whether a bind option is nothing without ssl.
func isTLS(name string) bool {
	for _, row := range bindTLSOptions {
		if row.name == name {
			return name != "ssl"
		}
	}
	return false
}

// tlsKeywords are the keywords of the global section about TLS (manual 3.1 and
// 3.2).
var tlsKeywords = []keyword{
	{"ca-base", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &c.global.tls.caBase }), "3.1", supported, ""},
	{"crt-base", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &c.global.tls.crtBase }), "3.1", supported, ""},
	{"maxsslconn", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &global(c).MaxTLSConn }, 0, intMax), "3.2", supported, "connections of clients"},
	{"ssl-default-bind-ciphers", inGlobal, args(1, 1), defaultTLS(tlsWords.ciphers), "3.1", supported, "see ciphers of bind"},
	{"ssl-default-bind-ciphersuites", inGlobal, args(1, 1), defaultTLS(tlsWords.suites13), "3.1", supported, "see ciphersuites of bind"},
	{"ssl-default-bind-curves", inGlobal, args(1, 1), defaultTLS(tlsWords.curves), "3.1", supported, "see curves of bind"},
	{"ssl-default-bind-options", inGlobal, args(1, anyNumber), (*compiler).defaultBindOptions, "3.1", supported, ""},

	{"issuers-chain-path", inGlobal, args(1, 1), nil, "3.1", refused, "put the chain into the file of the certificate"},
	{"key-base", inGlobal, args(1, 1), nil, "3.1", ignored, "it is for crt-store sections only"},
	{"maxsslrate", inGlobal, args(1, 1), nil, "3.2", refused, "weir has no rate limits yet; maxsslconn bounds connections"},
	{"noktls", inGlobal, args(0, 0), nil, "3.2", ignored, "weir does not use the kernel's TLS"},
	{"ssl-default-bind-client-sigalgs", inGlobal, args(1, 1), nil, "3.1", refused, ownTLS},
	{"ssl-default-bind-sigalgs", inGlobal, args(1, 1), nil, "3.1", refused, ownTLS},
	{"ssl-default-server-ciphers", inGlobal, args(1, 1), defaultServerTLS(tlsWords.ciphers), "3.1", supported, "see ciphers of bind"},
	{"ssl-default-server-ciphersuites", inGlobal, args(1, 1), defaultServerTLS(tlsWords.suites13), "3.1", supported, "see ciphersuites of bind"},
	{"ssl-default-server-client-sigalgs", inGlobal, args(1, 1), nil, "3.1", refused, ownTLS},
	{"ssl-default-server-curves", inGlobal, args(1, 1), defaultServerTLS(tlsWords.curves), "3.1", supported, "see curves of bind"},
	{"ssl-default-server-options", inGlobal, args(1, anyNumber), (*compiler).defaultServerOptions, "3.1", supported, ""},
	{"ssl-default-server-sigalgs", inGlobal, args(1, 1), nil, "3.1", refused, ownTLS},
	{"ssl-dh-param-file", inGlobal, args(1, 1), nil, "3.1", ignored, noDH},
	{"ssl-engine", inGlobal, args(1, anyNumber), nil, "3.2", ignored, ownTLS},
	{"ssl-load-extra-del-ext", inGlobal, args(0, 0), nil, "3.1", refused, "name the key FILE.key, after the whole name of the certificate's file"},
	{"ssl-load-extra-files", inGlobal, args(1, anyNumber), nil, "3.1", ignored, "FILE.key, FILE.ocsp and FILE.sctl are always looked for"},
	{"ssl-mode-async", inGlobal, args(0, 0), nil, "3.2", ignored, "weir's handshakes are never done on a loop"},
	{"ssl-passphrase-cmd", inGlobal, args(1, anyNumber), nil, "3.1", refused, "keys have to be in the clear"},
	{"ssl-propquery", inGlobal, args(1, 1), nil, "3.1", ignored, ownTLS},
	{"ssl-provider", inGlobal, args(1, 1), nil, "3.1", ignored, ownTLS},
	{"ssl-provider-path", inGlobal, args(1, 1), nil, "3.1", ignored, ownTLS},
	{"ssl-security-level", inGlobal, args(1, 1), nil, "3.1", ignored, ownTLS},
	{"ssl-server-verify", inGlobal, args(1, 1), (*compiler).sslServerVerify, "3.1", supported, ""},
	{"ssl-skip-self-issued-ca", inGlobal, args(0, 0), nil, "3.1", ignored, "chains are sent as they stand in the file"},
	{"acme.scheduler", inGlobal, args(1, 1), nil, "3.1", ignored, "acme sections are refused"},
	{"ocsp-update.disable", inGlobal, args(1, 1), nil, "3.1", ignored, "weir asks no OCSP responders"},
	{"ocsp-update.httpproxy", inGlobal, args(1, 1), nil, "3.1", ignored, "weir asks no OCSP responders"},
	{"ocsp-update.maxdelay", inGlobal, args(1, 1), nil, "3.1", ignored, "weir asks no OCSP responders"},
	{"ocsp-update.mindelay", inGlobal, args(1, 1), nil, "3.1", ignored, "weir asks no OCSP responders"},
	{"ocsp-update.mode", inGlobal, args(1, 1), nil, "3.1", ignored, "weir asks no OCSP responders"},

	{"tune.ssl.cachesize", inGlobal, args(1, 1), nil, "3.2", ignored, ownTicket},
	{"tune.ssl.capture-buffer-size", inGlobal, args(1, 1), nil, "3.2", ignored, "the fetches that would need it are refused"},
	{"tune.ssl.capture-cipherlist-size", inGlobal, args(1, 1), nil, "3.2", ignored, "the fetches that would need it are refused"},
	{"tune.ssl.certificate-compression", inGlobal, args(1, 1), nil, "3.2", ignored, ownTLS},
	{"tune.ssl.default-dh-param", inGlobal, args(1, 1), nil, "3.2", ignored, noDH},
	{"tune.ssl.force-private-cache", inGlobal, args(0, 0), nil, "3.2", ignored, ownTicket},
	{"tune.ssl.hard-maxrecord", inGlobal, args(1, 1), nil, "3.2", ignored, "records are as long as what there is to send, up to 16 KiB"},
	{"tune.ssl.keylog", inGlobal, args(1, 1), nil, "3.2", ignored, "weir tells nobody the keys of connections"},
	{"tune.ssl.lifetime", inGlobal, args(1, 1), nil, "3.2", ignored, "tickets are good for seven days, as Go makes them"},
	{"tune.ssl.maxrecord", inGlobal, args(1, 1), nil, "3.2", ignored, "records are as long as what there is to send, up to 16 KiB"},
	{"tune.ssl.ocsp-update.maxdelay", inGlobal, args(1, 1), nil, "3.2", ignored, "weir asks no OCSP responders"},
	{"tune.ssl.ocsp-update.mindelay", inGlobal, args(1, 1), nil, "3.2", ignored, "weir asks no OCSP responders"},
	{"tune.ssl.ssl-ctx-cache-size", inGlobal, args(1, 1), nil, "3.2", ignored, "weir makes no certificates"},
}
