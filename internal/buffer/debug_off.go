//go:build !weirdebug

package buffer

// mark is empty without the tag weirdebug.
type mark struct{}

func (b *Buffer) noteTaken() {}
func (b *Buffer) notePut()   {}
