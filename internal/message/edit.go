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
	f := Field{Name: h.Keep(name), Value: h.Keep(trimBlanks(value)), ID: FieldIDOf(name)}
	if f.ID == FieldHost {
		h.Host = f.Value
	}
	h.Fields = append(h.Fields, f)
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

// SetMethod replaces the method (http-request set-method). It reports false and
// changes nothing when the form of the target does not belong to the method.
func (h *Head) SetMethod(method []byte) bool {
	m := MethodOf(method)
	if !ValidToken(method) || (m == MethodConnect) != (h.Form == FormAuthority) ||
		h.Form == FormAsterisk && m != MethodOptions {
		return false
	}
	h.MethodText, h.Method = h.Keep(method), m
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

// SetURI replaces the whole target and finds its parts anew (http-request
// set-uri). An absolute one also gives the Host field its authority, as HAProxy
// does. Where a setter of the target reports false, nothing has changed: the
// text holds a byte that no target may hold, or the target would have none of
// the forms.
func (h *Head) SetURI(uri []byte) bool {
	if !ValidTarget(uri) || !h.retarget(h.Keep(uri)) {
		return false
	}
	if h.Form == FormAbsolute {
		if i := h.Find(FieldHost, 0); i >= 0 {
			h.Fields[i].Value, h.Host = h.Authority, h.Authority
		}
	}
	return true
}

// SetPath replaces the path and leaves the query (http-request set-path). A "?"
// in path begins the query, as in HAProxy.
func (h *Head) SetPath(path []byte) bool { return h.splicePath(path, len(h.PathOnly())) }

// SetPathQuery replaces path and query (http-request set-pathq).
func (h *Head) SetPathQuery(pathq []byte) bool { return h.splicePath(pathq, int(h.Path.Len)) }

// splicePath replaces the first n bytes of the path and query by text.
func (h *Head) splicePath(text []byte, n int) bool {
	if !ValidTarget(text) || h.Form == FormAuthority {
		return false
	}
	if h.Form == FormAbsolute && text[0] != '/' {
		return false // it would run into the authority
	}
	if h.Form == FormAsterisk {
		return h.retarget(h.Keep(text))
	}
	target := h.Text(h.Target)
	before := len(target) - int(h.Path.Len)
	return h.retarget(h.keepJoined(target[:before], text, target[before+n:]))
}

// SetQuery replaces the query, given without its "?" (http-request set-query);
// an empty one takes the "?" away.
func (h *Head) SetQuery(query []byte) bool {
	if len(query) > 0 && !ValidTarget(query) || h.Path.Len == 0 || h.Form == FormAsterisk {
		return false
	}
	target := h.Text(h.Target)
	before := len(target) - int(h.Path.Len) + len(h.PathOnly())
	if len(query) == 0 {
		return h.retarget(h.Keep(target[:before]))
	}
	return h.retarget(h.keepJoined(target[:before], []byte("?"), query))
}

// keepJoined copies three texts into Extra, one after the other. They may stand
// in Extra themselves.
func (h *Head) keepJoined(a, b, c []byte) Span {
	start := len(h.Extra)
	h.Extra = append(h.Extra, a...)
	h.Extra = append(h.Extra, b...)
	h.Extra = append(h.Extra, c...)
	return h.extraFrom(start)
}

// retarget takes target as the new one, or leaves all as it was.
func (h *Head) retarget(target Span) bool {
	old, form, scheme, authority, path := h.Target, h.Form, h.Scheme, h.Authority, h.Path
	h.Target = target
	if h.SplitTarget() {
		return true
	}
	h.Target, h.Form, h.Scheme, h.Authority, h.Path = old, form, scheme, authority, path
	return false
}

func trimBlanks(b []byte) []byte { return bytes.Trim(b, " \t") }
