package difftest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// runMin is the number of equal bytes from which a run is written {x*N}.
const runMin = 24

// AppendText writes b for a golden file: one line per line feed, with \r and
// \n spelled out, other control bytes escaped, long runs as {x*N}.
func AppendText(dst, b []byte) []byte {
	lineStart := true
	for len(b) > 0 {
		c := b[0]
		if n := runLength(b); n >= runMin && c != '\n' {
			dst = append(dst, '{')
			dst = appendByte(dst, c, false)
			dst = fmt.Appendf(dst, "*%d}", n)
			b = b[n:]
			lineStart = false
			continue
		}
		dst = appendByte(dst, c, lineStart)
		lineStart = c == '\n'
		if lineStart {
			dst = append(dst, '\n')
		}
		b = b[1:]
	}
	if !lineStart {
		dst = append(dst, '\n')
	}
	return dst
}

// appendByte writes one byte readably. A dash in the first column is escaped
// since it could be taken for the head of a section.
func appendByte(dst []byte, c byte, lineStart bool) []byte {
	switch {
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\t':
		return append(dst, `\t`...)
	case c == '\\', c == '{', c == '"':
		return append(dst, '\\', c)
	case c < ' ', c > '~', lineStart && (c == '-' || c == '['):
		return fmt.Appendf(dst, `\x%02x`, c)
	}
	return append(dst, c)
}

func runLength(b []byte) int {
	for i, c := range b {
		if c != b[0] {
			return i
		}
	}
	return len(b)
}

// ParseText reads what AppendText writes: escapes, runs {text*N}, and no
// meaning for the line ends of the file itself.
func ParseText(s string) ([]byte, error) {
	var out []byte
	for len(s) > 0 {
		switch c := s[0]; c {
		case '\n':
			s = s[1:]
		case '\\':
			b, rest, err := parseEscape(s)
			if err != nil {
				return nil, err
			}
			out, s = append(out, b), rest
		case '{':
			run, rest, err := parseRun(s)
			if err != nil {
				return nil, err
			}
			out, s = append(out, run...), rest
		default:
			out, s = append(out, c), s[1:]
		}
	}
	return out, nil
}

func parseEscape(s string) (b byte, rest string, err error) {
	if len(s) < 2 {
		return 0, "", fmt.Errorf("can't read escape: a backslash ends the text")
	}
	switch s[1] {
	case 'r':
		return '\r', s[2:], nil
	case 'n':
		return '\n', s[2:], nil
	case 't':
		return '\t', s[2:], nil
	case '\\', '{', '"':
		return s[1], s[2:], nil
	case 'x':
		if len(s) >= 4 {
			v, err := strconv.ParseUint(s[2:4], 16, 8)
			return byte(v), s[4:], err
		}
	}
	return 0, "", fmt.Errorf("can't read escape %q", s[:2])
}

// parseRun reads {text*N}.
func parseRun(s string) (run []byte, rest string, err error) {
	body, rest, ok := strings.Cut(s[1:], "}")
	star := strings.LastIndexByte(body, '*')
	if !ok || star < 1 {
		return nil, "", fmt.Errorf("can't read run in %.20q: want {text*N}; a plain brace is \\{", s)
	}
	n, err := strconv.Atoi(body[star+1:])
	if err != nil {
		return nil, "", fmt.Errorf("can't read run length: %w", err)
	}
	text, err := ParseText(body[:star])
	return bytes.Repeat(text, n), rest, err
}

// splitWords splits a script line into words; a word in double quotes is
// returned with its quotes, so that text and verbs stay apart.
func splitWords(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		end := strings.IndexAny(line, " \t")
		if line[0] == '"' {
			end = quoteEnd(line)
			if end < 0 {
				return nil, fmt.Errorf("can't read %q: no closing quote", line)
			}
		}
		if end < 0 {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
}

// quoteEnd returns the index after the quote that closes the one at 0, or -1.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
