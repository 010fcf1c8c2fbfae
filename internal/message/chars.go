package message

import "bytes"

// Classes of bytes. A byte may have several.
const (
	charToken  = 1 << iota // tchar of RFC 9110 section 5.6.2
	charTarget             // may stand in a request target: visible ASCII but "#"
	charLoose              // may stand in a target or a name when the user asked for leniency
	charValue              // may stand in a field value: not a control character, but HT
	charHost               // may stand in a host name (RFC 3986 section 3.2.2)
)

// charClasses holds the classes of every byte; it never changes.
var charClasses = buildCharClasses()

func buildCharClasses() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if letter || digit || contains("!#$%&'*+-.^_`|~", c) {
			t[i] |= charToken
		}
		if c > ' ' && c < 0x7f && c != '#' {
			t[i] |= charTarget
		}
		if c > ' ' && c != 0x7f {
			t[i] |= charLoose
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			t[i] |= charValue
		}
		if letter || digit || contains("-._~!$&'()*+,;=%", c) {
			t[i] |= charHost
		}
	}
	return t
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// all reports whether every byte of b has a class of mask.
func all(b []byte, mask uint8) bool {
	for _, c := range b {
		if charClasses[c]&mask == 0 {
			return false
		}
	}
	return true
}

// ValidToken reports whether b is a token (RFC 9110 section 5.6.2): a method or
// a field name.
func ValidToken(b []byte) bool { return len(b) > 0 && all(b, charToken) }

// ValidValue reports whether b may be the value of a field: no control
// characters but HT (RFC 9110 section 5.5).
func ValidValue(b []byte) bool { return all(b, charValue) }

// ValidFieldName reports whether b may be the name of a field.
func ValidFieldName(b []byte) bool { return ValidToken(b) }

// ValidTarget reports whether b has only bytes that a request target may hold.
// Those are the visible ASCII characters but "#" (RFC 9112 section 3.2). RFC 3986
// has fewer, but browsers send "|", "{", "^" and others in queries, and HAProxy
// passes them (its manual says otherwise).
func ValidTarget(b []byte) bool { return len(b) > 0 && all(b, charTarget) }

// ValidAuthority checks host [":" port] as it stands in a Host field, in an
// absolute target or, with needPort, in the target of CONNECT. User
// information ("user@") is refused (RFC 9110 section 4.2.4).
func ValidAuthority(b []byte, needPort bool) bool {
	host := b
	port := -1
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !validIPLiteral(b[1:end]) {
			return false
		}
		host = b[end+1:]
		if len(host) == 0 {
			return !needPort
		}
		if host[0] != ':' {
			return false
		}
		port = end + 2
	} else {
		end := bytes.IndexByte(b, ':')
		if end < 0 {
			return !needPort && len(b) > 0 && all(b, charHost)
		}
		if end == 0 || !all(b[:end], charHost) {
			return false
		}
		port = end + 1
	}
	return validPort(b[port:], needPort)
}

// validPort takes the empty port of "host:" (RFC 3986 section 3.2.3).
func validPort(p []byte, need bool) bool {
	if len(p) == 0 {
		return !need
	}
	n := 0
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return false
		}
	}
	return true
}

// validIPLiteral checks what stands between brackets: the characters of an
// IPv6 address or of IPvFuture (RFC 3986 section 3.2.2).
func validIPLiteral(b []byte) bool {
	future := len(b) > 2 && b[0]|0x20 == 'v'
	colons := 0
	for _, c := range b {
		hex := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
		switch {
		case c == ':':
			colons++
		case hex || c == '.':
		case !future || charClasses[c]&charHost == 0:
			return false
		}
	}
	return future || colons >= 2
}

// IsToken reports whether c may stand in a token, such as a field name.
func IsToken(c byte) bool { return charClasses[c]&charToken != 0 }

// IsTarget reports whether c may stand in a request target.
func IsTarget(c byte) bool { return charClasses[c]&charTarget != 0 }

// IsLoose reports whether c may stand in a request target or a field name when
// the user has asked for leniency: anything but control characters and blanks.
func IsLoose(c byte) bool { return charClasses[c]&charLoose != 0 }

// IsValue reports whether c may stand in a field value.
func IsValue(c byte) bool { return charClasses[c]&charValue != 0 }
