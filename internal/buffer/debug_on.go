//go:build weirdebug

package buffer

// mark says that a buffer is not in use.
type mark struct{ free bool }

// noteTaken and notePut find buffers that are put back twice, and, by the bytes
// that it overwrites, those that are used after Put.
func (b *Buffer) noteTaken() { b.mark.free = false }

func (b *Buffer) notePut() {
	if b.mark.free {
		panic("buffer: put twice")
	}
	b.mark.free = true
	for i := range b.B {
		b.B[i] = 0xdb
	}
}
