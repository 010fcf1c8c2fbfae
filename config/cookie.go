package config

import (
	"strings"
	"time"

	"github.com/weir-lb/weir/proxy"
)

var cookieOptions = []string{
	"rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure",
	"domain", "maxidle", "maxlife", "dynamic", "attr",
}

// cookie is the "cookie" keyword of a backend (manual 4.2).
func (c *compiler) cookie(l *line) {
	if l.args[0] == "" {
		c.fail(l, "wants the name of a cookie")
		return
	}
	k := proxy.Cookie{Name: l.args[0]}
	o := options{c: c, l: l, words: l.args[1:]}
	for o.next() {
		if !cookieFlag(&k, o.name) {
			c.cookieValue(&o, &k)
		}
	}
	modes := 0
	for _, on := range []bool{k.Insert, k.Rewrite, k.Prefix} {
		if on {
			modes++
		}
	}
	switch {
	case modes > 1:
		c.fail(l, "rewrite, insert and prefix can't be combined")
	case k.Rewrite && k.Indirect:
		c.fail(l, "rewrite and indirect can't be combined: the client would lose the server's cookie")
	case k.Preserve && !k.Insert && !k.Indirect:
		c.fail(l, "preserve wants insert or indirect beside it")
	}
	c.draft.back.Cookie = &k
	c.draft.httpOptions = append(c.draft.httpOptions, l)
}

func cookieFlag(k *proxy.Cookie, name string) bool {
	flags := map[string]*bool{
		"rewrite": &k.Rewrite, "insert": &k.Insert, "prefix": &k.Prefix, "indirect": &k.Indirect, "nocache": &k.NoCache,
		"postonly": &k.PostOnly, "preserve": &k.Preserve, "httponly": &k.HTTPOnly, "secure": &k.Secure, "dynamic": &k.Dynamic,
	}
	if flags[name] == nil {
		return false
	}
	*flags[name] = true
	return true
}

// cookieValue reads the options that take a value.
func (c *compiler) cookieValue(o *options, k *proxy.Cookie) {
	switch o.name {
	case "domain":
		v := o.value()
		if !strings.Contains(strings.TrimPrefix(v, "."), ".") && !o.bad {
			c.note(LevelWarning, o.l, "the domain %s has no inner dot; clients may not accept it (RFC 6265 section 5.2.3)", quote(v))
		}
		k.Domains = append(k.Domains, v)
	case "maxidle":
		k.MaxIdle = o.age()
	case "maxlife":
		k.MaxLife = o.age()
	case "attr":
		v := o.value()
		if i := strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r == ';' || r == 0x7f }); i >= 0 {
			o.fail("attr can't hold %s", quote(v[i:i+1]))
		}
		k.Attrs = append(k.Attrs, v)
	default:
		o.unknown(cookieOptions)
	}
}

// age is a time in seconds that no timer measures, so it may be longer.
func (o *options) age() time.Duration {
	v := o.value()
	if o.bad {
		return 0
	}
	d, err := parseLongDuration(v, time.Second, ageMax)
	o.check(err)
	return d
}

// ageMax is the greatest age that HAProxy can hold: 2^31-1 seconds.
const ageMax = (1<<31 - 1) * time.Second

func (c *compiler) dynamicCookieKey(l *line) { c.draft.back.DynamicCookieKey = l.args[0] }

// warnCookie: without a key no server has a dynamic cookie.
func (c *compiler) warnCookie(d *draft) {
	if k := d.back.Cookie; k != nil && k.Dynamic && d.back.DynamicCookieKey == "" {
		c.note(LevelWarning, d.head, "cookie dynamic has no effect without dynamic-cookie-key")
	}
}
