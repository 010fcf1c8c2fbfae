package health

// An Observation is how an exchange of live traffic with a server ended.
type Observation uint8

const (
	ObservedOK          Observation = iota // connected (layer4), or a right response (layer7)
	ObservedConnect                        // the connection failed
	ObservedStatus                         // the response has a status of 500 or above, other than 501 and 505
	ObservedHeaders                        // the head of the response is broken
	ObservedInvalid                        // the rest of the response is broken
	ObservedReadError                      // the connection broke before a response
	ObservedReadTimeout                    // the response did not come in time
	ObservedClosed                         // the server closed before a response
)

// observationNames are the words of log lines.
var observationNames = [...]string{
	ObservedOK:          "Correct http response",
	ObservedConnect:     "L4 unsuccessful connection",
	ObservedStatus:      "Wrong http response",
	ObservedHeaders:     "Invalid http response (headers)",
	ObservedInvalid:     "Invalid http response",
	ObservedReadError:   "Read error (http)",
	ObservedReadTimeout: "Read timeout (http)",
	ObservedClosed:      "Close from server (http)",
}

func (o Observation) String() string { return observationNames[o] }

// ObservedResponse classifies a response by its status: 100 to 499, 501 and 505
// are signs of health (manual, "observe layer7").
func ObservedResponse(status int) Observation {
	if status < 500 || status == 501 || status == 505 {
		return ObservedOK
	}
	return ObservedStatus
}
