package listener

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

func TestServerAddressForms(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want ServerAddress // without family
	}{
		{"127.0.0.1:80", ServerAddress{HasPort: true}},
		{"127.0.0.1", ServerAddress{MapPort: true}},
		{"127.0.0.1:", ServerAddress{MapPort: true}},
		{"127.0.0.1:0", ServerAddress{MapPort: true}},
		{"127.0.0.1:+10", ServerAddress{MapPort: true, PortOffset: 10}},
		{"127.0.0.1:-10", ServerAddress{MapPort: true, PortOffset: -10}},
		{"[::1]:80", ServerAddress{HasPort: true}},
		{"::1:80", ServerAddress{HasPort: true}},
		{"[::1]", ServerAddress{MapPort: true}},
		{"ipv4@127.0.0.1:80", ServerAddress{HasPort: true}},
		{"stream+ipv4@127.0.0.1:80", ServerAddress{HasPort: true}},
		{"tcp6@::1:80", ServerAddress{HasPort: true}},
		{"*", ServerAddress{MapPort: true, ClientDst: true}},
		{"*:80", ServerAddress{HasPort: true, ClientDst: true}},
		{":80", ServerAddress{HasPort: true, ClientDst: true}},
		{"ipv4@", ServerAddress{MapPort: true, ClientDst: true}},
		{"0.0.0.0:80", ServerAddress{HasPort: true, ClientDst: true}},
		{"ipv6@:80", ServerAddress{HasPort: true, ClientDst: true}},
		{"db.example.org:80", ServerAddress{HasPort: true, Host: "db.example.org"}},
		{"ipv6@localhost", ServerAddress{MapPort: true, Host: "localhost"}},
		{"/run/x.sock", ServerAddress{}},
		{"unix@run/x.sock", ServerAddress{}},
		{"abns@x", ServerAddress{}},
	} {
		got, err := ParseServerAddress(tt.in)
		tt.want.Addr, tt.want.family = got.Addr, got.family
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
	}
}

func TestServerAddressIsTaken(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "[::1]": "[::1]:0", "::1:80": "[::1]:80", "*:80": "0.0.0.0:80", "ipv6@:80": "[::]:80",
		"/run/x.sock": "/run/x.sock", "unix@run/x.sock": "run/x.sock", "unix@@x": "./@x", "abns@x": "@x",
	} {
		a, err := ParseServerAddress(in)
		got := a.Addr.Path
		if got == "" {
			got = a.Addr.IP.String()
		}
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestWrongAddressesSayWhatWouldBeRight(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:80-90":              "a server's port is a number",
		"127.0.0.1:99999":              "a server's port is a number",
		"127.0.0.1:x":                  "a server's port is a number",
		"127.0.0.1:+":                  "a server's port is a number",
		"10.1.1.300:80":                "four numbers",
		"127.1:80":                     "four numbers",
		"::1":                          "not an IP address",
		"[::1:80":                      "not an IP address",
		"[1.2.3.4]:80":                 "not an IPv6 address",
		"ipv4@::1:80":                  "not an IPv4 address",
		"ipv6@127.0.0.1:80":            "not an IPv6 address",
		"udp@127.0.0.1:80":             "stream address is needed",
		"quic4@127.0.0.1:80":           "stream address is needed",
		"dgram+ipv4@1.1.1.1":           "stream address is needed",
		"uxdg@/x":                      "stream address is needed",
		"stream+1.1.1.1:80":            "wants a family",
		"foo@1.1.1.1:80":               "unknown address prefix",
		"@x":                           "unknown address prefix",
		"sockpair@3":                   "unknown address prefix",
		"fd@3":                         "can't be the address of a server",
		"unix@":                        "path of a UNIX socket is missing",
		"abns@":                        "path of a UNIX socket is missing",
		"/" + strings.Repeat("a", 107): "at most 107 bytes",
	} {
		if a, err := ParseServerAddress(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error with %q", in, a, err, want)
		}
	}
}

func TestServerAddressFollowsTheClient(t *testing.T) {
	client := netip.MustParseAddrPort("10.9.9.9:1000")
	for in, want := range map[string]string{
		"127.0.0.1:80":   "127.0.0.1:80",
		"127.0.0.1":      "127.0.0.1:1000",
		"127.0.0.1:+10":  "127.0.0.1:1010",
		"127.0.0.1:-10":  "127.0.0.1:990",
		"*":              "10.9.9.9:1000",
		"*:80":           "10.9.9.9:80",
		"/run/some.sock": "invalid AddrPort",
	} {
		a, err := ParseServerAddress(in)
		if got := a.Towards(client).IP.String(); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestHostNamesAreResolvedOnce(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"ipv4@localhost:80", "127.0.0.1:80"}, {"127.0.0.2:80", "127.0.0.2:80"},
	} {
		a, err := ParseServerAddress(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if err = a.Resolve(context.Background()); err != nil || a.Addr.IP.String() != tt.want {
			t.Errorf("%s: got %v, %v; want %s", tt.in, a.Addr.IP, err, tt.want)
		}
	}
}

func TestUnresolvableNameIsNamed(t *testing.T) {
	a, err := ParseServerAddress("nosuchhost.invalid:80")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err = a.Resolve(ctx); err == nil || !strings.Contains(err.Error(), `can't resolve "nosuchhost.invalid"`) {
		t.Errorf("got %v, want an error that names the host", err)
	}
}

// Whatever a file may contain, an address is taken apart or refused.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1:80", "[::1]:80-90", "::", "*:+80", "unix@/x", "abns@y", "fd@3", "stream+fd@3", "tcp4@:80", "a@b@c:1", "+@:", "]:[",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseServerAddress(s)
		if err != nil {
			return
		}
		known := a.Addr.Path != "" || a.Host != "" || a.Addr.IP.Addr().IsValid()
		if !known || len(a.Addr.Path) > pathMax+2 || a.HasPort != (a.Addr.IP.Port() != 0) {
			t.Errorf("%q: %+v", s, a)
		}
		if _, err = ParseSource(SourceSpec{Address: s}); err == nil && a.Addr.Path != "" {
			t.Errorf("%q was taken as a source address", s)
		}
	})
}
