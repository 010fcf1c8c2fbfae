package health

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
)

// Requests that HAProxy 2.6 sent.
func TestRequestsAreHAProxys(t *testing.T) {
	host := [2]string{"Host", "h"}
	for _, tt := range []struct {
		name string
		r    Request
		want string
	}{
		{"nothing said", Request{}, "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"method and uri", Request{Method: "GET", URI: "/x"}, "GET /x HTTP/1.0\r\n\r\n"},
		{"asterisk", Request{URI: "*"}, "OPTIONS * HTTP/1.0\r\n\r\n"},
		{"all", Request{Method: "HEAD", URI: "/x", Version: "HTTP/1.1", Headers: [][2]string{{"Host", "www.example.com"}, {"X-Foo", "bar"}}, Body: "hello"},
			"HEAD /x HTTP/1.1\r\nhost: www.example.com\r\nx-foo: bar\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{"keep-alive is the default of 1.1", Request{Method: "PUT", Version: "HTTP/1.1", Headers: [][2]string{host, {"Connection", "keep-alive"}}},
			"PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"},
		{"framing is not the user's", Request{Headers: [][2]string{{"Content-Length", "99"}, {"Transfer-Encoding", "chunked"}}, Body: "hello"},
			"OPTIONS / HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello"},
		{"POST without body", Request{Method: "POST", Version: "HTTP/1.1", Headers: [][2]string{host}},
			"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"},
		{"keep-alive in 1.0", Request{Headers: [][2]string{{"Connection", "Keep-Alive"}}}, "OPTIONS / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"},
	} {
		if got := string(appendRequest(nil, &tt.r, nil)); got != tt.want {
			t.Errorf("%s: got  %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestStateHeaderIsHAProxys(t *testing.T) {
	v := NewVerdict(ServerSpec{}, true)
	target := Target{Backend: "b4", Server: "s", Node: "mynode", Addr: evloop.Addr{IP: netip.MustParseAddrPort("127.0.0.1:18604")},
		Loads: func() Loads {
			return Loads{Weight: 3, BackendWeight: 8, Sessions: 1, BackendSessions: 2, Queued: 4}
		}}
	want := "UP 1/3; address=127.0.0.1; port=18604; name=b4/s; node=mynode; weight=3/8; scur=1/2; qcur=4"
	if got := string(appendState(nil, v, &target)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	target = Target{Backend: "a2", Server: "s", Node: "vm", Addr: evloop.Addr{Path: "/run/x"}}
	want = "UP 1/3; address=unix; port=; name=a2/s; node=vm; weight=0/0; scur=0/0; qcur=0"
	if got := string(appendState(nil, v, &target)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := string(appendRequest(nil, &Request{Headers: [][2]string{{"Host", "h"}}, Body: "x"}, []byte("UP")))
	if want = "OPTIONS / HTTP/1.0\r\nhost: h\r\nx-haproxy-server-state: UP\r\ncontent-length: 1\r\n\r\nx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrongSpecsAreRefused(t *testing.T) {
	expect := func(e Expect) Spec { return Spec{Kind: HTTP, Steps: []Step{{Kind: StepExpect, Expect: e}}} }
	script := func(s ...Step) Spec { return Spec{Kind: Script, Steps: s} }
	for _, tt := range []struct {
		name string
		spec Spec
		want string
	}{
		{"split request", Spec{Kind: HTTP, URI: "/ HTTP/1.0\r\nX: y"}, "blanks or control characters"},
		{"method", Spec{Kind: HTTP, Method: "GET /"}, "blanks or control characters"},
		{"version", Spec{Kind: HTTP, Version: "HTTP/2.0"}, "HTTP/1.0 or HTTP/1.1"},
		{"header name", Spec{Kind: HTTP, Headers: [][2]string{{"a b", "c"}}}, "name of a header"},
		{"empty header name", Spec{Kind: HTTP, Headers: [][2]string{{"", "c"}}}, "name of a header"},
		{"header value", Spec{Kind: HTTP, Headers: [][2]string{{"a", "c\r\nd: e"}}}, "line ends"},
		{"regexp", expect(Expect{Match: MatchRegexp, Pattern: "("}), `can't use "("`},
		{"status regexp", expect(Expect{Match: MatchStatusRegexp, Pattern: "["}), `can't use "["`},
		{"binary", script(Step{Kind: StepExpect, Expect: Expect{Match: MatchBinary, Pattern: "0"}}), `can't use "0"`},
		{"binary in http", expect(Expect{Match: MatchBinary, Pattern: "00"}), "http-check status"},
		{"status in tcp", script(Step{Kind: StepExpect}), "tcp-check expects"},
		{"unknown match", expect(Expect{Match: 99}), "unknown kind of match"},
		{"unknown status", expect(Expect{OKStatus: "L9OK"}), `unknown check status "L9OK"`},
		{"bytes in http", Spec{Kind: HTTP, Steps: []Step{{Kind: StepSend, Data: []byte("x")}}}, "http-check sends requests"},
		{"request in tcp", script(Step{Kind: StepSend, Request: &Request{}}), "tcp-check sends bytes"},
		{"unknown step", script(Step{Kind: 9}), "unknown kind of step"},
		{"unknown kind", Spec{Kind: 9}, "unknown kind of check"},
		{"too long", script(make([]Step, stepsMax+1)...), "at most 256 steps"},
	} {
		err := tt.spec.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
