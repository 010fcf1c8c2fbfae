package pattern

import (
	"fmt"
	"strings"
)

const lineMax = 64 << 10 // bytes of one line of a pattern file

// A Line is one pattern of a file.
type Line struct {
	Key    string
	Value  string // the second column of a map file
	Number int
}

// Lines cuts the text of a pattern file (manual 7.1 and converter "map"): one
// pattern per line, blanks before it dropped, empty lines and those that begin
// with a sharp skipped. With two columns the first word is the key and the rest
// the value.
func Lines(text string, columns int) ([]Line, error) {
	var lines []Line
	for n := 1; text != ""; n++ {
		var s string
		s, text, _ = strings.Cut(text, "\n")
		if len(s) > lineMax {
			return nil, fmt.Errorf("line %d has more than %d bytes", n, lineMax)
		}
		if strings.HasPrefix(s, "#") {
			continue
		}
		s = strings.TrimLeft(strings.TrimSuffix(s, "\r"), " \t")
		if s == "" {
			continue
		}
		l := Line{Key: s, Number: n}
		if columns == 2 {
			if i := strings.IndexAny(s, " \t"); i >= 0 {
				l.Key, l.Value = s[:i], strings.Trim(s[i:], " \t")
			}
		}
		if len(lines) == entriesMax {
			return nil, fmt.Errorf("more than %d patterns", entriesMax)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
