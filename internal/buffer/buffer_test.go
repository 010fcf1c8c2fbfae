package buffer

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestWindowKeepsOrderAndBounds(t *testing.T) {
	// A queue of bytes against the plainest model, with all calls mixed.
	rng := rand.New(rand.NewPCG(1, 2))
	b := NewPool(64, 1).Take(64)
	var model []byte
	for range 20000 {
		switch rng.IntN(5) {
		case 0:
			p := make([]byte, rng.IntN(40))
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			n := b.Append(p)
			if n < len(p) && len(b.Free()) != 0 {
				t.Fatalf("Append took %d of %d bytes with %d free", n, len(p), len(b.Free()))
			}
			model = append(model, p[:n]...)
		case 1:
			n := rng.IntN(len(b.Free()) + 1)
			for i := range n {
				b.Free()[i] = byte(i)
				model = append(model, byte(i))
			}
			b.Filled(n)
		case 2:
			n := rng.IntN(b.Len() + 1)
			b.Consume(n)
			model = model[n:]
		case 3:
			b.Compact()
			if len(b.Free())+b.Len() != b.Cap() {
				t.Fatal("after Compact all room must be free")
			}
		case 4:
			if rng.IntN(50) == 0 {
				b.Reset()
				model = nil
			}
		}
		if !bytes.Equal(b.Bytes(), model) || b.Len() != len(model) {
			t.Fatalf("unread %x, want %x", b.Bytes(), model)
		}
	}
}

func TestEmptyBufferStartsOver(t *testing.T) {
	b := NewPool(8, 1).Take(8)
	b.Append([]byte("12345678"))
	b.Consume(8)
	if len(b.Free()) != 8 {
		t.Errorf("%d bytes free after all were consumed, want 8", len(b.Free()))
	}
}

func TestCountsOutOfBoundsPanic(t *testing.T) {
	for name, f := range map[string]func(b *Buffer){
		"filled too much":   func(b *Buffer) { b.Filled(9) },
		"filled negative":   func(b *Buffer) { b.Filled(-1) },
		"consumed too much": func(b *Buffer) { b.Consume(1) },
		"consumed negative": func(b *Buffer) { b.Consume(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f(NewPool(8, 1).Take(8))
		})
	}
}
