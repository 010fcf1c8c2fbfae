package message

import "bytes"

// A Cookie is one name=value pair of a Cookie field (RFC 6265 section 4.2), or
// the pair that a Set-Cookie field begins with. The zero Cookie stands before
// the first pair.
type Cookie struct {
	Name, Value Span // without white space around them
	Field       int  // index of the field

	from, next int  // bytes of the pair in the field's value, and where the next one begins
	begun      bool // Field is valid
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
		c.Field, c.next = i, 0
		if h.cookiePair(c, h.Fields[i].Value) {
			return true
		}
	}
	return false
}

// cookiePair reads the pair at c.next of value; false when nothing but
// separators is left there.
func (h *Head) cookiePair(c *Cookie, value Span) bool {
	text := h.Text(value)
	i := c.next
	for i < len(text) && (text[i] == ';' || isBlank(text[i])) {
		i++
	}
	if i == len(text) {
		c.next = -1
		return false
	}
	c.from = i
	end := i
	quoted := false
	for end < len(text) && (quoted || text[end] != ';') {
		quoted = quoted != (text[end] == '"')
		end++
	}
	c.next = end + 1
	if end >= len(text) {
		c.next = -1
	}
	eq := bytes.IndexByte(text[i:end], '=')
	if eq < 0 {
		c.Name, c.Value = trimmed(value, text, i, end), value.Sub(end, end)
		return true
	}
	c.Name, c.Value = trimmed(value, text, i, i+eq), trimmed(value, text, i+eq+1, end)
	return true
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
// the field out of the head when no other pair is left. Afterwards c stands
// before the pair that followed.
func (h *Head) RemoveCookie(c *Cookie) {
	value := h.Fields[c.Field].Value
	text := h.Text(value)
	before := bytes.TrimRight(text[:c.from], "; \t")
	var after []byte
	if c.next >= 0 {
		after = bytes.TrimLeft(text[c.next:], "; \t")
	}
	if len(before) == 0 && len(after) == 0 {
		h.removeField(c.Field)
		c.Field, c.next = c.Field-1, -1
		return
	}
	start := len(h.Extra)
	h.Extra = append(h.Extra, before...)
	if len(before) > 0 && len(after) > 0 {
		h.Extra = append(h.Extra, "; "...)
	}
	c.next = len(h.Extra) - start
	h.Extra = append(h.Extra, after...)
	if len(after) == 0 {
		c.next = -1
	}
	h.Fields[c.Field].Value = h.extraFrom(start)
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
	from := int(c.Value.Off - f.Value.Off)
	to := from + int(c.Value.Len)
	hasEq := from > 0 && bytes.IndexByte(whole[c.from:from], '=') >= 0
	start := len(h.Extra)
	h.Extra = append(h.Extra, whole[:from]...)
	if !hasEq {
		h.Extra = append(h.Extra, '=')
	}
	valueAt := len(h.Extra) - start
	h.Extra = append(h.Extra, value...)
	h.Extra = append(h.Extra, whole[to:]...)
	if c.next >= 0 {
		c.next += len(h.Extra) - start - len(whole)
	}
	nameAt := int(c.Name.Off - f.Value.Off)
	f.Value = h.extraFrom(start)
	c.Name = f.Value.Sub(nameAt, nameAt+int(c.Name.Len))
	c.Value = f.Value.Sub(valueAt, valueAt+len(value))
	return true
}
