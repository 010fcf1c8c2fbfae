package config

import (
	"fmt"
	"strconv"
	"strings"
)

// A Word is one argument of a line, after quotes, escapes and variables were
// resolved.
type Word struct {
	Text   string
	Column int // of its first byte, from 1
}

const (
	lineBytesMax = 1 << 20 // of a line, before and after expansion
	wordsMax     = 1 << 16 // of a line
)

func texts(words []Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.Text
	}
	return out
}

// A scanner cuts one line into words (manual 2.2 and 2.3).
type scanner struct {
	text  string
	pos   int
	env   *environment
	named func(name string) (string, bool) // .FILE, .LINE, .SECTION
	whole bool                             // of .if and .elif the rest is one word

	words  []Word
	word   []byte
	open   bool // word has begun, even if it is still empty
	start  int
	vanish bool // an empty word came from ${NAME[*]} and is none
	bytes  int  // of finished words
}

// A wordError says at which column a line can't be cut into words.
type wordError struct {
	column int
	msg    string
}

func (s *scanner) fail(at int, format string, args ...any) *wordError {
	return &wordError{column: at + 1, msg: fmt.Sprintf(format, args...)}
}

// split returns the words of the line; of a line that can't be cut, those
// before the trouble and what there is of the next.
func (s *scanner) split() ([]Word, *wordError) {
	if len(s.text) > lineBytesMax {
		return nil, s.fail(0, "the line has %d bytes; at most %d are accepted", len(s.text), lineBytesMax)
	}
	for s.pos < len(s.text) {
		if err := s.step(); err != nil {
			s.endWord()
			return s.words, err
		}
		if s.bytes+len(s.word) > lineBytesMax || len(s.words) > wordsMax {
			return nil, s.fail(s.pos-1, "the line is too long after expansion: at most %d bytes and %d words", lineBytesMax, wordsMax)
		}
	}
	s.endWord()
	return s.words, nil
}

// step takes what begins at s.pos outside of quotes.
func (s *scanner) step() *wordError {
	switch c := s.text[s.pos]; {
	case isSpace(c):
		s.space()
	case c == '#':
		s.pos = len(s.text)
	case c == '\\':
		s.begin()
		return s.escape(` \#'"`)
	case c == '\'':
		s.begin()
		end := strings.IndexByte(s.text[s.pos+1:], '\'')
		if end < 0 {
			return s.fail(s.pos, "unmatched quote: ' opens a string that must end on the same line")
		}
		return s.plain(s.text[s.pos+1:s.pos+1+end], end+2)
	case c == '"':
		s.begin()
		return s.doubleQuoted()
	default:
		s.begin()
		return s.plain(s.text[s.pos:s.pos+1], 1)
	}
	return nil
}

func (s *scanner) begin() {
	if !s.open {
		s.open, s.vanish, s.start = true, false, s.pos
	}
}

func (s *scanner) endWord() {
	if !s.open {
		return
	}
	text := string(s.word)
	if s.whole && len(s.words) == 1 {
		text = strings.TrimRight(text, " ")
	}
	if text != "" || !s.vanish {
		s.words = append(s.words, Word{Text: text, Column: s.start + 1})
	}
	s.bytes += len(s.word) + 1
	s.word, s.open = s.word[:0], false
}

// space ends a word. The condition of .if keeps one space where there were
// some, since it is one word to the end of the line.
func (s *scanner) space() {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
	if s.open && len(s.words) == 1 && s.whole {
		s.word = append(s.word, ' ')
		return
	}
	s.endWord()
	if len(s.words) == 1 {
		first := s.words[0].Text
		s.whole = first == ".if" || first == ".elif"
	}
}

func (s *scanner) plain(text string, n int) *wordError {
	if i := strings.IndexByte(text, 0); i >= 0 {
		return s.fail(s.pos+i, "a NUL byte can't stand in a configuration file")
	}
	s.word = append(s.word, text...)
	s.pos += n
	return nil
}

// escape takes a backslash and what it protects. A backslash before anything
// else stands for itself, as it does at the end of a line: lines can't be
// continued (manual 2.2).
func (s *scanner) escape(protected string) *wordError {
	if s.pos+1 >= len(s.text) {
		return s.plain(`\`, 1)
	}
	c := s.text[s.pos+1]
	switch {
	case strings.IndexByte(protected, c) >= 0:
		return s.plain(s.text[s.pos+1:s.pos+2], 2)
	case c == 'n':
		return s.plain("\n", 2)
	case c == 'r':
		return s.plain("\r", 2)
	case c == 't':
		return s.plain("\t", 2)
	case c == 'x':
		digits := s.text[s.pos+2 : min(s.pos+4, len(s.text))]
		n, err := strconv.ParseUint(digits, 16, 8)
		if err != nil || len(digits) != 2 {
			return s.fail(s.pos, `\x wants two hexadecimal digits, got %s`, quote(digits))
		}
		return s.plain(string([]byte{byte(n)}), 4)
	}
	return s.plain(s.text[s.pos:s.pos+2], 2)
}

func (s *scanner) doubleQuoted() *wordError {
	open := s.pos
	for s.pos++; s.pos < len(s.text); {
		var err *wordError
		switch s.text[s.pos] {
		case '"':
			s.pos++
			return nil
		case '\\':
			err = s.escape(` \#'"$`)
		case '$':
			err = s.variable()
		default:
			err = s.plain(s.text[s.pos:s.pos+1], 1)
		}
		if err != nil {
			return err
		}
	}
	return s.fail(open, `unmatched quote: " opens a string that must end on the same line`)
}

// variable takes $NAME, ${NAME}, ${NAME-default} or ${NAME[*]}.
func (s *scanner) variable() *wordError {
	v, n, err := scanVariable(s.text[s.pos:])
	if err != "" {
		return s.fail(s.pos, "%s", err)
	}
	value, known := s.env.lookup(v.name)
	if strings.HasPrefix(v.name, ".") {
		if value, known = s.named(v.name); !known {
			return s.fail(s.pos, "no variable %s: .FILE, .LINE and .SECTION are known", v.name)
		}
	}
	if !known {
		value = v.fallback
	}
	if !v.list {
		return s.plain(value, n)
	}
	s.pos += n
	return s.list(value)
}

// list makes a word of each value of ${NAME[*]}; none when there are none.
func (s *scanner) list(value string) *wordError {
	for i := 0; i < len(value); i++ {
		if !isSpace(value[i]) {
			s.word = append(s.word, value[i])
			continue
		}
		if len(s.word) > 0 {
			s.endWord()
			s.open = true
		}
	}
	s.vanish = len(s.word) == 0
	return nil
}

// A reference is a variable as it is written.
type reference struct {
	name     string
	fallback string
	list     bool
}

// scanVariable reads the reference at the start of text, a dollar sign, and
// says how many bytes it takes.
func scanVariable(text string) (v reference, n int, problem string) {
	n = 1
	braced := strings.HasPrefix(text[n:], "{")
	if braced {
		n++
	}
	from := n
	if strings.HasPrefix(text[n:], ".") {
		n++
	}
	if n >= len(text) || !isLetter(text[n]) {
		return v, n, "a variable's name begins with a letter or _; write \\$ for a dollar sign"
	}
	for n < len(text) && (isLetter(text[n]) || isDigit(text[n])) {
		n++
	}
	v.name = text[from:n]
	if !braced {
		return v, n, ""
	}
	if strings.HasPrefix(text[n:], "[*]") {
		v.list = true
		n += len("[*]")
	} else if strings.HasPrefix(text[n:], "-") {
		end := strings.IndexByte(text[n:], '}')
		if end < 0 {
			return v, n, "unmatched brace in the name of a variable"
		}
		v.fallback = text[n+1 : n+end]
		n += end
	}
	if !strings.HasPrefix(text[n:], "}") {
		return v, n, "unmatched brace in the name of a variable"
	}
	return v, n + 1, ""
}

func isSpace(c byte) bool  { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
