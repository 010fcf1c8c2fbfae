package message

import "bytes"

// Find gives the index of the first field at or after from that has id, or -1:
//
//	for i := h.Find(id, 0); i >= 0; i = h.Find(id, i+1) { ... }
func (h *Head) Find(id FieldID, from int) int {
	for i := from; i < len(h.Fields); i++ {
		if h.Fields[i].ID == id {
			return i
		}
	}
	return -1
}

// FindName is Find for a name in any case.
func (h *Head) FindName(name []byte, from int) int {
	id := FieldIDOf(name)
	if id != FieldOther {
		return h.Find(id, from)
	}
	for i := from; i < len(h.Fields); i++ {
		f := &h.Fields[i]
		if f.ID == FieldOther && int(f.Name.Len) == len(name) && EqualFold(h.Text(f.Name), name) {
			return i
		}
	}
	return -1
}

// Values walks the comma-separated values of all fields with one name, in
// order (HAProxy's hdr). Commas inside quotes do not separate.
type Values struct {
	id    FieldID
	name  []byte
	field int // index of the field being walked, -1 before the first
	off   int // where its next value begins; -1: take the next field
}

// ValuesOf starts a walk over the values of the named fields.
func ValuesOf(name []byte) Values {
	return Values{id: FieldIDOf(name), name: name, field: -1, off: -1}
}

// Next gives the next value, without white space around it. Empty list
// elements are given too, as HAProxy counts them.
func (v *Values) Next(h *Head) (value Span, ok bool) {
	if v.off < 0 {
		if v.field = v.nextField(h); v.field < 0 {
			return Span{}, false
		}
		v.off = 0
	}
	whole := h.Fields[v.field].Value
	from, to, next := ListItem(h.Text(whole), v.off)
	v.off = next
	return whole.Sub(from, to), true
}

// Field is the index of the field that the last value came from.
func (v *Values) Field() int { return v.field }

func (v *Values) nextField(h *Head) int {
	if v.id != FieldOther {
		return h.Find(v.id, v.field+1)
	}
	return h.FindName(v.name, v.field+1)
}

// ListItem finds the list element that begins at off in a field value: the
// bytes [from,to) without white space around them. next is where the following
// element begins, or -1 when this is the last one.
func ListItem(value []byte, off int) (from, to, next int) {
	quoted := false
	end := off
	next = -1
scan:
	for ; end < len(value); end++ {
		switch c := value[end]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			end++
		case c == ',' && !quoted:
			next = end + 1
			break scan
		}
	}
	end = min(end, len(value))
	from, to = off, end
	for from < to && isBlank(value[from]) {
		from++
	}
	for to > from && isBlank(value[to-1]) {
		to--
	}
	return from, to, next
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// HostName gives the name or address of a Host value or authority, without the
// port; an IPv6 address keeps its brackets.
func HostName(host []byte) []byte {
	if len(host) > 0 && host[0] == '[' {
		if end := bytes.IndexByte(host, ']'); end >= 0 {
			return host[:end+1]
		}
	}
	if colon := bytes.LastIndexByte(host, ':'); colon >= 0 {
		return host[:colon]
	}
	return host
}

// URLParam finds the next parameter at or after from in a query: the value of
// "name=value", which "&", ";" or delim ends. An empty name finds any. next is
// where the search may go on.
func URLParam(query, name []byte, delim byte, from int) (value []byte, next int, ok bool) {
	for from < len(query) {
		end := from
		for end < len(query) && query[end] != '&' && query[end] != ';' && query[end] != delim {
			end++
		}
		pair := query[from:end]
		from = end + 1
		if eq := bytes.IndexByte(pair, '='); eq >= 0 && (len(name) == 0 || bytes.Equal(pair[:eq], name)) {
			return pair[eq+1:], from, true
		}
	}
	return nil, from, false
}
