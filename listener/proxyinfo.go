package listener

import "net/netip"

// ProxyHeaderMax bounds a PROXY header. Version 2 could announce 65551 bytes;
// what senders put there (addresses, names, a few identifiers) is far below.
const ProxyHeaderMax = 4096 // bytes

// A ProxyInfo is what a PROXY header says about the connection that it stands
// before (the PROXY protocol's own document; chapters are cited as "PROXY 2.2").
type ProxyInfo struct {
	Version int // 1 or 2

	// Local means that the header names no endpoints, so that the connection's
	// own ones count: LOCAL, UNKNOWN, and families or transports that are not
	// told. Src and Dst are then invalid. Unspec tells that of version 2 with the
	// PROXY command: a relayed connection of an unspecified family.
	Local, Unspec bool

	// Src and Dst are the client's address and the one it connected to. A
	// v4-mapped address is told as IPv4. Both are invalid when Local or UNIX.
	Src, Dst netip.AddrPort

	// UNIX means that the endpoints are UNIX sockets, Datagram that it is not a
	// stream.
	UNIX, Datagram   bool
	SrcPath, DstPath []byte // without padding; a leading zero byte means the abstract space

	// TLVs is the sequence of type-length-value vectors of version 2, checked
	// for its lengths. The fields after it are found in there.
	TLVs      []byte
	ALPN      []byte
	Authority []byte // host name, as SNI or Host said
	UniqueID  []byte
	NetNS     []byte
	TLS       ProxyTLS
	Checksum  bool // CRC32C was present (and right)
}

// ProxyTLS is the vector PP2_TYPE_SSL (PROXY 2.2.6).
type ProxyTLS struct {
	Present    bool   // the vector was there at all
	Client     uint8  // ProxyTLSOn and the like
	Verify     uint32 // 0: the client's certificate was verified
	Version    []byte // "TLSv1.3"
	CommonName []byte
	Cipher     []byte
	SigAlg     []byte
	KeyAlg     []byte
}

// Bits of ProxyTLS.Client.
const (
	ProxyTLSOn       uint8 = 1 << iota // the client connected over TLS
	ProxyTLSCertConn                   // it gave a certificate on this connection
	ProxyTLSCertSess                   // it gave one at least once in this TLS session
)

// ProxyStatus is how far a header was understood.
type ProxyStatus uint8

const (
	ProxyNeedMore ProxyStatus = iota // right so far; more bytes decide
	ProxyComplete                    // the header has ended
	ProxyBad                         // no PROXY header, or a wrong one: the connection must be dropped
)

func (s ProxyStatus) String() string {
	switch s {
	case ProxyNeedMore:
		return "need more"
	case ProxyComplete:
		return "complete"
	case ProxyBad:
		return "bad"
	}
	return "unknown"
}

// ParseProxy reads the PROXY header that b begins with. b holds all bytes of
// the connection so far; n is the length of the header once it is complete.
// info is overwritten, and points into b: see Clone. Nothing is allocated.
func ParseProxy(b []byte, info *ProxyInfo) (n int, st ProxyStatus) {
	*info = ProxyInfo{}
	if len(b) == 0 {
		return 0, ProxyNeedMore
	}
	if b[0] == proxyV2Signature[0] {
		n, st = parseProxyV2(b, info)
	} else {
		n, st = parseProxyV1(b, info)
	}
	if st != ProxyComplete {
		*info = ProxyInfo{}
	}
	return n, st
}

// Clone returns a copy that no longer points into the parsed bytes.
func (p *ProxyInfo) Clone() *ProxyInfo {
	c := *p
	size := 0
	for _, f := range c.slices() {
		size += len(*f)
	}
	if size == 0 {
		return &c
	}
	room := make([]byte, 0, size)
	for _, f := range c.slices() {
		if *f == nil {
			continue
		}
		start := len(room)
		room = append(room, *f...)
		*f = room[start:len(room):len(room)]
	}
	return &c
}

func (p *ProxyInfo) slices() [12]*[]byte {
	return [...]*[]byte{
		&p.SrcPath, &p.DstPath, &p.TLVs, &p.ALPN, &p.Authority, &p.UniqueID, &p.NetNS,
		&p.TLS.Version, &p.TLS.CommonName, &p.TLS.Cipher, &p.TLS.SigAlg, &p.TLS.KeyAlg,
	}
}
