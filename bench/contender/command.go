package contender

import (
	"bytes"
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"text/template"
)

// rulesMax keeps the addresses of the rules inside 192.0.2.0/24.
const rulesMax = 200

//go:embed templates
var templates embed.FS

// Config writes the contender's configuration for a Setup.
func (c Contender) Config(s Setup) (name string, text []byte, err error) {
	if reason := c.unable(s); reason != "" {
		return "", nil, &Unable{c.Name, reason}
	}
	if s.Rules > rulesMax {
		return "", nil, fmt.Errorf("can't write %d rules: at most %d", s.Rules, rulesMax)
	}
	t, err := template.New(c.template).Funcs(template.FuncMap{"inc": func(i int) int { return i + 1 }}).
		ParseFS(templates, "templates/"+c.template)
	if err != nil {
		return "", nil, fmt.Errorf("can't read the template of %s: %w", c.Name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return "", nil, fmt.Errorf("can't fill the template of %s: %w", c.Name, err)
	}
	return c.file, out.Bytes(), nil
}

// Command is how the contender runs in the foreground with a configuration.
func (c Contender) Command(config string) []string { return c.run(c, config) }

// Check is how the contender checks a configuration; nil if it has no way.
func (c Contender) Check(config string) []string {
	if c.check == nil {
		return nil
	}
	return c.check(c, config)
}

// Env is what the contender's environment needs.
func (c Contender) Env(s Setup) []string { return c.env(s) }

func runHAProxy(c Contender, config string) []string {
	return []string{c.Program, "-db", "-f", config}
}

func checkHAProxy(c Contender, config string) []string {
	return []string{c.Program, "-c", "-f", config}
}

func runNginx(c Contender, config string) []string {
	return []string{c.Program, "-c", config, "-p", filepath.Dir(config)}
}

func checkNginx(c Contender, config string) []string {
	return append(runNginx(c, config), "-t")
}

func runCaddy(c Contender, config string) []string {
	return []string{c.Program, "run", "--config", config, "--adapter", "caddyfile"}
}

func checkCaddy(c Contender, config string) []string {
	return []string{c.Program, "validate", "--config", config, "--adapter", "caddyfile"}
}

func runFloor(c Contender, config string) []string { return []string{c.Program, "floor", config} }

// TellsGarbage reports whether the output has a line for each collection.
func (c Contender) TellsGarbage() bool {
	return slices.Contains(c.env(Setup{}), gcTrace)
}

func noEnv(Setup) []string { return nil }

// traceGarbage makes Go's runtime tell of each collection, on standard error.
// It costs nothing between collections.
func traceGarbage(Setup) []string { return []string{gcTrace} }

const gcTrace = "GODEBUG=gctrace=1"

// Caddy writes into its home even when it has nothing to keep.
func homeInDir(s Setup) []string {
	return append(traceGarbage(s), "HOME="+s.Dir, "XDG_CONFIG_HOME="+s.Dir, "XDG_DATA_HOME="+s.Dir)
}

func nothing(Setup) string { return "" }

func unableNginx(s Setup) string {
	switch {
	case s.ServerMax > 0:
		return "its max_conns refuses what is too much; the queue is not in the free version"
	case slices.Contains([]string{"static-rr", "first"}, s.Algorithm):
		return "it has no algorithm like " + s.Algorithm
	}
	return ""
}

func unableCaddy(s Setup) string {
	switch {
	case s.TCP:
		return "it relays HTTP only"
	case slices.Contains([]string{"static-rr", "url_param"}, s.Algorithm):
		return "it has no algorithm like " + s.Algorithm
	}
	return ""
}

func unableFloor(s Setup) string {
	if s.Certificate != "" || s.H2 {
		return "it moves bytes as they are"
	}
	return ""
}

// Mode is HAProxy's word.
func (s Setup) Mode() string {
	if s.TCP {
		return "tcp"
	}
	return "http"
}

// Logs reports whether a line for each request is sent.
func (s Setup) Logs() bool { return s.Log.IsValid() }

// A Rule denies requests with a mark that the load's requests don't have.
type Rule struct {
	Number int
	Kind   string // path_beg, path_end, agent, src
}

// DenyRules is the mix of rules that a Setup asks for: 40 % by start of the
// path, 20 % each by its end, by a word in User-Agent, and by client address.
func (s Setup) DenyRules() []Rule {
	kinds := [...]string{"path_beg", "path_end", "path_beg", "agent", "src"}
	rules := make([]Rule, s.Rules)
	for i := range rules {
		rules[i] = Rule{Number: i + 1, Kind: kinds[i%len(kinds)]}
	}
	return rules
}

// RulesOf is those of one kind.
func (s Setup) RulesOf(kind string) []Rule {
	return slices.DeleteFunc(s.DenyRules(), func(r Rule) bool { return r.Kind != kind })
}

// PathRules is the rules about paths in Caddy's notation.
func (s Setup) PathRules() []string {
	var paths []string
	for _, r := range s.RulesOf("path_beg") {
		paths = append(paths, fmt.Sprintf("/private%d/*", r.Number))
	}
	for _, r := range s.RulesOf("path_end") {
		paths = append(paths, fmt.Sprintf("*.bad%d", r.Number))
	}
	return paths
}

// Balance is the arguments of HAProxy's keyword.
func (s Setup) Balance() string {
	switch s.Algorithm {
	case "":
		return "roundrobin"
	case "hdr":
		return "hdr(x-key)"
	case "url_param":
		return "url_param key"
	}
	return s.Algorithm
}

const (
	maxConnMin = 5000 // HAProxy keeps fewer idle server connections under a tight limit
	maxConnMax = 9900 // two descriptors each within a limit of 20,000, which is common
)

// MaxConn is how many clients are allowed: well above those that come, as in a
// real configuration.
func (s Setup) MaxConn() int {
	return max(s.Clients+200, min(2*s.Clients, maxConnMax), maxConnMin)
}

// Files is how many descriptors one worker needs at most: two for each client,
// and its own.
func (s Setup) Files() int { return min(2*s.MaxConn()+len(s.Servers)+100, filesMax) }

// filesMax is a hard limit that most systems allow without a change.
const filesMax = 20000

// KeepIdle is how many idle server connections are kept: as many as there are
// clients can be needed at once.
func (s Setup) KeepIdle() int { return max(s.Clients, len(s.Servers)) }
