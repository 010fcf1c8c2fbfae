package message

import (
	"bytes"
	"slices"
)

// extraFrom is the span of what was appended to Extra since its length was
// start.
func (h *Head) extraFrom(start int) Span {
	return Span{uint32(start) | extraBit, uint32(len(h.Extra) - start)}
}

// Keep copies text into Extra and gives its span.
func (h *Head) Keep(text []byte) Span {
	start := len(h.Extra)
	h.Extra = append(h.Extra, text...)
	return h.extraFrom(start)
}

// Add appends a field. It reports false, and adds nothing, when the name is not
// a token or the value holds a control character: no rule can make the proxy
// send a line break.
func (h *Head) Add(name, value []byte) bool {
	if !ValidToken(name) || !ValidValue(value) {
		return false
	}
	h.Fields = append(h.Fields, Field{Name: h.Keep(name), Value: h.Keep(trimBlanks(value)), ID: FieldIDOf(name)})
	return true
}

// Set takes all fields with the name out and appends one, as HAProxy's
// set-header does. It reports false and changes nothing where Add does.
func (h *Head) Set(name, value []byte) bool {
	if !ValidToken(name) || !ValidValue(value) {
		return false
	}
	h.Del(name)
	return h.Add(name, value)
}

// Del takes out all fields with the name and reports how many there were.
func (h *Head) Del(name []byte) int {
	id := FieldIDOf(name)
	kept := h.Fields[:0]
	for _, f := range h.Fields {
		if f.ID == id && (id != FieldOther || int(f.Name.Len) == len(name) && EqualFold(h.Text(f.Name), name)) {
			continue
		}
		kept = append(kept, f)
	}
	n := len(h.Fields) - len(kept)
	h.Fields = kept
	return n
}

// DelField takes out field i; the fields after it move down by one.
func (h *Head) DelField(i int) { h.removeField(i) }

func (h *Head) removeField(i int) { h.Fields = slices.Delete(h.Fields, i, i+1) }

// SetValue replaces the value of field i. It reports false and changes nothing
// when the value holds a control character.
func (h *Head) SetValue(i int, value []byte) bool {
	if !ValidValue(value) {
		return false
	}
	h.Fields[i].Value = h.Keep(trimBlanks(value))
	return true
}

// SetMethod replaces the method (http-request set-method).
func (h *Head) SetMethod(method []byte) bool {
	if !ValidToken(method) {
		return false
	}
	h.MethodText, h.Method = h.Keep(method), MethodOf(method)
	return true
}

// SetStatus replaces the status code and, when reason is not nil, its phrase.
func (h *Head) SetStatus(code int, reason []byte) bool {
	if code < 100 || code > 999 || !ValidValue(reason) {
		return false
	}
	h.Status = code
	if reason != nil {
		h.Reason = h.Keep(reason)
	}
	return true
}

// SetURI replaces the whole target and finds its parts anew. Where a setter of
// the target reports false, nothing has changed: the text is empty, holds a
// byte that no target may hold, or has none of the forms.
func (h *Head) SetURI(uri []byte) bool {
	if !ValidTarget(uri) {
		return false
	}
	old := *h
	h.Target = h.Keep(uri)
	if !h.SplitTarget() {
		h.Target, h.Form, h.Scheme, h.Authority, h.Path = old.Target, old.Form, old.Scheme, old.Authority, old.Path
		return false
	}
	return true
}

// SetPath replaces the path and leaves the query (http-request set-path).
func (h *Head) SetPath(path []byte) bool {
	p := h.Text(h.Path)
	q := indexByte(p, '?')
	if q < 0 {
		q = len(p)
	}
	return h.spliceTarget(path, int(h.Path.Len)-len(p[q:]))
}

// SetPathQuery replaces path and query (http-request set-pathq).
func (h *Head) SetPathQuery(pathq []byte) bool { return h.spliceTarget(pathq, int(h.Path.Len)) }

// spliceTarget replaces the first n bytes of the path by text.
func (h *Head) spliceTarget(text []byte, n int) bool {
	if !ValidTarget(text) || h.Form == FormAuthority {
		return false
	}
	if h.Form == FormOrigin && text[0] != '/' {
		return h.SetURI(text)
	}
	target := h.Text(h.Target)
	head := len(target) - int(h.Path.Len)
	start := len(h.Extra)
	h.Extra = slices.Grow(h.Extra, len(target)+len(text))
	h.Extra = append(h.Extra, target[:head]...)
	h.Extra = append(h.Extra, text...)
	h.Extra = append(h.Extra, target[head+n:]...)
	return h.retarget(start)
}

// retarget takes what was appended to Extra since start as the new target.
func (h *Head) retarget(start int) bool {
	old := *h
	h.Target = h.extraFrom(start)
	if h.SplitTarget() {
		return true
	}
	h.Target, h.Form, h.Scheme, h.Authority, h.Path = old.Target, old.Form, old.Scheme, old.Authority, old.Path
	return false
}

// SetQuery replaces the query, given without its "?" (http-request set-query);
// an empty one takes the "?" away.
func (h *Head) SetQuery(query []byte) bool {
	if len(query) > 0 && !ValidTarget(query) || h.Form == FormAuthority || h.Form == FormAsterisk {
		return false
	}
	target := h.Text(h.Target)
	head := len(target) - int(h.Path.Len)
	if q := indexByte(target[head:], '?'); q >= 0 {
		target = target[:head+q]
	}
	start := len(h.Extra)
	h.Extra = append(h.Extra, target...)
	if len(query) > 0 {
		h.Extra = append(h.Extra, '?')
		h.Extra = append(h.Extra, query...)
	}
	return h.retarget(start)
}

func trimBlanks(b []byte) []byte { return bytes.Trim(b, " \t") }
