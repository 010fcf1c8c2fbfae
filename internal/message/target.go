package message

import "bytes"

// SplitTarget finds the form of Target and its parts. It reports false when
// the target has none of the four forms. It checks no characters: parsers and
// setters do.
//
// Policy for paths: what is matched is what is sent. Nothing is normalised:
// dot segments, "//", "%2f" and "\" pass as they are (the rules
// normalize-uri are there for that); "#" is refused by ValidTarget.
func (h *Head) SplitTarget() bool {
	target := h.Text(h.Target)
	h.Scheme, h.Authority, h.Path = Span{}, Span{}, Span{}
	if len(target) == 0 {
		return false
	}
	if target[0] == '/' {
		h.Form, h.Path = FormOrigin, h.Target
		return true
	}
	if h.Method == MethodConnect {
		h.Form, h.Authority = FormAuthority, h.Target
		return ValidAuthority(target, true)
	}
	if len(target) == 1 && target[0] == '*' {
		h.Form, h.Path = FormAsterisk, h.Target
		return true
	}
	return h.splitAbsolute(target)
}

func (h *Head) splitAbsolute(target []byte) bool {
	colon := bytes.Index(target, []byte("://"))
	if colon <= 0 || !validScheme(target[:colon]) {
		return false
	}
	from := colon + len("://")
	to := from
	for to < len(target) && target[to] != '/' && target[to] != '?' && target[to] != '#' {
		to++
	}
	h.Form = FormAbsolute
	h.Scheme = h.Target.Sub(0, colon)
	h.Authority = h.Target.Sub(from, to)
	h.Path = h.Target.Sub(to, len(target))
	return ValidAuthority(target[from:to], false)
}

// validScheme checks RFC 3986 section 3.1.
func validScheme(s []byte) bool {
	for i, c := range s {
		c |= 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return len(s) > 0
}
