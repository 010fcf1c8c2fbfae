package tidy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport lists for each package which of our packages its code may import.
// Imports only point down (docs/ARCHITECTURE.md, levels):
//
//	4   cmd/weir  bench  examples
//	3   config  admin
//	2   proxy
//	1   balancer  health  listener  tls  internal/{expr, pattern, sticktable, accesslog}
//	0   internal/{evloop, buffer, message, h1, h2}
//
// A package that is not in the table fails the test: adding one is a decision.
var mayImport = map[string][]string{
	// level 0
	"internal/evloop":           {},
	"internal/evloop/simkernel": {"internal/evloop"},
	"internal/buffer":           {},
	"internal/message":          {},
	"internal/h1":               {"internal/message"},
	"internal/hello":            {},
	"internal/h2":               {"internal/message"},

	// level 1: these never import each other but where a line says so
	"balancer":            {},
	"listener":            {"internal/evloop"},
	"tls":                 {"internal/evloop", "internal/buffer"},
	"health":              {"internal/evloop", "internal/h1", "internal/message"},
	"internal/pattern":    {},
	"internal/expr":       {"internal/message", "internal/pattern", "internal/hello"}, // ACLs end in patterns
	"internal/sticktable": {},
	"internal/accesslog":  {"internal/expr"}, // formats are expressions

	// level 2
	"proxy": {
		"balancer", "health", "listener", "tls",
		"internal/expr", "internal/pattern", "internal/sticktable", "internal/accesslog",
		"internal/evloop", "internal/buffer", "internal/message", "internal/h1", "internal/h2",
	},

	// level 3: the language and the run-time surface fill and read plain structs
	"config": {"proxy", "balancer", "health", "listener", "tls"},
	"admin":  {"proxy", "balancer", "health", "listener", "tls"},

	// level 4: exported packages only
	"cmd/weir": {"config", "proxy", "admin", "balancer", "health", "listener", "tls"},
	"bench": {
		"bench/contender", "bench/floor", "bench/load", "bench/process", "bench/report", "bench/result", "bench/rounds", "bench/scenario", "bench/server",
	},
	"bench/contender": {},
	"bench/floor":     {"bench/framing", "bench/socket"},
	"bench/framing":   {},
	"bench/load":      {"bench/framing", "bench/socket"},
	"bench/process":   {},
	"bench/report":    {"bench/load", "bench/result", "bench/scenario"},
	"bench/result":    {"bench/load", "bench/process", "bench/scenario"},
	"bench/rounds":    {"bench/contender", "bench/load", "bench/process", "bench/result", "bench/scenario", "bench/server"},
	"bench/scenario":  {},
	"bench/server":    {"bench/framing", "bench/socket"},
	"bench/socket":    {},
	"examples/demo":   {},
	"examples/embed":  {"proxy", "balancer", "listener"},

	"internal/tidy": {},
}

// onlyTests are packages that tests import and nothing else.
var onlyTests = map[string][]string{
	"internal/difftest": {},
	"tls/tlstest":       {},
}

// mayDepend lists the modules that code may use; docs/decisions gives reasons.
var mayDepend = []string{
	"golang.org/x/net",
	"golang.org/x/sys",
	"github.com/cloudflare/tableflip",
	"github.com/quic-go/quic-go",
	"go.uber.org/automaxprocs",
	"github.com/HdrHistogram/hdrhistogram-go", // bench only: docs/decisions/0007
}

func TestImportsPointDown(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "import")
	table := maps.Clone(mayImport)
	maps.Copy(table, onlyTests)
	for dir, sources := range tr.packages() {
		allowed, known := table[dir]
		if !known {
			r.broken(dir, dir, 1, "package is not in the table of levels (imports_test.go)")
			continue
		}
		for _, s := range sources {
			for _, imp := range s.file.Imports {
				path, _ := strconv.Unquote(imp.Path.Value)
				rest, ours := strings.CutPrefix(path, modulePath+"/")
				if ours && !slices.Contains(allowed, rest) {
					r.broken(dir+" "+rest, s.path, tr.line(imp.Pos()), "allowed: %v", allowed)
				}
			}
		}
	}
}

func TestDependenciesAreTheDecidedOnes(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "module")
	for _, s := range tr.sources {
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") || path == modulePath || strings.HasPrefix(path, modulePath+"/") {
				continue
			}
			known := slices.ContainsFunc(mayDepend, func(m string) bool {
				return path == m || strings.HasPrefix(path, m+"/")
			})
			if !known {
				r.broken(path, s.path, tr.line(imp.Pos()), "not a decided dependency (docs/decisions)")
			}
		}
	}
}

// What runs on a machine without a C compiler, and reads no memory but its own.
func TestNobodyImportsCgoOrLinkname(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "cgo")
	for _, s := range tr.sources {
		for _, imp := range s.file.Imports {
			if imp.Path.Value == `"C"` {
				r.broken(s.path, s.path, tr.line(imp.Pos()), "imports C; weir is pure Go")
			}
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname") {
					r.broken(s.path, s.path, tr.line(c.Pos()), "go:linkname reaches into the runtime")
				}
			}
		}
	}
}
