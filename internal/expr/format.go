package expr

import (
	"bytes"
	"fmt"
	"strings"
)

// A Format is a compiled log-format string (manual 8.2.6): text, variables and
// expressions. Such strings also give header values, paths, locations and the
// names of backends.
type Format struct {
	items []item
	flags flag // of the whole string
}

// item is a piece of a Format.
type item struct {
	kind     itemKind
	flags    flag
	text     []byte
	variable *logVariable
	expr     *Expr
}

type itemKind uint8

const (
	itemText  itemKind = iota // bytes as they are
	itemBlank                 // one space, unless one stands before it already
	itemVar                   // a variable
	itemExpr                  // an expression
)

// flag changes how variables and expressions are written.
type flag uint8

const (
	flagQuote  flag = 1 << iota // Q: between double quotes
	flagHex                     // X: hexadecimal
	flagEscape                  // E: a backslash before '"', '\' and ']'
	flagDash                    // "-" for what is empty: log lines
	flagLog                     // the string is a log line
	flagMerge                   // several blanks are one
)

const flagsWritten = flagQuote | flagHex | flagEscape

// CompileFormat compiles a log-format string for a phase.
func CompileFormat(s string, ph Phase) (*Format, error) {
	f := &Format{}
	if ph.log() {
		f.flags = flagDash | flagLog | flagMerge
	}
	if ph == PhaseUniqueID {
		f.flags = flagMerge
	}
	p := formatParser{format: f, s: s, phase: ph}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return f, nil
}

// CompileText is CompileFormat for plain text that has no variables.
func CompileText(s string) *Format {
	return &Format{items: []item{{kind: itemText, text: []byte(s)}}}
}

// formatParser reads a string from left to right.
type formatParser struct {
	format *Format
	s      string
	at     int
	phase  Phase
	preset flag // set by %o for all variables that follow
	text   []byte
}

func (p *formatParser) parse() error {
	for p.at < len(p.s) {
		c := p.s[p.at]
		switch {
		case c == '%':
			if err := p.percent(); err != nil {
				return err
			}
			continue
		case c == ' ' && p.format.flags&flagMerge != 0:
			p.blank()
		default:
			p.text = append(p.text, c)
		}
		p.at++
	}
	p.endText()
	return nil
}

func (p *formatParser) endText() {
	if len(p.text) > 0 {
		p.format.items = append(p.format.items, item{kind: itemText, text: p.text})
		p.text = nil
	}
}

func (p *formatParser) blank() {
	p.endText()
	items := p.format.items
	if len(items) == 0 || items[len(items)-1].kind == itemBlank {
		return
	}
	p.format.items = append(items, item{kind: itemBlank})
}

// percent reads what begins with a percent sign: "%%", "%name", "%{flags}name" or
// "%[expression]".
func (p *formatParser) percent() error {
	p.at++
	if p.at == len(p.s) {
		return fmt.Errorf("a variable is missing after the last %%; write %%%% for a percent sign")
	}
	if p.s[p.at] == '%' {
		p.text = append(p.text, '%')
		p.at++
		return nil
	}
	flags := p.preset
	braces := p.s[p.at] == '{'
	if braces {
		end := strings.IndexByte(p.s[p.at:], '}')
		if end < 0 {
			return fmt.Errorf("the closing '}' is missing after %q", p.s[p.at:])
		}
		var err error
		if flags, err = parseFlags(flags, p.s[p.at+1:p.at+end]); err != nil {
			return err
		}
		p.at += end + 1
	}
	p.endText()
	if p.at < len(p.s) && p.s[p.at] == '[' {
		return p.expression(flags)
	}
	return p.variable(flags)
}

// parseFlags reads "+Q,-X,+E".
func parseFlags(flags flag, s string) (flag, error) {
	for w := range strings.SplitSeq(s, ",") {
		w = strings.TrimSpace(w)
		if w == "" {
			continue
		}
		var f flag
		switch w[1:] {
		case "Q":
			f = flagQuote
		case "X":
			f = flagHex
		case "E":
			f = flagEscape
		}
		switch {
		case f == 0 || w[0] != '+' && w[0] != '-':
			return 0, fmt.Errorf("flag %q is unknown; +Q, -Q, +X, -X, +E and -E are possible", w)
		case w[0] == '+':
			flags |= f
		default:
			flags &^= f
		}
	}
	return flags, nil
}

func (p *formatParser) expression(flags flag) error {
	l := lexer{s: p.s, at: p.at + 1}
	start := p.at
	calls, err := l.calls(']')
	if err != nil {
		return fmt.Errorf("expression %q: %w", p.s[start:], err)
	}
	if l.at == len(l.s) {
		return fmt.Errorf("expression %q: ']' is missing", p.s[start:])
	}
	e, err := compileCalls(calls, p.phase)
	if err != nil {
		return fmt.Errorf("expression %q: %w", p.s[start:l.at+1], err)
	}
	p.at = l.at + 1
	p.format.items = append(p.format.items, item{kind: itemExpr, flags: flags | p.format.flags, expr: e})
	return nil
}

func (p *formatParser) variable(flags flag) error {
	start := p.at
	for p.at < len(p.s) && isAlnum(p.s[p.at]) {
		p.at++
	}
	name := p.s[start:p.at]
	if name == "o" {
		p.preset = flags
		return nil
	}
	v, err := findLogVariable(name)
	if err != nil {
		return err
	}
	if v.http && p.phase == PhaseTCPLog {
		return fmt.Errorf("variable %%%s is reserved for HTTP mode", name)
	}
	p.format.items = append(p.format.items, item{kind: itemVar, flags: flags | p.format.flags, variable: v})
	return nil
}

// Append writes the string's value.
func (f *Format) Append(dst []byte, env *Env) []byte {
	rec := env.Rec
	if rec == nil {
		rec = &noRecord
	}
	blank := true // a space was written last, or nothing yet
	for i := range f.items {
		it := &f.items[i]
		switch it.kind {
		case itemText:
			dst = append(dst, it.text...)
			blank = false
		case itemBlank:
			if !blank {
				dst = append(dst, ' ')
			}
			blank = true
		case itemVar:
			before := len(dst)
			dst = it.variable.append(dst, env, rec, it.flags)
			blank = blank && it.variable.mayVanish && len(dst) == before
		case itemExpr:
			dst = it.appendExpr(dst, env)
			blank = false
		}
	}
	return dst
}

// noRecord stands for a record where nothing is logged.
var noRecord = Record{
	Ti: -1, TR: -1, Tw: -1, Tc: -1, Tr: -1,
	Term: [2]byte{'-', '-'}, CookieState: [2]byte{'-', '-'},
}

// appendExpr writes an expression's value as text. HAProxy writes line breaks
// into logs as they are; here they are encoded as in %r, for a client must not be
// able to make log lines. In other strings they become %0D and %0A.
func (it *item) appendExpr(dst []byte, env *Env) []byte {
	text, _ := it.expr.EvalStr(env)
	if it.flags&flagLog != 0 {
		return appendText(dst, text, it.flags, &lineBreaks)
	}
	if it.flags&flagEscape != 0 {
		return appendText(dst, text, it.flags&flagEscape, &lineBreaks)
	}
	for _, c := range text {
		if c == '\r' || c == '\n' {
			dst = append(dst, '%', '0', upperDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// Constant gives the value of a string without variables.
func (f *Format) Constant() (string, bool) {
	var out []byte
	for i := range f.items {
		switch it := &f.items[i]; it.kind {
		case itemText:
			out = append(out, it.text...)
		case itemBlank:
			out = append(out, ' ')
		default:
			return "", false
		}
	}
	return string(out), true
}

// References lists the names that the expressions refer to.
func (f *Format) References() []Reference {
	var list []Reference
	for i := range f.items {
		if e := f.items[i].expr; e != nil {
			list = append(list, e.References()...)
		}
	}
	return list
}

// String writes the format so that it compiles to the same program.
func (f *Format) String() string {
	var b []byte
	for i := range f.items {
		it := &f.items[i]
		switch it.kind {
		case itemText:
			b = append(b, bytes.ReplaceAll(it.text, []byte("%"), []byte("%%"))...)
		case itemBlank:
			b = append(b, ' ')
		case itemVar:
			b = append(it.flags.appendTo(append(b, '%')), it.variable.name...)
		case itemExpr:
			b = it.flags.appendTo(append(b, '%'))
			b = append(append(append(b, '['), it.expr.String()...), ']')
		}
	}
	return string(b)
}

// appendTo writes flags in braces.
func (f flag) appendTo(b []byte) []byte {
	if f&flagsWritten == 0 {
		return b
	}
	sep := byte('{')
	for _, n := range [...]struct {
		f    flag
		name byte
	}{{flagQuote, 'Q'}, {flagHex, 'X'}, {flagEscape, 'E'}} {
		if f&n.f != 0 {
			b = append(b, sep, '+', n.name)
			sep = ','
		}
	}
	return append(b, '}')
}
