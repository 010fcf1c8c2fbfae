//go:build !race

package message

import "testing"

func TestEditsDoNotAllocate(t *testing.T) {
	raw := []byte("Host: a\r\nCookie: a=1; S=2; c=3\r\nX-L: a, b\r\n")
	template := headOf("Host", "a", "Cookie", "a=1; S=2; c=3", "X-L", "a, b")
	template.Raw = append(template.Raw, "/p?q"...)
	template.Target = Span{uint32(len(raw)), 4}
	fields := template.Fields
	var h Head
	got := testing.AllocsPerRun(1000, func() {
		h.Reset(template.Raw)
		h.Fields = append(h.Fields, fields...)
		h.Target = template.Target
		h.SplitTarget()
		h.Set([]byte("X-Forwarded-For"), []byte("127.0.0.1"))
		h.Add([]byte("X-New"), []byte("1"))
		h.DelCookies([]byte("S"))
		h.SetPath([]byte("/new"))
		h.SetQuery([]byte("x=1"))
		walk := ValuesOf([]byte("x-l"))
		for _, ok := walk.Next(&h); ok; _, ok = walk.Next(&h) {
		}
		h.Del([]byte("x-new"))
	})
	if got != 0 {
		t.Errorf("edits allocate %v times, want 0", got)
	}
}
