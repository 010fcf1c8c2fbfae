package tidy

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The five parts of a package comment: what it does, what it does not do, who
// owns what, life cycle, limits. A program cannot read sense, so it looks for
// the words that such paragraphs cannot do without.
var docParts = []struct {
	part  string
	words *regexp.Regexp
}{
	{"what it does not do", regexp.MustCompile(`(?i)\b(no|not|never|nothing|without|neither)\b`)},
	{"who owns what", regexp.MustCompile(`(?i)\b(own|owns|owned|owner|belongs?|goroutines?|lock(s|ed)?|mutex|loops?|concurrent\w*|same time|at once|caller|immutable|atomics?)\b`)},
	{"life cycle", regexp.MustCompile(`(?i)\b(life|New|Open|Close|Run|Stop|start(s|ed)?|ends?|until|reused?|Reset|once|when|then)\b`)},
	{"limits", regexp.MustCompile(`(?i)\b(limits?|bound(s|ed)?|at most|max\w*|most|under)\b`)},
}

const docParagraphsMin = 4

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "doc")
	for dir, sources := range tr.packages() {
		i := slices.IndexFunc(sources, func(s *source) bool { return path.Base(s.path) == "doc.go" })
		if i < 0 || sources[i].file.Doc == nil {
			r.broken(dir, dir, 1, "doc.go with the package comment is missing")
			continue
		}
		doc := sources[i].file.Doc.Text()
		first := regexp.MustCompile(`^(Package ` + sources[i].file.Name.Name + ` |Command )`)
		if !first.MatchString(doc) {
			r.broken(dir, sources[i].path, 1, "the comment starts with the package's name")
		}
		if n := len(strings.Split(strings.TrimSpace(doc), "\n\n")); n < docParagraphsMin {
			r.broken(dir, sources[i].path, 1, "%d paragraphs; the five parts need at least %d", n, docParagraphsMin)
		}
		for _, p := range docParts {
			if !p.words.MatchString(doc) {
				r.broken(dir, sources[i].path, 1, "the part %q is missing", p.part)
			}
		}
	}
}

func TestExceptionsNameAKnownRule(t *testing.T) {
	rules := []string{
		"import", "module", "cgo", "function", "file", "nesting", "parameters", "vague", "word", "path",
		"clock", "io", "fmt", "init", "sleep", "variable", "state", "doc", "link",
	}
	for key := range repository(t).allowed {
		rule, _, _ := strings.Cut(key, " ")
		if !slices.Contains(rules, rule) {
			t.Errorf("exceptions.txt: %q: no such rule; rules: %v", key, rules)
		}
	}
}
