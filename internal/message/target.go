package message

import "bytes"

// SplitTarget finds the form of Target and its parts. It reports false when
// the target has none of the forms that belong to the method (RFC 9112 section
// 3.2). It checks no characters: parsers and setters do.
//
// Policy for paths: what is matched is what is sent. Nothing is normalised: dot
// segments, "//", "%2f", "\" and lone "%" pass as they are (the rules
// normalize-uri are there for that); "#" is refused by ValidTarget.
func (h *Head) SplitTarget() bool {
	target := h.Text(h.Target)
	h.Scheme, h.Authority, h.Path = Span{}, Span{}, Span{}
	switch {
	case len(target) == 0:
		return false
	case h.Method == MethodConnect:
		h.Form, h.Authority = FormAuthority, h.Target
		return ValidAuthority(target, true)
	case target[0] == '/':
		h.Form, h.Path = FormOrigin, h.Target
		return true
	case len(target) == 1 && target[0] == '*':
		h.Form, h.Path = FormAsterisk, h.Target
		return h.Method == MethodOptions
	}
	return h.splitAbsolute(target)
}

// splitAbsolute takes "http://host" without a path, but not "http://host?query",
// as HAProxy.
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
	return ValidAuthority(target[from:to], false) && (to == len(target) || target[to] == '/')
}

// SameAuthority compares an authority of the target with a Host value: names
// without regard to case, and a port that is missing equals the default one of
// the scheme. Without a scheme (CONNECT) both 80 and 443 count as default.
func SameAuthority(scheme, authority, host []byte) bool {
	name, port := splitPort(authority)
	otherName, otherPort := splitPort(host)
	if !EqualFold(name, otherName) {
		return false
	}
	if len(port) == 0 {
		port, otherPort = otherPort, port
	}
	return bytes.Equal(port, otherPort) || len(otherPort) == 0 && defaultPort(scheme, port)
}

func splitPort(host []byte) (name, port []byte) {
	name = HostName(host)
	if len(name) < len(host) {
		port = host[len(name)+1:]
	}
	return name, port
}

func defaultPort(scheme, port []byte) bool {
	switch {
	case len(scheme) == 0:
		return string(port) == "80" || string(port) == "443"
	case EqualFold(scheme, []byte("http")):
		return string(port) == "80"
	case EqualFold(scheme, []byte("https")):
		return string(port) == "443"
	}
	return false
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
