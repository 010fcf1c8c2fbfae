package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzConfig: nothing panics; what is refused is refused with the line; what is
// accepted prints to text that loads to the same Config.
func FuzzConfig(f *testing.F) {
	for _, path := range []string{"testdata/words-quotes.txt", "testdata/words-variables.txt"} {
		if _, err := os.Stat(path); err != nil {
			f.Fatal(err)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile("testdata/" + file.Name())
		if err != nil || !strings.HasSuffix(file.Name(), ".txt") {
			continue
		}
		_, in, _ := strings.Cut(string(text), "-- in.cfg --\n")
		in, _, _ = strings.Cut(in, "\n-- ")
		f.Add([]byte(in + "\n"))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		env := testEnv(&archive{})
		r, err := LoadBytes("in.cfg", src, env)
		if err != nil {
			wantPlaces(t, err)
			return
		}
		for i := range r.Notices {
			if n := &r.Notices[i]; n.Line < 1 || n.Msg == "" {
				t.Fatalf("a notice without its place: %+v", n)
			}
		}
		text := Print(r.Tree)
		again, err := LoadBytes("in.cfg", text, env)
		if err != nil {
			t.Fatalf("the printed text does not load: %v\n%s", err, text)
		}
		if want, got := dumpWithoutOrigins(r.Config), dumpWithoutOrigins(again.Config); want != got {
			t.Fatalf("the printed text means something else:\n%s\n%s", text, diffLines(want, got))
		}
	})
}

func wantPlaces(t *testing.T, err error) {
	t.Helper()
	var all Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("not an Errors: %v", err)
	}
	for i, e := range all {
		if e.File != "in.cfg" || e.Line < 1 || e.Msg == "" || !strings.HasPrefix(e.Error(), "in.cfg:") {
			t.Fatalf("an error without its place: %+v", e)
		}
		if i > 0 && all[i-1].Line > e.Line {
			t.Fatalf("line %d is reported behind line %d", all[i-1].Line, e.Line)
		}
	}
}
