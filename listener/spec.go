package listener

import "time"

// A Spec is one bind line (manual section 5.1), after its comma list was split:
// one address form each.
type Spec struct {
	Origin string
	// Address as in the file: "ip:port", ":port", "*:port", ":::port",
	// "[v6]:port", "host:port", "ip:first-last", "unix@/path", "/path",
	// "abns@name", "fd@N", "stream+fd@N", "ipv4@...", "ipv6@...", "tcp@...".
	Address string

	Name           string
	ID             int
	Backlog        int // default: the frontend's backlog, else its maxconn
	MaxConn        int // 0: no bound of its own
	Interface      string
	MSS            int
	TCPUserTimeout time.Duration // tcp-ut
	TFO            bool
	DeferAccept    bool
	Transparent    bool
	V4V6, V6Only   bool
	AcceptProxy    bool
	HTTP2          bool   // proto h2: nothing but HTTP/2
	User, Group    string // of a UNIX socket; names or numbers
	UID, GID       int    // -1 (or 0 with no User/Group): unchanged
	Mode           uint32 // of a UNIX socket; 0: unchanged
	Nice           int
	Process        string
	Shards         int
	Level          string
	NS             string
}

// A SourceSpec is where connections to a server come from ("source").
type SourceSpec struct {
	Address   string // "ip", "ip:port" or "ip:first-last"; empty: the kernel chooses
	UseSrc    string // usesrc: "client", "clientip", "ADDR", "hdr_ip(...)"
	Interface string
}
