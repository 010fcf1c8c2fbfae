package proxy

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/listener"
)

// A cookieRecord is one line of testdata/cookie: what HAProxy did.
type cookieRecord struct {
	line        string
	left, right string // of the first colon and a blank
}

func readCookieRecords(t *testing.T, name string) []cookieRecord {
	t.Helper()
	text, err := os.ReadFile("testdata/cookie/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all []cookieRecord
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		left, right, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("%s: %q has no colon", name, line)
		}
		all = append(all, cookieRecord{line, left, right})
	}
	if len(all) == 0 {
		t.Fatalf("%s has no records", name)
	}
	return all
}

// answerTo makes an exchange that stands where cookies are written.
func answerTo(t *testing.T, method string, status int, fields []string) *exchange {
	t.Helper()
	x := &exchange{}
	lim := h1.Limits{HeadMax: 4096, FieldsMax: 100}
	var p h1.Parser
	if _, st := p.Request([]byte(method+" / HTTP/1.1\r\nhost: x\r\n\r\n"), &x.req, &lim); st != h1.Complete {
		t.Fatalf("the request is not read: %v", st)
	}
	head := fmt.Sprintf("HTTP/1.1 %d X\r\n", status)
	for _, f := range fields {
		head += f + "\r\n"
	}
	var q h1.Parser
	if _, st := q.Response([]byte(head+"\r\n"), &x.res, &lim, x.req.Method); st != h1.Complete {
		t.Fatalf("%q is not read: %v", head, st)
	}
	return x
}

// storedOtherwise are answers about which weir thinks otherwise than HAProxy.
var storedOtherwise = map[string]string{
	"Cache-Control: max-agex=10":                    "an unknown directive says nothing (RFC 9111 section 5.2.3)",
	"Cache-Control: max-age =0":                     "an unknown directive says nothing",
	"Cache-Control: private, public":                "the most restrictive directive counts (RFC 9111 section 4.2.1)",
	"Cache-Control: private; Cache-Control: public": "the same",
	"Cache-Control: no-cache, public":               "the same",
	"Cache-Control: no-store, public":               "the same",
	"Cache-Control: max-age=0, public":              "the same",
	`Cache-Control: no-cache="set-cookie", public`:  "the same: caches must ask before they give the cookie away",
	`Cache-Control: no-cache="set-cookie2"`:         "that is another field",
	`Cache-Control: no-cache="set-cookie`:           "the quote is not closed",
}

func TestAnswersThatMayBeStoredAreThoseThatHAProxyTakesForIt(t *testing.T) {
	asked := []struct {
		method string
		status int
	}{{"GET", 200}, {"POST", 200}, {"GET", 302}}
	otherwise := map[string]bool{}
	for _, r := range readCookieRecords(t, "fields.txt") {
		var fields []string
		if r.right != "" {
			fields = strings.Split(r.right, "; ")
		}
		got := ""
		for _, guarded := range []bool{false, true} {
			for _, a := range asked {
				v := answerTo(t, a.method, a.status, fields).storable()
				if v.whole && !(guarded && v.cookieGuarded) {
					got += "y"
				} else {
					got += "n"
				}
			}
			got += " "
		}
		rule := strings.TrimSuffix(r.right, `; ETag: "x"`)
		if same := strings.TrimSpace(got) == r.left; !same && storedOtherwise[rule] == "" {
			t.Errorf("%s: got %s, HAProxy has %s", r.right, got, r.left)
		} else if !same {
			otherwise[rule] = true
		}
	}
	for rule := range storedOtherwise {
		if !otherwise[rule] {
			t.Errorf("%s: is listed as judged otherwise and is not", rule)
		}
	}
}

func TestStoredMethodsAndStatusesAreThoseOfHAProxy(t *testing.T) {
	statuses := strings.Fields("200 201 202 203 204 206 226 300 301 302 303 304 307 308 400 401 403 404 405 410 414 421 451 " +
		"500 501 502 503 504")
	for _, r := range readCookieRecords(t, "statuses.txt") {
		r.left, r.right = lastColon(r.line)
		method, field, _ := strings.Cut(r.left, " ")
		var fields []string
		if field != "-" {
			fields = []string{field}
		}
		var got []string
		for _, s := range statuses {
			if answerTo(t, method, atoi(t, s), fields).storable().whole {
				got = append(got, s)
			}
		}
		want := strings.Fields(strings.TrimPrefix(r.right, "-"))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v", r.line, got)
		}
	}
}

func lastColon(line string) (left, right string) {
	i := strings.LastIndex(line, ": ")
	return line[:i], line[i+2:]
}

func TestCookieDatesCountAsWithHAProxy(t *testing.T) {
	for _, r := range readCookieRecords(t, "dates.txt") {
		w := strings.Fields(r.left)
		a := cookieAges{idle: int64(atoi(t, w[0])), life: int64(atoi(t, w[1]))}
		now := int64(1_700_000_000 + atoi(t, w[2]))
		text := func(word string) string {
			if s, err := strconv.Unquote(word); err == nil {
				return s
			}
			return string(cookieDate(now/4 + int64(atoi(t, word))).append(nil))
		}
		value := "aa|" + text(w[3])
		if w[4] != "-" {
			value += "|" + text(w[4])
		}
		server, dates := cutDates([]byte(value))
		if string(server) != "aa" {
			t.Fatalf("%s: the server is %q", r.line, server)
		}
		state, out := "VN", ""
		if late := a.late(dates, now); late != 0 {
			state, dates = string(late)+"I", cookieDates{}
		} else if a.outdated(dates, cookieDateAt(now)) {
			state = "VU"
		}
		if state != "VN" {
			out = string(a.appendDates([]byte("aa"), dates, cookieDateAt(now)))
		}
		want := strings.Fields(r.right)
		for i, word := range want[1:] {
			switch word {
			case "now":
				want[i+1] = string(cookieDateAt(now).append(nil))
			case "first":
				want[i+1] = text(w[4])
			case "-":
				want[i+1] = ""
			}
		}
		if state != want[0] || out != strings.Join(want[1:], "|") {
			t.Errorf("%s (%s): got %s %s", r.line, value, state, out)
		}
	}
}

func TestDynamicCookiesAreThoseOfHAProxy(t *testing.T) {
	for _, r := range readCookieRecords(t, "dynamic.txt") {
		left, want := lastColon(r.line)
		key, address, _ := strings.Cut(left, " ")
		a, err := listener.ParseServerAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		srv := &server{spec: &Server{}, addr: a.Addr, address: a}
		be := &Backend{Cookie: &Cookie{Dynamic: true}, DynamicCookieKey: key}
		if got := cookieOf(srv, be); got != want {
			t.Errorf("%s: got %s", r.line, got)
		}
	}
}

func TestServersWithoutADynamicCookie(t *testing.T) {
	ip := listener.ServerAddress{}
	ip.Addr.IP = netip.MustParseAddrPort("192.0.2.1:80")
	unix := listener.ServerAddress{}
	unix.Addr.Path = "/run/server"
	for name, c := range map[string]struct {
		own, key string
		address  listener.ServerAddress
		want     string
	}{
		"a cookie of its own":       {own: "a", key: "k", address: ip, want: "a"},
		"no key":                    {address: ip},
		"a UNIX socket":             {key: "k", address: unix},
		"a name without an address": {key: "k"},
	} {
		srv := &server{spec: &Server{Cookie: c.own}, addr: c.address.Addr, address: c.address}
		be := &Backend{Cookie: &Cookie{Dynamic: true}, DynamicCookieKey: c.key}
		if got := cookieOf(srv, be); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestAgesAreRoundedUpToSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, 30 * time.Minute: 1800,
	} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("%v: got %d s, want %d", d, got, want)
		}
	}
}
