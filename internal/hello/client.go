package hello

// A Client is what a ClientHello says (RFC 8446 section 4.1.2). Its slices share
// the bytes that were read.
type Client struct {
	Version    uint16 // legacy_version; TLS 1.3 says 0x0303 here
	ServerName []byte // the first host_name; nil: none
	ALPN       []byte // name of the first protocol offered; nil: none
	Ticket     Ticket
	Groups     bool // supported_groups was sent: the client knows elliptic curves
	Extensions bool // there was a list of extensions, and it was well-formed
}

// A Ticket says what the session_ticket extension (RFC 5077) held.
type Ticket uint8

const (
	NoTicket     Ticket = iota
	TicketAsked         // empty: the client would like one
	TicketOffers        // the client has one
)

// Extensions that are looked at (IANA, TLS ExtensionType Values).
const (
	extServerName    = 0
	extGroups        = 10
	extALPN          = 16
	extSessionTicket = 35
)

const (
	randomSize   = 32
	sessionIDMax = 32
)

// FindClient reads a ClientHello at the beginning of b. scratch is memory for one
// that came in pieces; with too little of it more is allocated. Of one that
// breaks its own lengths, and of a ServerHello, only the version is told: what
// others would read into the rest is not known.
func FindClient(b, scratch []byte) (Client, Verdict) {
	kind, body, v := message(b, scratch)
	if v != Whole {
		return Client{}, v
	}
	r := cursor(body)
	version, ok := r.uint16()
	if !ok || !r.skip(randomSize) {
		return Client{}, Other
	}
	c := Client{Version: version}
	switch kind {
	case TypeClient:
		if !c.read(r) {
			return Client{Version: version}, Whole
		}
	case TypeServer:
	default:
		return Client{}, Other
	}
	return c, Whole
}

// Type is the type of the handshake message at the beginning of b, when it is
// there as a whole.
func Type(b, scratch []byte) (byte, Verdict) {
	kind, _, v := message(b, scratch)
	return kind, v
}

func (c *Client) read(r cursor) bool {
	id, ok := r.vector8()
	if !ok || len(id) > sessionIDMax {
		return false
	}
	ciphers, ok := r.vector16()
	if !ok || len(ciphers) == 0 || len(ciphers)%2 != 0 {
		return false
	}
	if methods, ok := r.vector8(); !ok || len(methods) == 0 {
		return false
	}
	if len(r) == 0 { // before TLS 1.2 there need be no extensions
		return true
	}
	extensions, ok := r.vector16()
	c.Extensions = ok && len(r) == 0 && c.readExtensions(cursor(extensions))
	return c.Extensions
}

func (c *Client) readExtensions(r cursor) bool {
	for len(r) > 0 {
		kind, ok := r.uint16()
		if !ok {
			return false
		}
		data, ok := r.vector16()
		if !ok {
			return false
		}
		switch kind {
		case extServerName:
			ok = c.readServerName(cursor(data))
		case extALPN:
			ok = c.readALPN(cursor(data))
		case extGroups:
			c.Groups = true
		case extSessionTicket:
			c.Ticket = TicketAsked
			if len(data) > 0 {
				c.Ticket = TicketOffers
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// readServerName reads a ServerNameList (RFC 6066 section 3).
func (c *Client) readServerName(r cursor) bool {
	list, ok := r.vector16()
	if !ok || len(r) > 0 {
		return false
	}
	for r = cursor(list); len(r) > 0; {
		kind, ok := r.uint8()
		if !ok {
			return false
		}
		name, ok := r.vector16()
		if !ok {
			return false
		}
		if kind == 0 && c.ServerName == nil && len(name) > 0 {
			c.ServerName = name
		}
	}
	return true
}

// readALPN reads a ProtocolNameList (RFC 7301 section 3.1).
func (c *Client) readALPN(r cursor) bool {
	list, ok := r.vector16()
	if !ok || len(r) > 0 || len(list) == 0 {
		return false
	}
	for r = cursor(list); len(r) > 0; {
		name, ok := r.vector8()
		if !ok || len(name) == 0 {
			return false
		}
		if c.ALPN == nil {
			c.ALPN = name
		}
	}
	return true
}

// A cursor is what has not been read yet.
type cursor []byte

func (r *cursor) skip(n int) bool {
	if len(*r) < n {
		return false
	}
	*r = (*r)[n:]
	return true
}

func (r *cursor) uint8() (uint8, bool) {
	if len(*r) < 1 {
		return 0, false
	}
	n := (*r)[0]
	*r = (*r)[1:]
	return n, true
}

func (r *cursor) uint16() (uint16, bool) {
	if len(*r) < 2 {
		return 0, false
	}
	n := uint16((*r)[0])<<8 | uint16((*r)[1])
	*r = (*r)[2:]
	return n, true
}

func (r *cursor) vector8() ([]byte, bool) {
	n, ok := r.uint8()
	return r.take(int(n), ok)
}

func (r *cursor) vector16() ([]byte, bool) {
	n, ok := r.uint16()
	return r.take(int(n), ok)
}

func (r *cursor) take(n int, ok bool) ([]byte, bool) {
	if !ok || len(*r) < n {
		return nil, false
	}
	p := (*r)[:n:n]
	*r = (*r)[n:]
	return p, true
}
