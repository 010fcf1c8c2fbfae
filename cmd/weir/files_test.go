package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFolderMeansItsVisibleFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"20.cfg", "10.cfg", "Z.cfg", ".hidden.cfg", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub.cfg"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := expandFolders([]string{"/dev/null", dir})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/dev/null", filepath.Join(dir, "10.cfg"), filepath.Join(dir, "20.cfg"), filepath.Join(dir, "Z.cfg")}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	_, err := expandFolders([]string{"/nonexistent/h.cfg"})
	want := "config : Cannot open configuration file/directory /nonexistent/h.cfg : no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMessagesLookLikeHAProxys(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out, said: true}
	m.notice("one")
	m.warning("two\nand more")
	m.alert("three %d", 3)
	pid := os.Getpid()
	want := fmt.Sprintf("[NOTICE]   (%d) : one\n[WARNING]  (%d) : two\n   | and more\n[ALERT]    (%d) : three 3\n", pid, pid, pid)
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestFirstAlertSaysWhoSpeaks(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out}
	m.alert("one")
	m.alert("two")
	if n := strings.Count(out.String(), "weir version is"); n != 1 {
		t.Errorf("the version stands there %d times, want once:\n%s", n, out.String())
	}
}

func TestQuietMeansSilent(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out, quiet: true}
	m.alert("one")
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}
