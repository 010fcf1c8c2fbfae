package expr

import (
	"fmt"

	"github.com/weir-lb/weir/internal/pattern"
)

const regsubAll = 1 // a[2].Int: replace all matches

func checkRegsub(a []Arg) error {
	fold := false
	for _, c := range a[2].Text {
		switch c {
		case 'i':
			fold = true
		case 'g':
			a[2].Int = regsubAll
		default:
			return fmt.Errorf("regex flag %q is not known, only 'i' and 'g' are", c)
		}
	}
	re, err := pattern.CompileRegexp(string(a[0].Text), fold)
	a[0].Re = re
	return err
}

// convRegsub replaces the first match, or all.
func convRegsub(env *Env, in Value, a []Arg) (Value, bool) {
	p := env.Scratch.room(resultMax)
	if p == nil {
		return Value{}, false
	}
	b, from := in.Bytes, 0
	for from <= len(b) {
		groups, ok := env.Scratch.machine.Find(a[0].Re, b, from)
		if !ok {
			break
		}
		p = append(p, b[from:groups[0]]...)
		p = AppendReplacement(p, a[1].Text, b, groups)
		end := groups[1]
		// As HAProxy: only a match that moved nothing forward takes a byte along.
		if end == from && end < len(b) {
			p = append(p, b[end])
		}
		if end == from {
			end++
		}
		from = end
		if a[2].Int != regsubAll || len(p) > resultMax {
			break
		}
	}
	p = append(p, b[min(from, len(b)):]...)
	if len(p) > resultMax {
		return Value{}, false
	}
	return Str(env.Scratch.keep(p)), true
}

// AppendReplacement appends a replacement text in which \0 to \9 stand for the
// groups of a match in b, \xHH for a byte, and any other \c for c.
func AppendReplacement(dst, text, b []byte, groups []int) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			dst = append(dst, c)
			continue
		}
		i++
		n := int(text[i]) - '0'
		switch {
		case text[i] == 'x' && i+2 < len(text) && unhex(text[i+1]) >= 0 && unhex(text[i+2]) >= 0:
			dst = append(dst, byte(unhex(text[i+1])<<4|unhex(text[i+2])))
			i += 2
		case n < 0 || n > 9:
			dst = append(dst, text[i])
		case 2*n+1 < len(groups) && groups[2*n] >= 0:
			dst = append(dst, b[groups[2*n]:groups[2*n+1]]...)
		}
	}
	return dst
}
