package expr

import "fmt"

// A logVariable is one variable of log-format strings (manual 8.2.6).
type logVariable struct {
	name string
	http bool // HTTP mode only
	// mayVanish: where it is empty the blanks around it become one.
	mayVanish bool
	looks     Look
	append    func(dst []byte, env *Env, r *Record, f flag) []byte
}

// logVariables lists all of them but %o, which the parser handles.
var logVariables = []logVariable{
	{name: "B", append: logBytesOut},
	{name: "CC", http: true, append: logReqCookie},
	{name: "CS", http: true, append: logResCookie},
	{name: "H", append: logHost},
	{name: "HM", http: true, append: logMethod},
	{name: "HP", http: true, append: logURIPath},
	{name: "HPO", http: true, append: logPathOnly},
	{name: "HQ", http: true, append: logQuery},
	{name: "HU", http: true, append: logURI},
	{name: "HV", http: true, append: logVersion},
	{name: "ID", append: logUniqueID},
	{name: "ST", append: logStatus},
	{name: "T", append: logDateGMT},
	{name: "Ta", http: true, append: logActive},
	{name: "Tc", append: logConnect},
	{name: "Td", append: logData},
	{name: "Th", append: logHandshake},
	{name: "Ti", http: true, append: logIdle},
	{name: "Tl", append: logDateLocal},
	{name: "Tq", http: true, append: logRequestTotal},
	{name: "TR", http: true, append: logRequest},
	{name: "Tr", http: true, append: logResponse},
	{name: "Ts", append: logSeconds},
	{name: "Tt", append: logTotal},
	{name: "Tu", append: logUser},
	{name: "Tw", append: logWait},
	{name: "U", append: logBytesIn},
	{name: "ac", append: logProcessConns},
	{name: "b", append: logBackend},
	{name: "bc", append: logBackendConns},
	{name: "bi", looks: LookServerSrc, append: logServerSrc},
	{name: "bp", looks: LookServerSrc, append: logServerSrcPort},
	{name: "bq", append: logBackendQueue},
	{name: "ci", append: logClient},
	{name: "cp", append: logClientPort},
	{name: "f", append: logFrontend},
	{name: "fc", append: logFrontendConns},
	{name: "fi", looks: LookDst, append: logDst},
	{name: "fp", looks: LookDst, append: logDstPort},
	{name: "ft", append: logFrontendTransport},
	{name: "hr", mayVanish: true, append: logReqHeaders},
	{name: "hrl", mayVanish: true, append: logReqHeadersCLF},
	{name: "hs", mayVanish: true, append: logResHeaders},
	{name: "hsl", mayVanish: true, append: logResHeadersCLF},
	{name: "lc", append: logLineCount},
	{name: "ms", append: logMillis},
	{name: "pid", append: logPID},
	{name: "r", http: true, append: logRequestLine},
	{name: "rc", append: logRetries},
	{name: "rt", append: logRequestCount},
	{name: "s", append: logServer},
	{name: "sc", append: logServerConns},
	{name: "si", append: logServerAddr},
	{name: "sp", append: logServerPort},
	{name: "sq", append: logServerQueue},
	{name: "sslc", append: logCipher},
	{name: "sslv", append: logTLSVersion},
	{name: "t", append: logDate},
	{name: "tr", http: true, append: logRequestDate},
	{name: "trg", http: true, append: logRequestDateGMT},
	{name: "trl", http: true, append: logRequestDateLocal},
	{name: "ts", append: logTermination},
	{name: "tsc", append: logTerminationCookies},

	// weir's own, for the lines that HAProxy has no format string for
	{name: "wbind", append: logBind}, // the bind's name, or its number
	{name: "wmode", append: logMode}, // HTTP or TCP
}

func findLogVariable(name string) (*logVariable, error) {
	if name == "" {
		return nil, fmt.Errorf("a variable is missing after %%; write %%%% for a percent sign")
	}
	for i := range logVariables {
		if logVariables[i].name == name {
			return &logVariables[i], nil
		}
	}
	return nil, fmt.Errorf("there is no variable %%%s; write %%%% for a percent sign", name)
}
