package proxy

import (
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
)

// A Config is all that a Proxy runs: plain data, filled by config.Load from a
// haproxy.cfg or by hand. New copies what it keeps.
//
// In every struct here zero means the default and, for durations and counts, a
// negative value means no bound. Origin fields ("haproxy.cfg:41") only serve
// messages.
type Config struct {
	Global    Global
	Frontends []Frontend
	Backends  []Backend
}

// Global holds what belongs to the whole process (manual chapter 3).
type Global struct {
	Loops          int // nbthread; 0: as many as there are CPUs for us
	MaxConn        int // client connections of the whole process; 0: computed from descriptors and memory
	MaxTLSConn     int // maxsslconn: those of them that speak TLS; 0: no bound of its own
	UlimitN        int // descriptors; 0: computed from MaxConn
	Node           string
	Logs           []LogTarget
	LogTag         string // default "haproxy"; cmd gives the name it was called by
	LogHost        string // log-send-hostname; empty: no host name in RFC 3164 headers
	HardStop       time.Duration
	SpreadRate     int           // spread-checks, percent
	SpreadMax      time.Duration // max-spread-checks; 0: no bound but the checks' interval
	ServerStateDir string

	Tune Tune
}

// Tune holds sizes and bounds (tune.* of the manual).
type Tune struct {
	BufSize      int // tune.bufsize, bytes; default 16384
	MaxRewrite   int // tune.maxrewrite, bytes; default 1024
	HTTPMaxHdr   int // tune.http.maxhdr, header fields; default 101
	MaxAccept    int // tune.maxaccept, connections per turn; default 64
	PipeSize     int // tune.pipesize, bytes; default: the kernel's
	LogURILen    int // tune.http.logurilen, bytes of a request line kept for logs; default 1024
	MaxPipes     int // maxpipes; default MaxConn/4
	RcvBufClient int
	RcvBufServer int
	SndBufClient int
	SndBufServer int
	H2           TuneH2
	NoSplice     bool // nosplice: copy bytes instead of splice(2)
	NoIOUring    bool // make every system call at once, as where io_uring is not granted
}

// TuneH2 is tune.h2.*, as it holds for connections from clients.
type TuneH2 struct {
	HeaderTable  int // tune.h2.header-table-size, bytes; default 4096
	Window       int // tune.h2.initial-window-size, bytes; default 65535
	FrontWindow  int // tune.h2.fe.initial-window-size; default: Window
	Streams      int // tune.h2.max-concurrent-streams; default 100
	FrontStreams int // tune.h2.fe.max-concurrent-streams; default: Streams
	TotalStreams int // tune.h2.fe.max-total-streams, requests of one connection; 0: any number
	FrameSize    int // tune.h2.max-frame-size, bytes; default and maximum: tune.bufsize, at least 16384
}

// Mode is what a frontend or backend understands of its traffic.
type Mode uint8

const (
	ModeTCP  Mode = iota // a relay of bytes
	ModeHTTP             // HTTP requests
)

// Common holds what frontends and backends share; "listen" fills it alike on
// both sides.
type Common struct {
	Name        string
	ID          int
	Origin      string
	Mode        Mode
	Disabled    bool
	Description string

	Logs      []LogTarget
	LogTag    string
	Timeouts  Timeouts
	ACLs      []ACL
	HTTPRules HTTPRules
	TCPRules  TCPRules
	Errors    map[int]ErrorAnswer // errorfile, errorloc*; key: HTTP status
	ConnMode  ConnMode            // httpclose, http-server-close, http-keep-alive

	ForwardFor *ForwardFor
	OriginalTo *ForwardFor // Header default X-Original-To

	// AcceptInvalidRequest and AcceptUnsafeRequest are option
	// accept-invalid-http-request and accept-unsafe-violations-in-http-request;
	// the response twins belong to backends.
	AcceptInvalidRequest, AcceptUnsafeRequest   bool
	DisableH2Upgrade                            bool // the preface of HTTP/2 is no request
	AcceptInvalidResponse, AcceptUnsafeResponse bool

	HTTPBufferRequest bool
	NoLinger          bool // option nolinger
	SpliceAuto        bool // option splice-auto; weir splices long flows in any case
	SpliceRequest     bool
	SpliceResponse    bool
	ClientKeepAlive   bool // option clitcpka or tcpka
	ServerKeepAlive   bool // option srvtcpka or tcpka
	Unknown           []string
}

// A Frontend accepts client connections (manual chapter 4).
type Frontend struct {
	Common
	Binds          []listener.Spec
	TLS            []*tls.Spec // TLS[i] belongs to Binds[i]; missing or nil: clear
	MaxConn        int         // clients at once; 0: Global.MaxConn
	Backlog        int
	DefaultBackend string
	UseBackend     []UseBackend // in file order
	MonitorURI     string
	MonitorFail    []Cond // any that holds makes the monitor answer 503

	Log LogOptions

	UniqueIDFormat, UniqueIDHeader string
	UniqueIDOrigin                 string // of UniqueIDFormat

	HTTPIgnoreProbes bool
	HTTPNoDelay      bool
}

// A Backend is a group of servers.
type Backend struct {
	Common
	Balance balancer.Spec // algorithm and servers; Balance.Servers[i] belongs to Servers[i]
	// HashOn is the sample that uri, hdr, url_param, hash algorithms feed to
	// the balancer.
	HashOn     HashOn
	Servers    []Server
	Retries    int // default 3; negative: none
	Redispatch int // 0: off; -1: last retry only; N>0: every Nth retry; N<-1: from the end, as the manual says
	FullConn   int

	Cookie           *Cookie
	DynamicCookieKey string
	CheckCache       bool // option checkcache
	PreferLastServer bool
	AbortOnClose     bool
	PretendKeepAlive bool
	Reuse            Reuse
	RetryOn          []string // retry-on; empty: conn-failure
	HTTPSendName     string   // http-send-name-header
	Source           listener.SourceSpec

	Check           health.Spec // what all servers' checks share
	LogHealthChecks bool
	Listen          bool // from a "listen" section: messages call it "proxy"
	AllBackups      bool // option allbackups
}

// A Server is one destination of a Backend.
type Server struct {
	Name   string
	ID     int
	Origin string
	// Address is "ip:port", "host:port" or "/path" or "@abstract" of a UNIX
	// socket. Without a port, or with ":+N", the port is the one that the client
	// connected to.
	Address string
	Family  string

	Check          health.ServerSpec
	TLS            *tls.ClientSpec // nil: clear
	CheckTLS       *tls.ClientSpec // of health checks; nil: clear. SNI is a name, no expression
	CheckTLSAll    bool            // check-ssl: also where a script says how to connect
	Cookie         string
	SendProxy      ProxyHeader
	ProxyOptions   []string // proxy-v2-options
	Source         listener.SourceSpec
	TFO            bool
	MSS            int
	TCPUserTimeout time.Duration
	PoolMaxConn    int // idle connections kept; default -1: no bound but the descriptor budget; 0 is given as PoolNone
	PoolNone       bool
	PoolPurgeDelay time.Duration // default 5 seconds; negative: none is kept
	MaxReuse       int           // requests per connection; 0: no bound
	Redirect       string        // redir prefix
	Proto          string
	// InitAddr says how a host name is resolved at start: "libc", "none" (start
	// without an address, down), "last" (the state file) or an IP address, in
	// the order to try. Default: last, libc.
	InitAddr []string
}

// ProxyHeader is the PROXY protocol version sent to a server.
type ProxyHeader uint8

const (
	ProxyNone ProxyHeader = iota
	ProxyV1
	ProxyV2
)

// Timeouts of the manual's "timeout" keywords. Zero means the default named
// here; negative means no bound (what a haproxy.cfg without the keyword means).
type Timeouts struct {
	Connect     time.Duration // 5 s
	Client      time.Duration // 50 s
	Server      time.Duration // 50 s
	Tunnel      time.Duration // Client and Server
	ClientFin   time.Duration // Client
	ServerFin   time.Duration // Server
	Queue       time.Duration // Connect
	HTTPRequest time.Duration // Client
	KeepAlive   time.Duration // http-keep-alive; HTTPRequest
	Check       time.Duration
	Tarpit      time.Duration
}

// ConnMode is what happens to the connections after a response.
type ConnMode uint8

const (
	ConnKeepAlive   ConnMode = iota // both stay (option http-keep-alive, the default)
	ConnServerClose                 // the server's is closed (option http-server-close)
	ConnClose                       // both are closed (option httpclose)
)

// Reuse says when an idle server connection may carry another client's
// request (http-reuse).
type Reuse uint8

const (
	ReuseSafe Reuse = iota // from a client's second request on (default)
	ReuseNever
	ReuseAggressive // also first requests, on connections that were reused before
	ReuseAlways
)

// ForwardFor is option forwardfor or originalto.
type ForwardFor struct {
	Header string   // default X-Forwarded-For
	Except []string // networks whose clients get no header
	IfNone bool
}

// An ACL is a named condition; several with one name are alternatives.
type ACL struct {
	Name   string
	Words  []string // fetch with converters, flags and patterns, as in the file
	Origin string
}

// A Cond is the tail of a rule. The zero Cond always holds.
type Cond struct {
	Unless bool
	Words  []string // after "if" or "unless": acl names, ! || or { anonymous acl }
	Origin string   // of "monitor fail"; empty in rules, which have their own
}

// UseBackend is one use_backend rule.
type UseBackend struct {
	Backend string // a name, or a log-format string that gives one
	Cond    Cond
	Origin  string
}

// HTTPRules are evaluated in file order.
type HTTPRules struct {
	Request       []Rule // http-request, redirect
	Response      []Rule // http-response
	AfterResponse []Rule // http-after-response
}

// TCPRules are evaluated in file order.
type TCPRules struct {
	Connection   []Rule        // tcp-request connection
	Session      []Rule        // tcp-request session
	Content      []Rule        // tcp-request content
	InspectDelay time.Duration // tcp-request inspect-delay
	Response     []Rule        // tcp-response content
}

// A Rule is an action with a condition. Name is the manual's ("set-header",
// "deny", "redirect"); Args are its words as in the file, without the
// condition.
type Rule struct {
	Name   string
	Args   []string
	Cond   Cond
	Origin string
}

// An ErrorAnswer replaces the built-in answer for one status: bytes sent as
// they are (errorfile) or a redirect (errorloc).
type ErrorAnswer struct {
	Raw      []byte
	Location string
	Code     int // 302 or 303, with Location
	Origin   string
}

// Cookie is the "cookie" keyword of a backend.
type Cookie struct {
	Name                                                    string
	Insert, Rewrite, Prefix                                 bool
	Indirect, NoCache, PostOnly, Preserve, HTTPOnly, Secure bool
	Dynamic                                                 bool // servers without a cookie of their own get one by Backend.DynamicCookieKey
	Domains                                                 []string
	Attrs                                                   []string
	MaxIdle, MaxLife                                        time.Duration // rounded up to seconds; zero: no bound
}

// HashOn says what a hashing algorithm hashes.
type HashOn struct {
	Kind            string // "", "source", "uri", "url_param", "hdr", "rdp-cookie", "hash"
	Arg             string // header or parameter name, or the expression of "hash"
	Len, Depth      int
	Whole, PathOnly bool
	UseDomainOnly   bool
	Origin          string
}

// A LogTarget is one "log" line.
type LogTarget struct {
	Global       bool   // "log global": the global section's targets
	Address      string // "127.0.0.1:514", "/dev/log", "stdout", "stderr", "fd@3", "ring@name"
	Len          int    // bytes of a line; default 1024
	Format       string // rfc3164 (default), rfc5424, raw, short, priority, timed, iso, local
	Facility     string
	Level        string // maximum; default debug
	MinLevel     string
	SampleRanges string
	SampleSize   int
	Origin       string
}

// LogOptions say what a frontend logs of each session.
type LogOptions struct {
	Format          LogFormat
	Custom          string // log-format; overrides Format
	CustomSD        string
	ErrorFormat     string
	Origin          string // of Custom
	SDOrigin        string // of CustomSD
	ErrorOrigin     string // of ErrorFormat
	DontLogNull     bool
	DontLogNormal   bool
	LogASAP         bool
	SeparateErrors  bool
	CaptureRequest  []Capture
	CaptureResponse []Capture
	CaptureCookie   *Capture
}

// LogFormat is one of the manual's built-in formats (chapter 8.2).
type LogFormat uint8

const (
	LogDefault LogFormat = iota // "Connect from ..."
	LogTCP                      // option tcplog
	LogHTTP                     // option httplog
	LogCLF                      // option httplog clf
	LogHTTPS                    // option httpslog
)

// A Capture is "capture request header", "capture response header" or
// "capture cookie".
type Capture struct {
	Name string
	Len  int // bytes kept
}
