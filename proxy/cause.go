package proxy

// A Cause says why a session ended. The zero Cause is a normal end.
type Cause uint8

const (
	CauseNone           Cause = iota
	CauseClientAbort          // the client closed or reset
	CauseClientTimeout        // the client was too slow
	CauseServerAbort          // the server closed, reset or refused
	CauseServerTimeout        // the server was too slow
	CauseServerInvalid        // the server's answer breaks the protocol
	CauseRequestInvalid       // the client's request breaks the protocol
	CauseDenied               // a rule of ours said no
	CauseLocal                // answered by ourselves: redirect, monitor, return
	CauseQueueFull            // no room in the queue
	CauseQueueTimeout         // waited too long for a slot
	CauseNoServer             // no server is usable
	CauseResource             // descriptors, memory or ports ran out here
	CauseInternal             // a rule could not be carried out
	CauseServerDown           // killed because the server was marked down
	CauseKilled               // killed by the administrator or the end of the process
)

// causeTable gives each cause its name and the first letter of HAProxy's
// termination state (manual 8.5).
var causeTable = [...]struct {
	name string
	side byte
}{
	CauseNone:           {"none", '-'},
	CauseClientAbort:    {"client abort", 'C'},
	CauseClientTimeout:  {"client timeout", 'c'},
	CauseServerAbort:    {"server abort", 'S'},
	CauseServerTimeout:  {"server timeout", 's'},
	CauseServerInvalid:  {"server invalid", 'P'},
	CauseRequestInvalid: {"request invalid", 'P'},
	CauseDenied:         {"denied", 'P'},
	CauseLocal:          {"local", 'L'},
	CauseQueueFull:      {"queue full", 'S'},
	CauseQueueTimeout:   {"queue timeout", 's'},
	CauseNoServer:       {"no server", 'S'},
	CauseResource:       {"resource", 'R'},
	CauseInternal:       {"internal", 'I'},
	CauseServerDown:     {"server down", 'D'},
	CauseKilled:         {"killed", 'K'},
}

// Side is the first letter of HAProxy's termination state: who ended the
// session, such as C (client left), s (server was too slow) or - (nobody).
func (c Cause) Side() byte { return causeTable[c].side }

func (c Cause) String() string { return causeTable[c].name }

// A phase says how far a session had come when it ended; its value is the
// second letter of HAProxy's termination state.
type phase byte

const (
	phaseRequest phase = 'R' // waiting for a complete, valid request
	phaseQueue   phase = 'Q' // waiting for a slot
	phaseConnect phase = 'C' // waiting for the connection to a server
	phaseHeaders phase = 'H' // waiting for the response head
	phaseData    phase = 'D' // relaying
	phaseLast    phase = 'L' // the last bytes to the client, the server has finished
	phaseTarpit  phase = 'T' // held in a tarpit
	phaseNone    phase = '-' // after the end
)
