package tidy

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/weir-lb/weir"

// A source is one Go file of the repository.
type source struct {
	dir   string // slash-separated, below the module's root: "internal/h1"; "." for the root
	path  string // "internal/h1/parser.go"
	test  bool
	file  *ast.File
	lines []string
}

// A tree is the whole repository, parsed.
type tree struct {
	root    string
	fset    *token.FileSet
	sources []*source
	allowed map[string]string // "rule subject" -> reason, from exceptions.txt
}

var loadTree = sync.OnceValues(readTree)

func repository(t *testing.T) *tree {
	t.Helper()
	tr, err := loadTree()
	if err != nil {
		t.Fatalf("can't read the repository: %v", err)
	}
	return tr
}

func readTree() (*tree, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	tr := &tree{root: root, fset: token.NewFileSet()}
	if tr.allowed, err = readExceptions("exceptions.txt"); err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		return tr.add(path)
	})
	return tr, err
}

func (tr *tree) add(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(tr.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(tr.root, path)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	tr.sources = append(tr.sources, &source{
		dir:   filepath.ToSlash(filepath.Dir(rel)),
		path:  rel,
		test:  strings.HasSuffix(rel, "_test.go"),
		file:  file,
		lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"),
	})
	return nil
}

// readExceptions reads lines of the form "rule subject: reason".
func readExceptions(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	allowed := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, reason, _ := strings.Cut(line, ": ")
		allowed[strings.Join(strings.Fields(key), " ")] = strings.TrimSpace(reason)
	}
	return allowed, lines.Err()
}

// code returns the files that are not tests.
func (tr *tree) code() []*source {
	var out []*source
	for _, s := range tr.sources {
		if !s.test {
			out = append(out, s)
		}
	}
	return out
}

// packages returns the code files of each folder.
func (tr *tree) packages() map[string][]*source {
	out := map[string][]*source{}
	for _, s := range tr.code() {
		out[s.dir] = append(out[s.dir], s)
	}
	return out
}

func (tr *tree) line(pos token.Pos) int { return tr.fset.Position(pos).Line }

// A report collects what one rule finds and holds it against exceptions.txt.
type report struct {
	t    *testing.T
	tr   *tree
	rule string
	used map[string]bool
}

func newReport(t *testing.T, tr *tree, rule string) *report {
	r := &report{t: t, tr: tr, rule: rule, used: map[string]bool{}}
	t.Cleanup(r.complainAboutUnusedExceptions)
	return r
}

// broken says that subject breaks the rule at path:line.
func (r *report) broken(subject, path string, line int, format string, args ...any) {
	r.t.Helper()
	key := r.rule + " " + subject
	if _, ok := r.tr.allowed[key]; ok {
		r.used[key] = true
		return
	}
	r.t.Errorf("%s:%d: %s: "+format, append([]any{path, line, subject}, args...)...)
}

func (r *report) complainAboutUnusedExceptions() {
	for key, reason := range r.tr.allowed {
		if !strings.HasPrefix(key, r.rule+" ") {
			continue
		}
		if reason == "" {
			r.t.Errorf("exceptions.txt: %q gives no reason", key)
		}
		if !r.used[key] {
			r.t.Errorf("exceptions.txt: %q is no longer needed", key)
		}
	}
}

// functionName is "F" or "(*T).M" as a reader would write it.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	star, typ := "", fn.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		star, typ = "*", p.X
	}
	if g, ok := typ.(*ast.IndexExpr); ok {
		typ = g.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return "(" + star + id.Name + ")." + fn.Name.Name
	}
	return fn.Name.Name
}

// eachFunction calls f for every function declaration of the files.
func eachFunction(sources []*source, f func(s *source, fn *ast.FuncDecl)) {
	for _, s := range sources {
		for _, d := range s.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				f(s, fn)
			}
		}
	}
}

// A checker that looks at nothing is always content.
func TestTheWholeRepositoryIsLookedAt(t *testing.T) {
	tr := repository(t)
	seen := map[string]bool{}
	for _, s := range tr.sources {
		seen[s.path] = true
	}
	for _, path := range []string{"proxy/config.go", "internal/h1/parser.go", "cmd/weir/main.go", "internal/tidy/tree_test.go"} {
		if !seen[path] {
			t.Errorf("%s was not read", path)
		}
	}
}
