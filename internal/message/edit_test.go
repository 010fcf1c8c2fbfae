package message

import (
	"slices"
	"testing"
)

// requestTo makes a head with the target and a Host field.
func requestTo(t *testing.T, method, target string) *Head {
	t.Helper()
	h := headOf("Host", "a")
	h.Host = h.Fields[0].Value
	from := len(h.Raw)
	h.Raw = append(h.Raw, method+" "+target...)
	h.MethodText, h.Method = Span{uint32(from), uint32(len(method))}, MethodOf([]byte(method))
	h.Target = Span{uint32(from + len(method) + 1), uint32(len(target))}
	if !h.SplitTarget() {
		t.Fatalf("%s %s has no form", method, target)
	}
	return h
}

func TestTargetForms(t *testing.T) {
	for _, c := range []struct {
		method, target string
		form           TargetForm
		parts          []string // scheme, authority, path with query, path, query
	}{
		{"GET", "/", FormOrigin, []string{"", "", "/", "/", ""}},
		{"GET", "/a/../b//c%2f?x=1?y", FormOrigin, []string{"", "", "/a/../b//c%2f?x=1?y", "/a/../b//c%2f", "x=1?y"}},
		{"GET", "//h/p", FormOrigin, []string{"", "", "//h/p", "//h/p", ""}},
		{"GET", "http://h:80/p?q", FormAbsolute, []string{"http", "h:80", "/p?q", "/p", "q"}},
		{"GET", "HTTPS://[::1]:8443/", FormAbsolute, []string{"HTTPS", "[::1]:8443", "/", "/", ""}},
		{"GET", "http://h", FormAbsolute, []string{"http", "h", "", "", ""}},
		{"OPTIONS", "*", FormAsterisk, []string{"", "", "*", "", ""}},
		{"CONNECT", "h:443", FormAuthority, []string{"", "h:443", "", "", ""}},
		{"CONNECT", "[::1]:443", FormAuthority, []string{"", "[::1]:443", "", "", ""}},
	} {
		h := requestTo(t, c.method, c.target)
		query, _ := h.Query()
		got := []string{
			string(h.Text(h.Scheme)), string(h.Text(h.Authority)), string(h.Text(h.Path)), string(h.PathOnly()), string(query),
		}
		if h.Form != c.form || !slices.Equal(got, c.parts) {
			t.Errorf("%s %s: form %d, parts %q; want %d, %q", c.method, c.target, h.Form, got, c.form, c.parts)
		}
	}
}

func TestTargetsWithoutForm(t *testing.T) {
	for _, c := range [][2]string{
		{"GET", "x"}, {"GET", "?x"}, {"GET", "*"}, {"GET", "*x"}, {"OPTIONS", "*x"}, {"GET", "http:a/x"}, {"GET", "http:///x"},
		{"GET", "http://u@a/x"}, {"GET", "http://a?x"}, {"GET", "http://a:99999/"}, {"GET", "http://[::1/"}, {"GET", "://a/"},
		{"GET", "1http://a/"}, {"GET", "a:80"}, {"CONNECT", "a"}, {"CONNECT", "/x"}, {"CONNECT", "a:"}, {"CONNECT", "http://a/"},
		{"GET", "http://a b/"}, {"GET", "http://a\\b/"},
	} {
		h := &Head{Raw: []byte(c[1]), Method: MethodOf([]byte(c[0])), Target: Span{0, uint32(len(c[1]))}}
		if h.SplitTarget() {
			t.Errorf("%s %s is taken for form %d", c[0], c[1], h.Form)
		}
	}
}

// Where HAProxy 2.6 sends a target that is none ("new?q", "http://anew") we
// refuse the edit and leave the target alone.
func TestTargetEdits(t *testing.T) {
	edits := map[string]func(*Head, []byte) bool{
		"uri": (*Head).SetURI, "path": (*Head).SetPath, "pathq": (*Head).SetPathQuery, "query": (*Head).SetQuery,
		"method": (*Head).SetMethod,
	}
	for _, c := range []struct{ method, target, edit, text, want string }{
		{"GET", "/old?q=1", "path", "/new", "GET /new?q=1"},
		{"GET", "/old", "path", "/new", "GET /new"},
		{"GET", "/old?q=1", "path", "/new?x", "GET /new?x?q=1"},
		{"GET", "http://a/old?q=1", "path", "/new", "GET http://a/new?q=1"},
		{"GET", "http://a", "path", "/new", "GET http://a/new"},
		{"GET", "/old?q=1", "path", "new", ""},
		{"GET", "http://a/old?q=1", "path", "new", ""},
		{"GET", "/old?q=1", "path", "", ""},
		{"GET", "/old?q=1", "path", "/a b", ""},
		{"GET", "/old?q=1", "path", "/a\r\nX: y", ""},
		{"GET", "/old?q=1", "path", "/a#b", ""},
		{"OPTIONS", "*", "path", "/x", "OPTIONS /x"},
		{"CONNECT", "a:80", "path", "/x", ""},
		{"GET", "/old?q=1", "pathq", "/z?y", "GET /z?y"},
		{"GET", "http://a/old?q=1", "pathq", "/z", "GET http://a/z"},
		{"GET", "/old?q=1", "query", "q=2", "GET /old?q=2"},
		{"GET", "/old", "query", "q=2", "GET /old?q=2"},
		{"GET", "http://a/old?q=1", "query", "q=2", "GET http://a/old?q=2"},
		{"GET", "/old?q=1", "query", "", "GET /old"},
		{"GET", "/old?q=1", "query", "a b", ""},
		{"OPTIONS", "*", "query", "a", ""},
		{"GET", "/old?q=1", "uri", "/u?x=1", "GET /u?x=1"},
		{"GET", "http://a/old?q=1", "uri", "/u?x=1", "GET /u?x=1"},
		{"GET", "/old?q=1", "uri", "u", ""},
		{"GET", "/old?q=1", "method", "FOO", "FOO /old?q=1"},
		{"GET", "/old?q=1", "method", "A B", ""},
		{"GET", "/old?q=1", "method", "CONNECT", ""},
		{"CONNECT", "a:80", "method", "GET", ""},
		{"OPTIONS", "*", "method", "GET", ""},
	} {
		h := requestTo(t, c.method, c.target)
		ok := edits[c.edit](h, []byte(c.text))
		got := string(h.Text(h.MethodText)) + " " + string(h.Text(h.Target))
		want := c.want
		if want == "" {
			want = c.method + " " + c.target
		}
		if ok != (c.want != "") || got != want {
			t.Errorf("%s %s, %s %q: %v %q, want %q", c.method, c.target, c.edit, c.text, ok, got, want)
		}
	}
}

func TestEditsOfATargetAddUp(t *testing.T) {
	h := requestTo(t, "GET", "/a?b")
	h.SetPath([]byte("/longer/path"))
	h.SetQuery([]byte("c=d"))
	h.SetPath([]byte("/p"))
	if got := string(h.Text(h.Target)); got != "/p?c=d" {
		t.Errorf("got %q", got)
	}
}

func TestAbsoluteURISetsHost(t *testing.T) {
	h := requestTo(t, "GET", "/")
	h.SetURI([]byte("http://b:8080/u"))
	if got := string(h.Value(0)); got != "b:8080" || string(h.Text(h.Host)) != got {
		t.Errorf("host is %q and %q", got, h.Text(h.Host))
	}
}

func TestFieldEdits(t *testing.T) {
	h := headOf("Host", "a", "X-A", "1", "Y", "2", "x-a", "3")
	if !h.Set([]byte("X-a"), []byte(" 4\t")) || !h.Add([]byte("Y"), []byte("5")) || !h.Set([]byte("host"), []byte("z")) {
		t.Fatal("refused")
	}
	if n := h.Del([]byte("none")); n != 0 {
		t.Errorf("deleted %d", n)
	}
	if !h.SetValue(0, []byte("6")) {
		t.Error("refused")
	}
	want := []string{"Y", "6", "X-a", "4", "Y", "5", "host", "z"}
	if got := fieldsOf(h); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if string(h.Text(h.Host)) != "z" {
		t.Errorf("Host is %q", h.Text(h.Host))
	}
}

func TestNoRuleCanSendALineBreak(t *testing.T) {
	for _, value := range []string{"a\r\nX: y", "a\nb", "a\rb", "a\x00", "\x7f", "\x1b"} {
		h := headOf("X", "old")
		if h.Add([]byte("X"), []byte(value)) || h.Set([]byte("X"), []byte(value)) || h.SetValue(0, []byte(value)) {
			t.Errorf("value %q accepted", value)
		}
		if got := fieldsOf(h); !slices.Equal(got, []string{"X", "old"}) {
			t.Errorf("refused edit changed the head to %q", got)
		}
		if h.SetStatus(200, []byte(value)) {
			t.Errorf("reason %q accepted", value)
		}
	}
	for _, name := range []string{"", "a b", "a:", "a\r\n", "\xe9"} {
		if new(Head).Add([]byte(name), nil) || new(Head).Set([]byte(name), nil) {
			t.Errorf("name %q accepted", name)
		}
	}
}

func TestAuthorities(t *testing.T) {
	for _, c := range []struct {
		text     string
		ok, port bool // valid as Host; valid where a port is needed
	}{
		{"a", true, false}, {"a:80", true, true}, {"a:", true, false}, {"a_b.fr", true, false}, {"1.2.3.4:65535", true, true},
		{"[::1]", true, false}, {"[::1]:80", true, true}, {"[::ffff:1.2.3.4]", true, false}, {"[v1.a:b]", true, false}, {"a%41", true, false},
		{"", false, false}, {":80", false, false}, {"a:65536", false, false}, {"a:b", false, false}, {"a b", false, false},
		{"a/b", false, false}, {"u@a", false, false}, {"[::1", false, false}, {"[::1]x", false, false}, {"::1", false, false},
		{"[]", false, false}, {"[g::1]", false, false}, {"a?b", false, false}, {"a\xc3\xa9", false, false}, {"a:1:2", false, false},
	} {
		if got := ValidAuthority([]byte(c.text), false); got != c.ok {
			t.Errorf("ValidAuthority(%q) = %v", c.text, got)
		}
		if got := ValidAuthority([]byte(c.text), true); got != c.port {
			t.Errorf("ValidAuthority(%q) with port = %v", c.text, got)
		}
	}
}

func TestSameAuthority(t *testing.T) {
	for _, c := range []struct {
		scheme, authority, host string
		want                    bool
	}{
		{"http", "a", "a", true}, {"http", "A", "a", true}, {"http", "a:80", "a", true}, {"http", "a", "a:80", true},
		{"http", "a:81", "a", false}, {"http", "a:81", "a:81", true}, {"https", "a:443", "a", true}, {"https", "a:80", "a", false},
		{"HTTP", "a:80", "a:", true}, {"http", "a", "b", false}, {"ftp", "a:21", "a", false}, {"", "a:443", "a", true},
		{"", "a:8080", "a", false}, {"http", "[::1]:80", "[::1]", true}, {"http", "a:80", "a:8080", false},
	} {
		if got := SameAuthority([]byte(c.scheme), []byte(c.authority), []byte(c.host)); got != c.want {
			t.Errorf("SameAuthority(%q, %q, %q) = %v", c.scheme, c.authority, c.host, got)
		}
	}
}
