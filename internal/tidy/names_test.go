package tidy

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "types", "shared"}

func TestPackagesAndFilesAreDomainNouns(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "vague")
	for _, s := range tr.sources {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		if slices.Contains(vagueNames, name) {
			r.broken(s.path, s.path, 1, "a file is named after what it holds")
		}
		if slices.Contains(vagueNames, strings.TrimSuffix(s.file.Name.Name, "_test")) {
			r.broken(s.dir, s.path, 1, "a package is named after what it holds")
		}
	}
}

// One word per thing (docs/GLOSSARY.md): the two sides are client and server.
var otherWords = regexp.MustCompile(`(?i)upstream|downstream|originserver|origin_server`)

// peer and remote are words of their own in Go's net package and in the
// manual (a peers section), so they are only refused as a whole part of a name.
var sideWords = regexp.MustCompile(`^(peer|remote)([A-Z_]|$)|[a-z](Peer|Remote)([A-Z_]|$)`)

func TestIdentifiersUseTheGlossary(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "word")
	for _, s := range tr.code() {
		for _, id := range declaredNames(s.file) {
			if otherWords.MatchString(id.Name) || sideWords.MatchString(id.Name) {
				r.broken(s.dir+" "+id.Name, s.path, tr.line(id.Pos()), "say client or server (docs/GLOSSARY.md)")
			}
		}
	}
}

// declaredNames returns what a file itself names: what other packages named
// (net.Conn.RemoteAddr) is not its choice.
func declaredNames(file *ast.File) []*ast.Ident {
	var out []*ast.Ident
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			out = append(out, n.Name)
		case *ast.TypeSpec:
			out = append(out, n.Name)
		case *ast.ValueSpec:
			out = append(out, n.Names...)
		case *ast.Field:
			out = append(out, n.Names...)
		case *ast.AssignStmt:
			if n.Tok.String() == ":=" {
				for _, lhs := range n.Lhs {
					if id, ok := lhs.(*ast.Ident); ok {
						out = append(out, id)
					}
				}
			}
		}
		return true
	})
	return out
}

// Somebody's home directory in a file works on one machine only.
var homePath = regexp.MustCompile(`/(home|Users|work|root)/[a-z]`)

func TestNoPathOfOneMachine(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "path")
	for _, s := range tr.sources {
		if s.dir == "internal/tidy" {
			continue
		}
		for i, text := range s.lines {
			if homePath.MatchString(text) {
				r.broken(s.path, s.path, i+1, "names a path of one machine: %s", strings.TrimSpace(text))
			}
		}
	}
}
