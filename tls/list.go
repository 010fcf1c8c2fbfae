package tls

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// A listLine is one line of a crt-list (manual, "crt-list"):
//
//	FILE [\[OPTION ...\]] [[!]NAME ...]
type listLine struct {
	path    string
	options []string
	names   []string
}

func parseList(text []byte) ([]listLine, error) {
	var all []listLine
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		path, rest, _ := strings.Cut(line, " ")
		entry := listLine{path: path}
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			options, names, closed := strings.Cut(rest[1:], "]")
			if !closed {
				return nil, fmt.Errorf("line %d: a ] is missing", number)
			}
			entry.options, rest = strings.Fields(options), names
		}
		for _, name := range strings.Fields(rest) {
			if name[0] == '#' {
				break
			}
			entry.names = append(entry.names, strings.ToLower(name))
		}
		all = append(all, entry)
	}
	return all, lines.Err()
}

// A listOption is an option that a line of a crt-list may have.
type listOption struct {
	name   string
	values int
	set    func(s *Spec, v string) error
}

var listOptions = []listOption{
	{"alpn", 1, func(s *Spec, v string) error { s.ALPN, _ = ParseALPN(v); return nil }},
	{"no-alpn", 0, func(s *Spec, _ string) error { s.ALPN = nil; return nil }},
	{"ca-file", 1, func(s *Spec, v string) error { s.CAFile = v; return nil }},
	{"crl-file", 1, func(s *Spec, v string) error { s.CRLFile = v; return nil }},
	{"verify", 1, func(s *Spec, v string) (err error) { s.Verify, err = ParseVerify(v); return err }},
	{"ssl-min-ver", 1, func(s *Spec, v string) (err error) { s.MinVersion, err = ParseVersion(v); return err }},
	{"ssl-max-ver", 1, func(s *Spec, v string) (err error) { s.MaxVersion, err = ParseVersion(v); return err }},
	{"ciphers", 1, func(s *Spec, v string) (err error) { s.Ciphers, _, err = ParseCiphers(v); return err }},
	{"ciphersuites", 1, func(s *Spec, v string) (err error) { _, _, err = ParseSuites13(v); return err }},
	{"curves", 1, func(s *Spec, v string) (err error) { s.Curves, _, err = ParseCurves(v); return err }},
	{"ecdhe", 1, func(s *Spec, v string) (err error) { s.Curves, _, err = ParseCurves(v); return err }},
	{"no-ca-names", 0, func(s *Spec, _ string) error { s.WithoutCANames = true; return nil }},
}

// apply gives the bind's Spec as a line of a list changes it.
func (l *listLine) apply(bind *Spec) (*Spec, error) {
	own := *bind
	for words := l.options; len(words) > 0; {
		row := listOptionNamed(words[0])
		if row == nil {
			return nil, fmt.Errorf("%s: weir does not support the option %q in a crt-list", l.path, words[0])
		}
		value := ""
		if row.values > 0 {
			if len(words) < 2 {
				return nil, fmt.Errorf("%s: %s wants a value after it", l.path, row.name)
			}
			value = words[1]
		}
		words = words[1+row.values:]
		if err := row.set(&own, value); err != nil {
			return nil, fmt.Errorf("%s: %s %s", l.path, row.name, err)
		}
	}
	v := Versions{Min: own.MinVersion, Max: own.MaxVersion}
	var err error
	if own.MinVersion, own.MaxVersion, err = v.Range(); err != nil {
		return nil, fmt.Errorf("%s: %s", l.path, err)
	}
	return &own, nil
}

func listOptionNamed(name string) *listOption {
	for i := range listOptions {
		if listOptions[i].name == name {
			return &listOptions[i]
		}
	}
	return nil
}

// ParseVerify reads the word after "verify".
func ParseVerify(text string) (Verify, error) {
	switch text {
	case "none":
		return VerifyNone, nil
	case "optional":
		return VerifyOptional, nil
	case "required":
		return VerifyRequired, nil
	}
	return VerifyNone, fmt.Errorf("wants one of none, optional, required, got %q", text)
}

// under resolves a relative name against a base folder.
func under(base, path string) string {
	if base == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}
