package message

// A FieldID is the number of a field name that the proxy itself treats, or
// FieldOther. Comparing numbers stands in for comparing names.
type FieldID uint8

const (
	FieldOther FieldID = iota // any other name
	FieldHost
	FieldConnection
	FieldKeepAlive
	FieldProxyConnection
	FieldTE
	FieldTrailer
	FieldTransferEncoding
	FieldUpgrade
	FieldContentLength
	FieldExpect
	FieldCookie
	FieldSetCookie
	FieldSetCookie2
	FieldXForwardedFor
	FieldXOriginalTo
	FieldXForwardedProto
	FieldXForwardedHost
	FieldXForwardedPort
	FieldXRealIP
	FieldForwarded
	FieldAuthorization
	FieldProxyAuthorization
	FieldProxyAuthenticate
	FieldWWWAuthenticate
	FieldCacheControl
	FieldPragma
	FieldExpires
	FieldVary
	FieldAge
	FieldHTTP2Settings
	FieldDate
	FieldLocation
	FieldServer
	FieldVia
	FieldMaxForwards
	FieldContentType
	FieldContentEncoding
	FieldContentRange
	FieldAcceptEncoding
	FieldUserAgent
	FieldReferer
	FieldSecWebSocketKey

	fieldIDs // how many there are
)

var fieldNames = [fieldIDs]string{
	FieldHost:               "host",
	FieldConnection:         "connection",
	FieldKeepAlive:          "keep-alive",
	FieldProxyConnection:    "proxy-connection",
	FieldTE:                 "te",
	FieldTrailer:            "trailer",
	FieldTransferEncoding:   "transfer-encoding",
	FieldUpgrade:            "upgrade",
	FieldContentLength:      "content-length",
	FieldExpect:             "expect",
	FieldCookie:             "cookie",
	FieldSetCookie:          "set-cookie",
	FieldSetCookie2:         "set-cookie2",
	FieldXForwardedFor:      "x-forwarded-for",
	FieldXOriginalTo:        "x-original-to",
	FieldXForwardedProto:    "x-forwarded-proto",
	FieldXForwardedHost:     "x-forwarded-host",
	FieldXForwardedPort:     "x-forwarded-port",
	FieldXRealIP:            "x-real-ip",
	FieldForwarded:          "forwarded",
	FieldAuthorization:      "authorization",
	FieldProxyAuthorization: "proxy-authorization",
	FieldProxyAuthenticate:  "proxy-authenticate",
	FieldWWWAuthenticate:    "www-authenticate",
	FieldCacheControl:       "cache-control",
	FieldPragma:             "pragma",
	FieldExpires:            "expires",
	FieldVary:               "vary",
	FieldAge:                "age",
	FieldHTTP2Settings:      "http2-settings",
	FieldDate:               "date",
	FieldLocation:           "location",
	FieldServer:             "server",
	FieldVia:                "via",
	FieldMaxForwards:        "max-forwards",
	FieldContentType:        "content-type",
	FieldContentEncoding:    "content-encoding",
	FieldContentRange:       "content-range",
	FieldAcceptEncoding:     "accept-encoding",
	FieldUserAgent:          "user-agent",
	FieldReferer:            "referer",
	FieldSecWebSocketKey:    "sec-websocket-key",
}

// String gives the name in lower case; empty for FieldOther.
func (id FieldID) String() string {
	if id < fieldIDs {
		return fieldNames[id]
	}
	return ""
}

// ProtectedName reports whether a field must not be dropped because a Connection
// field names it: the proxy or the access rules of servers rely on it (RFC 9110
// section 7.6.1 wants end-to-end fields left alone; CVE-2024-45410 shows what
// happens otherwise).
func ProtectedName(name []byte) bool {
	const family = "x-forwarded-"
	id := FieldIDOf(name)
	if id == FieldOther {
		return len(name) > len(family) && EqualFold(name[:len(family)], []byte(family))
	}
	return !id.HopByHop() && id != FieldTrailer
}

// HopByHop reports whether the field concerns one connection only, named by a
// Connection field or not.
func (id FieldID) HopByHop() bool {
	switch id {
	case FieldConnection, FieldKeepAlive, FieldProxyConnection, FieldTE, FieldUpgrade, FieldHTTP2Settings:
		return true
	}
	return false
}
