package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/proxy"
)

// What a keyword of the tables does is shown by golden files (supported) or by
// a line made up here (the others).

func TestEverySupportedRowIsInAGoldenFile(t *testing.T) {
	used := usedNames(t)
	for _, table := range [][]keyword{globalKeywords, tuneKeywords, tlsKeywords, proxyKeywords, optionKeywords, ruleKeywords, httpErrorsKeywords} {
		for _, k := range table {
			if k.support == supported && !used[k.name] {
				t.Errorf("no golden file that loads has %q", k.name)
			}
		}
	}
	for _, o := range bindOptions {
		if o.support == supported && !used["bind "+o.name] {
			t.Errorf("no golden file that loads has the bind option %q", o.name)
		}
	}
	for _, o := range serverOptions {
		if o.support == supported && !used["server "+o.name] && o.name != "resolvers" {
			t.Errorf("no golden file that loads has the server option %q", o.name)
		}
	}
	for _, a := range actions {
		if a.support == supported && !used["action "+a.name] {
			t.Errorf("no golden file that loads has the action %q", a.name)
		}
	}
}

// usedNames collects the names of rows from all golden files that load.
func usedNames(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	x := newLexicon(globalKeywords, tuneKeywords, tlsKeywords, proxyKeywords, optionKeywords, ruleKeywords, httpErrorsKeywords)
	for _, path := range goldenFiles(t) {
		a := readArchive(t, path)
		if _, bad := a.get("want.err"); bad {
			continue
		}
		r, err := Load(a.configFiles(), testEnv(a))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		for _, s := range r.Tree.Sections {
			for _, st := range s.Statements {
				useWords(used, x, texts(st.Words))
			}
		}
	}
	return used
}

func useWords(used map[string]bool, x *lexicon, words []string) {
	if words[0] == "no" || words[0] == "default" {
		words = words[1:]
	}
	rows, n := x.find(words)
	if n == 0 {
		return
	}
	used[rows[0].name] = true
	kind := map[string]string{"bind": "bind ", "server": "server ", "default-server": "server ", "server-template": "server "}[rows[0].name]
	for _, w := range words[n:] {
		head, _, call := strings.Cut(w, "(")
		if call {
			head += "("
		}
		used["action "+head] = true
		if kind != "" {
			used[kind+w] = true
		}
	}
}

// sampleLine is a line with as many words as a row wants.
func sampleLine(name string, words int) string {
	if strings.HasSuffix(name, "(") {
		name += "a)"
	}
	return name + strings.Repeat(" x", words)
}

// loadLine loads a file with one line in a section that may hold it.
func loadLine(line string, in where) (*Result, error) {
	section := map[where]string{
		inGlobal: "global", inDefaults: "defaults named", inFrontend: "frontend f", inListen: "listen l", inBackend: "backend b",
		inHTTPErrors: "http-errors e",
	}[in]
	text := section + "\n    " + line + "\n"
	return LoadBytes("in.cfg", []byte(text), testEnv(&archive{}))
}

func TestRowsThatAreIgnoredSaySo(t *testing.T) {
	for _, table := range [][]keyword{globalKeywords, tuneKeywords, tlsKeywords, proxyKeywords, optionKeywords, ruleKeywords} {
		for _, k := range table {
			if k.support != ignored {
				continue
			}
			for _, s := range sectionLetters {
				if k.in&s.in == 0 {
					continue
				}
				r, err := loadLine(sampleLine(k.name, k.args.min), s.in)
				if err != nil || !noticed(r, k.remark) {
					t.Errorf("%s in %s: no notice (%v)", k.name, s.name, err)
				}
			}
		}
	}
	for _, o := range bindOptions {
		if o.support == ignored {
			wantNotice(t, "bind 127.0.0.1:80 "+sampleLine(o.name, o.values), inListen, o.name)
		}
	}
	for _, o := range serverOptions {
		if o.support == ignored {
			wantNotice(t, "server s 192.0.2.1:80 "+sampleLine(o.name, o.values), inListen, o.name)
		}
	}
	for _, a := range actions {
		if a.support == ignored {
			wantNotice(t, "http-request "+sampleLine(a.name, a.words), inListen, a.remark)
		}
	}
}

func wantNotice(t *testing.T, line string, in where, part string) {
	t.Helper()
	if r, err := loadLine(line, in); err != nil || !noticed(r, part) {
		t.Errorf("%s: no notice with %q (%v)", line, part, err)
	}
}

func noticed(r *Result, part string) bool {
	return slices.ContainsFunc(r.Notices, func(n Notice) bool {
		return n.Line == 2 && strings.Contains(n.Msg, "accepted and ignored") && strings.Contains(n.Msg, part)
	})
}

func TestRowsThatAreRefusedSaySo(t *testing.T) {
	for _, table := range [][]keyword{globalKeywords, tuneKeywords, tlsKeywords, proxyKeywords, optionKeywords, ruleKeywords} {
		for _, k := range table {
			if k.support != refused {
				continue
			}
			for _, s := range sectionLetters {
				if k.in&s.in != 0 {
					wantRefusal(t, sampleLine(k.name, k.args.min), s.in, k.remark)
				}
			}
			if k.in&negatable != 0 {
				if _, err := loadLine("no "+k.name, inListen); err != nil && k.in&inListen != 0 {
					t.Errorf("no %s: what weir does not have is off: %v", k.name, err)
				}
			}
		}
	}
	for _, o := range bindOptions {
		if o.support == refused {
			wantRefusal(t, "bind 127.0.0.1:80 "+sampleLine(o.name, o.values), inListen, o.remark)
		}
	}
	for _, o := range serverOptions {
		if o.support == refused {
			wantRefusal(t, "server s 192.0.2.1:80 "+sampleLine(o.name, o.values), inListen, o.remark)
		}
	}
	for _, a := range actions {
		for _, set := range ruleSetNames {
			if a.support == refused && a.in&set.set != 0 {
				wantRefusal(t, set.name+" "+sampleLine(a.name, a.words), inListen, a.remark)
			}
		}
	}
}

func wantRefusal(t *testing.T, line string, in where, remark string) {
	t.Helper()
	_, err := loadLine(line, in)
	all, _ := err.(Errors)
	if len(all) != 1 || all[0].Line != 2 || !strings.Contains(all[0].Msg, "weir does not") || !strings.Contains(all[0].Msg, remark) {
		t.Errorf("%s: want one error with %q, got %v", line, remark, err)
	}
}

func TestSectionsAreReadIgnoredOrRefused(t *testing.T) {
	for _, row := range sectionTable {
		_, err := LoadBytes("in.cfg", []byte(row.name+"\n"), testEnv(&archive{}))
		named := row.name == "global" || row.name == "defaults" || row.name == "crt-store" || row.name == "traces"
		if row.support != refused && (err == nil) != named {
			t.Errorf("%s without a name: %v", row.name, err)
		}
		if row.name == "global" {
			continue
		}
		r, err := LoadBytes("in.cfg", []byte(row.name+" x\n"), testEnv(&archive{}))
		switch row.support {
		case refused:
			if err == nil || !strings.Contains(err.Error(), row.remark) {
				t.Errorf("%s: want an error with %q, got %v", row.name, row.remark, err)
			}
		case ignored:
			if err != nil || len(r.Notices) != 1 || !strings.Contains(r.Notices[0].Msg, row.remark) {
				t.Errorf("%s: want a notice with %q, got %v", row.name, row.remark, err)
			}
		case supported:
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
}

// Every keyword with one letter wrong is unknown, and the right one is
// suggested.
func TestMisspelledKeywordsAreSuggested(t *testing.T) {
	for _, k := range proxyKeywords {
		name := k.name
		if len(name) < 6 || k.in&inListen == 0 || strings.HasPrefix(name, "external-check ") {
			continue
		}
		wrong := name[:len(name)-2] + name[len(name)-1:] + name[len(name)-2:len(name)-1] // the last two letters swapped
		_, err := loadLine(wrong+" x", inListen)
		if wrong == name || err == nil || strings.Contains(err.Error(), "did you mean "+name+"?") {
			continue
		}
		if !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: no suggestion: %v", wrong, err)
		}
	}
	if got := didYouMean("x", nil); got != "" {
		t.Errorf("nothing is close to nothing, got %q", got)
	}
	if got := fmt.Sprint(distance("kitten", "sitting", 9), distance("ab", "ba", 9), distance("", "abc", 9)); got != "3 1 3" {
		t.Errorf("distances are %s, want 3 1 3", got)
	}
}

// What the table of actions supports, package proxy has, in the same rulesets.
func TestProxyHasTheActionsOfTheTable(t *testing.T) {
	for _, a := range actions {
		if a.support != supported {
			continue
		}
		for _, set := range ruleSetNames {
			if a.in&set.set == 0 {
				continue
			}
			name := a.name
			if strings.HasSuffix(name, "(") {
				name += "txn.x)"
			}
			var s settings
			*s.rulesOf(set.set) = []proxy.Rule{{Name: name}}
			err := proxy.Check(proxy.Config{
				Frontends: []proxy.Frontend{{Common: s.common}}, Backends: []proxy.Backend{{Common: s.common}},
			}, proxy.Options{})
			if err != nil && strings.Contains(err.Error(), "does not have this action") {
				t.Errorf("%s %s: package proxy does not have it", set.name, a.name)
			}
		}
	}
}
