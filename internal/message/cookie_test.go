package message

import (
	"slices"
	"testing"
)

func cookiesOf(h *Head) []string {
	var all []string
	var c Cookie
	for h.NextCookie(&c) {
		all = append(all, string(h.Text(c.Name))+"="+string(h.Text(c.Value)))
	}
	return all
}

// Recorded from cook() and cook_cnt() of HAProxy 2.6.
func TestCookiesAreReadAsHAProxyDoes(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{
		{"a=1", []string{"a=1"}},
		{"b=2; a=1", []string{"b=2", "a=1"}},
		{"b=2;a=1", []string{"b=2", "a=1"}},
		{"a = 1", []string{"a=1"}},
		{"a=1 ; b=2", []string{"a=1", "b=2"}},
		{"a", nil},
		{"a;b=1", []string{"b=1"}},
		{"a=", []string{"a="}},
		{`a="x;y"; b=1`, []string{`a="x;y"`, "b=1"}},
		{`b="a=3; ";a=1`, []string{`b="a=3; "`, "a=1"}},
		{`b="un;a=1`, []string{`b="un;a=1`}},
		{"; a=1", []string{"a=1"}},
		{"b=1, a=2", []string{"b=1", "a=2"}},
		{"$Version=1; a=5", []string{"a=5"}},
		{"a=x=y", []string{"a=x=y"}},
		{"", nil},
		{";;; ,", nil},
	} {
		if got := cookiesOf(headOf("Cookie", c.value)); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.value, got, c.want)
		}
	}
	h := headOf("Cookie", "a=1", "X", "b=2", "cookie", "c=3; d=4")
	if got := cookiesOf(h); !slices.Equal(got, []string{"a=1", "c=3", "d=4"}) {
		t.Errorf("two fields: got %q", got)
	}
}

// Recorded from "cookie S insert indirect" of HAProxy 2.6, which takes all
// cookies of the name out.
func TestRemovedCookiesLeaveTheOthersInOrder(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"S=s1", ""},
		{"S=s1; b=2", "b=2"},
		{"b=2; S=s1", "b=2"},
		{"b=2; S=s1; c=3", "b=2; c=3"},
		{"b=2;S=s1;c=3", "b=2; c=3"},
		{"b=2 ; S=s1 ; c=3", "b=2; c=3"},
		{"S=s1;", ""},
		{"; S=s1", ""},
		{"S=x; S=s1", ""},
		{"b=1;  S=s1  ;c=2", "b=1; c=2"},
		{"S = s1; b=2", "b=2"},
		{"b=2; S", "b=2; S"},
		{"b=2, S=s1", "b=2"},
		{"$Version=1; S=s1; b=2", "$Version=1; b=2"},
		{"S=1; a=1; S=2; S=3; b=2; S=4", "a=1; b=2"},
		{"xS=1; Sx=2", "xS=1; Sx=2"},
	} {
		wantFields := []string{"X", "1", "Cookie", c.want, "Y", "2"}
		if c.want == "" {
			wantFields = []string{"X", "1", "Y", "2"}
		}
		h := headOf("X", "1", "Cookie", c.value, "Y", "2")
		h.DelCookies([]byte("S"))
		if got := fieldsOf(h); !slices.Equal(got, wantFields) {
			t.Errorf("DelCookies in %q: got %q", c.value, got)
		}
		h = headOf("X", "1", "Cookie", c.value, "Y", "2")
		for ck, ok := h.FindCookie([]byte("S")); ok; ck, ok = h.FindCookie([]byte("S")) {
			h.RemoveCookie(&ck)
		}
		if got := fieldsOf(h); !slices.Equal(got, wantFields) {
			t.Errorf("RemoveCookie in %q: got %q", c.value, got)
		}
	}
}

func TestWalkGoesOnAfterARemoval(t *testing.T) {
	h := headOf("Cookie", "a=1; S=2; c=3", "Cookie", "S=4", "Cookie", "d=5")
	var c Cookie
	var seen []string
	for h.NextCookie(&c) {
		seen = append(seen, string(h.Text(c.Name)))
		if string(h.Text(c.Name)) == "S" {
			h.RemoveCookie(&c)
		}
	}
	if !slices.Equal(seen, []string{"a", "S", "c", "S", "d"}) {
		t.Errorf("walked over %q", seen)
	}
	if got := fieldsOf(h); !slices.Equal(got, []string{"Cookie", "a=1; c=3", "Cookie", "d=5"}) {
		t.Errorf("left: %q", got)
	}
}

func TestSetCookieIsItsFirstPairOnly(t *testing.T) {
	h := headOf("Set-Cookie", "a=1; path=/", "Set-Cookie", "flag; S=no", "X", "S=no", "set-cookie2", "S = abc ; Secure")
	var c Cookie
	var got []string
	for h.NextSetCookie(&c) {
		got = append(got, string(h.Text(c.Name))+"="+string(h.Text(c.Value)))
	}
	if !slices.Equal(got, []string{"a=1", "S=abc"}) {
		t.Errorf("got %q", got)
	}
}

func TestSetCookieValueKeepsWhatStandsAround(t *testing.T) {
	h := headOf("Cookie", "b=1; S=s1~abc; c=2")
	c, _ := h.FindCookie([]byte("S"))
	if !h.SetCookieValue(&c, []byte("abc")) || !h.SetCookieValue(&c, []byte("longer than before")) {
		t.Fatal("refused")
	}
	if got := string(h.Value(0)); got != "b=1; S=longer than before; c=2" {
		t.Errorf("got %q", got)
	}
	if !h.NextCookie(&c) || string(h.Text(c.Name)) != "c" {
		t.Errorf("the walk does not go on")
	}
	for _, bad := range []string{"a;b", "a\r\nb", "a\x00"} {
		if h.SetCookieValue(&c, []byte(bad)) {
			t.Errorf("%q accepted", bad)
		}
	}
	r := headOf("Set-Cookie", "S=abc; path=/", "Set-Cookie", "S=", "Set-Cookie", "T=1")
	var s Cookie
	for r.NextSetCookie(&s) {
		if string(r.Text(s.Name)) == "S" {
			r.SetCookieValue(&s, append([]byte("s1~"), r.Text(s.Value)...))
		} else {
			r.RemoveCookie(&s)
		}
	}
	if got := fieldsOf(r); !slices.Equal(got, []string{"Set-Cookie", "S=s1~abc; path=/", "Set-Cookie", "S=s1~"}) {
		t.Errorf("got %q", got)
	}
}

func TestCutCookiesTakesOffWhatStandsBeforeTheSeparator(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"S=aa~1", "S=1"},
		{"S=aa~1; S=zz~2; S=~3; S=zz; S=aa", "S=1; S=2; S=3; S=zz; S=aa"},
		{"x=1~2; S=aa~1~2 ; y=3~", "x=1~2; S=1~2 ; y=3~"},
		{"S=aa~", "S="},
		{`S="aa~1"`, `S=1"`},
		{"s=aa~1; S", "s=aa~1; S"},
	} {
		h := headOf("Cookie", c.value, "Cookie", "S=b~5")
		h.CutCookies([]byte("S"), '~')
		want := []string{"Cookie", c.want, "Cookie", "S=5"}
		if got := fieldsOf(h); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.value, got, want)
		}
	}
}
