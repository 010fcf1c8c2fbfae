//go:build !race && !weirdebug

package evloop

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestBatchedTurnsDoNotAllocate(t *testing.T) {
	if !needRing(t) {
		return
	}
	r := newBatchRig(t, 6)
	full := r.streams[5]
	text := r.fill(full)
	p, question, answer := make([]byte, 100), []byte("question"), []byte("answer")
	got := testing.AllocsPerRun(500, func() {
		for _, s := range r.streams[:5] {
			unix.Write(s.peer, question)
		}
		r.turn()
		for _, s := range r.streams[:5] {
			if n, _ := r.b.Read(s.fd, p); n != len(question) {
				t.Fatal("a question is lost")
			}
			r.b.Write(s.fd, answer)
		}
		r.b.Write(full.fd, answer)
		r.turn()
		for _, s := range r.streams[:5] {
			if n, _ := unix.Read(s.peer, p); n != len(answer) {
				t.Fatal("an answer is lost")
			}
		}
		if len(text) > 0 { // make room for what is left
			unix.Read(full.peer, p)
		}
	})
	if got != 0 {
		t.Errorf("a turn allocates %v times, want 0", got)
	}
}
