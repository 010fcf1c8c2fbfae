//go:build !race

package pattern

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestFindingDoesNotAllocate(t *testing.T) {
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("/path/%d/", i))
	}
	sample, lower := []byte("/PATH/500/x"), make([]byte, 64)
	addr := netip.MustParseAddr("10.1.2.3")
	nets := compile(t, IP, false, "10.0.0.0/8", "10.1.0.0/16", "::/0")
	ports := compile(t, Int, false, "1", "2", "3", "4", "5", "6", "7", "8:9")
	re, err := CompileRegexp(`^/(\w+)/(\d+)`, true)
	if err != nil {
		t.Fatal(err)
	}
	var m Machine
	m.Find(re, sample, 0)
	sets := map[string]*Set{}
	for _, method := range []Method{Str, Beg, End, Sub, Dir, Dom} {
		sets[method.String()] = compile(t, method, true, many...)
	}
	sets["reg"] = compile(t, Reg, true, `^/path/\d+/x$`)
	cases := map[string]func(){
		"ip":       func() { nets.FindIP(addr) },
		"int":      func() { ports.FindInt(9) },
		"captures": func() { m.Find(re, sample, 0) },
	}
	for name, set := range sets {
		cases[name] = func() { set.FindBytes(sample, lower) }
	}
	for name, f := range cases {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, m := range []Method{Str, Beg, End, Sub} {
		for _, n := range []int{5, 1000, 100000} {
			if m == Sub && n > 1000 {
				continue // one by one
			}
			var texts []string
			for i := range n {
				texts = append(texts, fmt.Sprintf("/some/path/%d/", i))
			}
			set := compile(b, m, false, texts...)
			sample := []byte("/some/path/3/ and more")
			b.Run(fmt.Sprintf("method=%v/patterns=%d", m, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					set.FindBytes(sample, nil)
				}
			})
		}
	}
}

func BenchmarkFindIP(b *testing.B) {
	for _, n := range []int{5, 1000, 100000} {
		var texts []string
		for i := range n {
			texts = append(texts, fmt.Sprintf("10.%d.%d.%d/28", i>>12&255, i>>4&255, i<<4&255))
		}
		set := compile(b, IP, false, texts...)
		addr := netip.MustParseAddr("10.0.0.33")
		b.Run(fmt.Sprintf("networks=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.FindIP(addr)
			}
		})
	}
}
