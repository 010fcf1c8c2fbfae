//go:build weirdebug

package evloop

import (
	"bytes"
	"runtime"
	"strconv"
	"sync/atomic"
)

// owner is the goroutine inside Turn; 0 between turns, when whoever holds the
// loop may use it.
type owner struct{ id atomic.Int64 }

func (l *Loop) enter() {
	if !l.owner.id.CompareAndSwap(0, goroutineID()) {
		panic("evloop: loop " + strconv.Itoa(l.id) + " turns in two goroutines at once")
	}
}

func (l *Loop) leave() { l.owner.id.Store(0) }

// check panics when the caller is not the goroutine that turns the loop.
func (l *Loop) check() {
	if l == nil {
		panic("evloop: use of a closed FD")
	}
	if id := l.owner.id.Load(); id != 0 && id != goroutineID() {
		panic("evloop: loop " + strconv.Itoa(l.id) + " belongs to goroutine " + strconv.FormatInt(id, 10) +
			", called from " + strconv.FormatInt(goroutineID(), 10))
	}
}

// goroutineID reads the number from the first line of a stack trace, "goroutine
// 7 [running]:". Only debugging may depend on it.
func goroutineID() int64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		panic("evloop: can't read the goroutine's number: " + err.Error())
	}
	return id
}
