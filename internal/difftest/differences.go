package difftest

import (
	"fmt"
	"os"
	"strings"
)

// A Difference is a case in which weir is meant to do otherwise.
type Difference struct {
	Case   string // group/name
	Reason string
}

// LoadDifferences reads differences.txt: a case and a reason on each line;
// lines that start with # are comments.
func LoadDifferences(path string) ([]Difference, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []Difference
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		reason = strings.TrimSpace(reason)
		if !strings.Contains(name, "/") || reason == "" {
			return nil, fmt.Errorf("%s:%d: want GROUP/CASE REASON, got %q", path, number, line)
		}
		out = append(out, Difference{name, reason})
	}
	return out, nil
}

// AppendMarkdown writes the differences as rows of the table in docs/compat.md.
func AppendMarkdown(dst []byte, list []Difference) []byte {
	dst = append(dst, "| case | what weir does otherwise, and why |\n|---|---|\n"...)
	for _, d := range list {
		dst = fmt.Appendf(dst, "| %s | %s |\n", d.Case, strings.ReplaceAll(d.Reason, "|", `\|`))
	}
	return dst
}
