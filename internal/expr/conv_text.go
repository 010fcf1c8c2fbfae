package expr

import (
	"bytes"
	"crypto/subtle"
	"fmt"

	"github.com/weir-lb/weir/internal/message"
)

func convLower(env *Env, in Value, _ []Arg) (Value, bool) {
	p := env.Scratch.room(len(in.Bytes))
	if p == nil {
		return Value{}, false
	}
	return Str(env.Scratch.keep(appendLowerBytes(p, in.Bytes))), true
}

func convUpper(env *Env, in Value, _ []Arg) (Value, bool) {
	p := env.Scratch.room(len(in.Bytes))
	if p == nil {
		return Value{}, false
	}
	for _, c := range in.Bytes {
		if 'a' <= c && c <= 'z' {
			c &^= 0x20
		}
		p = append(p, c)
	}
	return Str(env.Scratch.keep(p)), true
}

func convLength(_ *Env, in Value, _ []Arg) (Value, bool) { return Int(int64(len(in.Bytes))), true }

// convBytes gives nothing beyond the end rather than failing.
func convBytes(_ *Env, in Value, a []Arg) (Value, bool) {
	from, size := a[0].Int, int64(len(in.Bytes))
	if from < 0 || from >= size {
		return Bin(in.Bytes[:0]), true
	}
	n := size - from
	if a[1].Set && a[1].Int >= 0 {
		n = min(n, a[1].Int)
	}
	return Bin(in.Bytes[from : from+n]), true
}

func convCutCRLF(_ *Env, in Value, _ []Arg) (Value, bool) {
	if i := bytes.IndexAny(in.Bytes, "\r\n"); i >= 0 {
		return Str(in.Bytes[:i]), true
	}
	return in, true
}

func convLtrim(_ *Env, in Value, a []Arg) (Value, bool) {
	b := in.Bytes
	for len(b) > 0 && bytes.IndexByte(a[0].Text, b[0]) >= 0 {
		b = b[1:]
	}
	return Str(b), true
}

func convRtrim(_ *Env, in Value, a []Arg) (Value, bool) {
	b := in.Bytes
	for len(b) > 0 && bytes.IndexByte(a[0].Text, b[len(b)-1]) >= 0 {
		b = b[:len(b)-1]
	}
	return Str(b), true
}

func convIif(_ *Env, in Value, a []Arg) (Value, bool) {
	if in.Int != 0 {
		return Str(a[0].Text), true
	}
	return Str(a[1].Text), true
}

func convHostOnly(env *Env, in Value, _ []Arg) (Value, bool) {
	return convLower(env, Str(message.HostName(in.Bytes)), nil)
}

// convPortOnly gives 0 where there is no port.
func convPortOnly(_ *Env, in Value, _ []Arg) (Value, bool) {
	host := message.HostName(in.Bytes)
	if len(host) == len(in.Bytes) {
		return Int(0), true
	}
	n, _ := parseInt(in.Bytes[len(host)+1:])
	return Int(n), true
}

// checkConcat compiles the name of the variable in the second argument.
func checkConcat(a []Arg) error {
	if len(a[1].Text) == 0 {
		return nil
	}
	return parseVarArg(&a[1], string(a[1].Text))
}

func checkAddItem(a []Arg) error {
	if len(a[1].Text) == 0 && len(a[2].Text) == 0 {
		return fmt.Errorf("a variable or a suffix is missing")
	}
	return checkConcat(a)
}

// varText is the value of the variable in an argument, as text; nothing when it
// is not set.
func (e *Env) varText(a *Arg) ([]byte, bool) {
	if a.Var == nil {
		return nil, false
	}
	v, ok := e.GetVar(a.Var)
	if !ok {
		return nil, false
	}
	v, ok = e.cast(v, KindStr)
	return v.Bytes, ok
}

// join puts up to four texts together.
func (e *Env) join(a, b, c, d []byte) (Value, bool) {
	p := e.Scratch.room(len(a) + len(b) + len(c) + len(d))
	if p == nil {
		return Value{}, false
	}
	return Str(e.Scratch.keep(append(append(append(append(p, a...), b...), c...), d...))), true
}

func convConcat(env *Env, in Value, a []Arg) (Value, bool) {
	v, _ := env.varText(&a[1])
	return env.join(in.Bytes, a[0].Text, v, a[2].Text)
}

// convAddItem leaves the delimiter out where there is nothing on one side of it.
func convAddItem(env *Env, in Value, a []Arg) (Value, bool) {
	v, _ := env.varText(&a[1])
	delim := a[0].Text
	if len(in.Bytes) == 0 || len(v) == 0 && len(a[2].Text) == 0 {
		delim = nil
	}
	return env.join(in.Bytes, delim, v, a[2].Text)
}

func convStrcmp(env *Env, in Value, a []Arg) (Value, bool) {
	v, ok := env.varText(&a[0])
	return Int(int64(bytes.Compare(in.Bytes, v))), ok
}

func convMemcmp(env *Env, in Value, a []Arg) (Value, bool) {
	v, ok := env.GetVar(a[0].Var)
	if !ok {
		return Value{}, false
	}
	v, ok = env.cast(v, KindBin)
	return Bool(subtle.ConstantTimeCompare(in.Bytes, v.Bytes) == 1), ok
}

func checkWord(a []Arg) error {
	if a[0].Int == 0 {
		return fmt.Errorf("the index must not be 0")
	}
	if len(a[1].Text) == 0 {
		return fmt.Errorf("the list of delimiters is empty")
	}
	if !a[2].Set {
		a[2].Int = 1
	}
	if a[2].Int < 0 {
		return fmt.Errorf("the number of parts must not be negative")
	}
	return nil
}

// convField gives a part between delimiters, or several with what stands between
// them. Delimiters side by side have an empty part between them.
func convField(_ *Env, in Value, a []Arg) (Value, bool) {
	b, n, count := in.Bytes, a[0].Int, a[2].Int
	if n > 0 {
		from, ok := skipForward(b, a[1].Text, n-1)
		if !ok {
			return Value{}, false
		}
		return Str(b[from:endForward(b, a[1].Text, from, count)]), true
	}
	end, ok := skipBackward(b, a[1].Text, -n-1)
	if !ok {
		return Value{}, false
	}
	return Str(b[startBackward(b, a[1].Text, end, count):end]), true
}

// skipForward gives the place after the nth delimiter.
func skipForward(b, delims []byte, n int64) (int, bool) {
	at := 0
	for ; n > 0; n-- {
		i := nextDelim(b, delims, at)
		if i == len(b) {
			return 0, false
		}
		at = i + 1
	}
	return at, true
}

// endForward gives the end of the count parts that begin at from; 0: all.
func endForward(b, delims []byte, from int, count int64) int {
	if count == 0 {
		return len(b)
	}
	end := nextDelim(b, delims, from)
	for ; count > 1 && end < len(b); count-- {
		end = nextDelim(b, delims, end+1)
	}
	return end
}

// skipBackward gives the place before the nth delimiter from the end.
func skipBackward(b, delims []byte, n int64) (int, bool) {
	at := len(b)
	for ; n > 0; n-- {
		i := prevDelim(b, delims, at)
		if i < 0 {
			return 0, false
		}
		at = i
	}
	return at, true
}

// startBackward gives the start of the count parts that end at end; 0: all.
func startBackward(b, delims []byte, end int, count int64) int {
	if count == 0 {
		return 0
	}
	at := prevDelim(b, delims, end)
	for ; count > 1 && at >= 0; count-- {
		at = prevDelim(b, delims, at)
	}
	return at + 1
}

// nextDelim gives the first delimiter at or after from, or the end.
func nextDelim(b, delims []byte, from int) int {
	for i := from; i < len(b); i++ {
		if bytes.IndexByte(delims, b[i]) >= 0 {
			return i
		}
	}
	return len(b)
}

// prevDelim gives the last delimiter before to, or -1.
func prevDelim(b, delims []byte, to int) int {
	for i := to - 1; i >= 0; i-- {
		if bytes.IndexByte(delims, b[i]) >= 0 {
			return i
		}
	}
	return -1
}

// convWord gives words: parts that are not empty. A word that is not there is
// empty text.
func convWord(_ *Env, in Value, a []Arg) (Value, bool) {
	b, delims, n, count := in.Bytes, a[1].Text, a[0].Int, a[2].Int
	if n > 0 {
		return Str(wordForward(b, delims, n, count)), true
	}
	return Str(wordBackward(b, delims, -n, count)), true
}

func wordForward(b, delims []byte, n, count int64) []byte {
	from, end := 0, 0
	for ; n > 0; n-- {
		from = skipDelims(b, delims, end)
		if from == len(b) {
			return b[:0]
		}
		end = nextDelim(b, delims, from)
	}
	if count == 0 {
		return b[from:]
	}
	for ; count > 1; count-- {
		next := skipDelims(b, delims, end)
		if next == len(b) {
			return b[from:]
		}
		end = nextDelim(b, delims, next)
	}
	return b[from:end]
}

func wordBackward(b, delims []byte, n, count int64) []byte {
	from, end := len(b), len(b)
	for ; n > 0; n-- {
		end = skipDelimsBack(b, delims, from)
		if end == 0 {
			return b[:0]
		}
		from = prevDelim(b, delims, end) + 1
	}
	if count == 0 {
		return b[:end]
	}
	for ; count > 1; count-- {
		prev := skipDelimsBack(b, delims, from)
		if prev == 0 {
			return b[:end]
		}
		from = prevDelim(b, delims, prev) + 1
	}
	return b[from:end]
}

func skipDelims(b, delims []byte, at int) int {
	for at < len(b) && bytes.IndexByte(delims, b[at]) >= 0 {
		at++
	}
	return at
}

func skipDelimsBack(b, delims []byte, at int) int {
	for at > 0 && bytes.IndexByte(delims, b[at-1]) >= 0 {
		at--
	}
	return at
}
