package expr

import (
	"fmt"
	"strings"
)

// A call is a fetch or converter as it was written: its name and the words of
// its argument list.
type call struct {
	name string
	args []string
}

// lexer reads a sample expression: fetch(args),converter(args),...
type lexer struct {
	s  string
	at int
}

// calls reads calls separated by commas until the end of the text or, when
// until is not 0, that byte, which is left unread.
func (l *lexer) calls(until byte) ([]call, error) {
	var list []call
	for {
		c, err := l.call(len(list) == 0)
		if err != nil {
			return nil, err
		}
		if c.name != "" {
			list = append(list, c)
		}
		switch {
		case l.done(until) && c.name == "":
			return nil, fmt.Errorf("the name of a %s is missing", callKind(len(list) == 0))
		case l.done(until):
			return list, nil
		case l.s[l.at] == ',':
			l.at++
		default:
			return nil, fmt.Errorf("a comma or the end is expected after %q, not %q", l.s[:l.at], l.s[l.at])
		}
		if len(list) > chainMax {
			return nil, fmt.Errorf("more than %d converters", chainMax)
		}
	}
}

func callKind(first bool) string {
	if first {
		return "fetch"
	}
	return "converter"
}

func (l *lexer) done(until byte) bool {
	return l.at == len(l.s) || until != 0 && l.s[l.at] == until
}

// call reads a name and, in parentheses, arguments. An empty name between two
// commas is let pass but for the first, as HAProxy does.
func (l *lexer) call(first bool) (call, error) {
	start := l.at
	for l.at < len(l.s) && isNameByte(l.s[l.at]) {
		l.at++
	}
	c := call{name: l.s[start:l.at]}
	if c.name == "" && first {
		return c, fmt.Errorf("the name of a fetch is missing")
	}
	if l.at < len(l.s) && l.s[l.at] == '(' && c.name != "" {
		l.at++
		args, err := l.args()
		if err != nil {
			return c, fmt.Errorf("%s: %w", c.name, err)
		}
		c.args = args
	}
	return c, nil
}

// args reads the words up to the closing parenthesis. "()" is one empty word.
func (l *lexer) args() ([]string, error) {
	var words []string
	for {
		w, err := l.word()
		if err != nil {
			return nil, err
		}
		words = append(words, w)
		l.at++
		if l.s[l.at-1] == ')' {
			return words, nil
		}
	}
}

// word reads one argument and leaves the comma or parenthesis that ends it. Quotes
// and backslashes work as on the line (manual 2.2), but for \#, \$ and \xNN.
func (l *lexer) word() (string, error) {
	var out strings.Builder
	quote := byte(0)
	for ; l.at < len(l.s); l.at++ {
		c := l.s[l.at]
		switch {
		case c == '\\' && quote != '\'' && l.at+1 < len(l.s):
			if meant, ok := unescape(l.s[l.at+1]); ok {
				out.WriteByte(meant)
				l.at++
			} else {
				out.WriteByte(c)
			}
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == ',' || c == ')'):
			return out.String(), nil
		default:
			out.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", fmt.Errorf("the quote %c is not closed", quote)
	}
	return "", fmt.Errorf("')' is missing")
}

// unescape gives what a backslash before c means. One that means nothing stays
// as it is.
func unescape(c byte) (meant byte, ok bool) {
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case ' ', '"', '\'', '\\':
		return c, true
	}
	return 0, false
}

// appendCall writes c so that call reads it again.
func appendCall(b []byte, c call) []byte {
	b = append(b, c.name...)
	if c.args == nil {
		return b
	}
	b = append(b, '(')
	for i, a := range c.args {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendWord(b, a)
	}
	return append(b, ')')
}

// appendWord quotes what would not be read as it stands.
func appendWord(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\\\"',() \t\r\n[]{}") {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '"', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func isNameByte(c byte) bool {
	return isAlnum(c) || c == '_' || c == '.' || c == '-' || c == ':' || c == '+'
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
