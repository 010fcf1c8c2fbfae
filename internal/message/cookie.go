package message

import "bytes"

// A Cookie is one name=value pair of a Cookie field (RFC 6265 section 4.2), or
// the pair that a Set-Cookie field begins with. The zero Cookie stands before
// the first pair.
type Cookie struct {
	Name, Value Span // without white space around them
	Field       int  // index of the field

	from, end int  // the pair in the field's value
	next      int  // where the next one may begin; -1: in the next field
	begun     bool // Field is valid
}

// NextCookie moves c to the next pair of the request's Cookie fields.
func (h *Head) NextCookie(c *Cookie) bool {
	if !c.begun {
		c.begun, c.Field, c.next = true, -1, -1
	}
	for {
		if c.next < 0 {
			if c.Field = h.Find(FieldCookie, c.Field+1); c.Field < 0 {
				return false
			}
			c.next = 0
		}
		value := h.Fields[c.Field].Value
		if h.cookiePair(c, value) {
			return true
		}
	}
}

// FindCookie finds the first cookie with the name, which is case-sensitive.
func (h *Head) FindCookie(name []byte) (c Cookie, ok bool) {
	for h.NextCookie(&c) {
		if bytes.Equal(h.Text(c.Name), name) {
			return c, true
		}
	}
	return c, false
}

// NextSetCookie moves c to the pair of the response's next Set-Cookie or
// Set-Cookie2 field.
func (h *Head) NextSetCookie(c *Cookie) bool {
	if !c.begun {
		c.begun, c.Field = true, -1
	}
	for i := c.Field + 1; i < len(h.Fields); i++ {
		if id := h.Fields[i].ID; id != FieldSetCookie && id != FieldSetCookie2 {
			continue
		}
		value := h.Fields[i].Value
		text := h.Text(value)
		if bytes.IndexByte(text[:pairEnd(text, 0, ';')], '=') < 0 {
			continue // what follows are attributes
		}
		c.Field, c.next = i, 0
		if h.cookiePair(c, value) {
			return true
		}
	}
	return false
}

// cookiePair reads the next pair at or after c.next of value; false when there
// is none. As in HAProxy, "," separates pairs of a Cookie field too, quotes hide
// separators, and neither a word without "=" nor a name that begins with "$" is
// a cookie.
func (h *Head) cookiePair(c *Cookie, value Span) bool {
	text := h.Text(value)
	also := byte(';')
	if h.Fields[c.Field].ID == FieldCookie {
		also = ','
	}
	for c.next >= 0 {
		from := c.next
		for from < len(text) && (text[from] == ';' || text[from] == also || isBlank(text[from])) {
			from++
		}
		end := pairEnd(text, from, also)
		c.from, c.end, c.next = from, end, end+1
		if end == len(text) {
			c.next = -1
		}
		if eq := bytes.IndexByte(text[from:end], '='); eq >= 0 && text[from] != '$' {
			c.Name, c.Value = trimmed(value, text, from, from+eq), trimmed(value, text, from+eq+1, end)
			return true
		}
	}
	return false
}

// pairEnd finds the first separator outside quotes.
func pairEnd(text []byte, i int, also byte) int {
	quoted := false
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == also):
			return i
		}
	}
	return i
}

func trimmed(value Span, text []byte, from, to int) Span {
	for from < to && isBlank(text[from]) {
		from++
	}
	for to > from && isBlank(text[to-1]) {
		to--
	}
	return value.Sub(from, to)
}

// RemoveCookie takes the pair that c stands on out of its Cookie field, and
// the field out of the head when nothing else is left in it. Afterwards c stands
// before the pair that followed. A Set-Cookie field is taken out as a whole. To
// take out all pairs of a name use DelCookies, which copies only once.
func (h *Head) RemoveCookie(c *Cookie) {
	f := &h.Fields[c.Field]
	text := h.Text(f.Value)
	before, after := bytes.TrimRight(text[:c.from], ";, \t"), []byte(nil)
	if c.next >= 0 {
		after = bytes.TrimLeft(text[c.next:], ";, \t")
	}
	if len(before)+len(after) == 0 || f.ID != FieldCookie {
		h.DelField(c.Field)
		c.Field, c.next = c.Field-1, -1
		return
	}
	start := len(h.Extra)
	h.Extra = append(h.Extra, before...)
	c.next = -1
	if len(after) > 0 {
		if len(before) > 0 {
			h.Extra = append(h.Extra, "; "...)
		}
		c.next = len(h.Extra) - start
		h.Extra = append(h.Extra, after...)
	}
	f.Value = h.extraFrom(start)
}

// DelCookies takes all pairs with the name out of the Cookie fields, and fields
// in which nothing else is left, and reports how many pairs there were.
func (h *Head) DelCookies(name []byte) int {
	n := 0
	for i := h.Find(FieldCookie, 0); i >= 0; i = h.Find(FieldCookie, i+1) {
		removed, left := h.delCookies(i, name)
		n += removed
		if !left {
			h.DelField(i)
			i--
		}
	}
	return n
}

// delCookies copies what is to stay of field i, if anything is to go.
func (h *Head) delCookies(i int, name []byte) (removed int, left bool) {
	value := h.Fields[i].Value
	c := Cookie{begun: true, Field: i}
	start, kept := len(h.Extra), 0
	for h.cookiePair(&c, value) {
		text := h.Text(value)
		if !bytes.Equal(h.Text(c.Name), name) {
			continue
		}
		removed++
		h.keepPairs(start, bytes.TrimRight(text[kept:c.from], ";, \t"))
		kept = min(c.end+1, len(text))
	}
	if removed == 0 {
		return 0, true
	}
	h.keepPairs(start, h.Text(value)[kept:])
	h.Fields[i].Value = h.extraFrom(start)
	return removed, len(h.Extra) > start
}

// CutCookies takes what stands before the first sep, and sep itself, off the
// values of all pairs with the name in Cookie fields. Values without sep stay.
func (h *Head) CutCookies(name []byte, sep byte) {
	for i := h.Find(FieldCookie, 0); i >= 0; i = h.Find(FieldCookie, i+1) {
		value := h.Fields[i].Value
		c := Cookie{begun: true, Field: i}
		start, kept := len(h.Extra), 0
		for h.cookiePair(&c, value) {
			text := h.Text(value)
			from := int(c.Value.Off - value.Off)
			at := bytes.IndexByte(text[from:from+int(c.Value.Len)], sep)
			if at < 0 || !bytes.Equal(h.Text(c.Name), name) {
				continue
			}
			h.Extra = append(h.Extra, text[kept:from]...)
			kept = from + at + 1
		}
		if kept > 0 {
			h.Extra = append(h.Extra, h.Text(value)[kept:]...)
			h.Fields[i].Value = h.extraFrom(start)
		}
	}
}

// keepPairs appends the text of some pairs to those in Extra since start. What
// looks like separators at the end may stand in an open quote: it is left.
func (h *Head) keepPairs(start int, text []byte) {
	text = bytes.TrimLeft(text, ";, \t")
	if len(text) > 0 && len(h.Extra) > start {
		h.Extra = append(h.Extra, "; "...)
	}
	h.Extra = append(h.Extra, text...)
}

// SetCookieValue replaces the value of the pair that c stands on, in a Cookie
// or Set-Cookie field. It reports false, and changes nothing, when the value
// holds a byte that a cookie can't carry.
func (h *Head) SetCookieValue(c *Cookie, value []byte) bool {
	if !ValidValue(value) || bytes.IndexByte(value, ';') >= 0 {
		return false
	}
	f := &h.Fields[c.Field]
	whole := h.Text(f.Value)
	name, from := int(c.Name.Off-f.Value.Off), int(c.Value.Off-f.Value.Off)
	grown := len(value) - int(c.Value.Len)
	f.Value = h.keepJoined(whole[:from], value, whole[from+int(c.Value.Len):])
	c.Name = f.Value.Sub(name, name+int(c.Name.Len))
	c.Value = f.Value.Sub(from, from+len(value))
	c.end += grown
	if c.next >= 0 {
		c.next += grown
	}
	return true
}
