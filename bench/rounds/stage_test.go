package rounds

import (
	"fmt"
	"strings"
	"testing"
)

func TestManyLinesThatBeginAlikeAreLeftOut(t *testing.T) {
	var b strings.Builder
	b.WriteString("backend be\n\tbalance first\n")
	for i := range 500 {
		fmt.Fprintf(&b, "\tserver s%d 127.0.0.1:%d\n", i, i)
	}
	b.WriteString("\ttimeout server 1s")
	want := "backend be\n\tbalance first\n\tserver s0 127.0.0.1:0\n\tserver s1 127.0.0.1:1\n\t# ... 497 more like these\n\tserver s499 127.0.0.1:499\n\ttimeout server 1s"
	if got := abridge(b.String()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := abridge(want); got != want {
		t.Errorf("a short one is changed: %s", got)
	}
}
