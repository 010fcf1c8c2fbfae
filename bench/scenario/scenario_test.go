package scenario

import (
	"slices"
	"testing"
)

func TestNamesAreUniqueAndSizesWithinLimits(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range All() {
		if seen[s.Name] {
			t.Errorf("two scenarios have the name %s", s.Name)
		}
		seen[s.Name] = true
		if s.Title == "" || s.Load.Kind == "" || s.Load.Tool == "" {
			t.Errorf("%s lacks a title, a kind or a tool: %+v", s.Name, s)
		}
		if n := s.Load.Connections; n < 1 || n > connectionsMax {
			t.Errorf("%s: %d connections", s.Name, n)
		}
		for _, v := range append(s.Variants, Variant{}) {
			if n := s.Proxy.With(v).Servers; n < 1 || n > serversMax {
				t.Errorf("%s: %d servers", s.Name, n)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	names := func(pattern string, full bool) (out []string) {
		for _, s := range mustSelect(t, pattern, full) {
			out = append(out, s.Name)
		}
		return out
	}
	if got := names("^h1-(64|1)$", false); !slices.Equal(got, []string{"h1-64", "h1-1"}) {
		t.Errorf("by pattern: %v", got)
	}
	main, full := names("", false), names("", true)
	if slices.Contains(main, "h1-5000") || !slices.Contains(main, "h1-64") || len(full) != len(All()) {
		t.Errorf("main %v, full %v", main, full)
	}
	for _, s := range mustSelect(t, "", false) {
		for _, v := range s.Variants {
			if !v.Main || len(s.Rates) > 1 {
				t.Errorf("the main table has %s with variant %s, rates %v", s.Name, v.Name, s.Rates)
			}
		}
	}
	for _, bad := range []string{"(", "no such scenario"} {
		if _, err := Select(bad, false); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func mustSelect(t *testing.T, pattern string, full bool) []Scenario {
	t.Helper()
	list, err := Select(pattern, full)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestBulkIsAboutBytes(t *testing.T) {
	for name, want := range map[string]bool{
		"h1-64": false, "get-4k": false, "get-64k": true, "post-1m": true, "post-0": false, "tcp-bulk": true, "tcp-ping": false, "get-chunked": true,
	} {
		if got := mustSelect(t, "^"+name+"$", false)[0].Load.Bulk(); got != want {
			t.Errorf("%s: bulk %v", name, got)
		}
	}
}
