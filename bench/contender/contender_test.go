package contender

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// without says whether the one who runs the tests knows that a program is missing.
func without(name string) bool { return strings.Contains(os.Getenv("WEIR_WITHOUT"), name) }

var setups = map[string]Setup{
	"plain":     {},
	"limits":    {ServerMax: 4, Algorithm: "leastconn"},
	"rule":      {Rules: 1},
	"rules":     {Rules: 50},
	"log":       {Log: netip.MustParseAddrPort("127.0.0.1:5140")},
	"tcp":       {TCP: true},
	"tls":       {Certificate: "bench.pem"},
	"h2":        {Certificate: "bench.pem", H2: true},
	"h2c":       {H2: true},
	"two cores": {Threads: 2, Clients: 5000},
	"static-rr": {Algorithm: "static-rr"}, "first": {Algorithm: "first"}, "source": {Algorithm: "source"}, "uri": {Algorithm: "uri"},
	"hdr": {Algorithm: "hdr"}, "url_param": {Algorithm: "url_param"}, "random": {Algorithm: "random"},
}

func complete(t *testing.T, s Setup) Setup {
	s.Listen = netip.MustParseAddrPort("127.0.0.1:18999")
	s.Servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.2:18998"), netip.MustParseAddrPort("127.0.0.3:18998")}
	s.Threads = max(s.Threads, 1)
	s.Clients = max(s.Clients, 64)
	s.Dir = t.TempDir()
	if s.Certificate != "" {
		s.Certificate = filepath.Join(s.Dir, s.Certificate)
		if err := WriteCertificate(s.Certificate); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Every configuration that a report can hold is one that the program takes.
func TestProgramsTakeTheirConfigurations(t *testing.T) {
	weir := filepath.Join(t.TempDir(), "weir")
	if out, err := exec.Command("go", "build", "-o", weir, "github.com/weir-lb/weir/cmd/weir").CombinedOutput(); err != nil {
		t.Fatalf("can't build weir: %v\n%s", err, out)
	}
	for _, c := range All() {
		if c.Name == Weir {
			c = c.With(weir)
		}
		if c.Check("x") == nil || without(c.Name) {
			continue
		}
		for name, s := range setups {
			t.Run(c.Name+"/"+name, func(t *testing.T) { testCheck(t, c, complete(t, s)) })
		}
	}
}

func testCheck(t *testing.T, c Contender, s Setup) {
	path, err := c.Locate()
	if err != nil {
		t.Fatalf("%v: apt-get install %s, or WEIR_WITHOUT=%s", err, c.Package, c.Name)
	}
	c = c.With(path)
	file, text, err := c.Config(s)
	if unable := (*Unable)(nil); errors.As(err, &unable) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(s.Dir, file)
	if err := os.WriteFile(config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	args := c.Check(config)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), c.Env(s)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s\n%s", args, err, out, text)
	}
}

func TestConfigurationsSayWhatTheSetupSays(t *testing.T) {
	for _, tc := range []struct {
		contender string
		setup     Setup
		want      []string
	}{
		{HAProxy, Setup{Rules: 5}, []string{"path_beg /private1/ }", "path_end .bad2 }", "path_beg /private3/ }", "-i scanner4 }", "src 192.0.2.5 }"}},
		{HAProxy, Setup{TCP: true}, []string{"mode tcp", "option splice-auto"}},
		{HAProxy, Setup{ServerMax: 7, Algorithm: "hdr"}, []string{"server s2 127.0.0.3:18998 maxconn 7", "balance hdr(x-key)"}},
		{Nginx, Setup{Rules: 5, Algorithm: "leastconn"}, []string{"location ^~ /private3/", `location ~ \.bad2$`, "~*scanner4 1;", "deny 192.0.2.5;", "least_conn;"}},
		{Nginx, Setup{Clients: 50000}, []string{"worker_connections 20000;"}},
		{Caddy, Setup{Rules: 5, ServerMax: 7}, []string{"@path path /private1/* /private3/* *.bad2", "*scanner4*", "remote_ip 192.0.2.5", "max_conns_per_host 7"}},
		{Floor, Setup{ServerMax: 7, Threads: 2}, []string{`"server_max": 7`, `"loops": 2`, `["127.0.0.2:18998", "127.0.0.3:18998"]`}},
	} {
		c := find(t, tc.contender)
		_, text, err := c.Config(complete(t, tc.setup))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tc.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s for %+v lacks %q:\n%s", c.Name, tc.setup, want, text)
			}
		}
	}
}

func TestWhoCanNotSaysWhy(t *testing.T) {
	for name, s := range map[string]Setup{Nginx: {ServerMax: 1}, Caddy: {TCP: true}} {
		_, _, err := find(t, name).Config(complete(t, s))
		var unable *Unable
		if !errors.As(err, &unable) || unable.Reason == "" {
			t.Errorf("%s: error %v, want one that gives a reason", name, err)
		}
	}
}

func find(t *testing.T, name string) Contender {
	for _, c := range All() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no contender %q", name)
	return Contender{}
}
