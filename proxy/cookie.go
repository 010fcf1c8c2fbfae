package proxy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// This file is cookie persistence (manual 4.2 "cookie", 8.5 for the two
// characters in the log).

// cookiesReadMax bounds how many cookies of our name one request may have us
// look up. A client sends one per path and domain.
const cookiesReadMax = 16

// A cookiePlan is the compiled form of a Cookie.
type cookiePlan struct {
	spec *Cookie
	name []byte
	tail []byte // "; path=/" and the attributes, for Set-Cookie
	ages cookieAges
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
	return &cookiePlan{
		spec: spec, name: []byte(spec.Name), tail: tail,
		ages: cookieAges{idle: wholeSeconds(spec.MaxIdle), life: wholeSeconds(spec.MaxLife)},
	}
}

// wholeSeconds is d rounded up, as HAProxy takes maxidle 500ms for a second.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// cookieOf is the value that leads to srv; empty when none does.
func cookieOf(srv *server, be *Backend) string {
	own := srv.spec.Cookie
	if own != "" || be.Cookie == nil || !be.Cookie.Dynamic || be.DynamicCookieKey == "" || !srv.addr.IP.Addr().IsValid() {
		return own
	}
	port := int32(srv.addr.IP.Port())
	if srv.address.MapPort {
		port = int32(srv.address.PortOffset)
	}
	return dynamicCookie(be.DynamicCookieKey, srv.addr.IP.Addr().AsSlice(), port)
}

// dynamicCookie is "a hash of the IP address of the server, the TCP port, and
// the secret key" (manual 4.2 dynamic-cookie-key). Which hash, and of which
// order and widths, was found by trying those of the manual's converters in all
// orders and usual forms against values that HAProxy gave: testdata/cookie.
func dynamicCookie(key string, ip []byte, port int32) string {
	b := append([]byte(key), ip...)
	b = binary.BigEndian.AppendUint32(b, uint32(port))
	return fmt.Sprintf("%016x", expr.XXH64(b, 0))
}

// readCookie finds the server that the client's cookie names. What is ours is
// hidden from the server: the cookie with insert indirect, its first part with
// prefix.
func (x *exchange) readCookie() {
	p := x.be.cookie
	x.rec.CookieState = [2]byte{'N', 'N'}
	var ck message.Cookie
	for read := 0; read < cookiesReadMax && x.cookieServer == nil && x.req.NextCookie(&ck); {
		if bytes.Equal(x.req.Text(ck.Name), p.name) {
			x.judgeCookie(x.req.Text(ck.Value))
			read++
		}
	}
	switch {
	case x.rec.CookieState[0] == 'N':
	case p.spec.Prefix:
		x.req.CutCookies(p.name, '~')
	case p.spec.Insert && p.spec.Indirect:
		x.req.DelCookies(p.name)
	}
}

// judgeCookie takes one cookie of our name. The first that names a usable server
// decides; of the others an expired one or one whose server is down tells more
// than an unknown one.
func (x *exchange) judgeCookie(value []byte) {
	p, state := x.be.cookie, &x.rec.CookieState[0]
	var dates cookieDates
	if p.spec.Prefix {
		value, _, _ = bytes.Cut(value, []byte("~"))
	} else {
		value, dates = cutDates(value)
	}
	if late := p.ages.late(dates, x.wallSeconds()); late != 0 {
		*state, x.cookieDates = late, cookieDates{}
		return
	}
	known, srv := x.be.serverOfCookie(value)
	switch {
	case srv != nil:
		*state, x.cookieServer = 'V', srv
	case known:
		*state = 'D'
	case *state == 'N':
		*state = 'I'
	default:
		return
	}
	x.cookieDates = dates
}

// serverOfCookie: "the first operational server possessing the same value will
// be selected" (manual 5.2 cookie).
func (be *backend) serverOfCookie(value []byte) (known bool, usable *server) {
	for _, srv := range be.servers {
		if srv.cookie == "" || string(value) != srv.cookie {
			continue
		}
		known = true
		if st := srv.bal.State(); st == balancer.StateUp || st == balancer.StateDrain {
			return true, srv
		}
	}
	return known, nil
}

// writeCookie tells the client which server to come back to, unless it knows.
func (x *exchange) writeCookie() {
	p, srv, state := x.be.cookie, x.hunt.srv, &x.rec.CookieState
	state[1] = 'N'
	if state[0] == 'V' && x.cookieServer != srv {
		state[0] = 'D' // it did not answer, or had no room
	}
	known := state[0] == 'V'
	x.serverCookies(known)
	switch {
	case !p.spec.Insert || state[1] == 'P':
	case p.spec.PostOnly && x.req.Method != message.MethodPost:
	case !known:
		x.setCookie('I')
	case p.ages.outdated(x.cookieDates, cookieDateAt(x.wallSeconds())):
		x.setCookie('U')
	}
}

// serverCookies deals with cookies of our name that the server sets itself.
func (x *exchange) serverCookies(known bool) {
	p, srv, state := x.be.cookie, x.hunt.srv, &x.rec.CookieState[1]
	var ck message.Cookie
	for x.res.NextSetCookie(&ck) {
		if !bytes.Equal(x.res.Text(ck.Name), p.name) {
			continue
		}
		switch {
		case p.spec.Preserve:
			*state = 'P'
		case p.spec.Insert, p.spec.Indirect && known:
			x.res.RemoveCookie(&ck)
			*state = 'D'
		case p.spec.Rewrite && srv.cookie != "":
			x.res.SetCookieValue(&ck, []byte(srv.cookie))
			*state = 'R'
		case p.spec.Prefix && srv.cookie != "":
			x.w.key = append(append(append(x.w.key[:0], srv.cookie...), '~'), x.res.Text(ck.Value)...)
			x.res.SetCookieValue(&ck, x.w.key)
			*state = 'R'
		default:
			*state = 'P'
		}
	}
}

// setCookie adds our Set-Cookie. Where the server has no cookie, the client is
// to forget the one that it may have.
func (x *exchange) setCookie(state byte) {
	p, srv := x.be.cookie, x.hunt.srv
	v := append(append(x.w.log[:0], p.name...), '=')
	if srv.cookie == "" {
		v = append(v, "; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/"...)
	} else {
		v = append(v, srv.cookie...)
		v = p.ages.appendDates(v, x.cookieDates, cookieDateAt(x.wallSeconds()))
		v = append(v, p.tail...)
	}
	x.w.log = v
	noCache := p.spec.NoCache && x.storable().whole
	x.res.Add([]byte("set-cookie"), v)
	if noCache {
		x.res.Add([]byte("cache-control"), []byte("private"))
	}
	x.rec.CookieState[1] = state
}

func (x *exchange) wallSeconds() int64 { return x.w.wall(x.w.loop.Now()).Unix() }
