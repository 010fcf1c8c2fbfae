//go:build !race

package pattern

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A list of a million strings must load in bounded memory (issue: the HAProxy
// language): some 60 bytes each beside the letters.
func TestAMillionStrings(t *testing.T) {
	const n = 1 << 20
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "host-%d.example.org\n", i)
	}
	lines, err := Lines(text.String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		entries[i].Text = l.Key
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set, err := Compile(Str, entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 64*n {
		t.Errorf("the set has %d bytes for each string", used/n)
	}
	for _, i := range []int{0, 1, n / 2, n - 1} {
		if got := set.FindBytes(fmt.Appendf(nil, "host-%d.example.org", i), nil); got != i {
			t.Errorf("string %d is found as %d", i, got)
		}
	}
	if got := set.FindBytes([]byte("host-x.example.org"), nil); got != -1 {
		t.Errorf("a string that is not there is found as %d", got)
	}
	runtime.KeepAlive(entries)
}
