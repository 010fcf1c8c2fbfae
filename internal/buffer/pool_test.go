package buffer

import (
	"fmt"
	"slices"
	"testing"
)

func TestTakeGivesTheSmallestClassThatFits(t *testing.T) {
	p := NewPool(16384, 4)
	for _, tc := range []struct{ min, want int }{
		{0, 1024}, {1, 1024}, {1024, 1024}, {1025, 4096}, {4096, 4096}, {4097, 16384}, {16384, 16384},
	} {
		b := p.Take(tc.min)
		if b.Cap() != tc.want || b.Len() != 0 {
			t.Errorf("Take(%d): capacity %d, length %d, want an empty one of %d", tc.min, b.Cap(), b.Len(), tc.want)
		}
	}
	if b := p.Take(16385); b != nil {
		t.Errorf("Take beyond the pool's size gave %d bytes, want nil", b.Cap())
	}
	if p.InUse() != 7 {
		t.Errorf("%d buffers in use, want 7", p.InUse())
	}
}

func TestLargeBuffersAreNotKept(t *testing.T) {
	p := NewPool(4096, 4)
	small, large := p.TakeLarge(100), p.TakeLarge(5000)
	if small.Cap() != 1024 || large.Cap() != 5000 || p.InUse() != 2 {
		t.Errorf("capacities %d and %d, %d in use; want 1024, 5000 and 2", small.Cap(), large.Cap(), p.InUse())
	}
	p.Put(small)
	p.Put(large)
	if p.Kept() != 1 || p.InUse() != 0 {
		t.Errorf("kept %d, in use %d, want 1 and 0", p.Kept(), p.InUse())
	}
}

func TestSmallPoolsHaveFewerClasses(t *testing.T) {
	for size, want := range map[int][]int{
		512: {512}, 1024: {1024}, 2000: {1024, 2000}, 4096: {1024, 4096}, 5000: {1024, 4096, 5000},
	} {
		if got := NewPool(size, 1).Sizes(); !slices.Equal(got, want) {
			t.Errorf("size %d: classes %v, want %v", size, got, want)
		}
	}
}

func TestFreeListIsBoundedAndReusedLastFirst(t *testing.T) {
	p := NewPool(4096, 2)
	a, b, c := p.Take(2000), p.Take(2000), p.Take(2000)
	a.Append([]byte("left over"))
	p.Put(b)
	p.Put(a)
	p.Put(c) // the list is full
	p.Put(nil)
	if p.Kept() != 2 || p.InUse() != 0 {
		t.Fatalf("kept %d, in use %d, want 2 and 0", p.Kept(), p.InUse())
	}
	if got := p.Take(2000); got != a || got.Len() != 0 {
		t.Errorf("Take did not give the buffer put last, emptied")
	}
	if got := p.Take(2000); got != b {
		t.Error("Take did not give the buffer put before")
	}
	p.Put(a)
	p.Trim()
	if p.Kept() != 0 {
		t.Errorf("%d buffers kept after Trim", p.Kept())
	}
}

func TestGrowKeepsTheBytes(t *testing.T) {
	p := NewPool(16384, 4)
	b := p.Take(1)
	b.Append([]byte("xxhello"))
	b.Consume(2)
	if same := p.Grow(b, 1000); same != b || len(b.Free()) != 1024-5 {
		t.Error("Grow within the class must only make room")
	}
	if p.Grow(b, 16385) != nil || string(b.Bytes()) != "hello" {
		t.Error("Grow beyond the pool's size must fail and leave the buffer alone")
	}
	big := p.Grow(b, 1025)
	if string(big.Bytes()) != "hello" || big.Cap() != 4096 || p.InUse() != 1 {
		t.Errorf("Grow gave %q of %d, %d in use", big.Bytes(), big.Cap(), p.InUse())
	}
}

func BenchmarkTakePut(b *testing.B) {
	for _, size := range []int{1024, 4096, 16384} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			p := NewPool(16384, 4)
			b.ReportAllocs()
			for b.Loop() {
				p.Put(p.Take(size))
			}
		})
	}
}
