package config

// Words that deny, tarpit and return take, with the number of their values.
var replyOptions = map[string]int{
	"status": 1, "deny_status": 1, "content-type": 1, "default-errorfiles": 0, "errorfile": 1, "errorfiles": 1,
	"file": 1, "lf-file": 1, "string": 1, "lf-string": 1, "hdr": 2,
}

var redirectOptions = map[string]int{
	"location": 1, "prefix": 1, "scheme": 1, "code": 1, "drop-query": 0, "append-slash": 0, "ignore-empty": 0,
	"set-cookie": 1, "clear-cookie": 1,
}

const (
	noTables   = "weir has no stick tables yet"
	noFilters  = "weir has no filters yet"
	noMaps     = "weir does not change maps and ACL files at run time yet"
	noServices = "weir has no services inside yet"
)

// actions are what rules can do (manual 4.3 of the 3.2 language, 4.2 before).
// Package proxy carries out those that are supported.
var actions = []action{
	{"accept", setsTCP, 0, nil, "4.2 tcp-request", supported, ""},
	{"add-acl(", setHTTPRequest | setHTTPResponse, 1, nil, "4.2 http-request", refused, noMaps},
	{"add-header", setsHTTP, 2, nil, "4.2 http-request", supported, ""},
	{"allow", setsHTTP, 0, nil, "4.2 http-request", supported, ""},
	{"attach-srv", setTCPSession, 1, nil, "4.2 tcp-request", refused, "weir has no reverse connections"},
	{"auth", setHTTPRequest, 0, map[string]int{"realm": 1}, "4.2 http-request", refused, "weir knows no users yet"},
	{"cache-store", setHTTPResponse, 1, nil, "4.2 http-response", refused, "weir has no cache"},
	{"cache-use", setHTTPRequest, 1, nil, "4.2 http-request", refused, "weir has no cache"},
	{"capture", setHTTPRequest | setHTTPResponse | setHTTPAfter | setTCPContent, 1, map[string]int{"len": 1, "id": 1}, "4.2 http-request", supported, ""},
	{"close", setTCPResponse, 0, nil, "4.2 tcp-response", supported, ""},
	{"del-acl(", setHTTPRequest | setHTTPResponse, 1, nil, "4.2 http-request", refused, noMaps},
	{"del-header", setsHTTP, 1, map[string]int{"-m": 1}, "4.2 http-request", supported, ""},
	{"del-headers-bin", setsHTTP, 1, nil, "4.2 http-request", refused, "use del-header"},
	{"del-map(", setHTTPRequest | setHTTPResponse, 1, nil, "4.2 http-request", refused, noMaps},
	{"deny", setHTTPRequest | setHTTPResponse, 0, replyOptions, "4.2 http-request", supported, ""},
	{"disable-l7-retry", setHTTPRequest, 0, nil, "4.2 http-request", refused, "limit retries with retry-on"},
	{"do-log", setsHTTP | setsTCP, 0, nil, "4.2 http-request", refused, "weir writes one line per request"},
	{"do-resolve(", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "weir does not resolve names for requests yet"},
	{"early-hint", setHTTPRequest, 2, nil, "4.2 http-request", refused, "weir sends no 103 answers of its own"},
	{"expect-netscaler-cip", setTCPConnection, 1, nil, "4.2 tcp-request", refused, "weir reads PROXY headers; use accept-proxy on the bind line"},
	{"expect-proxy", setTCPConnection, 1, nil, "4.2 tcp-request", refused, "use accept-proxy on the bind line"},
	{"normalize-uri", setHTTPRequest, 1, nil, "4.2 http-request", refused, "weir does not rewrite paths by itself yet"},
	{"pause", setHTTPRequest | setHTTPResponse, 1, nil, "4.2 http-request", refused, "weir does not delay requests"},
	{"redirect", setHTTPRequest | setHTTPResponse, 0, redirectOptions, "4.2 redirect", supported, ""},
	{"reject", setsTCPIn | setHTTPRequest, 0, nil, "4.2 tcp-request", supported, ""},
	{"reject", setTCPResponse, 0, nil, "4.2 tcp-response", refused, "use tcp-response content close"},
	{"replace-header", setsHTTP, 3, nil, "4.2 http-request", supported, ""},
	{"replace-path", setHTTPRequest, 2, nil, "4.2 http-request", supported, ""},
	{"replace-pathq", setHTTPRequest, 2, nil, "4.2 http-request", supported, ""},
	{"replace-uri", setHTTPRequest, 2, nil, "4.2 http-request", supported, ""},
	{"replace-value", setsHTTP, 3, nil, "4.2 http-request", supported, ""},
	{"return", setHTTPRequest | setHTTPResponse, 0, replyOptions, "4.2 http-request", supported, ""},
	{"sc-add-gpc(", setsHTTP | setsTCP, 1, nil, "4.2 http-request", refused, noTables},
	{"sc-inc-gpc(", setsHTTP | setsTCP, 0, nil, "4.2 http-request", refused, noTables},
	{"sc-inc-gpc0(", setsHTTP | setsTCP, 0, nil, "4.2 http-request", refused, noTables},
	{"sc-inc-gpc1(", setsHTTP | setsTCP, 0, nil, "4.2 http-request", refused, noTables},
	{"sc-set-gpt(", setsHTTP | setsTCP, 1, nil, "4.2 http-request", refused, noTables},
	{"sc-set-gpt0(", setsHTTP | setsTCP, 1, nil, "4.2 http-request", refused, noTables},
	{"send-spoe-group", setsContent, 2, nil, "4.2 http-request", refused, noFilters},
	{"set-bandwidth-limit", setsContent, 1, nil, "4.2 http-request", refused, noFilters},
	{"set-bc-mark", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-bc-tos", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-dst", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not change addresses of connections yet"},
	{"set-dst-port", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not change addresses of connections yet"},
	{"set-fc-mark", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-fc-tos", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-header", setsHTTP, 2, nil, "4.2 http-request", supported, ""},
	{"set-headers-bin", setsHTTP, 1, nil, "4.2 http-request", refused, "use set-header"},
	{"set-log-level", setsHTTP, 1, nil, "4.2 http-request", supported, ""},
	{"set-log-level", setTCPContent | setTCPResponse, 1, nil, "4.2 tcp-request", refused, "only HTTP rules can change the level yet"},
	{"set-map(", setHTTPRequest | setHTTPResponse, 2, nil, "4.2 http-request", refused, noMaps},
	{"set-mark", setsContent | setTCPConnection | setTCPSession, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-method", setHTTPRequest, 1, nil, "4.2 http-request", supported, ""},
	{"set-nice", setsContent, 1, nil, "4.2 http-request", ignored, "weir's loops treat all connections alike"},
	{"set-path", setHTTPRequest, 1, nil, "4.2 http-request", supported, ""},
	{"set-pathq", setHTTPRequest, 1, nil, "4.2 http-request", supported, ""},
	{"set-priority-class", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "weir's queues are first come, first served"},
	{"set-priority-offset", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "weir's queues are first come, first served"},
	{"set-query", setHTTPRequest, 1, nil, "4.2 http-request", supported, ""},
	{"set-retries", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, "retries are set for a backend"},
	{"set-src", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not change addresses of connections yet"},
	{"set-src-port", setHTTPRequest | setsTCPIn, 1, nil, "4.2 http-request", refused, "weir does not change addresses of connections yet"},
	{"set-status", setsReply, 1, map[string]int{"reason": 1}, "4.2 http-response", supported, ""},
	{"set-timeout", setHTTPRequest | setHTTPResponse, 2, nil, "4.2 http-request", refused, "timeouts are set for a section"},
	{"set-tos", setsContent | setTCPConnection | setTCPSession, 1, nil, "4.2 http-request", refused, "weir does not mark packets"},
	{"set-uri", setHTTPRequest, 1, nil, "4.2 http-request", supported, ""},
	{"set-var(", setsHTTP | setsTCP, 1, nil, "4.2 http-request", supported, ""},
	{"set-var-fmt(", setsHTTP | setsTCP, 1, nil, "4.2 http-request", supported, ""},
	{"silent-drop", setHTTPRequest | setHTTPResponse | setsTCP, 0, nil, "4.2 http-request", supported, "without rst-ttl"},
	{"strict-mode", setsHTTP, 1, nil, "4.2 http-request", supported, ""},
	{"switch-mode", setTCPContent, 1, map[string]int{"proto": 1}, "4.2 tcp-request", refused, "a TCP frontend stays one; use mode http"},
	{"tarpit", setHTTPRequest, 0, replyOptions, "4.2 http-request", supported, ""},
	{"track-sc0", setsHTTP | setsTCPIn, 1, map[string]int{"table": 1}, "4.2 http-request", refused, noTables},
	{"track-sc1", setsHTTP | setsTCPIn, 1, map[string]int{"table": 1}, "4.2 http-request", refused, noTables},
	{"track-sc2", setsHTTP | setsTCPIn, 1, map[string]int{"table": 1}, "4.2 http-request", refused, noTables},
	{"unset-var(", setsHTTP | setsTCP, 0, nil, "4.2 http-request", supported, ""},
	{"use-service", setHTTPRequest | setTCPContent, 1, nil, "4.2 http-request", refused, noServices},
	{"wait-for-body", setHTTPRequest | setHTTPResponse, 0, map[string]int{"time": 1, "at-least": 1}, "4.2 http-request", refused, "use option http-buffer-request"},
	{"wait-for-handshake", setHTTPRequest, 0, nil, "4.2 http-request", ignored, "weir takes no early data"},
}
