package pattern

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// fits compares one pattern in the plainest way.
func fits(m Method, s, p []byte) bool {
	switch m {
	case Str:
		return bytes.Equal(s, p)
	case Beg:
		return bytes.HasPrefix(s, p)
	case End:
		return bytes.HasSuffix(s, p)
	case Sub:
		return bytes.Contains(s, p)
	case Dir, Dom:
		delims := dirDelimiters
		if m == Dom {
			delims = domDelimiters
		}
		p = bytes.Trim(p, delims)
		is := func(i int) bool { return i < 0 || i >= len(s) || strings.IndexByte(delims, s[i]) >= 0 }
		for i := 0; len(p) > 0 && i+len(p) <= len(s); i++ {
			if bytes.Equal(s[i:i+len(p)], p) && is(i-1) && is(i+len(p)) {
				return true
			}
		}
	}
	return false
}

// FuzzSet: whatever table a list becomes, it finds what comparing with each entry
// finds, and for prefixes and suffixes the longest one.
func FuzzSet(f *testing.F) {
	f.Add(uint8(Str), "a\nb\nc", "b")
	f.Add(uint8(Beg), "/\n/img\n/img/x\n/css\n\nab", "/img/y")
	f.Add(uint8(End), ".gif\nif\n.tar.gif\nf", "x.gif")
	f.Add(uint8(Dom), "example.com\n.b.\n:", "a.b.example.com")
	f.Add(uint8(Dir), "/a/\nb/c", "/a/b/c?d")
	f.Fuzz(func(t *testing.T, method uint8, list, sample string) {
		m := Method(method)
		if m < Str || m > End {
			return
		}
		texts := strings.Split(list, "\n")
		got := compile(t, m, false, texts...).FindBytes([]byte(sample), nil)
		want, length := -1, -1
		for i, p := range texts {
			longer := want < 0 || (m == Beg || m == End) && len(p) > length
			if fits(m, []byte(sample), []byte(p)) && longer {
				want, length = i, len(p)
			}
		}
		if got != want {
			t.Errorf("-m %s %q against %q: got %d, want %d", m, texts, sample, got, want)
		}
	})
}

// Random nested networks against the smallest that contains the address.
func TestNetworksAgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var entries []Entry
		var nets []netip.Prefix
		for range 1 + rng.IntN(40) {
			a := netip.AddrFrom4([4]byte{10, byte(rng.IntN(3)), byte(rng.IntN(3)), byte(rng.IntN(256))})
			p := netip.PrefixFrom(a, rng.IntN(33)).Masked()
			nets, entries = append(nets, p), append(entries, Entry{Text: p.String()})
		}
		set, err := Compile(IP, entries, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			a := netip.AddrFrom4([4]byte{byte(9 + rng.IntN(3)), byte(rng.IntN(4)), byte(rng.IntN(4)), byte(rng.IntN(256))})
			want := -1
			for i, p := range nets {
				if p.Contains(a) && (want < 0 || p.Bits() > nets[want].Bits()) {
					want = i
				}
			}
			if got := set.FindIP(a); got != want {
				t.Fatalf("%s in %v: got %d, want %d", a, nets, got, want)
			}
		}
	}
}

// FuzzRegexp: the capturing machine gives the groups that package regexp gives.
func FuzzRegexp(f *testing.F) {
	for _, c := range [][2]string{
		{`a*`, "baa"}, {`(a|ab)(c|bcd)(d*)`, "xabcd"}, {`^/(here)(/|$)`, "/here/x"}, {`(x*)*`, "xx"}, {`\bfoo\b`, "a foo b"},
		{`(?i)ABC`, "xabc"}, {`(a)|(b)`, "b"}, {`[^a]é`, "xé"}, {`(a+?)(b{1,2})`, "aabbb"}, {`$`, "ab"}, {`(?:(a)|b)*`, "ab"}, {`.`, "\xff"},
	} {
		f.Add(c[0], c[1])
	}
	var m Machine
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(expr) > 200 || len(text) > 500 {
			return
		}
		std, err := regexp.Compile(expr)
		if err != nil {
			return
		}
		re, err := CompileRegexp(expr, false)
		if err != nil || 2*re.Groups() > captureMax {
			return
		}
		want := std.FindStringSubmatchIndex(text)
		got, ok := m.Find(re, []byte(text), 0)
		if !ok && m.steps > stepsMax {
			return
		}
		if ok != (want != nil) || ok && !equalInts(got, want) {
			t.Errorf("%q in %q: got %v %v, want %v", expr, text, got, ok, want)
		}
	})
}

func equalInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestAnExpensiveMatchGivesUp(t *testing.T) {
	re, err := CompileRegexp(`(x+x+)+y`, false)
	if err != nil {
		t.Fatal(err)
	}
	var m Machine
	if _, ok := m.Find(re, bytes.Repeat([]byte("x"), 60<<10), 0); ok {
		t.Error("it matches")
	}
	if m.steps > stepsMax+1 {
		t.Errorf("%d steps, at most %d are allowed", m.steps, stepsMax)
	}
	if groups, ok := m.Find(re, []byte("axxy"), 0); !ok || groups[0] != 1 {
		t.Errorf("afterwards the machine is of no use: %v %v", groups, ok)
	}
}

func TestLookAroundIsRefusedWithTheReason(t *testing.T) {
	_, err := CompileRegexp(`(?=a)b`, false)
	if err == nil || !strings.Contains(err.Error(), "RE2") {
		t.Errorf("got %v", err)
	}
}
