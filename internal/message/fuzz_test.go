package message

import (
	"slices"
	"strings"
	"testing"
)

// FuzzDelCookies: no cookie of the name is left, all others are, in order.
func FuzzDelCookies(f *testing.F) {
	f.Add("a=1; S=2; c=3")
	f.Add(`S="a;b",S=1;x`)
	f.Add(`b="un;S=1`)
	f.Fuzz(func(t *testing.T, value string) {
		if !ValidValue([]byte(value)) {
			return
		}
		h := headOf("Cookie", value, "Cookie", "z=1; S=2")
		want := slices.DeleteFunc(cookiesOf(h), func(c string) bool { return strings.HasPrefix(c, "S=") })
		h.DelCookies([]byte("S"))
		if got := cookiesOf(h); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	})
}

// FuzzTargetEdits: what an edit accepts is a target of the same parts.
func FuzzTargetEdits(f *testing.F) {
	f.Add("/a?b", "/c", "d")
	f.Add("http://h/a", "/c?x", "")
	f.Add("http://h", "x", "y?z")
	f.Fuzz(func(t *testing.T, target, path, query string) {
		h := &Head{Raw: []byte(target), Method: MethodGet, Target: Span{0, uint32(len(target))}}
		if !ValidTarget([]byte(target)) || !h.SplitTarget() {
			return
		}
		authority := string(h.Text(h.Authority))
		oldQuery, had := h.Query()
		oldQuery = slices.Clone(oldQuery)
		if h.SetPath([]byte(path)) {
			p, rest, _ := strings.Cut(path, "?")
			q, has := h.Query()
			if string(h.PathOnly()) != p || !strings.HasPrefix(string(q), rest) || !strings.HasSuffix(string(q), string(oldQuery)) ||
				has != (had || strings.Contains(path, "?")) {
				t.Errorf("%q with path %q is %q", target, path, h.Text(h.Target))
			}
		}
		if h.SetQuery([]byte(query)) {
			if q, has := h.Query(); string(q) != query || has != (query != "") {
				t.Errorf("query %q gave %q", query, h.Text(h.Target))
			}
		}
		if !ValidTarget(h.Text(h.Target)) || string(h.Text(h.Authority)) != authority {
			t.Errorf("edits of %q gave %q", target, h.Text(h.Target))
		}
	})
}
