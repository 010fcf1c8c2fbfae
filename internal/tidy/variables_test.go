package tidy

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// Package variables are tables: set where they are declared, then only read.
// The check has no types, so it goes by names: an assignment to a package
// variable's name in a function that does not declare that name itself.
func TestPackageVariablesDoNotChange(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "variable")
	for dir, sources := range tr.packages() {
		vars := packageVariables(sources)
		eachFunction(sources, func(s *source, fn *ast.FuncDecl) {
			local := localNames(fn)
			eachAssigned(fn, func(id *ast.Ident) {
				if vars[id.Name] && !local[id.Name] {
					r.broken(dir+" "+id.Name, s.path, tr.line(id.Pos()), "a package variable changes; put it in a struct")
				}
			})
		})
		for _, s := range sources {
			eachSharedLock(s, func(name *ast.Ident) {
				r.broken(dir+" "+name.Name, s.path, tr.line(name.Pos()), "a package variable that needs a lock or an atomic is one that changes")
			})
		}
	}
}

func packageVariables(sources []*source) map[string]bool {
	vars := map[string]bool{}
	for _, s := range sources {
		for _, spec := range variableSpecs(s) {
			for _, name := range spec.Names {
				vars[name.Name] = name.Name != "_"
			}
		}
	}
	return vars
}

func variableSpecs(s *source) []*ast.ValueSpec {
	var out []*ast.ValueSpec
	for _, d := range s.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			out = append(out, spec.(*ast.ValueSpec))
		}
	}
	return out
}

// eachSharedLock finds package variables of a type of sync or sync/atomic.
func eachSharedLock(s *source, f func(name *ast.Ident)) {
	for _, spec := range variableSpecs(s) {
		sel, ok := spec.Type.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && (pkg.Name == "sync" || pkg.Name == "atomic") {
			f(spec.Names[0])
		}
	}
}

// localNames returns the names that fn declares anywhere.
func localNames(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		}
		return true
	})
	return names
}

// eachAssigned finds the variable at the root of every assignment: x, x.f,
// x[i] and *x.
func eachAssigned(fn *ast.FuncDecl, f func(id *ast.Ident)) {
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if id := rootOf(lhs); id != nil {
					f(id)
				}
			}
		case *ast.IncDecStmt:
			if id := rootOf(n.X); id != nil {
				f(id)
			}
		}
		return true
	})
}

func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// States are named and commented: every constant of a type called ...State or
// ...state says what it means.
func TestStateConstantsAreCommented(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "state")
	for _, s := range tr.code() {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if ok && g.Tok == token.CONST {
				checkStates(r, s, g)
			}
		}
	}
}

func checkStates(r *report, s *source, g *ast.GenDecl) {
	typ := "" // of the group: only its first constant names it
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		if id, ok := v.Type.(*ast.Ident); ok {
			typ = id.Name
		} else if len(v.Values) > 0 {
			typ = ""
		}
		named := strings.HasSuffix(typ, "State") || typ == "state"
		if named && v.Doc == nil && v.Comment == nil {
			r.broken(s.dir+" "+v.Names[0].Name, s.path, r.tr.line(v.Pos()), "a state says what it waits for")
		}
	}
}
