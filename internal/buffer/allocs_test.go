//go:build !race && !weirdebug

package buffer

import "testing"

func TestPoolDoesNotAllocate(t *testing.T) {
	p := NewPool(16384, 8)
	p.Put(p.Take(1))
	p.Put(p.Take(16384))
	data := make([]byte, 512)
	got := testing.AllocsPerRun(1000, func() {
		b := p.Take(1)
		b.Append(data)
		b.Consume(100)
		b = p.Grow(b, 5000)
		b.Compact()
		p.Put(b)
	})
	if got != 0 {
		t.Errorf("taking, growing and putting buffers allocates %v times, want 0", got)
	}
}
