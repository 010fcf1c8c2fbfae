package pattern

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// compile makes a Set whose entries are all compared with or without case.
func compile(tb testing.TB, m Method, fold bool, texts ...string) *Set {
	tb.Helper()
	entries := make([]Entry, len(texts))
	for i, s := range texts {
		entries[i] = Entry{Text: s, Fold: fold}
	}
	set, err := Compile(m, entries, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func TestTextsAreFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      Method
		fold   bool
		texts  string // separated by blanks
		sample string
		want   int
	}{
		{"exact", Str, false, "a b c", "b", 1},
		{"exact, not there", Str, false, "a b c", "bb", -1},
		{"exact, other case", Str, false, "a B c", "b", -1},
		{"exact, any case", Str, true, "a B c", "b", 1},
		{"exact, the first of equal ones", Str, false, "a b b", "b", 1},
		{"exact among many", Str, false, "a b c d e f g h i j", "i", 8},
		{"exact among many, not there", Str, false, "a b c d e f g h i j", "x", -1},
		{"the longest prefix", Beg, false, "/ /img /img/x /css", "/img/y", 1},
		{"a prefix equal to the sample", Beg, false, "/img", "/img", 0},
		{"no prefix", Beg, false, "/img /css", "/im", -1},
		{"a prefix behind a longer one that does not fit", Beg, false, "a ab abc abcd", "abx", 1},
		{"a prefix in any case", Beg, true, "WWW.", "www.example", 0},
		{"the longest suffix", End, false, ".gif .f f .tar.gif", "x.gif", 0},
		{"no suffix", End, false, ".gif .png", "gif", -1},
		{"a suffix in any case", End, true, ".GIF", "x.gif", 0},
		{"a part", Sub, false, "xx b", "abc", 1},
		{"a part at the end", Sub, false, "bc", "abc", 0},
		{"no part", Sub, false, "bd", "abcbc", -1},
		{"a directory", Dir, false, "png", "/images/png/logo", 0},
		{"several directories", Dir, false, "png/logo", "/images/png/logo", 0},
		{"not a whole directory", Dir, false, "pn", "/images/png/pn.x", -1},
		{"a directory before the query", Dir, false, "b", "a/b?c", 0},
		{"delimiters around a pattern do not count", Dir, false, "/a/", "x/a", 0},
		{"only delimiters never match", Dir, false, "/", "/a/", -1},
		{"a domain", Dom, false, "example", "www.example.com:80", 0},
		{"two labels", Dom, false, "example.com", "www.example.com:80", 0},
		{"a part of a label is none", Dom, false, "xample", "www.example.com", -1},
		{"a hyphen is a letter", Dom, false, "dc", "dc-eu.example", -1},
		{"the second place fits", Dom, false, "b", "ab.b", 0},
		{"bytes", Bin, false, "00ff41", "\x00\xffA", 0},
		{"a regular expression", Reg, false, "^a+$ b", "xbx", 1},
		{"a regular expression in any case", Reg, true, "^AB", "abc", 0},
	} {
		set := compile(t, c.m, c.fold, strings.Fields(c.texts)...)
		if got := set.FindBytes([]byte(c.sample), make([]byte, len(c.sample))); got != c.want {
			t.Errorf("%s: -m %s %s against %q: got %d, want %d", c.name, c.m, c.texts, c.sample, got, c.want)
		}
	}
}

func TestCaseCountsForEachEntry(t *testing.T) {
	set, err := Compile(Str, []Entry{{Text: "Exact"}, {Text: "ANY", Fold: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for sample, want := range map[string]int{"Exact": 0, "exact": -1, "any": 1, "aNy": 1} {
		if got := set.FindBytes([]byte(sample), make([]byte, len(sample))); got != want {
			t.Errorf("%q: got %d, want %d", sample, got, want)
		}
	}
}

func TestNumbersLieInRanges(t *testing.T) {
	for _, c := range []struct {
		text string
		op   Op
		in   []int64
		out  []int64
	}{
		{"5", OpEq, []int64{5}, []int64{4, 6, -5}},
		{"1024:65535", OpEq, []int64{1024, 65535}, []int64{1023, 65536}},
		{"1024:", OpEq, []int64{1024, 1 << 62}, []int64{1023}},
		{":9", OpEq, []int64{9, -1 << 62}, []int64{10}},
		{"5", OpGt, []int64{6, 1 << 62}, []int64{5}},
		{"5", OpGe, []int64{5}, []int64{4}},
		{"5", OpLt, []int64{4, -9}, []int64{5}},
		{"5", OpLe, []int64{5, -9}, []int64{6}},
		{"3:6", OpGt, []int64{4, 6}, []int64{3, 7}},
		{"3:6", OpLt, []int64{3, 5}, []int64{2, 6}},
		{"9223372036854775807", OpGt, nil, []int64{1<<63 - 1}},
		{"-9223372036854775808", OpLt, nil, []int64{-1 << 63}},
	} {
		set, err := Compile(Int, []Entry{{Text: c.text, Op: c.op}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.in {
			if set.FindInt(n) != 0 {
				t.Errorf("%s %s does not match %d", c.op, c.text, n)
			}
		}
		for _, n := range c.out {
			if set.FindInt(n) != -1 {
				t.Errorf("%s %s matches %d", c.op, c.text, n)
			}
		}
	}
}

func TestManyRangesGiveTheFirst(t *testing.T) {
	var texts []string
	for i := range 50 {
		texts = append(texts, fmt.Sprintf("%d:%d", 10*i, 10*i+12))
	}
	set := compile(t, Int, false, texts...)
	for n, want := range map[int64]int{0: 0, 11: 0, 13: 1, 502: 49, 503: -1, -1: -1} {
		if got := set.FindInt(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}

func TestAddressesLieInTheSmallestNetwork(t *testing.T) {
	set := compile(t, IP, false, "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "2001:db8:1::/48", "192.168.1",
		"172.16.0.5/255.255.0.255", "::ffff:9.0.0.0/104", "10.1.2.0/255.255.255.0")
	for sample, want := range map[string]int{
		"10.9.9.9": 0, "10.1.9.9": 1, "10.1.2.3": 2, "10.1.2.4": 8, "11.0.0.0": -1, "9.255.255.255": 7,
		"2001:db8::1": 3, "2001:db8:1::1": 4, "2001:db9::": -1,
		"192.168.0.1": 5, "172.16.9.5": 6, "172.16.9.6": -1,
		"::ffff:10.1.2.3": 2, "2002:a01:203::": 2, "::10.1.2.3": 2, "::1": -1,
	} {
		if got := set.FindIP(netip.MustParseAddr(sample)); got != want {
			t.Errorf("%s: got %d, want %d", sample, got, want)
		}
	}
	if set.FindIP(netip.Addr{}) != -1 {
		t.Error("no address at all matches")
	}
}

// A mapped address must not slip past an IPv4 rule, nor a number with octal
// digits mean something else than it seems to (security.md, addresses).
func TestAddressesAreStrict(t *testing.T) {
	for _, s := range []string{
		"300.1.1.1", "1.2.3.4.5", "1.2.3.04", "0x7f.1", "127", "2130706433", "1.2.3.4/33", "::1/129", "1.2.3.4/-1", "1.2.3.4/+8",
		"fe80::1%eth0", "[::1]", "1.2.3.4:80", "", "/8", "a.b", "::1/ffff::", "1.2.3.4/::1", "1..2",
	} {
		if _, err := Compile(IP, []Entry{{Text: s}}, nil); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
	all := compile(t, IP, false, "0.0.0.0/0")
	if all.FindIP(netip.MustParseAddr("::ffff:1.2.3.4")) != 0 {
		t.Error("::ffff:1.2.3.4 is not in 0.0.0.0/0")
	}
}

func TestHostNamesNeedAResolver(t *testing.T) {
	entries := []Entry{{Text: "db.example"}}
	if _, err := Compile(IP, entries, nil); err == nil {
		t.Error("a host name is accepted without a resolver")
	}
	set, err := Compile(IP, entries, func(host string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.2")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ip := range []string{"10.0.0.1", "10.0.0.2"} {
		if set.FindIP(netip.MustParseAddr(ip)) != 0 {
			t.Errorf("%s is not found", ip)
		}
	}
}

func TestAllWrongEntriesAreReported(t *testing.T) {
	for _, c := range []struct {
		m     Method
		texts []string
	}{
		{Int, []string{"a", "5:1", ":", ""}}, {IP, []string{"x", "1.2"}}, {Bin, []string{"0", "zz"}}, {Reg, []string{"(", "a**"}},
	} {
		entries := make([]Entry, len(c.texts))
		for i, s := range c.texts {
			entries[i].Text = s
		}
		_, err := Compile(c.m, entries, nil)
		if err == nil {
			t.Errorf("%s: %q is accepted", c.m, c.texts)
		} else if n := len(strings.Split(err.Error(), "\n")); c.m != IP && n != len(c.texts) {
			t.Errorf("%s: %d errors for %d wrong entries: %v", c.m, n, len(c.texts), err)
		}
	}
}

func TestLinesOfAFile(t *testing.T) {
	const text = "# comment\nplain\n  leading\n\n\t \n #sharp\nkey  the value \t\nlast"
	for columns, want := range map[int]string{
		1: `plain|leading|#sharp|key  the value 	|last`,
		2: `plain=|leading=|#sharp=|key=the value|last=`,
	} {
		lines, err := Lines(text, columns)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lines {
			if columns == 2 {
				l.Key += "=" + l.Value
			}
			got = append(got, l.Key)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%d columns: got %q, want %q", columns, s, want)
		}
	}
	lines, _ := Lines(text, 1)
	if n := lines[len(lines)-1].Number; n != 8 {
		t.Errorf("the last line has number %d, want 8", n)
	}
	if _, err := Lines(strings.Repeat("x", lineMax+1), 1); err == nil {
		t.Error("a line without end is accepted")
	}
}
