package expr

import (
	"net/netip"
	"slices"
)

// A Record is what the log line of one exchange (HTTP) or session (TCP) says
// beyond Env. The session fills it as it goes; zero is not usable: call Reset.
type Record struct {
	// Accept is the wall clock in nanoseconds when the connection was accepted
	// or, from the second request of a connection on, when the response before
	// had ended.
	Accept int64

	// Phases in milliseconds, -1 for one that was not reached.
	Th int64 // handshakes: TLS, PROXY header
	Ti int64 // idle before the first byte of the request
	TR int64 // first byte to the end of the request head
	Tw int64 // queues
	Tc int64 // connect to the server
	Tr int64 // response head
	Tt int64 // everything, from Accept on

	BytesOut uint64 // to the client (%B)
	BytesIn  uint64 // from the client (%U)

	Status      int     // 0: none, logged as -1 in HTTP mode
	Term        [2]byte // termination state, "--"
	CookieState [2]byte // request cookie, response cookie, "--"

	// RequestLine is a copy of the request's first line ("GET / HTTP/1.1"), cut
	// to tune.http.logurilen; empty when no valid request came.
	RequestLine []byte

	Retries      int
	Redispatched bool
	ServerQueue  int // position on entering the server's queue
	BackendQueue int

	// Connections when the line is written.
	ProcessConns  int
	FrontendConns int
	BackendConns  int
	ServerConns   int

	RequestCount uint32 // %rt: requests or TCP sessions of the process so far
	LogCount     uint32 // %lc: lines of the frontend so far

	UniqueID  []byte
	ReqCookie []byte // "name=value"; nil: none
	ResCookie []byte

	ReqCaptures *Captures // nil: none declared
	ResCaptures *Captures

	ServerAddr netip.AddrPort // %si %sp
	ServerSrc  netip.AddrPort // %bi %bp; only for LookServerSrc
	StatsPage  bool           // answered by the stats page: "<STATS>"

	// ASAP is option logasap: totals get a "+" since they go on growing.
	ASAP bool
}

// Reset makes r the record of an exchange in which nothing has happened yet.
func (r *Record) Reset() {
	*r = Record{
		Ti: -1, TR: -1, Tw: -1, Tc: -1, Tr: -1,
		Term: [2]byte{'-', '-'}, CookieState: [2]byte{'-', '-'},
	}
}

// Reached notes which server is asked, and from where. A UNIX socket has no
// addresses.
func (r *Record) Reached(server, src netip.AddrPort) { r.ServerAddr, r.ServerSrc = server, src }

// Captures holds the values of "capture request header", "capture response
// header" and "declare capture", in the order of their declarations. The memory
// belongs to it: values are copied in, and a Captures is reused.
type Captures struct {
	slots []captureSlot
}

type captureSlot struct {
	max   int
	set   bool
	value []byte
}

// NewCaptures returns a Captures with one empty slot for each length.
func NewCaptures(lengths []int) *Captures {
	c := &Captures{}
	c.Reset(lengths)
	return c
}

// Reset makes empty slots of these lengths. The memory of earlier slots is used
// again.
func (c *Captures) Reset(lengths []int) {
	c.slots = slices.Grow(c.slots[:0], len(lengths))[:len(lengths)]
	for i, n := range lengths {
		c.slots[i].max, c.slots[i].set = n, false
	}
}

// Len returns the number of slots.
func (c *Captures) Len() int {
	if c == nil {
		return 0
	}
	return len(c.slots)
}

// Set copies v, cut to the declared length, into slot i; it reports whether
// there is such a slot.
func (c *Captures) Set(i int, v []byte) bool {
	if i < 0 || i >= c.Len() {
		return false
	}
	s := &c.slots[i]
	s.value = append(s.value[:0], v[:min(len(v), s.max)]...)
	s.set = true
	return true
}

// Get returns the value of slot i.
func (c *Captures) Get(i int) ([]byte, bool) {
	if i < 0 || i >= c.Len() || !c.slots[i].set {
		return nil, false
	}
	return c.slots[i].value, true
}
