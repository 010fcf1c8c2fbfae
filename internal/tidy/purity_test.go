package tidy

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clockless packages get the time as a parameter.
var clockless = []string{
	"balancer",
	"internal/buffer", "internal/message", "internal/h1", "internal/h2",
	"internal/pattern", "internal/expr", "internal/sticktable",
}

var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

func TestPurePackagesNeverReadTheClock(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "clock")
	for _, s := range tr.code() {
		if !slices.Contains(clockless, s.dir) {
			continue
		}
		eachCall(s, "time", func(name string, pos token.Pos) {
			if slices.Contains(clockCalls, name) {
				r.broken(s.dir+" time."+name, s.path, tr.line(pos), "the time comes in as a parameter")
			}
		})
	}
}

// ioless packages turn bytes into values and back.
var ioless = []string{
	"balancer",
	"internal/buffer", "internal/message", "internal/h1", "internal/h2", "internal/pattern",
}

func TestPurePackagesDoNoIO(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "io")
	for _, s := range tr.code() {
		if !slices.Contains(ioless, s.dir) {
			continue
		}
		for _, imp := range s.file.Imports {
			switch p, _ := strconv.Unquote(imp.Path.Value); p {
			case "os", "net", "net/http", "syscall", "golang.org/x/sys/unix", "bufio", "io/fs", "log":
				r.broken(s.dir+" "+p, s.path, tr.line(imp.Pos()), "a pure package does no I/O")
			}
		}
	}
}

// hotFiles run for every request or every turn: patterns of path.Match.
var hotFiles = []string{
	"internal/evloop/*.go", "internal/buffer/*.go", "internal/message/*.go", "internal/h1/*.go", "internal/h2/*.go",
	"proxy/tcp*.go", "proxy/http*.go", "proxy/relay*.go", "proxy/exchange*.go", "proxy/session*.go", "proxy/idle*.go",
}

func TestHotFilesDoNotFormat(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "fmt")
	for _, s := range tr.code() {
		hot := slices.ContainsFunc(hotFiles, func(p string) bool { ok, _ := path.Match(p, s.path); return ok })
		if !hot {
			continue
		}
		for _, imp := range s.file.Imports {
			if p, _ := strconv.Unquote(imp.Path.Value); p == "fmt" || p == "log" || p == "reflect" {
				r.broken(s.path, s.path, tr.line(imp.Pos()), "imports %s; hot files append bytes", p)
			}
		}
	}
}

// eachCall finds pkg.Name(...) in a file.
func eachCall(s *source, pkg string, f func(name string, pos token.Pos)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
				f(sel.Sel.Name, call.Pos())
			}
		}
		return true
	})
}

func TestNoInitFunctions(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "init")
	eachFunction(tr.code(), func(s *source, fn *ast.FuncDecl) {
		if fn.Recv == nil && fn.Name.Name == "init" {
			r.broken(s.path, s.path, tr.line(fn.Pos()), "no hidden doors: call it from where it is needed")
		}
	})
}

func TestTestsNeitherSleepNorSkip(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "sleep")
	for _, s := range tr.sources {
		if !s.test || s.dir == "internal/tidy" {
			continue
		}
		eachCall(s, "time", func(name string, pos token.Pos) {
			if name == "Sleep" {
				r.broken(s.path, s.path, tr.line(pos), "wait for a condition with a deadline, or use the fake clock")
			}
		})
		for _, v := range []string{"t", "b", "tb"} {
			eachCall(s, v, func(name string, pos token.Pos) {
				if strings.HasPrefix(name, "Skip") {
					r.broken(s.path, s.path, tr.line(pos), "a skipped test proves nothing; fail with the reason")
				}
			})
		}
	}
}
