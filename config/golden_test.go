package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/proxy"
)

// An archive is a golden file: parts that each begin with "-- name --" (the
// txtar format of golang.org/x/tools).
type archive struct {
	comment string
	parts   []part
}

type part struct{ name, text string }

func readArchive(t *testing.T, path string) *archive {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{}
	for _, line := range strings.SplitAfter(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch name, ok := strings.CutPrefix(trimmed, "-- "); {
		case ok && strings.HasSuffix(name, " --"):
			a.parts = append(a.parts, part{name: strings.TrimSuffix(name, " --")})
		case len(a.parts) == 0:
			a.comment += line
		default:
			a.parts[len(a.parts)-1].text += line
		}
	}
	return a
}

func (a *archive) get(name string) (string, bool) {
	for _, p := range a.parts {
		if p.name == name {
			return p.text, true
		}
	}
	return "", false
}

func (a *archive) set(name, text string) {
	for i := range a.parts {
		if a.parts[i].name == name {
			a.parts[i].text = text
			return
		}
	}
	a.parts = append(a.parts, part{name, text})
}

func (a *archive) write(t *testing.T, path string) {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(a.comment)
	for _, p := range a.parts {
		fmt.Fprintf(&out, "-- %s --\n%s", p.name, p.text)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// configFiles are the parts that are loaded, in order: in.cfg and b.cfg, say.
func (a *archive) configFiles() []string {
	var names []string
	for _, p := range a.parts {
		if strings.HasSuffix(p.name, ".cfg") {
			names = append(names, p.name)
		}
	}
	return names
}

// testEnv is a world that is the same on every machine. Files come from the
// archive; what is not there does not exist.
func testEnv(a *archive) Env {
	return Env{
		Vars:     map[string]string{"LAN": "192.0.2", "EMPTY": "", "LIST": "a b c", "PORT": "8080", "FD": "7"},
		Hostname: "test-host",
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := a.get(filepath.ToSlash(name)); ok {
				return []byte(text), nil
			}
			if name == "/dev/null" {
				return nil, nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		ReadDir:     func(string) ([]string, bool, error) { return nil, false, nil },
		LookupUser:  lookup(map[string]int{"root": 0, "haproxy": 101}),
		LookupGroup: lookup(map[string]int{"root": 0, "haproxy": 102}),
	}
}

func lookup(known map[string]int) func(string) (int, error) {
	return func(name string) (int, error) {
		if n, ok := known[name]; ok {
			return n, nil
		}
		return 0, fmt.Errorf("unknown name %s", name)
	}
}

var update = os.Getenv("UPDATE") == "1"

func goldenFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestGoldenFiles(t *testing.T) {
	good, wrong := 0, 0
	for _, path := range goldenFiles(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		a := readArchive(t, path)
		if _, bad := a.get("want.err"); bad {
			wrong++
		} else {
			good++
		}
		t.Run(name, func(t *testing.T) { checkGolden(t, path, a) })
	}
	if good < 60 || wrong < 60 {
		t.Errorf("%d right and %d wrong files; there should be at least 60 of each", good, wrong)
	}
}

// checkGolden loads one file and compares the whole outcome.
func checkGolden(t *testing.T, path string, a *archive) {
	env := testEnv(a)
	r, err := Load(a.configFiles(), env)
	if err == nil {
		err = r.Place(proxy.Check(*r.Config, proxy.Options{ReadFile: env.ReadFile}))
	}
	wantErr, bad := a.get("want.err")
	switch {
	case err != nil && bad:
		compareGolden(t, path, a, part{"want.err", err.Error() + "\n"})
	case err != nil:
		t.Fatalf("can't load a file that should be right:\n%v", err)
	case bad:
		t.Fatalf("a file that should be wrong loads; want:\n%s", wantErr)
	default:
		compareGolden(t, path, a, part{"want.json", dumpResult(r)})
		checkFixedPoint(t, a, r)
	}
}

func compareGolden(t *testing.T, path string, a *archive, got part) {
	t.Helper()
	want, _ := a.get(got.name)
	if want == got.text {
		return
	}
	if update {
		a.set(got.name, got.text)
		a.write(t, path)
		return
	}
	t.Errorf("%s differs (UPDATE=1 rewrites it):\n%s", got.name, diffLines(want, got.text))
}

// checkFixedPoint prints the tree and loads it again: the Config must be the
// same but for the lines it names.
func checkFixedPoint(t *testing.T, a *archive, r *Result) {
	t.Helper()
	text := Print(r.Tree)
	again, err := LoadBytes("in.cfg", text, testEnv(a))
	if err != nil {
		t.Fatalf("the printed text does not load: %v\n%s", err, text)
	}
	if got, want := dumpWithoutOrigins(again.Config), dumpWithoutOrigins(r.Config); got != want {
		t.Errorf("the printed text means something else:\n%s\n%s", text, diffLines(want, got))
	}
	if second := Print(again.Tree); !bytes.Equal(second, text) {
		t.Errorf("printing is no fixed point:\n%s", diffLines(string(text), string(second)))
	}
}

func diffLines(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	show := func(lines []string) string {
		return strings.Join(lines[min(i, len(lines)):min(i+12, len(lines))], "\n")
	}
	return fmt.Sprintf("from line %d on\n--- want\n%s\n--- got\n%s", i+1, show(w), show(g))
}

// dumpResult shows all of a Result that is not zero.
func dumpResult(r *Result) string {
	notices := []string{}
	for i := range r.Notices {
		notices = append(notices, r.Notices[i].Level.String()+": "+r.Notices[i].String())
	}
	return toJSON(map[string]any{
		"Config":  dumpValue(reflect.ValueOf(r.Config), false),
		"Process": dumpValue(reflect.ValueOf(r.Process), false),
		"Notices": notices,
	})
}

func dumpWithoutOrigins(config any) string { return toJSON(dumpValue(reflect.ValueOf(config), true)) }

func toJSON(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return out.String()
}

// enumNames are words for the constants of plain structs, so that golden files
// can be read.
var enumNames = map[string][]string{
	"Algorithm":   {"roundrobin", "static-rr", "leastconn", "first", "source", "hash", "random"},
	"Mode":        {"tcp", "http"},
	"ConnMode":    {"keep-alive", "server-close", "close"},
	"Reuse":       {"safe", "never", "aggressive", "always"},
	"LogFormat":   {"default", "tcp", "http", "clf", "https"},
	"ProxyHeader": {"none", "v1", "v2"},
	"Kind":        {"tcp", "http", "script"},
	"StepKind":    {"connect", "send", "expect", "comment"},
	"Match":       {"status", "rstatus", "string", "rstring", "binary", "rbinary"},
	"Observe":     {"none", "layer4", "layer7"},
	"OnError":     {"fail-check", "fastinter", "sudden-death", "mark-down"},
}

// dumpValue turns a value into maps without its zero fields.
func dumpValue(v reflect.Value, forgetOrigins bool) any {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case []byte:
		return string(x)
	}
	if names := enumNames[v.Type().Name()]; names != nil {
		return names[v.Uint()]
	}
	switch v.Kind() {
	case reflect.Pointer:
		return dumpValue(v.Elem(), forgetOrigins)
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if !v.Field(i).IsZero() && !(forgetOrigins && strings.HasSuffix(name, "Origin")) {
				fields[name] = dumpValue(v.Field(i), forgetOrigins)
			}
		}
		return fields
	case reflect.Map:
		fields := map[string]any{}
		for _, k := range v.MapKeys() {
			fields[fmt.Sprint(k)] = dumpValue(v.MapIndex(k), forgetOrigins)
		}
		return fields
	case reflect.Slice, reflect.Array:
		return dumpList(v, forgetOrigins)
	}
	return v.Interface()
}

// dumpList writes lists of words on one line.
func dumpList(v reflect.Value, forgetOrigins bool) any {
	list := []any{}
	for i := range v.Len() {
		list = append(list, dumpValue(v.Index(i), forgetOrigins))
	}
	if v.Type().Elem().Kind() == reflect.String {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = fmt.Sprintf("%q", v.Index(i).String())
		}
		return "[" + strings.Join(words, " ") + "]"
	}
	return list
}
