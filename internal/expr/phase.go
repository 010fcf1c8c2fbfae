package expr

// Phase says where an expression is evaluated, hence what it can see.
type Phase uint8

const (
	PhaseConfig         Phase = iota // while the configuration is loaded (global set-var)
	PhaseConnection                  // tcp-request connection: addresses only
	PhaseSession                     // tcp-request session: also TLS and PROXY header
	PhaseContent                     // tcp-request content of a frontend
	PhaseRequest                     // http-request, use_backend of a frontend, monitor fail
	PhaseBackendContent              // tcp-request content of a backend
	PhaseBackendRequest              // http-request of a backend, balance, use-server, sni, source
	PhaseTCPResponse                 // tcp-response content
	PhaseResponse                    // http-response, http-after-response
	PhaseTCPLog                      // log-format, log-format-sd and error-log-format of a TCP frontend
	PhaseHTTPLog                     // the same of an HTTP frontend
	PhaseUniqueID                    // unique-id-format

	phases // how many there are
)

var phaseNames = [phases]string{
	"the configuration", "a tcp-request connection rule", "a tcp-request session rule",
	"a frontend tcp-request content rule", "a frontend http-request rule",
	"a backend tcp-request content rule", "a backend http-request rule",
	"a tcp-response content rule", "an http-response rule",
	"a TCP log format", "an HTTP log format", "a unique-id format",
}

func (p Phase) String() string {
	if p < phases {
		return phaseNames[p]
	}
	return "an unknown place"
}

// log reports whether p is a log format: there an empty value is a dash, and
// blanks are merged.
func (p Phase) log() bool { return p == PhaseTCPLog || p == PhaseHTTPLog }

// response reports whether ambiguous fetches (hdr, cookie) look at the response.
func (p Phase) response() bool { return p == PhaseTCPResponse || p == PhaseResponse }

// need is a set of things that an expression looks at.
type need uint16

const (
	needClient   need = 1 << iota // the client's connection
	needSession                   // what its handshakes told
	needReqBytes                  // bytes of the client before any parsing
	needReqHead                   // the request head
	needReqBody                   // the buffered part of its body
	needReqLine                   // method and the like, kept until the log is written
	needCapture                   // captured values
	needBackend                   // the backend that was chosen
	needServer                    // the server that was chosen
	needResBytes                  // bytes of the server before any parsing
	needResHead                   // the response head
	needStatus                    // the response's status, kept until the log is written
	needVars                      // variables of an exchange
	needLoad                      // nothing but a running process
)

var needNames = []string{
	"the client's connection", "its handshakes", "the request's bytes", "the request's head", "the request's body",
	"the request line", "captures", "a backend", "a server", "the response's bytes", "the response's head",
	"the response's status", "variables", "a running process",
}

const (
	needsFrontend = needLoad | needClient | needSession | needVars
	needsRequest  = needReqHead | needReqBody | needReqLine | needCapture
)

// phaseHas says what can be seen in each phase.
var phaseHas = [phases]need{
	PhaseConfig:         0,
	PhaseConnection:     needLoad | needClient | needVars,
	PhaseSession:        needsFrontend,
	PhaseContent:        needsFrontend | needReqBytes | needsRequest,
	PhaseRequest:        needsFrontend | needReqBytes | needsRequest,
	PhaseBackendContent: needsFrontend | needReqBytes | needsRequest | needBackend,
	PhaseBackendRequest: needsFrontend | needReqBytes | needsRequest | needBackend,
	PhaseTCPResponse:    needsFrontend | needReqLine | needCapture | needBackend | needServer | needResBytes | needResHead | needStatus,
	PhaseResponse:       needsFrontend | needReqLine | needCapture | needBackend | needServer | needResBytes | needResHead | needStatus,
	PhaseTCPLog:         needsFrontend | needReqLine | needCapture | needBackend | needServer | needStatus,
	PhaseHTTPLog:        needsFrontend | needReqLine | needCapture | needBackend | needServer | needStatus,
	PhaseUniqueID:       needsFrontend | needReqBytes | needsRequest,
}

// missing names the first thing of n that p lacks; empty: nothing is missing.
func (p Phase) missing(n need) string {
	lack := n &^ phaseHas[p]
	for i := range needNames {
		if lack&(1<<i) != 0 {
			return needNames[i]
		}
	}
	return ""
}
