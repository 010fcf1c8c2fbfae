package tidy

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

const (
	functionLinesMax = 70
	fileLinesMax     = 700
	tabsMax          = 4
	parametersMax    = 4
)

func TestFunctionsFitOnAScreen(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "function")
	eachFunction(tr.code(), func(s *source, fn *ast.FuncDecl) {
		lines := tr.line(fn.End()) - tr.line(fn.Pos()) + 1
		if lines > functionLinesMax {
			r.broken(s.dir+" "+functionName(fn), s.path, tr.line(fn.Pos()), "%d lines, limit %d", lines, functionLinesMax)
		}
	})
}

func TestFilesAreShort(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "file")
	for _, s := range tr.code() {
		if len(s.lines) > fileLinesMax {
			r.broken(s.path, s.path, 1, "%d lines, limit %d", len(s.lines), fileLinesMax)
		}
	}
}

func TestNestingIsShallow(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "nesting")
	eachFunction(tr.code(), func(s *source, fn *ast.FuncDecl) {
		if fn.Body == nil {
			return
		}
		raw := rawStringLines(tr, fn)
		for n := tr.line(fn.Body.Pos()); n < tr.line(fn.Body.End()); n++ {
			text := s.lines[n]
			tabs := len(text) - len(strings.TrimLeft(text, "\t"))
			if tabs > tabsMax && !raw[n+1] {
				r.broken(s.dir+" "+functionName(fn), s.path, n+1, "indented %d deep, limit %d", tabs, tabsMax)
				return
			}
		}
	})
}

// rawStringLines returns the lines that lie inside a raw string of fn.
func rawStringLines(tr *tree, fn *ast.FuncDecl) map[int]bool {
	raw := map[int]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if ok && lit.Kind == token.STRING && strings.HasPrefix(lit.Value, "`") {
			for l := tr.line(lit.Pos()) + 1; l <= tr.line(lit.End()); l++ {
				raw[l] = true
			}
		}
		return true
	})
	return raw
}

func TestParametersAreFew(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "parameters")
	eachFunction(tr.code(), func(s *source, fn *ast.FuncDecl) {
		if n := fn.Type.Params.NumFields(); n > parametersMax {
			r.broken(s.dir+" "+functionName(fn), s.path, tr.line(fn.Pos()), "%d parameters, limit %d: pass a struct", n, parametersMax)
		}
	})
}
