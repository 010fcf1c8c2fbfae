package h2

import "github.com/weir-lb/weir/internal/message"

// staticFields is the static table (RFC 7541 appendix A); index 1 is the first.
var staticFields = [...]struct{ name, value string }{
	{":authority", ""}, {":method", "GET"}, {":method", "POST"}, {":path", "/"}, {":path", "/index.html"},
	{":scheme", "http"}, {":scheme", "https"}, {":status", "200"}, {":status", "204"}, {":status", "206"},
	{":status", "304"}, {":status", "400"}, {":status", "404"}, {":status", "500"}, {"accept-charset", ""},
	{"accept-encoding", "gzip, deflate"}, {"accept-language", ""}, {"accept-ranges", ""}, {"accept", ""},
	{"access-control-allow-origin", ""}, {"age", ""}, {"allow", ""}, {"authorization", ""}, {"cache-control", ""},
	{"content-disposition", ""}, {"content-encoding", ""}, {"content-language", ""}, {"content-length", ""},
	{"content-location", ""}, {"content-range", ""}, {"content-type", ""}, {"cookie", ""}, {"date", ""},
	{"etag", ""}, {"expect", ""}, {"expires", ""}, {"from", ""}, {"host", ""}, {"if-match", ""},
	{"if-modified-since", ""}, {"if-none-match", ""}, {"if-range", ""}, {"if-unmodified-since", ""},
	{"last-modified", ""}, {"link", ""}, {"location", ""}, {"max-forwards", ""}, {"proxy-authenticate", ""},
	{"proxy-authorization", ""}, {"range", ""}, {"referer", ""}, {"refresh", ""}, {"retry-after", ""},
	{"server", ""}, {"set-cookie", ""}, {"strict-transport-security", ""}, {"transfer-encoding", ""},
	{"user-agent", ""}, {"vary", ""}, {"via", ""}, {"www-authenticate", ""},
}

// staticCount is the highest index of the static table.
const staticCount = 61

// A pseudo is which pseudo-header a field is.
type pseudo uint8

const (
	pseudoNone pseudo = iota // a regular field
	pseudoMethod
	pseudoScheme
	pseudoAuthority
	pseudoPath
	pseudoStatus
	pseudoProtocol // RFC 8441
	pseudoUnknown
)

// A fieldKind is what the name of a field and its characters say. It is found out
// once for an entry of a table.
type fieldKind struct {
	id     message.FieldID
	pseudo pseudo
	wrong  Reason // of the name or, if that is well, of the value
}

// kindOf judges a field (RFC 9113 section 8.2.1). Values of pseudo-headers are
// judged where they are used.
func kindOf(name, value []byte) fieldKind {
	k := kindOfName(name)
	if k.wrong == ReasonNone && !validValue(value) {
		k.wrong = ReasonValue
	}
	return k
}

func kindOfName(name []byte) fieldKind {
	if len(name) > 0 && name[0] == ':' {
		return fieldKind{pseudo: pseudoOf(name)}
	}
	if !validName(name) {
		return fieldKind{wrong: ReasonName}
	}
	return fieldKind{id: message.FieldIDOf(name)}
}

func pseudoOf(name []byte) pseudo {
	switch string(name) {
	case ":method":
		return pseudoMethod
	case ":scheme":
		return pseudoScheme
	case ":authority":
		return pseudoAuthority
	case ":path":
		return pseudoPath
	case ":status":
		return pseudoStatus
	case ":protocol":
		return pseudoProtocol
	}
	return pseudoUnknown
}

// validName takes a token without capitals.
func validName(name []byte) bool {
	for _, c := range name {
		if !message.IsToken(c) || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return len(name) > 0
}

func validValue(v []byte) bool {
	if n := len(v); n > 0 && (isBlank(v[0]) || isBlank(v[n-1])) {
		return false
	}
	return message.ValidValue(v)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// A staticEntry is an entry of the static table as it is used.
type staticEntry struct {
	name, value []byte
	kind        fieldKind
}

// static is the table by index; it never changes.
var static = buildStatic()

func buildStatic() (t [staticCount + 1]staticEntry) {
	for i, f := range staticFields {
		e := &t[i+1]
		e.name, e.value = []byte(f.name), []byte(f.value)
		e.kind = kindOf(e.name, e.value)
	}
	return t
}

// staticNames holds the index of each name that the proxy knows by number, or 0.
var staticNames = buildStaticNames()

func buildStaticNames() (t [256]uint8) {
	for i := staticCount; i > 0; i-- {
		if id := static[i].kind.id; id != message.FieldOther {
			t[id] = uint8(i)
		}
	}
	return t
}
