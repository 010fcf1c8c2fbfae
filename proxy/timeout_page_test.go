package proxy

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestTimeoutsPageNamesTheStallTests(t *testing.T) {
	page, err := os.ReadFile("../docs/timeouts.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]string{} // test -> file
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			here[string(m[1])] = f
		}
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(string(page), -1) {
		named[name] = true
		if here[name] == "" {
			t.Errorf("docs/timeouts.md names %s, which does not exist", name)
		}
	}
	for name, file := range here {
		if file == "timeout_script_test.go" && !named[name] {
			t.Errorf("docs/timeouts.md leaves %s out", name)
		}
	}
}
