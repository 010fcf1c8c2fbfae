package contender

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Setup is what a proxy shall do in a scenario.
type Setup struct {
	TCP       bool
	Listen    netip.AddrPort
	Servers   []netip.AddrPort
	Algorithm string // HAProxy's word; empty: roundrobin
	ServerMax int    // server maxconn; 0: none
	Rules     int    // deny rules that no request of the load matches
	Log       netip.AddrPort
	Clients   int  // that come at once; limits have to allow for them
	Close     bool // clients use a connection for one request only
	H2        bool // HTTP/2 towards clients
	// Certificate is a file with a certificate and its key: TLS towards clients.
	// Empty: no TLS.
	Certificate string
	Threads     int
	Dir         string // for files that the proxy writes
}

// A Contender is one proxy.
type Contender struct {
	Name    string
	Package string // Debian's; empty: not packaged
	Program string // name or path

	version  []string // arguments that print it
	file     string   // name of the configuration
	template string
	run      func(c Contender, config string) []string
	check    func(c Contender, config string) []string
	env      func(s Setup) []string
	unable   func(s Setup) string // reason, or empty
}

// Unable is the error of a contender that has no way to do what a Setup asks.
type Unable struct {
	Contender, Reason string
}

func (e *Unable) Error() string { return fmt.Sprintf("%s can't take part: %s", e.Contender, e.Reason) }

// Names of the contenders that All knows.
const (
	Weir    = "weir"
	HAProxy = "haproxy"
	Nginx   = "nginx"
	Caddy   = "caddy"
	Floor   = "floor"
)

// All lists the contenders in the order in which they take their turns.
func All() []Contender {
	return []Contender{
		{
			Name: Weir, Program: "weir", version: []string{"-v"},
			file: "haproxy.cfg", template: "haproxy.cfg.tmpl", run: runHAProxy, check: checkHAProxy, env: traceGarbage, unable: nothing,
		},
		haproxy(HAProxy, "haproxy"),
		{
			Name: Nginx, Package: "nginx libnginx-mod-stream", Program: "nginx", version: []string{"-v"},
			file: "nginx.conf", template: "nginx.conf.tmpl", run: runNginx, check: checkNginx, env: noEnv, unable: unableNginx,
		},
		{
			Name: Caddy, Package: "caddy", Program: "caddy", version: []string{"version"},
			file: "Caddyfile", template: "Caddyfile.tmpl", run: runCaddy, check: checkCaddy, env: homeInDir, unable: unableCaddy,
		},
		{
			Name: Floor, Program: "bench", version: nil,
			file: "floor.json", template: "floor.json.tmpl", run: runFloor, check: nil, env: noEnv, unable: unableFloor,
		},
	}
}

func haproxy(name, program string) Contender {
	return Contender{
		Name: name, Package: "haproxy", Program: program, version: []string{"-v"},
		file: "haproxy.cfg", template: "haproxy.cfg.tmpl", run: runHAProxy, check: checkHAProxy, env: noEnv, unable: nothing,
	}
}

// OtherHAProxy is one more HAProxy, by path, named after its file.
func OtherHAProxy(path string) Contender {
	c := haproxy(HAProxy+":"+filepath.Base(path), path)
	c.Package = ""
	return c
}

// With is the contender with another program.
func (c Contender) With(program string) Contender {
	c.Program = program
	return c
}

// Locate finds the program.
func (c Contender) Locate() (string, error) {
	if path, err := exec.LookPath(c.Program); err == nil {
		return filepath.Abs(path)
	}
	// Debian keeps daemons where an ordinary PATH does not look.
	if path := filepath.Join("/usr/sbin", c.Program); !strings.Contains(c.Program, "/") && executable(path) {
		return path, nil
	}
	return "", fmt.Errorf("can't find %s (%s)", c.Name, c.Program)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}

// Version is what the program says of itself, on one line.
func (c Contender) Version() (string, error) {
	if c.version == nil {
		return "of this benchmark", nil
	}
	path, err := c.Locate()
	if err != nil {
		return "", err
	}
	out, err := exec.Command(path, c.version...).CombinedOutput() // nginx writes it to standard error
	if err != nil {
		return "", fmt.Errorf("can't ask %s for its version: %w", c.Name, err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first), nil
}
