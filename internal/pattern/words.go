package pattern

import "strings"

const (
	dirDelimiters = "/?"   // what separates the parts of "dir"
	domDelimiters = "/?.:" // what separates the parts of "dom"
)

// wordList holds the patterns of "dir" or "dom": texts that must stand between
// delimiters, or at an end of the sample.
type wordList struct {
	delimiters [256]bool
	texts      []text // without delimiters around them
}

func newWordList(texts []text, delimiters string) *wordList {
	l := &wordList{}
	for i := range len(delimiters) {
		l.delimiters[delimiters[i]] = true
	}
	for _, t := range texts {
		t.s = strings.Trim(t.s, delimiters)
		l.texts = append(l.texts, t)
	}
	return l
}

func (l *wordList) find(b []byte) int {
	for i := range l.texts {
		if l.has(b, l.texts[i].s) {
			return int(l.texts[i].index)
		}
	}
	return -1
}

// has looks for s at each place of b where it is bounded. An empty s is found
// nowhere.
func (l *wordList) has(b []byte, s string) bool {
	if s == "" {
		return false
	}
	for from := 0; ; {
		i := indexString(b[from:], s)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(s)
		if (i == 0 || l.delimiters[b[i-1]]) && (end == len(b) || l.delimiters[b[end]]) {
			return true
		}
		from = i + 1
	}
}
