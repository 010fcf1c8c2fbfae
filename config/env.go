package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// LanguageVersion is the version of HAProxy whose language weir speaks: what
// version_atleast() and version_before() compare with.
const LanguageVersion = "3.2.0"

// An Env is what loading may see of the world. The zero Env is the real one.
type Env struct {
	Vars      map[string]string // environment; nil: the process's
	Version   string            // default LanguageVersion
	Features  []string          // for feature(); nil: Features()
	Hostname  string            // default: the system's
	LocalName string            // -L: overrides "localpeer"
	Master    bool              // -W: $HAPROXY_MWORKER is 1
	Diagnose  bool              // -dD: .diag lines become notices

	ReadFile    func(name string) ([]byte, error)
	ReadDir     func(name string) (files []string, isDir bool, err error) // *.cfg of a folder, sorted
	LookupUser  func(name string) (uid int, err error)
	LookupGroup func(name string) (gid int, err error)
}

// Features are the names that feature() knows, as -vv prints them.
func Features() []string {
	return []string{"ACCEPT4", "EPOLL", "GETADDRINFO", "LINUX_SPLICE", "LINUX_TPROXY", "NETFILTER", "OPENSSL", "TFO", "THREAD", "TPROXY"}
}

func (e Env) withDefaults() Env {
	if e.Vars == nil {
		e.Vars = map[string]string{}
		for _, kv := range os.Environ() {
			name, value, _ := strings.Cut(kv, "=")
			e.Vars[name] = value
		}
	}
	if e.Version == "" {
		e.Version = LanguageVersion
	}
	if e.Features == nil {
		e.Features = Features()
	}
	if e.Hostname == "" {
		e.Hostname, _ = os.Hostname() // an unnamed machine logs without a name
	}
	if e.ReadFile == nil {
		e.ReadFile = readFile
	}
	if e.ReadDir == nil {
		e.ReadDir = readDir
	}
	if e.LookupUser == nil {
		e.LookupUser = lookupUser
	}
	if e.LookupGroup == nil {
		e.LookupGroup = lookupGroup
	}
	return e
}

const fileBytesMax = 64 << 20 // of a configuration file or an error page

func readFile(name string) ([]byte, error) {
	if st, err := os.Stat(name); err == nil && st.Size() > fileBytesMax {
		return nil, fmt.Errorf("file is larger than %d bytes", fileBytesMax)
	}
	return os.ReadFile(name)
}

// readDir lists the files of a folder that HAProxy would load: *.cfg, no dot
// files, in the order of their bytes (management.txt, -f).
func readDir(name string) ([]string, bool, error) {
	st, err := os.Stat(name)
	if err != nil || !st.IsDir() {
		return nil, false, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, true, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".cfg") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(name, e.Name()))
		}
	}
	slices.Sort(files)
	return files, true, nil
}

func lookupUser(name string) (int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Uid)
}

func lookupGroup(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// An environment is the set of variables as one line of a file sees it.
// setenv and its like add a link, so that earlier lines keep their own view.
type environment struct {
	before *environment
	vars   map[string]string // of the first link: the process's
	change envChange
	name   string
	value  string
	keep   []string // envReset: names that stay
}

// An envChange is what one link does to the variables before it.
type envChange uint8

const (
	envSet envChange = iota
	envUnset
	envReset
)

func (e *environment) lookup(name string) (string, bool) {
	for ; e.before != nil; e = e.before {
		switch {
		case e.change == envSet && e.name == name:
			return e.value, true
		case e.change == envUnset && e.name == name:
			return "", false
		case e.change == envReset && !slices.Contains(e.keep, name):
			return "", false
		}
	}
	v, ok := e.vars[name]
	return v, ok
}

func (e *environment) set(name, value string) *environment {
	return &environment{before: e, change: envSet, name: name, value: value}
}

// apply carries out setenv, presetenv, unsetenv or resetenv.
func (e *environment) apply(words []Word) *environment {
	args := texts(words[1:])
	switch words[0].Text {
	case "setenv":
		if len(args) == 2 && validVariable(args[0]) {
			return e.set(args[0], args[1])
		}
	case "presetenv":
		if len(args) == 2 && validVariable(args[0]) {
			if _, ok := e.lookup(args[0]); !ok {
				return e.set(args[0], args[1])
			}
		}
	case "unsetenv":
		for _, name := range args {
			e = &environment{before: e, change: envUnset, name: name}
		}
	case "resetenv":
		return &environment{before: e, change: envReset, keep: args}
	}
	return e
}

func validVariable(name string) bool { return name != "" && !strings.ContainsAny(name, "=\x00") }

// changes returns what lines of the file changed: the variables that were set,
// and the names of those that are gone.
func (e *environment) changes() (set map[string]string, gone []string) {
	var names []string
	first := e
	for ; first.before != nil; first = first.before {
		names = append(names, first.name)
	}
	for name := range first.vars {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		old, was := first.vars[name]
		now, is := e.lookup(name)
		switch {
		case is && (!was || old != now):
			if set == nil {
				set = map[string]string{}
			}
			set[name] = now
		case was && !is:
			gone = append(gone, name)
		}
	}
	return set, gone
}

// The built-in formats of chapter 8.2 as variables, so that a file can extend
// them (manual 2.3).
var presetVariables = [][2]string{
	{"HAPROXY_HTTP_LOG_FMT", `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r`},
	{"HAPROXY_TCP_LOG_FMT", `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`},
	{"HAPROXY_HTTPS_LOG_FMT", `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r ` +
		`%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`},
}

// newEnvironment returns the variables that the first line sees.
func newEnvironment(env *Env, files []string) *environment {
	vars := maps.Clone(env.Vars)
	for _, kv := range presetVariables {
		vars[kv[0]] = kv[1]
	}
	vars["HAPROXY_LOCALPEER"] = cmp.Or(env.LocalName, env.Hostname)
	vars["HAPROXY_CFGFILES"] = strings.Join(files, ";")
	vars["HAPROXY_STARTUP_VERSION"] = env.Version
	vars["HAPROXY_BRANCH"] = branchOf(env.Version)
	if env.Master {
		vars["HAPROXY_MWORKER"] = "1"
	}
	return &environment{vars: vars}
}

// branchOf returns "3.2" of "3.2.0".
func branchOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
