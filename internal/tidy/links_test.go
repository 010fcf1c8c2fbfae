package tidy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var markdownLink = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// Links inside the repository lead to a file. Those with a scheme are not
// looked at: tests do not go out.
func TestLinksLeadSomewhere(t *testing.T) {
	tr := repository(t)
	r := newReport(t, tr, "link")
	err := filepath.WalkDir(tr.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != tr.root {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(tr.root, path)
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range markdownLink.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
					r.broken(rel+" "+m[1], rel, i+1, "leads nowhere")
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
