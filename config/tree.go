package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Tree is what a set of files says, after variables and conditions were
// resolved and before any keyword was looked up.
type Tree struct {
	Files    []string
	Sections []*Section
}

// A Section is a line that opens a section and the statements that follow it.
type Section struct {
	File       string
	Line       int
	Head       []Word // "frontend", "www", "from", "http-defaults"
	Statements []*Statement

	fileNo int
	env    *environment
}

// A Statement is one line of a section.
type Statement struct {
	File  string
	Line  int
	Words []Word

	fileNo int
	env    *environment
	broken bool // it can't be read to its end, which is told already
}

// Kind is the word that opens the section.
func (s *Section) Kind() string { return s.Head[0].Text }

// Name is the section's name as messages show it: "backend www", "global".
func (s *Section) Name() string {
	if len(s.Head) > 1 {
		return s.Head[0].Text + " " + s.Head[1].Text
	}
	return s.Head[0].Text
}

// A treeParser reads files one after the other into one tree.
type treeParser struct {
	world   *Env
	words   *lexicon
	tree    *Tree
	errs    Errors
	notices []Notice

	env     *environment
	file    string
	fileNo  int
	line    int
	sec     *Section
	blocks  []block
	lost    bool // a line stood outside of all sections
	partial bool // whole sections may not have been read: names that are not found may stand there
}

// A block is one .if that is not closed yet.
type block struct {
	line   int
	active bool // lines of the current branch count
	taken  bool // an earlier or the current branch was true
	dead   bool // the block stands in lines that don't count
	last   bool // .else was seen
}

const nestedBlocksMax = 64

// parseFile adds one file. A file ends the section before it (manual 2.1).
func (p *treeParser) parseFile(name string, text string) {
	p.tree.Files = append(p.tree.Files, name)
	p.file, p.line, p.sec, p.blocks, p.lost = name, 0, nil, nil, false
	p.fileNo++
	text = strings.TrimPrefix(text, "\ufeff")
	for rest := text; rest != ""; {
		line, tail, ended := strings.Cut(rest, "\n")
		p.line++
		if !ended {
			p.notice(LevelNotice, "", "the last line does not end with a newline: the file may have been cut")
		}
		p.parseLine(line)
		rest = tail
	}
	if len(p.blocks) > 0 {
		p.line = p.blocks[len(p.blocks)-1].line
		p.fail(0, ".if", "the block has no .endif in this file")
	}
}

func (p *treeParser) parseLine(text string) {
	s := scanner{text: text, env: p.env, named: p.pseudoVariable}
	words, bad := s.split()
	if bad != nil {
		p.fail(bad.column, "", "%s", bad.msg)
		p.brokenLine(words)
		return
	}
	for len(words) > 1 && words[len(words)-1].Text == "" && words[0].Text != "acl" {
		words = words[:len(words)-1] // HAProxy takes an empty word for the end of the line
	}
	if len(words) == 0 {
		return
	}
	if strings.HasPrefix(words[0].Text, ".") {
		p.directive(words)
		return
	}
	if p.skipping() {
		return
	}
	if strings.HasSuffix(strings.TrimRight(text, "\r"), `\`) {
		p.notice(LevelNotice, words[0].Text, "a backslash does not continue the line; it is part of the last word")
	}
	p.statement(words)
}

func (p *treeParser) statement(words []Word) {
	_, opens := sectionNamed(words[0].Text)
	switch {
	case opens:
		p.open(words)
	case p.misspelt(words[0]):
		p.openUnknown(words)
	case p.sec == nil && !p.lost: // one message is enough until a section begins
		p.lost = true
		p.fail(words[0].Column, words[0].Text, "no section has begun; a file begins with a section such as global, defaults or frontend")
	case p.sec != nil:
		p.add(&Statement{File: p.file, Line: p.line, Words: words, fileNo: p.fileNo, env: p.env})
	}
}

// open begins a section.
func (p *treeParser) open(words []Word) {
	p.sec = &Section{File: p.file, Line: p.line, Head: words, fileNo: p.fileNo, env: p.env}
	p.tree.Sections = append(p.tree.Sections, p.sec)
}

// misspelt reports whether a word that is no keyword of any section was meant
// to open one: it stands where sections begin and resembles none of the keywords
// of this one more than that, or resembles nothing while other lines are
// indented.
func (p *treeParser) misspelt(first Word) bool {
	if p.words.begins(first.Text) || p.sec != nil && first.Column > p.sec.Head[0].Column {
		return false
	}
	known := sectionWords()
	if p.sec != nil {
		row, _ := sectionNamed(p.sec.Kind())
		known = append(p.words.firstWords(row.in), known...)
	}
	best := nearest(first.Text, known)
	if best == "" {
		return p.sec != nil && p.sec.indented()
	}
	_, opens := sectionNamed(best)
	return opens
}

// indented reports whether all lines of the section are, and there are some.
func (s *Section) indented() bool {
	return len(s.Statements) > 0 && !slices.ContainsFunc(s.Statements, func(st *Statement) bool {
		return st.Words[0].Column <= s.Head[0].Column
	})
}

// openUnknown begins the section that was probably meant. If there is none, its
// lines are passed over.
func (p *treeParser) openUnknown(words []Word) {
	meant := nearest(words[0].Text, sectionWords())
	p.sec = nil // the error belongs to no section
	if meant != "" {
		p.fail(words[0].Column, words[0].Text, "there is no such section; did you mean %s?", meant)
		words[0].Text = meant
		p.open(words)
		return
	}
	p.fail(words[0].Column, words[0].Text, "there is no such section; the lines up to the next one are not read")
	p.skipSection(words)
}

// skipSection begins a section that does not count.
func (p *treeParser) skipSection(words []Word) {
	p.sec = &Section{File: p.file, Line: p.line, Head: words, fileNo: p.fileNo, env: p.env}
	p.partial = true
}

// brokenLine makes of a line that can't be cut into words what its first ones
// say, so that other lines are not wrong for the want of it.
func (p *treeParser) brokenLine(words []Word) {
	if len(words) == 0 || p.skipping() {
		return
	}
	name := words[0].Text
	_, opens := sectionNamed(name)
	switch {
	case name == ".if":
		p.blocks, p.partial = append(p.blocks, block{line: p.line, active: true, taken: true}), true
	case strings.HasPrefix(name, "."):
		p.partial = true
	case opens && (len(words) > 1 || name == "global" || name == "defaults"):
		p.open(words[:min(2, len(words))])
	case opens:
		p.skipSection(words)
	case p.sec != nil:
		p.add(&Statement{File: p.file, Line: p.line, Words: words, fileNo: p.fileNo, env: p.env, broken: true})
	}
}

func (p *treeParser) add(st *Statement) {
	p.sec.Statements = append(p.sec.Statements, st)
	if p.sec.Kind() != "global" || st.broken {
		return
	}
	p.env = p.env.apply(st.Words)
	if w := st.Words; w[0].Text == "localpeer" && len(w) == 2 && p.world.LocalName == "" {
		p.env = p.env.set("HAPROXY_LOCALPEER", w[1].Text) // manual "localpeer"
	}
}

func (p *treeParser) pseudoVariable(name string) (string, bool) {
	switch name {
	case ".FILE":
		return p.file, true
	case ".LINE":
		return fmt.Sprint(p.line), true
	case ".SECTION":
		if p.sec == nil {
			return "", true
		}
		return p.sec.Head[min(1, len(p.sec.Head)-1)].Text, true
	}
	return "", false
}

func (p *treeParser) skipping() bool {
	return len(p.blocks) > 0 && !p.blocks[len(p.blocks)-1].active
}

var blockWords = []string{".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag"}

// directive handles the lines that begin with a dot (manual 2.4).
func (p *treeParser) directive(words []Word) {
	name := words[0].Text
	switch name {
	case ".if", ".elif":
	case ".else", ".endif":
		if len(words) > 1 {
			p.fail(words[1].Column, name, "takes no argument, got %s", quote(words[1].Text))
		}
	case ".notice", ".warning", ".alert", ".diag":
		if !p.skipping() {
			p.message(words)
		}
		return
	default:
		if !p.skipping() {
			p.fail(words[0].Column, name, "no such directive%s", didYouMean(name, blockWords))
		}
		return
	}
	switch name {
	case ".if":
		p.openBlock(words)
	case ".elif":
		p.elseIf(words)
	case ".else":
		if b := p.innermost(name); b != nil {
			b.active, b.taken, b.last = !b.taken && !b.dead, true, true
		}
	case ".endif":
		if len(p.blocks) == 0 {
			p.fail(0, name, "no .if stands before it")
			return
		}
		p.blocks = p.blocks[:len(p.blocks)-1]
	}
}

func (p *treeParser) openBlock(words []Word) {
	b := block{line: p.line, dead: p.skipping()}
	if len(p.blocks) >= nestedBlocksMax {
		p.fail(0, ".if", "blocks are nested deeper than %d", nestedBlocksMax)
		b.dead = true
	}
	if !b.dead {
		b.active = p.holds(words)
		b.taken = b.active
	}
	p.blocks = append(p.blocks, b)
}

func (p *treeParser) elseIf(words []Word) {
	b := p.innermost(".elif")
	if b == nil {
		return
	}
	b.active = !b.taken && !b.dead && p.holds(words)
	b.taken = b.taken || b.active
}

// innermost returns the block that .elif or .else belongs to.
func (p *treeParser) innermost(name string) *block {
	if len(p.blocks) == 0 {
		p.fail(0, name, "no .if stands before it")
		return nil
	}
	b := &p.blocks[len(p.blocks)-1]
	if b.last {
		p.fail(0, name, "can't follow .else; only .endif can")
		return nil
	}
	return b
}

func (p *treeParser) holds(words []Word) bool {
	if len(words) == 1 {
		return false
	}
	v, err := evalCondition(words[1].Text, p.env, p.world)
	if err != nil {
		p.fail(words[1].Column, words[0].Text, "%s", err)
		p.partial = true
	}
	return v || err != nil // then the lines inside are looked at
}

func (p *treeParser) message(words []Word) {
	name := words[0].Text
	if len(words) != 2 {
		p.fail(0, name, "wants one message, in quotes if it has spaces, got %d words", len(words)-1)
		return
	}
	switch text := words[1].Text; {
	case name == ".alert":
		p.fail(0, name, "%s", text)
	case name == ".warning":
		p.notice(LevelWarning, name, text)
	case name == ".notice":
		p.notice(LevelNotice, name, text)
	case p.world.Diagnose:
		p.notice(LevelDiag, name, text)
	}
}

func (p *treeParser) fail(column int, directive, format string, args ...any) {
	p.errs = append(p.errs, &Error{
		File: p.file, Line: p.line, Column: column, Section: p.sectionName(),
		Directive: directive, Msg: fmt.Sprintf(format, args...), fileNo: p.fileNo,
	})
}

func (p *treeParser) notice(level Level, directive, msg string) {
	p.notices = append(p.notices, Notice{
		Level: level, File: p.file, Line: p.line, Section: p.sectionName(),
		Directive: directive, Msg: msg, fileNo: p.fileNo,
	})
}

func (p *treeParser) sectionName() string {
	if p.sec == nil {
		return ""
	}
	return p.sec.Name()
}

// Print writes the tree as text that loads to the same Config: variables and
// conditions resolved, comments gone, one form of quoting.
func Print(t *Tree) []byte {
	var out []byte
	for i, s := range t.Sections {
		if i > 0 {
			out = append(out, '\n')
		}
		out = appendWords(out, s.Head)
		for _, st := range s.Statements {
			out = append(out, "    "...)
			out = appendWords(out, st.Words)
		}
	}
	return out
}

func appendWords(out []byte, words []Word) []byte {
	for i, w := range words {
		if i > 0 {
			out = append(out, ' ')
		}
		out = appendWord(out, w.Text)
	}
	return append(out, '\n')
}

// appendWord quotes a word only if it must, and then with the strong quotes
// that need no escapes, if they can hold it.
func appendWord(out []byte, text string) []byte {
	plain := func(b byte) bool { return b > ' ' && b != 0x7f && !strings.ContainsRune("\\\"'#", rune(b)) }
	bytes := []byte(text)
	switch {
	case text == "":
		return append(out, `""`...)
	case !slices.ContainsFunc(bytes, func(b byte) bool { return !plain(b) }):
		return append(out, text...)
	case !slices.ContainsFunc(bytes, func(b byte) bool { return b < ' ' || b == '\'' || b == 0x7f }):
		return append(append(append(out, '\''), text...), '\'')
	}
	for _, b := range bytes {
		switch {
		case plain(b):
			out = append(out, b)
		case b < ' ' || b == 0x7f:
			out = fmt.Appendf(out, `\x%02x`, b)
		default:
			out = append(out, '\\', b)
		}
	}
	return out
}
