//go:build weirdebug

package buffer

import (
	"strings"
	"testing"
)

func TestDoublePutPanics(t *testing.T) {
	p := NewPool(1024, 4)
	b := p.Take(1)
	p.Put(b)
	defer func() {
		if msg, _ := recover().(string); !strings.Contains(msg, "put twice") {
			t.Errorf("panic %q, want one about a second put", msg)
		}
	}()
	p.Put(b)
}

func TestPutOverwritesTheBytes(t *testing.T) {
	p := NewPool(1024, 4)
	b := p.Take(1)
	b.Append([]byte("secret"))
	kept := b.Bytes()
	p.Put(b)
	if string(kept) == "secret" {
		t.Error("a slice kept over Put still shows the bytes")
	}
}
