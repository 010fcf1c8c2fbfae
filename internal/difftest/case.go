package difftest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Case is one file of testdata/.
//
// The file starts with what the case shows, as text, and header lines
// "key: value" (mode, normalise, ends). Sections follow, each under a line
// "-- name --":
//
//	global, defaults, frontend, backend   lines added to the standard file
//	config                                frontends and backends in full
//	file NAME                             a file in {dir}, as ParseText reads it
//	script                                steps, one a line (see script.go)
//	client cN, server sN.M, log           what HAProxy did (recorded)
//	weir client cN, ...                   what weir does instead (recorded)
//	weir refuses                          why weir does not start with the file (recorded)
type Case struct {
	Name  string // group/name
	Path  string
	About string

	Mode      string          // "http" or "tcp"
	Normalise map[string]bool // what may vary: see normalise.go

	Parts  map[string]string // the hand-written sections
	order  []string          // their order in the file
	Files  map[string][]byte
	Script []Step
	Want   Result // HAProxy's result
	Weir   Result // sections in which weir is meant to differ
}

// A section is one "-- name --" part of a case file.
type section struct{ name, text string }

var handWritten = map[string]bool{
	"global": true, "defaults": true, "frontend": true, "backend": true, "config": true, "script": true,
}

// LoadCases reads every case below dir, in the order of their names.
func LoadCases(dir string) ([]*Case, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.txt"))
	if err != nil {
		return nil, err
	}
	cases := make([]*Case, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		rel, _ := filepath.Rel(dir, path)
		c, err := ParseCase(strings.TrimSuffix(filepath.ToSlash(rel), ".txt"), string(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.Path = path
		cases = append(cases, c)
	}
	return cases, nil
}

// ParseCase reads the text of one case file.
func ParseCase(name, text string) (*Case, error) {
	c := &Case{Name: name, Mode: "http", Normalise: map[string]bool{}, Parts: map[string]string{}, Files: map[string][]byte{}}
	about, sections := splitSections(text)
	c.About = about
	if err := c.readHeader(about); err != nil {
		return nil, err
	}
	for _, s := range sections {
		if err := c.readSection(s); err != nil {
			return nil, fmt.Errorf("section %s: %w", s.name, err)
		}
	}
	if len(c.Script) == 0 {
		return nil, fmt.Errorf("can't use case: it has no script")
	}
	return c, nil
}

func splitSections(text string) (about string, sections []section) {
	var cur *strings.Builder
	head := &strings.Builder{}
	bodies := []*strings.Builder{}
	cur = head
	for line := range strings.Lines(text) {
		trimmed := strings.TrimRight(line, "\n")
		if strings.HasPrefix(trimmed, "-- ") && strings.HasSuffix(trimmed, " --") {
			sections = append(sections, section{name: trimmed[3 : len(trimmed)-3]})
			cur = &strings.Builder{}
			bodies = append(bodies, cur)
			continue
		}
		cur.WriteString(line)
	}
	for i := range sections {
		sections[i].text = bodies[i].String()
	}
	return head.String(), sections
}

func (c *Case) readHeader(about string) error {
	for line := range strings.Lines(about) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case ok && key == "mode":
			c.Mode = value
		case ok && key == "normalise":
			if err := c.normalise(strings.Fields(value)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Case) normalise(words []string) error {
	for _, word := range words {
		if !normalisations[word] {
			return fmt.Errorf("can't normalise %q: unknown", word)
		}
		c.Normalise[word] = true
	}
	return nil
}

func (c *Case) readSection(s section) error {
	kind, arg, _ := strings.Cut(s.name, " ")
	switch {
	case handWritten[s.name]:
		c.Parts[s.name] = s.text
		c.order = append(c.order, s.name)
		if s.name == "script" {
			steps, err := parseScript(s.text)
			c.Script = steps
			return err
		}
		return nil
	case kind == "file":
		data, err := ParseText(s.text)
		c.Files[arg] = data
		c.Parts[s.name] = s.text
		c.order = append(c.order, s.name)
		return err
	case kind == "weir":
		c.Weir.set(arg, s.text)
		return nil
	case kind == "client", kind == "server", kind == "log":
		c.Want.set(s.name, s.text)
		return nil
	}
	return fmt.Errorf("can't use section: unknown name")
}

// Text prints the case as a file, with the results as they stand in c.
func (c *Case) Text() string {
	var b strings.Builder
	b.WriteString(c.About)
	for _, name := range c.order {
		fmt.Fprintf(&b, "-- %s --\n%s", name, c.Parts[name])
	}
	for _, s := range c.Want.sections {
		fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
	}
	for _, s := range c.Weir.sections {
		fmt.Fprintf(&b, "-- weir %s --\n%s", s.name, s.text)
	}
	return b.String()
}

// WantOf returns what proxy should do: HAProxy's result, for weir with its
// listed differences put in place.
func (c *Case) WantOf(proxy string) Result {
	want := c.Want.clone()
	if proxy == ProxyWeir {
		for _, s := range c.Weir.sections {
			want.set(s.name, s.text)
		}
	}
	return want
}
