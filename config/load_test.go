package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/proxy"
)

const smallFile = `defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

listen l
    bind 127.0.0.1:8001
    server s 192.0.2.1:80
`

func writeFiles(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolderStandsForItsFilesInOrder(t *testing.T) {
	cut := strings.Index(smallFile, "listen")
	dir := writeFiles(t, map[string]string{
		"20-web.cfg": smallFile[cut:], "10-defaults.cfg": smallFile[:cut],
		".hidden.cfg": "broken\n", "notes.txt": "broken\n",
	})
	r, err := Load([]string{dir}, Env{Vars: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Tree.Files {
		names = append(names, filepath.Base(f))
	}
	if want := []string{"10-defaults.cfg", "20-web.cfg"}; !slices.Equal(names, want) {
		t.Errorf("read %v, want %v", names, want)
	}
	if got := r.Config.Frontends[0].Origin; got != filepath.Join(dir, "20-web.cfg")+":1" {
		t.Errorf("the frontend comes from %s", got)
	}
	if len(r.Notices) > 0 {
		t.Errorf("notices: %v", r.Notices)
	}
}

func TestFilesThatCannotBeReadAreErrors(t *testing.T) {
	dir := writeFiles(t, map[string]string{"good.cfg": smallFile, "bad.cfg": "global\n    nothing\n"})
	missing, bad := filepath.Join(dir, "missing.cfg"), filepath.Join(dir, "bad.cfg")
	_, err := Load([]string{filepath.Join(dir, "good.cfg"), missing, bad}, Env{})
	var all Errors
	if !errors.As(err, &all) || len(all) != 2 {
		t.Fatalf("want two errors, got %v", err)
	}
	if all[0].File != missing || all[0].Line != 0 || all[1].File != bad || all[1].Line != 2 {
		t.Errorf("the errors are not in the order of the files:\n%v", err)
	}
	if want := missing + ": can't read the file: no such file or directory"; all[0].Error() != want {
		t.Errorf("got %q, want %q", all[0].Error(), want)
	}
}

func TestFileWithoutFinalNewlineLoadsWithANotice(t *testing.T) {
	r, err := LoadBytes("in.cfg", []byte(strings.TrimSuffix(smallFile, "\n")), Env{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Notices) != 1 || r.Notices[0].Line != 9 || r.Warned() {
		t.Errorf("want one notice at line 9, got %v", r.Notices)
	}
}

func TestByteOrderMarkIsSkipped(t *testing.T) {
	if _, err := LoadBytes("in.cfg", []byte("\ufeff"+smallFile), Env{}); err != nil {
		t.Error(err)
	}
}

func TestEmptyFileIsAnEmptyConfiguration(t *testing.T) {
	r, err := LoadBytes("in.cfg", nil, Env{})
	if err != nil || len(r.Config.Frontends) != 0 || len(r.Notices) != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestChangedVariablesAreHandedBack(t *testing.T) {
	text := "global\n    setenv A 1\n    presetenv A 2\n    setenv B new\n    unsetenv C D\n    setenv E same\n" + smallFile
	env := Env{Vars: map[string]string{"B": "old", "C": "c", "E": "same"}}
	r, err := LoadBytes("in.cfg", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	set := r.Process.SetEnv
	if len(set) != 2 || set["A"] != "1" || set["B"] != "new" || !slices.Equal(r.Process.UnsetEnv, []string{"C"}) {
		t.Errorf("set %v, gone %v", set, r.Process.UnsetEnv)
	}
	if len(env.Vars) != 3 {
		t.Errorf("the caller's variables changed: %v", env.Vars)
	}
}

func TestVariablesOfTheProcessAreKnown(t *testing.T) {
	text := "global\n    description \"$HAPROXY_LOCALPEER $HAPROXY_CFGFILES $HAPROXY_BRANCH ${HAPROXY_MWORKER-no}\"\n" + smallFile
	r, err := LoadBytes("in.cfg", []byte(text), Env{Vars: map[string]string{}, LocalName: "lb1", Master: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := "lb1 in.cfg 3.2 1"; r.Process.Description != want || r.Process.LocalName != "lb1" {
		t.Errorf("got %q as %q, want %q as lb1", r.Process.Description, r.Process.LocalName, want)
	}
}

func TestDiagnosticsAreOnlyForThoseWhoAsk(t *testing.T) {
	text := []byte(".diag \"look here\"\n" + smallFile)
	for _, ask := range []bool{false, true} {
		r, err := LoadBytes("in.cfg", text, Env{Diagnose: ask})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Notices) == 1 && r.Notices[0].Level == LevelDiag; got != ask {
			t.Errorf("Diagnose %v: notices %v", ask, r.Notices)
		}
	}
}

func TestWarningsAreToldFromNotices(t *testing.T) {
	for text, want := range map[string]bool{
		smallFile: false,
		"global\n    ca-base /etc/ssl/certs\n" + smallFile: false,
		".warning \"careful\"\n" + smallFile:               true,
		smallFile + "listen two :8002\n":                   true,
	} {
		r, err := LoadBytes("in.cfg", []byte(text), Env{})
		if err != nil || r.Warned() != want {
			t.Errorf("%q: Warned() = %v, %v; want %v", text, r != nil && r.Warned(), err, want)
		}
	}
}

func TestHugeLinesAreRefused(t *testing.T) {
	for _, text := range []string{
		"global\n    description " + strings.Repeat("x", lineBytesMax) + "\n",
		"global\n    setenv A " + strings.Repeat("x", 1000) + "\n    description \"" + strings.Repeat("$A", lineBytesMax/1000+1) + "\"\n",
		"global\n    description" + strings.Repeat(" x", wordsMax+1) + "\n",
	} {
		_, err := LoadBytes("in.cfg", []byte(text), Env{})
		if err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("a line of %d bytes: %.200v", len(text), err)
		}
	}
}

func TestDeepBlocksAreRefused(t *testing.T) {
	n := nestedBlocksMax + 1
	text := strings.Repeat(".if 1\n", n) + strings.Repeat(".endif\n", n)
	if _, err := LoadBytes("in.cfg", []byte(text), Env{}); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("got %v", err)
	}
}

func TestFilesOfRulesBeginAtTheDefaultPath(t *testing.T) {
	text := "global\n    default-path origin /srv\n" + smallFile + `    acl a src -f nets.lst -f /etc/abs.lst
    http-request deny if { path -i -f paths.lst }
    http-request return status 503 errorfile sorry.http if a
    http-request return status 200 content-type text/plain string file if a
`
	r, err := LoadBytes("etc/in.cfg", []byte(text), Env{})
	if err != nil {
		t.Fatal(err)
	}
	fe := &r.Config.Frontends[0]
	got := []string{
		strings.Join(fe.ACLs[0].Words, " "), strings.Join(fe.HTTPRules.Request[0].Cond.Words, " "),
		strings.Join(fe.HTTPRules.Request[1].Args, " "), strings.Join(fe.HTTPRules.Request[2].Args, " "),
	}
	want := []string{
		"src -f /srv/nets.lst -f /etc/abs.lst", "{ path -i -f /srv/paths.lst }",
		"status 503 errorfile /srv/sorry.http", "status 200 content-type text/plain string file",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestManyLinesLoadInReasonableWork(t *testing.T) {
	var text strings.Builder
	text.WriteString(smallFile)
	for i := range 20_000 {
		fmt.Fprintf(&text, "    acl a%d path /%d\n    http-request set-header X-%d v if a%d\n", i, i, i, i)
	}
	r, err := LoadBytes("in.cfg", []byte(text.String()), Env{})
	if err != nil || len(r.Config.Frontends[0].HTTPRules.Request) != 20_000 {
		t.Fatalf("got %v", err)
	}
}

func TestErrorsCanBeTakenApart(t *testing.T) {
	_, err := LoadBytes("in.cfg", []byte(smallFile+"    maxcon 5\n    acl a path_begg /x\n"), Env{})
	var one *Error
	if !errors.As(err, &one) || one.Line != 10 || one.Directive != "maxcon" {
		t.Errorf("the first error is %+v, want that of line 10", one)
	}
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) || len(list.Unwrap()) != 2 {
		t.Errorf("want two errors, got %v", err)
	}
}

func TestPlaceLeavesOtherErrorsAlone(t *testing.T) {
	r, err := LoadBytes("in.cfg", []byte(smallFile), Env{})
	if err != nil {
		t.Fatal(err)
	}
	busy := errors.New("the port is taken")
	if got := r.Place(busy); got != busy {
		t.Errorf("got %v", got)
	}
	nowhere := proxy.Errors{{Section: "frontend l", Msg: "can't bind"}}
	if got := r.Place(nowhere); got.Error() != nowhere.Error() {
		t.Errorf("got %v", got)
	}
	if got := r.Place(nil); got != nil {
		t.Errorf("nothing is wrong, got %v", got)
	}
}

// A text that is wrong in thousands of lines is told in reasonable time, too.
func TestManyErrorsAreToldInReasonableWork(t *testing.T) {
	var text strings.Builder
	text.WriteString(smallFile)
	for i := range 3000 {
		fmt.Fprintf(&text, "wrong%d\n", i)
	}
	_, err := LoadBytes("in.cfg", []byte(text.String()), Env{})
	var all Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("got %v", err)
	}
}

func TestShortTimesWithoutAUnitAreADiagnosis(t *testing.T) {
	text := strings.Replace(smallFile, "timeout client 30s", "timeout client 30", 1)
	for _, ask := range []bool{false, true} {
		r, err := LoadBytes("in.cfg", []byte(text), Env{Diagnose: ask})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Notices) == 1 && r.Notices[0].Level == LevelDiag && r.Notices[0].Line == 4; got != ask || r.Warned() {
			t.Errorf("Diagnose %v: notices %v", ask, r.Notices)
		}
	}
}
