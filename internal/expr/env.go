package expr

import (
	"crypto/x509"
	"net/netip"

	"github.com/weir-lb/weir/internal/message"
)

// An Env is what a rule, a log format or a balancing key can see. A loop keeps
// one, and the session that is evaluated fills it: nothing in it is allocated
// for a request. A field that does not apply stays zero (a nil Res before the
// response has come, a nil TLS on a clear connection), and what asks for it
// finds nothing.
type Env struct {
	// Set once for each loop.
	Scratch *Scratch // working memory, random numbers, formatted dates
	Process *Process // shared by all loops
	Live    Live     // state of frontends, backends and servers; may be nil

	// Now is the wall clock in nanoseconds since 1970.
	Now int64

	// The client's connection.
	Src, Dst         netip.AddrPort // after PROXY headers; invalid for UNIX sockets
	ConnSrc, ConnDst netip.AddrPort // of the socket itself (fc_src, fc_dst)
	BindConns        int            // connections of the bind that accepted (dst_conn)
	UnixClient       bool           // accepted on a UNIX socket: logged as "unix:" and the bind's id
	BindID           int
	BindName         string
	TLS              *TLSInfo // nil: not encrypted
	Proxy            *ProxyInfo
	ConnErr          int    // fc_err; 0: none
	ConnErrText      string // fc_err_str

	// The exchange. FirstRequest is true for the first on its connection.
	Req, Res     *message.Head
	ReqBody      []byte // the bytes of the body that are buffered
	FirstRequest bool
	ReqPayload   []byte // TCP mode: bytes of the client not yet relayed
	ResPayload   []byte
	Final        bool // no more bytes will come before the verdict (wait_end, inspect-delay over)

	FrontendName string
	FrontendID   int
	FrontendHTTP bool // its mode
	DefaultBE    string
	BackendName  string // empty: none was chosen
	BackendID    int
	ServerName   string // empty: none was chosen
	ServerID     int
	Loop         int // thread

	Sess *Vars // variables of the connection (scope sess); may be nil
	Txn  *Vars // variables of the exchange (scopes txn, req and res); may be nil

	// Rec is what log formats read; nil but in rules that need captures and in
	// logs.
	Rec *Record

	// unsure is set by what failed but may succeed when more bytes come.
	unsure bool
}

// TLSInfo is what fetches and logs see of an encrypted client connection.
type TLSInfo struct {
	SNI      string
	Version  string // as HAProxy writes it: "TLSv1.3"
	Cipher   string // OpenSSL's name
	ALPN     string
	Resumed  bool
	HasCert  bool // a client certificate was presented
	Err      int  // ssl_fc_err
	CertErr  int  // ssl_c_err
	CertCA   int  // ssl_c_ca_err
	UsedCert bool // ssl_c_used: presented now or with the session resumed

	Client *x509.Certificate // the client's; nil: none
	Shown  *x509.Certificate // what the client was shown

	clientCert, shownCert *Cert
}

// ProxyInfo is what a PROXY header said beside the addresses.
type ProxyInfo struct {
	Authority []byte
	UniqueID  []byte
}

// Process holds what is the same in the whole process.
type Process struct {
	Hostname string // of the system
	Node     string // global "node", or the host name: %H
	PID      int
	Vars     ProcVars
	// IsLocal reports whether an address is one of this machine's; nil: only the
	// loopback ones are.
	IsLocal func(netip.Addr) bool
}

// Live answers what some fetches ask about the state of proxies. An empty name
// means the current one of env. All methods are called from loops and must
// neither block nor allocate.
type Live interface {
	LiveFrontend(env *Env, name string) (FrontendLive, bool)
	LiveBackend(env *Env, name string) (BackendLive, bool)
	LiveServer(env *Env, backend, server string) (ServerLive, bool)
	Stopping() bool
}

// FrontendLive is the state of one frontend.
type FrontendLive struct {
	Conns        int // fe_conn
	SessionRate  int // fe_sess_rate
	RequestRate  int // fe_req_rate
	ClientTimeMS int // fe_client_timeout
}

// BackendLive is the state of one backend.
type BackendLive struct {
	Conns       int // be_conn
	Queued      int // queue: its own and its servers'
	Usable      int // nbsrv
	FreeConns   int // be_conn_free; -1: no bound
	FreeSlots   int // connslots; -1: no bound
	SessionRate int // be_sess_rate
	ServerMS    int // be_server_timeout
	TunnelMS    int // be_tunnel_timeout
}

// ServerLive is the state of one server.
type ServerLive struct {
	Up            bool // srv_is_up
	Conns         int  // srv_conn
	FreeConns     int  // srv_conn_free; -1: no bound
	Queued        int  // srv_queue
	SessionRate   int  // srv_sess_rate
	Weight        int  // srv_weight: effective
	UserWeight    int  // srv_uweight
	InitialWeight int  // srv_iweight
}
