package proxy

import (
	"strings"
	"testing"
	"time"
)

// cookieSite has two servers with cookies one and two.
func cookieSite(c Cookie) *Config {
	cfg := site(ModeHTTP, 2)
	c.Name, c.Insert, c.Indirect = "SRV", true, true
	cfg.Backends[0].Cookie = &c
	cfg.Backends[0].Servers[0].Cookie, cfg.Backends[0].Servers[1].Cookie = "one", "two"
	return cfg
}

// visit sends a request with the cookie from a client of its own, has the server
// answer, and returns the cookie that the client is given, if any.
func visit(sc *script, n int, server, cookie string) string {
	sc.t.Helper()
	request := "GET /a HTTP/1.1\r\nhost: x\r\n"
	if cookie != "" {
		request += "cookie: SRV=" + cookie + "\r\n"
	}
	c := sc.Client(n)
	c.Send(request + "\r\n")
	sc.Server(server).Accept("the request").Want("the server does not see the cookie", getA)
	sc.Server(server).Send(ok)
	got := c.WantStart("an answer", "HTTP/1.1 200 OK\r\n")
	c.Close()
	_, set, found := strings.Cut(got, "set-cookie: SRV=")
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(set, ";")
	return value
}

func TestCookieLivesAsLongAsItIsUsedAndNoLongerThanItsLife(t *testing.T) {
	sc := newScript(t, cookieSite(Cookie{MaxIdle: 10 * time.Minute, MaxLife: 25 * time.Minute}))
	first := visit(sc, 1, "s1", "")
	if want := "one|O5rKA|O5rKA"; first != want { // a thousand million seconds
		t.Fatalf("the client was given %q, want %q", first, want)
	}
	if got := visit(sc, 2, "s1", first); got != "" {
		t.Fatalf("at once the client was given %q, want nothing new", got)
	}
	sc.Advance(9 * time.Minute)
	second := visit(sc, 3, "s1", first)
	if second == "" || second == first || first[strings.LastIndex(first, "|"):] != second[strings.LastIndex(second, "|"):] {
		t.Fatalf("after 9 minutes the client was given %q for %q, want a new last and the same first date", second, first)
	}
	sc.Advance(9 * time.Minute)
	third := visit(sc, 4, "s1", second)
	sc.Advance(6 * time.Minute)
	if got := visit(sc, 5, "s1", third); !strings.HasPrefix(got, "one|") {
		t.Fatalf("after 24 minutes the client was given %q for %q", got, third)
	}
	for _, state := range []string{"NI", "VN", "VU", "VU", "VU"} {
		sc.WantLog("the visits so far", "200 --"+state+" be/s1 0 0/0")
	}
	sc.Advance(2 * time.Minute)
	if got := visit(sc, 6, "s2", third); !strings.HasPrefix(got, "two|") {
		t.Fatalf("after 26 minutes the client was given %q, want a new cookie", got)
	}
	sc.WantLog("its life is over", "200 --OI be/s2 0 0/0")
	sc.Advance(11 * time.Minute)
	visit(sc, 7, "s1", "two|"+third[4:9])
	sc.WantLog("it was not used", "200 --EI be/s1 0 0/0")
}

func TestCookieThatACacheMayGiveAwayIsBlocked(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].CheckCache = true
	sc := newScript(t, cfg)
	sc.Client(1).Send(getA)
	s := sc.Server("s1")
	s.Want("", getA)
	s.Send("HTTP/1.1 200 OK\r\nset-cookie: a=b\r\netag: x\r\ncontent-length: 2\r\n\r\nok")
	if got := sc.Client(1).WantStart("the answer is blocked", "HTTP/1.1 502 "); strings.Contains(got, "a=b") {
		t.Fatalf("the cookie has passed: %q", got)
	}
	sc.WantLog("blocked", "502 PH-- be/s1 0 0/0")
	sc.Client(1).Send(getB)
	s.Want("the connections stay", getB)
	guarded := "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\netag: x\r\ncache-control: private\r\ncontent-length: 2\r\n\r\nok"
	s.Send(guarded)
	sc.Client(1).Want("a private answer passes", guarded)
	sc.WantLog("passed", "200 ---- be/s1 0 0/0")
}
