package expr

import (
	"bytes"
	"fmt"

	"github.com/weir-lb/weir/internal/message"
)

func checkHeader(a []Arg) error {
	if len(a[0].Text) > 0 && !message.ValidToken(a[0].Text) {
		return fmt.Errorf("%q can't be the name of a header", a[0].Text)
	}
	return nil
}

// fields walks the fields of one name, or all of them when there is no name.
type fields struct {
	head *message.Head
	name []byte
	id   message.FieldID
}

func fieldsOf(h *message.Head, a []Arg) fields {
	f := fields{head: h, name: a[0].Text}
	if len(f.name) > 0 {
		f.id = message.FieldIDOf(f.name)
	}
	return f
}

// next gives the first field at or after from, -1 when there is none.
func (f *fields) next(from int) int {
	switch {
	case len(f.name) == 0 && from < len(f.head.Fields):
		return from
	case len(f.name) == 0:
		return -1
	case f.id != message.FieldOther:
		return f.head.Find(f.id, from)
	}
	return f.head.FindName(f.name, from)
}

// items walks the comma-separated values of fields.
type items struct {
	fields
	field int // being walked
	off   int // where its next value begins, -1: take the next field
}

func itemsOf(h *message.Head, a []Arg) items {
	return items{fields: fieldsOf(h, a), field: -1, off: -1}
}

func (w *items) next() ([]byte, bool) {
	if w.off < 0 {
		if w.field = w.fields.next(w.field + 1); w.field < 0 {
			return nil, false
		}
		w.off = 0
	}
	value := w.head.Value(w.field)
	from, to, next := message.ListItem(value, w.off)
	w.off = next
	return value[from:to], true
}

// A cursor of a header holds the field and the offset in its value.
const offBits = 31

func (w *items) cursor() cursor {
	if w.off >= 0 {
		return cursor(w.field)<<offBits | cursor(w.off)
	}
	if n := w.fields.next(w.field + 1); n >= 0 {
		return cursor(n) << offBits
	}
	return last
}

func (w *items) seek(at cursor) {
	w.field, w.off = int(at>>offBits), int(at&(1<<offBits-1))
}

// header gives the value at the cursor: outside ACLs the last one, or the one
// whose number stands in the arguments, counted from the end when negative.
func header(h *message.Head, a []Arg, at cursor) ([]byte, cursor, bool) {
	if h == nil || len(a[0].Text) == 0 && !a[0].Set {
		return nil, last, false
	}
	occurrence := a[1].Int
	if occurrence == 0 && at == single {
		occurrence = -1
	}
	w := itemsOf(h, a)
	if occurrence != 0 {
		v, ok := nthItem(w, occurrence)
		return v, last, ok
	}
	if at > first {
		w.seek(at)
	}
	v, ok := w.next()
	if !ok {
		return nil, last, false
	}
	return v, w.cursor(), true
}

// nthItem gives the nth value, counted from the end when n is negative.
func nthItem(w items, n int64) ([]byte, bool) {
	if n < 0 {
		total := int64(0)
		for count := w; ; total++ {
			if _, ok := count.next(); !ok {
				break
			}
		}
		n += total + 1
	}
	for ; n > 0; n-- {
		v, ok := w.next()
		if !ok {
			break
		}
		if n == 1 {
			return v, true
		}
	}
	return nil, false
}

// fullHeader is header for whole fields.
func fullHeader(h *message.Head, a []Arg, at cursor) ([]byte, cursor, bool) {
	if h == nil {
		return nil, last, false
	}
	f := fieldsOf(h, a)
	occurrence := a[1].Int
	if occurrence == 0 && at == single {
		occurrence = -1
	}
	if occurrence < 0 {
		occurrence += f.count() + 1
		if occurrence <= 0 {
			return nil, last, false
		}
	}
	i := f.next(max(int(at), 0))
	if occurrence > 0 {
		for i = f.next(0); i >= 0 && occurrence > 1; occurrence-- {
			i = f.next(i + 1)
		}
	}
	if i < 0 {
		return nil, last, false
	}
	next := last
	if n := f.next(i + 1); n >= 0 && a[1].Int == 0 {
		next = cursor(n)
	}
	return h.Value(i), next, true
}

func (f *fields) count() int64 {
	n := int64(0)
	for i := f.next(0); i >= 0; i = f.next(i + 1) {
		n++
	}
	return n
}

func fetchReqHdr(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := header(env.request(), a, at)
	return Str(v), next, ok
}

func fetchResHdr(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := header(env.response(), a, at)
	return Str(v), next, ok
}

func fetchReqFhdr(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := fullHeader(env.request(), a, at)
	return Str(v), next, ok
}

func fetchResFhdr(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := fullHeader(env.response(), a, at)
	return Str(v), next, ok
}

func fetchReqHdrCnt(env *Env, a []Arg) (Value, bool) { return countItems(env.request(), a) }
func fetchResHdrCnt(env *Env, a []Arg) (Value, bool) { return countItems(env.response(), a) }

func countItems(h *message.Head, a []Arg) (Value, bool) {
	if h == nil {
		return Value{}, false
	}
	n := int64(0)
	for w := itemsOf(h, a); ; n++ {
		if _, ok := w.next(); !ok {
			return Int(n), true
		}
	}
}

func fetchReqFhdrCnt(env *Env, a []Arg) (Value, bool) { return countFields(env.request(), a) }
func fetchResFhdrCnt(env *Env, a []Arg) (Value, bool) { return countFields(env.response(), a) }

func countFields(h *message.Head, a []Arg) (Value, bool) {
	if h == nil {
		return Value{}, false
	}
	f := fieldsOf(h, a)
	return Int(f.count()), true
}

func fetchReqHdrIP(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return headerIP(env.request(), a, at)
}

func fetchResHdrIP(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return headerIP(env.response(), a, at)
}

// headerIP passes over values that are no addresses when an ACL walks them.
func headerIP(h *message.Head, a []Arg, at cursor) (Value, cursor, bool) {
	for {
		text, next, ok := header(h, a, at)
		if !ok {
			return Value{}, last, false
		}
		if v, ok := forwardedIP(text); ok {
			return v, next, true
		}
		if next == last {
			return Value{}, last, false
		}
		at = next
	}
}

// forwardedIP reads an address as proxies write it (RFC 7239 section 6): IPv4 with
// an optional port, IPv6 bare.
func forwardedIP(text []byte) (Value, bool) {
	if v, ok := parseIPValue(text); ok {
		return v, true
	}
	host, port, found := bytes.Cut(text, []byte(":"))
	if !found || len(port) == 0 || len(port) > 5 {
		return Value{}, false
	}
	n := 0
	for _, c := range port {
		if c < '0' || c > '9' {
			return Value{}, false
		}
		n = n*10 + int(c-'0')
	}
	ip, ok := parseIPv4(host)
	return IP(ip), ok && n <= 65535
}

func fetchReqHdrVal(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return headerVal(env.request(), a, at)
}

func fetchResHdrVal(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	return headerVal(env.response(), a, at)
}

// headerVal reads a number; empty values count as 0.
func headerVal(h *message.Head, a []Arg, at cursor) (Value, cursor, bool) {
	text, next, ok := header(h, a, at)
	n, _ := parseInt(text)
	return Int(n), next, ok
}

func fetchReqHdrNames(env *Env, a []Arg) (Value, bool) { return headerNames(env, env.request(), a) }
func fetchResHdrNames(env *Env, a []Arg) (Value, bool) { return headerNames(env, env.response(), a) }

func headerNames(env *Env, h *message.Head, a []Arg) (Value, bool) {
	if h == nil {
		return Value{}, false
	}
	delim := byte(',')
	if len(a[0].Text) > 0 {
		delim = a[0].Text[0]
	}
	size := 0
	for _, f := range h.Fields {
		size += int(f.Name.Len) + 1
	}
	p := env.Scratch.room(size)
	if p == nil {
		return Value{}, false
	}
	for i := range h.Fields {
		if i > 0 {
			p = append(p, delim)
		}
		p = appendLowerBytes(p, h.Name(i))
	}
	return Str(env.Scratch.keep(p)), true
}

func fetchReqHdrs(env *Env, _ []Arg) (Value, bool) { return headerBlock(env, env.request()) }
func fetchResHdrs(env *Env, _ []Arg) (Value, bool) { return headerBlock(env, env.response()) }

// headerBlock writes all fields as lines, names in lower case, and the empty
// line.
func headerBlock(env *Env, h *message.Head) (Value, bool) {
	if h == nil {
		return Value{}, false
	}
	size := 2
	for _, f := range h.Fields {
		size += int(f.Name.Len+f.Value.Len) + 4
	}
	p := env.Scratch.room(size)
	if p == nil {
		return Value{}, false
	}
	for i := range h.Fields {
		p = appendLowerBytes(p, h.Name(i))
		p = append(p, ": "...)
		p = append(p, h.Value(i)...)
		p = append(p, "\r\n"...)
	}
	return Str(env.Scratch.keep(append(p, "\r\n"...))), true
}

func appendLowerBytes(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
