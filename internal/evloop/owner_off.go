//go:build !weirdebug

package evloop

// owner is empty without the tag weirdebug.
type owner struct{}

func (l *Loop) enter() {}
func (l *Loop) leave() {}
func (l *Loop) check() { _ = l.owner }
