package expr

import (
	"bytes"

	"github.com/weir-lb/weir/internal/message"
)

// cookies walks the name=value pairs of Cookie fields, or the first pair of
// each Set-Cookie field. As in HAProxy a comma ends a pair of a Cookie field too.
type cookies struct {
	head  *message.Head
	set   bool // Set-Cookie
	field int
	off   int // of the next pair; -1: take the next field
}

func cookiesOf(h *message.Head, set bool) cookies {
	return cookies{head: h, set: set, field: -1, off: -1}
}

func (c *cookies) nextField() int {
	if !c.set {
		return c.head.Find(message.FieldCookie, c.field+1)
	}
	for i := c.field + 1; i < len(c.head.Fields); i++ {
		if id := c.head.Fields[i].ID; id == message.FieldSetCookie || id == message.FieldSetCookie2 {
			return i
		}
	}
	return -1
}

// next gives the next pair; what has no "=" is passed over.
func (c *cookies) next() (name, value []byte, ok bool) {
	for {
		if c.off < 0 {
			if c.field = c.nextField(); c.field < 0 {
				return nil, nil, false
			}
			c.off = 0
		}
		text := c.head.Value(c.field)
		pair := c.pair(text)
		if eq := bytes.IndexByte(pair, '='); eq >= 0 {
			return trimBlanks(pair[:eq]), trimBlanks(pair[eq+1:]), true
		}
	}
}

// pair cuts the pair at c.off and moves on.
func (c *cookies) pair(text []byte) []byte {
	from, quoted := c.off, false
	end := from
	for ; end < len(text); end++ {
		b := text[end]
		if b == '"' {
			quoted = !quoted
		} else if !quoted && (b == ';' || b == ',' && !c.set) {
			break
		}
	}
	c.off = end + 1
	if c.set || end >= len(text) {
		c.off = -1
	}
	return text[from:end]
}

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// cookie gives the value at the cursor: outside ACLs the last cookie with the
// name, or the first of all without a name.
func cookie(h *message.Head, set bool, a []Arg, at cursor) ([]byte, cursor, bool) {
	if h == nil {
		return nil, last, false
	}
	want := a[0].Text
	c := cookiesOf(h, set)
	if at > first {
		c.field, c.off = int(at>>offBits), int(at&(1<<offBits-1))-1
	}
	var value []byte
	found := false
	for {
		name, v, ok := c.next()
		if !ok {
			return value, last, found
		}
		if len(want) > 0 && !bytes.Equal(name, want) {
			continue
		}
		value, found = v, true
		if at != single {
			return value, cursor(c.field)<<offBits | cursor(c.off+1), true
		}
		if len(want) == 0 {
			return value, last, true
		}
	}
}

func fetchReqCook(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := cookie(env.request(), false, a, at)
	return Str(v), next, ok
}

func fetchResCook(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := cookie(env.response(), true, a, at)
	return Str(v), next, ok
}

func fetchReqCookCnt(env *Env, a []Arg) (Value, bool) { return countCookies(env.request(), false, a) }
func fetchResCookCnt(env *Env, a []Arg) (Value, bool) { return countCookies(env.response(), true, a) }

func countCookies(h *message.Head, set bool, a []Arg) (Value, bool) {
	if h == nil {
		return Value{}, false
	}
	n := int64(0)
	for c := cookiesOf(h, set); ; {
		name, _, ok := c.next()
		if !ok {
			return Int(n), true
		}
		if len(a[0].Text) == 0 || bytes.Equal(name, a[0].Text) {
			n++
		}
	}
}

func fetchReqCookVal(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return cookieVal(env.request(), false, a, at)
}

func fetchResCookVal(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return cookieVal(env.response(), true, a, at)
}

func cookieVal(h *message.Head, set bool, a []Arg, at cursor) (Value, cursor, bool) {
	text, next, ok := cookie(h, set, a, at)
	n, _ := parseInt(text)
	return Int(n), next, ok
}
