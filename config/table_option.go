package config

import (
	"net/netip"
	"strings"

	"github.com/weir-lb/weir/proxy"
)

const otherChecks = "checks can connect, speak HTTP (option httpchk) or follow tcp-check rules"

// optionKeywords are the "option" keywords (manual 4.2).
var optionKeywords = []keyword{
	{"option abortonclose", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &back(c).AbortOnClose }), "4.2", supported, ""},
	{"option accept-invalid-http-request", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.AcceptInvalidRequest }), "4.2", supported, ""},
	{"option accept-invalid-http-response", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.AcceptInvalidResponse }), "4.2", supported, ""},
	{"option accept-unsafe-violations-in-http-request", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.AcceptUnsafeRequest }), "4.2", supported, ""},
	{"option accept-unsafe-violations-in-http-response", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.AcceptUnsafeResponse }), "4.2", supported, ""},
	{"option allbackups", inDefaults | inBackSide | negatable, args(0, 0), (*compiler).allBackups, "4.2", supported, ""},
	{"option clitcpka", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.ClientKeepAlive }), "4.2", supported, ""},
	{"option dontlog-normal", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).Log.DontLogNormal }), "4.2", supported, ""},
	{"option dontlognull", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).Log.DontLogNull }), "4.2", supported, ""},
	{"option forceclose", inAnywhere | negatable, args(0, 0), (*compiler).forceClose, "4.2", supported, "old form of option httpclose; HAProxy refuses it since 2.0"},
	{"option forwardfor", inAnywhere, args(0, anyNumber), (*compiler).forwardFor, "4.2", supported, ""},
	{"option http-buffer-request", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.HTTPBufferRequest }), "4.2", supported, ""},
	{"option http-ignore-probes", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).HTTPIgnoreProbes }), "4.2", supported, ""},
	{"option http-keep-alive", inAnywhere | negatable, args(0, 0), connMode(proxy.ConnKeepAlive), "4.2", supported, ""},
	{"option http-no-delay", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).HTTPNoDelay }), "4.2", supported, "weir never delays packets"},
	{"option http-pretend-keepalive", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &back(c).PretendKeepAlive }), "4.2", supported, ""},
	{"option http-server-close", inAnywhere | negatable, args(0, 0), connMode(proxy.ConnServerClose), "4.2", supported, ""},
	{"option http-use-proxy-header", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", ignored, "Proxy-Connection ends at weir, whatever it says"},
	{"option httpchk", inDefaults | inBackSide, args(0, 3), (*compiler).optionHTTPCheck, "4.2", supported, ""},
	{"option httpclose", inAnywhere | negatable, args(0, 0), connMode(proxy.ConnClose), "4.2", supported, ""},
	{"option httplog", inAnywhere, args(0, 1), (*compiler).logFormat, "4.2", supported, "also clf"},
	{"option httpslog", inAnywhere, args(0, 0), (*compiler).logFormat, "4.2", supported, ""},
	{"option log-health-checks", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &back(c).LogHealthChecks }), "4.2", supported, ""},
	{"option log-separate-errors", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).Log.SeparateErrors }), "4.2", supported, ""},
	{"option logasap", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &front(c).Log.LogASAP }), "4.2", supported, ""},
	{"option nolinger", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.NoLinger }), "4.2", supported, ""},
	{"option originalto", inAnywhere, args(0, anyNumber), (*compiler).originalTo, "4.2", supported, ""},
	{"option prefer-last-server", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &back(c).PreferLastServer }), "4.2", supported, ""},
	{"option checkcache", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &back(c).CheckCache }), "4.2", supported, ""},
	{"option redispatch", inDefaults | inBackSide | negatable, args(0, 1), (*compiler).redispatch, "4.2", supported, ""},
	{"option socket-stats", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", ignored, "weir counts for frontends, not for each bind yet"},
	{"option splice-auto", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.SpliceAuto }), "4.2", supported, "weir splices long flows in any case"},
	{"option splice-request", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.SpliceRequest }), "4.2", supported, "weir splices long flows in any case"},
	{"option splice-response", inAnywhere | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.SpliceResponse }), "4.2", supported, "weir splices long flows in any case"},
	{"option srvtcpka", inDefaults | inBackSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.ServerKeepAlive }), "4.2", supported, ""},
	{"option tcp-check", inDefaults | inBackSide, args(0, 0), (*compiler).optionTCPCheck, "4.2", supported, "without tcp-check rules it connects"},
	{"option tcpka", inAnywhere, args(0, 0), (*compiler).tcpKeepAlive, "4.2", supported, ""},
	{"option tcplog", inAnywhere, args(0, 1), (*compiler).logFormat, "4.2", supported, ""},

	{"option contstats", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", ignored, "counters are always up to date"},
	{"option disable-h2-upgrade", inDefaults | inFrontSide | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.draft.common.DisableH2Upgrade }), "4.2", supported, ""},
	{"option http-use-htx", inAnywhere | negatable, args(0, 0), nil, "4.2", ignored, "there has been nothing else since HAProxy 2.1"},
	{"option http-tunnel", inAnywhere | negatable, args(0, 0), nil, "4.2", ignored, "removed from HAProxy in 2.1; keep-alive is used"},
	{"option idle-close-on-response", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", ignored, "a soft stop closes idle connections at once"},
	{"option tcp-smart-accept", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", ignored, "a saving of one packet"},
	{"option tcp-smart-connect", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", ignored, "a saving of one packet"},

	{"option http-restrict-req-hdr-names", inAnywhere, args(1, 1), (*compiler).restrictNames, "4.2", supported, "preserve only"},
	{"option external-check", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", refused, "weir starts no programs"},
	{"option h1-case-adjust-bogus-client", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", refused, "weir sends header names in lower case"},
	{"option h1-case-adjust-bogus-server", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", refused, "weir sends header names in lower case"},
	{"option http-drop-request-trailers", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", refused, "weir passes on trailers that are safe"},
	{"option http-drop-response-trailers", inDefaults | inFrontSide | negatable, args(0, 0), nil, "4.2", refused, "weir passes on trailers that are safe"},
	{"option http_proxy", inAnywhere | negatable, args(0, 0), nil, "4.2", refused, "HAProxy removed it; weir is no forward proxy"},
	{"option independent-streams", inAnywhere | negatable, args(0, 0), nil, "4.2", refused, "bytes in either direction renew a relay's timeouts"},
	{"option ldap-check", inDefaults | inBackSide, args(0, 0), nil, "4.2", refused, otherChecks},
	{"option mysql-check", inDefaults | inBackSide, args(0, anyNumber), nil, "4.2", refused, otherChecks},
	{"option persist", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", refused, "a cookie never leads to a server that is down"},
	{"option pgsql-check", inDefaults | inBackSide, args(0, anyNumber), nil, "4.2", refused, otherChecks},
	{"option redis-check", inDefaults | inBackSide, args(0, 0), nil, "4.2", refused, otherChecks},
	{"option smtpchk", inDefaults | inBackSide, args(0, anyNumber), nil, "4.2", refused, otherChecks},
	{"option spop-check", inDefaults | inBackSide, args(0, 0), nil, "4.2", refused, otherChecks},
	{"option ssl-hello-chk", inDefaults | inBackSide, args(0, 0), nil, "4.2", refused, otherChecks},
	{"option transparent", inDefaults | inBackSide | negatable, args(0, 0), nil, "4.2", refused, "weir does not connect to the address that the client asked for yet"},
}

// connMode makes the function of the three options that exclude each other. A
// "no" only takes back its own.
func connMode(mode proxy.ConnMode) func(*compiler, *line) {
	return func(c *compiler, l *line) {
		switch at := &c.draft.common.ConnMode; {
		case !l.off():
			*at = mode
		case *at == mode:
			*at = proxy.ConnKeepAlive
		}
	}
}

func (c *compiler) forceClose(l *line) {
	c.note(LevelWarning, l, "is an old form; write: option httpclose")
	connMode(proxy.ConnClose)(c, l)
}

func (c *compiler) tcpKeepAlive(*line) {
	c.draft.common.ClientKeepAlive, c.draft.common.ServerKeepAlive = true, true
}

func (c *compiler) allBackups(l *line) {
	c.draft.back.AllBackups = !l.off()
	c.draft.back.Balance.AllBackups = !l.off()
}

func (c *compiler) forwardFor(l *line) { c.draft.common.ForwardFor = c.addressHeader(l, true) }
func (c *compiler) originalTo(l *line) { c.draft.common.OriginalTo = c.addressHeader(l, false) }

// addressHeader reads "[except NETWORK] [header NAME] [if-none]".
func (c *compiler) addressHeader(l *line, ifNone bool) *proxy.ForwardFor {
	f := &proxy.ForwardFor{}
	known := []string{"except", "header", "if-none"}
	if !ifNone {
		known = known[:2]
	}
	o := options{c: c, l: l, words: l.args}
	for o.next() {
		switch {
		case o.name == "except":
			v := o.value()
			if o.bad || !network(v) {
				o.fail("except wants an address or a network such as 192.0.2.0/24, got %s", quote(v))
				break
			}
			f.Except = []string{v}
		case o.name == "header":
			if f.Header = o.value(); !o.bad && !fieldName([]byte(f.Header)) {
				o.fail("header wants the name of a header, got %s", quote(f.Header))
			}
		case o.name == "if-none" && ifNone:
			f.IfNone = true
		default:
			o.unknown(known)
		}
	}
	c.draft.httpOptions = append(c.draft.httpOptions, l)
	return f
}

// network reports whether s is an IP address with or without a mask.
func network(s string) bool {
	addr, mask, masked := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(addr)
	if err != nil || !masked {
		return err == nil
	}
	if _, err := netip.ParseAddr(mask); err == nil {
		return ip.Is4()
	}
	_, err = parseInteger(mask, 0, ip.BitLen())
	return err == nil
}

// redispatch is "option redispatch [N]": on the last retry, every Nth, or
// counted from the end.
func (c *compiler) redispatch(l *line) {
	n := -1
	if len(l.args) > 0 {
		var err error
		if n, err = parseInteger(l.args[0], -intMax, intMax); !c.check(l, err) {
			return
		}
	}
	if l.off() {
		n = 0
	}
	c.draft.back.Redispatch = n
}

func (c *compiler) oldRedispatch(l *line) {
	c.note(LevelWarning, l, "is an old form; write: option redispatch")
	c.draft.back.Redispatch = -1
}

func (c *compiler) restrictNames(l *line) {
	if c.check(l, oneOf(l.args[0], "preserve", "delete", "reject")) && l.args[0] != "preserve" {
		c.fail(l, "%s: weir does not support this yet; header names are checked by RFC 9110 only", l.args[0])
	}
}
