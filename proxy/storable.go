package proxy

import (
	"bytes"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// This file judges whether a cache shared by several clients may store an
// answer, for cookie ... nocache and option checkcache. The sources: the list
// under option checkcache and chapter 6.1 of the manual, RFC 9111, and what
// HAProxy does (testdata/cookie). Where they leave a choice, what the manual
// does not list as safe is not safe, and of contradicting directives the most
// restrictive counts (RFC 9111 section 4.2.1).

// A storability is what a shared cache may do with an answer.
type storability struct {
	whole         bool // it may store it, and has reason to
	cookieGuarded bool // but must ask again before it gives a Set-Cookie of it away
}

// storable judges the answer as it stands.
func (x *exchange) storable() storability {
	h := &x.res
	d := readDirectives(h)
	// Without a lifetime or a validator a cache has no use for an answer (manual
	// 6.1).
	useful := d.lifetime || h.Find(message.FieldExpires, 0) >= 0 ||
		h.FindName([]byte("etag"), 0) >= 0 || h.FindName([]byte("last-modified"), 0) >= 0
	allowed := d.public || storedMethod(x.req.Method) && storedStatus(h.Status)
	return storability{whole: allowed && useful && !d.forbidden && !pragmaNoCache(h), cookieGuarded: d.cookieGuarded}
}

// storedMethod and storedStatus are the lists of option checkcache.
func storedMethod(m message.Method) bool {
	return m == message.MethodGet || m == message.MethodHead || m == message.MethodOptions || m == message.MethodTrace
}

func storedStatus(status int) bool {
	switch status {
	case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// directives are what Cache-Control says, all fields together.
type directives struct {
	public        bool
	forbidden     bool // private, no-store, no-cache, max-age=0, s-maxage=0
	lifetime      bool // max-age or s-maxage
	cookieGuarded bool // no-cache="set-cookie"
}

func readDirectives(h *message.Head) (d directives) {
	for i := h.Find(message.FieldCacheControl, 0); i >= 0; i = h.Find(message.FieldCacheControl, i+1) {
		value := h.Value(i)
		for next := 0; next >= 0; {
			var from, to int
			from, to, next = message.ListItem(value, next)
			d.add(value[from:to])
		}
	}
	return d
}

func (d *directives) add(item []byte) {
	name, arg, hasArg := bytes.Cut(item, []byte("="))
	is := func(word string) bool { return message.EqualFold(name, []byte(word)) }
	switch {
	case is("max-age"), is("s-maxage"):
		d.lifetime = true
		d.forbidden = d.forbidden || string(arg) == "0"
	case is("no-cache") && hasArg:
		d.cookieGuarded = d.cookieGuarded || namesSetCookie(arg)
	case hasArg: // private="x" is about field x only
	case is("private"), is("no-store"), is("no-cache"):
		d.forbidden = true
	case is("public"):
		d.public = true
	}
}

// namesSetCookie reports whether arg is "set-cookie" or "set-cookie,...", as
// the manual has it, quotes included.
func namesSetCookie(arg []byte) bool {
	const want = `"set-cookie`
	return len(arg) > len(want) && message.EqualFold(arg[:len(want)], []byte(want)) &&
		(arg[len(want)] == '"' || arg[len(want)] == ',')
}

func pragmaNoCache(h *message.Head) bool {
	name := []byte("pragma")
	for i := h.FindName(name, 0); i >= 0; i = h.FindName(name, i+1) {
		if message.EqualFold(h.Value(i), []byte("no-cache")) {
			return true
		}
	}
	return false
}

// setsCookies reports whether the server's answer sets any cookie.
func (x *exchange) setsCookies() bool {
	return x.res.Find(message.FieldSetCookie, 0) >= 0 || x.res.Find(message.FieldSetCookie2, 0) >= 0
}

// blockStoredCookie is option checkcache: an answer with a cookie that a cache
// could give to other clients is not passed on. It reports whether that was so.
func (x *exchange) blockStoredCookie(now evloop.Time) bool {
	if v := x.storable(); !v.whole || v.cookieGuarded {
		return false
	}
	x.fe.counters(x.w).denied.inc()
	x.w.p.tell(x.be, accesslog.LevelAlert,
		"Blocking cacheable cookie in response from instance "+x.be.name+", server "+x.hunt.srv.spec.Name+".")
	x.answered = 0 // the client gets another answer
	x.endWith(now, x.errorAnswer(502), CauseDenied, phaseHeaders)
	return true
}
