package proxy

import (
	"bytes"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/message"
)

// This file is cookie persistence (manual keyword "cookie").

// A cookiePlan is the compiled form of a Cookie.
type cookiePlan struct {
	spec *Cookie
	name []byte
	tail []byte // "; path=/" and the attributes, for Set-Cookie
}

func newCookiePlan(spec *Cookie) *cookiePlan {
	if spec == nil {
		return nil
	}
	tail := []byte("; path=/")
	for _, d := range spec.Domains {
		tail = append(tail, "; domain="+d...)
	}
	if spec.HTTPOnly {
		tail = append(tail, "; HttpOnly"...)
	}
	if spec.Secure {
		tail = append(tail, "; Secure"...)
	}
	for _, a := range spec.Attrs {
		tail = append(tail, "; "+a...)
	}
	return &cookiePlan{spec: spec, name: []byte(spec.Name), tail: tail}
}

// readCookie finds the server that the client's cookie names. With indirect,
// and in prefix mode, the server does not see what was ours.
func (x *exchange) readCookie() {
	p := x.be.cookie
	x.rec.CookieState = [2]byte{'N', 'N'}
	ck, ok := x.req.FindCookie(p.name)
	if !ok {
		return
	}
	value := x.req.Text(ck.Value)
	rest := []byte(nil)
	if p.spec.Prefix {
		before, after, cut := bytes.Cut(value, []byte("~"))
		if !cut {
			return
		}
		value, rest = before, after
	}
	x.cookieFound = true
	x.rec.CookieState[0] = 'I'
	for _, srv := range x.be.servers {
		if srv.spec.Cookie == "" || string(value) != srv.spec.Cookie {
			continue
		}
		x.rec.CookieState[0] = 'D'
		if st := srv.bal.State(); st == balancer.StateUp || st == balancer.StateDrain {
			x.rec.CookieState[0] = 'V'
			x.cookieServer = srv
		}
		break
	}
	switch {
	case p.spec.Prefix:
		x.req.SetCookieValue(&ck, rest)
	case p.spec.Indirect:
		x.req.DelCookies(p.name) // there may be thousands
	}
}

// writeCookie tells the client which server to come back to, unless it knows.
func (x *exchange) writeCookie() {
	p, srv := x.be.cookie, x.hunt.srv
	x.rec.CookieState[1] = 'N'
	if x.cookieServer != nil && x.cookieServer != srv && x.rec.CookieState[0] == 'V' {
		x.rec.CookieState[0] = 'D' // it did not answer, or had no room
	}
	own, has := x.serverCookie()
	known := x.cookieServer == srv && x.rec.CookieState[0] == 'V'
	switch {
	case has && p.spec.Rewrite:
		x.res.SetCookieValue(&own, []byte(srv.spec.Cookie))
		x.rec.CookieState[1] = 'R'
	case has && p.spec.Prefix:
		value := append([]byte(srv.spec.Cookie+"~"), x.res.Text(own.Value)...)
		x.res.SetCookieValue(&own, value)
		x.rec.CookieState[1] = 'R'
	case has && p.spec.Insert && p.spec.Preserve:
		x.rec.CookieState[1] = 'P'
		return
	case has && p.spec.Insert && p.spec.Indirect:
		x.res.RemoveCookie(&own)
		x.rec.CookieState[1] = 'D'
	case has:
		x.rec.CookieState[1] = 'P'
	}
	if !p.spec.Insert || known && p.spec.Indirect || known && !p.spec.Indirect {
		return
	}
	if p.spec.PostOnly && x.req.Method != message.MethodPost {
		return
	}
	if srv.spec.Cookie == "" {
		x.forgetCookie()
		return
	}
	v := append(x.w.log[:0], p.name...)
	v = append(v, '=')
	v = append(v, srv.spec.Cookie...)
	v = append(v, p.tail...)
	x.w.log = v
	x.res.Add([]byte("set-cookie"), v)
	x.rec.CookieState[1] = 'I'
	x.noCache()
}

// forgetCookie: the client has a cookie of ours but the server needs none.
func (x *exchange) forgetCookie() {
	if !x.cookieFound {
		return
	}
	v := append(x.w.log[:0], x.be.cookie.name...)
	v = append(v, "=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/"...)
	x.w.log = v
	x.res.Add([]byte("set-cookie"), v)
	x.rec.CookieState[1] = 'I'
	x.noCache()
}

func (x *exchange) noCache() {
	if x.be.cookie.spec.NoCache && x.cacheable() {
		x.res.Add([]byte("cache-control"), []byte("private"))
	}
}

// serverCookie finds the Set-Cookie of the persistence cookie's name.
func (x *exchange) serverCookie() (message.Cookie, bool) {
	var ck message.Cookie
	for x.res.NextSetCookie(&ck) {
		if bytes.Equal(x.res.Text(ck.Name), x.be.cookie.name) {
			return ck, true
		}
	}
	return ck, false
}

// cacheable reports whether a cache between us and the client may keep the
// response: only then does it need to be told that the cookie makes it
// private. Without a lifetime or a validator caches keep nothing (RFC 9111
// section 3).
func (x *exchange) cacheable() bool {
	if x.req.Method != message.MethodGet {
		return false
	}
	switch x.res.Status {
	case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501:
	default:
		return false
	}
	keeps := x.res.FindName([]byte("etag"), 0) >= 0 || x.res.FindName([]byte("last-modified"), 0) >= 0 ||
		x.res.Find(message.FieldExpires, 0) >= 0
	for i := x.res.Find(message.FieldCacheControl, 0); i >= 0; i = x.res.Find(message.FieldCacheControl, i+1) {
		value := x.res.Value(i)
		for off := 0; off >= 0; {
			from, to, next := message.ListItem(value, off)
			item := value[from:to]
			off = next
			switch name, _, _ := bytes.Cut(item, []byte("=")); {
			case message.EqualFold(name, []byte("max-age")), message.EqualFold(name, []byte("s-maxage")):
				keeps = true
			case message.EqualFold(name, []byte("no-cache")), message.EqualFold(name, []byte("no-store")),
				message.EqualFold(name, []byte("private")):
				return false
			}
		}
	}
	return keeps
}
