package health

import (
	"strings"
	"syscall"
)

// Results of checks, as the statistics show them (management.txt, check_status).
const (
	StatusUnknown = "UNK"     // none yet, and no check is set up
	StatusInit    = "INI"     // none yet
	StatusSocket  = "SOCKERR" // the socket failed
	StatusL4OK    = "L4OK"    // connected
	StatusL4Tout  = "L4TOUT"  // connecting took too long
	StatusL4Con   = "L4CON"   // can't connect
	StatusL6OK    = "L6OK"    // the TLS layer is right
	StatusL6Tout  = "L6TOUT"  // the TLS layer took too long
	StatusL6Rsp   = "L6RSP"   // the TLS layer is wrong
	StatusL7Tout  = "L7TOUT"  // the answer took too long
	StatusL7Rsp   = "L7RSP"   // the answer is no right answer
	StatusL7OK    = "L7OK"    // the answer is as expected
	StatusL7OKC   = "L7OKC"   // the server wants no new sessions
	StatusL7Sts   = "L7STS"   // the answer says that the server fails
	StatusAnalyze = "HANA"    // live traffic failed
)

// reasons are the words of log lines for a status.
var reasons = map[string]string{
	StatusUnknown: "Unknown",
	StatusInit:    "Initializing",
	StatusSocket:  "Socket error",
	StatusL4OK:    "Layer4 check passed",
	StatusL4Tout:  "Layer4 timeout",
	StatusL4Con:   "Layer4 connection problem",
	StatusL6OK:    "Layer6 check passed",
	StatusL6Tout:  "Layer6 timeout",
	StatusL6Rsp:   "Layer6 invalid response",
	StatusL7Tout:  "Layer7 timeout",
	StatusL7Rsp:   "Layer7 invalid response",
	StatusL7OK:    "Layer7 check passed",
	StatusL7OKC:   "Layer7 check conditionally passed",
	StatusL7Sts:   "Layer7 wrong status",
	StatusAnalyze: "Health analyze",
}

// Reason is the status in words: "Layer4 check passed".
func Reason(status string) string { return reasons[status] }

// outcomeOf says what a status means for the verdict.
func outcomeOf(status string) Outcome {
	switch status {
	case StatusL4OK, StatusL6OK, StatusL7OK:
		return Passed
	case StatusL7OKC:
		return Conditional
	}
	return Failed
}

// hasCode reports whether a code stands in log lines after the reason.
func hasCode(status string) bool {
	switch status {
	case StatusL7OK, StatusL7OKC, StatusL7Sts:
		return true
	}
	return false
}

// errnoText is how the C library says it, which is what HAProxy prints: Go's
// words with a capital.
func errnoText(errno syscall.Errno) string {
	if errno == 0 {
		return ""
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

const infoMax = 127 // bytes of explanation, as HAProxy keeps them

func cut(s string) string { return s[:min(len(s), infoMax)] }
