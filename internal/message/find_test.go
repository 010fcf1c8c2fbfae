package message

import (
	"slices"
	"testing"
)

// headOf makes a head whose fields are name and value in turn.
func headOf(nameValue ...string) *Head {
	h := new(Head)
	for i := 0; i < len(nameValue); i += 2 {
		from := len(h.Raw)
		h.Raw = append(h.Raw, nameValue[i]+": "...)
		valueFrom := len(h.Raw)
		h.Raw = append(h.Raw, nameValue[i+1]+"\r\n"...)
		h.Fields = append(h.Fields, Field{
			Name:  Span{uint32(from), uint32(len(nameValue[i]))},
			Value: Span{uint32(valueFrom), uint32(len(nameValue[i+1]))},
			ID:    FieldIDOf([]byte(nameValue[i])),
		})
	}
	return h
}

// fieldsOf is the inverse of headOf.
func fieldsOf(h *Head) []string {
	var all []string
	for i := range h.Fields {
		all = append(all, string(h.Name(i)), string(h.Value(i)))
	}
	return all
}

func TestFindWalksFieldsInOrder(t *testing.T) {
	h := headOf("Cookie", "1", "X-A", "2", "COOKIE", "3", "x-a", "4", "X-AB", "5")
	var got []int
	for i := h.Find(FieldCookie, 0); i >= 0; i = h.Find(FieldCookie, i+1) {
		got = append(got, i)
	}
	for i := h.FindName([]byte("X-a"), 0); i >= 0; i = h.FindName([]byte("X-a"), i+1) {
		got = append(got, i)
	}
	for i := h.FindName([]byte("cookie"), 0); i >= 0; i = h.FindName([]byte("cookie"), i+1) {
		got = append(got, i)
	}
	if want := []int{0, 2, 1, 3, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// The answers were recorded from hdr(X-L,n) of HAProxy 2.6.
func TestListsAreSplitAsHAProxyDoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   []string
	}{
		{"three", []string{"a,b,c"}, []string{"a", "b", "c"}},
		{"blanks", []string{"a, b ,\tc"}, []string{"a", "b", "c"}},
		{"quotes", []string{`"a,b",c`}, []string{`"a,b"`, "c"}},
		{"escaped quote", []string{`"a\",b",c`}, []string{`"a\",b"`, "c"}},
		{"quotes inside", []string{`a "b,c" d, e`}, []string{`a "b,c" d`, "e"}},
		{"open quote", []string{`"a,b`}, []string{`"a,b`}},
		{"escape at the end", []string{`"a\`}, []string{`"a\`}},
		{"empty element", []string{"a,,b"}, []string{"a", "", "b"}},
		{"empty first", []string{",a"}, []string{"", "a"}},
		{"empty last", []string{"a,"}, []string{"a", ""}},
		{"empty value", []string{""}, []string{""}},
		{"parameters", []string{"a ; x=1 , b"}, []string{"a ; x=1", "b"}},
		{"comments mean nothing", []string{"(a,b),c"}, []string{"(a", "b)", "c"}},
		{"two fields", []string{"a, b", "c"}, []string{"a", "b", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var fields []string
			for _, v := range c.values {
				fields = append(fields, "X-L", v, "X-Other", "no")
			}
			h := headOf(fields...)
			var got []string
			walk := ValuesOf([]byte("x-l"))
			for v, ok := walk.Next(h); ok; v, ok = walk.Next(h) {
				got = append(got, string(h.Text(v)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestValuesOfKnownNames(t *testing.T) {
	h := headOf("Via", "1.0 a", "X", "y", "via", "1.1 b, 1.1 c")
	walk := ValuesOf([]byte("VIA"))
	var got []string
	for v, ok := walk.Next(h); ok; v, ok = walk.Next(h) {
		got = append(got, string(h.Text(v)))
	}
	if want := []string{"1.0 a", "1.1 b", "1.1 c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if walk.Field() != -1 {
		t.Errorf("after the end Field is %d", walk.Field())
	}
}

func TestHostName(t *testing.T) {
	for host, want := range map[string]string{
		"a": "a", "a:80": "a", "a:": "a", "[::1]": "[::1]", "[::1]:80": "[::1]", "": "", "1.2.3.4:5": "1.2.3.4",
	} {
		if got := string(HostName([]byte(host))); got != want {
			t.Errorf("HostName(%q) = %q, want %q", host, got, want)
		}
	}
}

// Recorded from urlp(x) of HAProxy 2.6.
func TestURLParam(t *testing.T) {
	for _, c := range []struct {
		query, name, want string
		ok                bool
	}{
		{"x=1", "x", "1", true},
		{"a=1&x=2", "x", "2", true},
		{"xx=1&x=2", "x", "2", true},
		{"x", "x", "", false},
		{"x=", "x", "", true},
		{"x&x=3", "x", "3", true},
		{"a;x=5", "x", "5", true},
		{"x=1;y=2", "x", "1", true},
		{"ax=1", "x", "", false},
		{"=1&x=2", "", "1", true},
		{"a=x=1&x=2", "x", "2", true},
		{"a=x=1&x=2", "", "x=1", true},
		{"&x=1", "x", "1", true},
		{"x=1?x=2", "x", "1", true},
		{"a?x=2", "x", "2", true},
		{"x=a;b&c", "x", "a", true},
		{"", "x", "", false},
	} {
		got, _, ok := URLParam([]byte(c.query), []byte(c.name), '?', 0)
		if string(got) != c.want || ok != c.ok {
			t.Errorf("%q in %q: %q, %v; want %q, %v", c.name, c.query, got, ok, c.want, c.ok)
		}
	}
	_, next, _ := URLParam([]byte("x=1&x=2"), []byte("x"), '?', 0)
	if got, _, _ := URLParam([]byte("x=1&x=2"), []byte("x"), '?', next); string(got) != "2" {
		t.Errorf("the second x is %q", got)
	}
}
