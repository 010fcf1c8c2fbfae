package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
)

// A plan is the immutable compiled form of a Config. It is built off the
// loops and put in place by one atomic store: each new request takes the plan
// of the moment, a running one keeps its own.
type plan struct {
	cfg       *Config
	frontends []*frontend
	backends  []*backend
	byName    map[string]*backend
}

// common is what compiled frontends and backends share.
type common struct {
	name                   string
	mode                   Mode
	timeouts               timeouts
	acls                   *expr.ACLs
	request                []rule
	response               []rule
	after                  []rule
	answers                map[int]*answer
	connMode               ConnMode
	forwardFor, originalTo *forwardFor
	limits                 h1.Limits
}

// A frontend is the compiled form of a Frontend.
type frontend struct {
	common
	spec          *Frontend
	live          *liveFrontend
	tune          Tune
	tcpConnection []rule
	tcpSession    []rule
	tcpContent    []rule
	inspectDelay  time.Duration
	uses          []useRule
	fallback      *backend // default_backend
	monitor       []byte   // monitor-uri
	monitorFail   []*expr.Cond
	uniqueID      *expr.Format
	uniqueHeader  []byte
	logs          *logPlan
	early         map[int]*answer // answers to heads that can't be understood
	clientTuning  listener.ClientTuning
	captures      [sideCount]capturePlan
	looks         expr.Look // what its rules and formats, and those of backends, want to know
	sessVars      bool      // a rule sets a variable of the connection
	tls           []*tls.Server
}

type useRule struct {
	cond    *expr.Cond
	backend *backend // nil: by name
	name    *expr.Format
}

// A backend is the compiled form of a Backend.
type backend struct {
	common
	spec          *Backend
	live          *liveBackend
	servers       []*server
	cookie        *cookiePlan
	hash          *expr.Expr
	retries       int
	reuse         Reuse
	redispatch    int
	tcpResponse   []rule
	sink          *accesslog.Sink // for messages about servers
	sendName      []byte
	ownAnswers    map[int]*answer // errorfile and errorloc of the backend itself
	retryOn       retryCause
	retryStatuses []int
}

// A server is the compiled form of a Server.
type server struct {
	spec         *Server
	be           *backend
	bal          *balancer.Server
	live         *liveServer
	index        int
	addr         evloop.Addr
	address      listener.ServerAddress // what addr was made from
	tuning       listener.ServerTuning
	proxyOptions listener.ProxyOptions
	trackers     []*server // servers whose state follows ours
	nameBytes    []byte    // for http-send-name-header
	purgeDelay   time.Duration
	cookie       string      // leads clients here
	private      bool        // its connections carry what belongs to one client
	tls          *tls.Client // nil: clear
	sni          *expr.Expr  // the name to ask for; nil: none
	checkTLS     *tls.Client // of health checks; nil: clear
	tellsSrc     bool        // a format tells the address that servers see
}

// timeouts are resolved: not positive means no bound.
type timeouts struct {
	connect, client, server, tunnel    time.Duration
	clientFin, serverFin, queue, check time.Duration
	httpRequest, keepAlive, tarpit     time.Duration
}

// withDefaults is the one place where an unset time gets its value.
func (t Timeouts) withDefaults() timeouts {
	r := timeouts{
		connect:   orDefault(t.Connect, 5*time.Second),
		client:    orDefault(t.Client, 50*time.Second),
		server:    orDefault(t.Server, 50*time.Second),
		tunnel:    t.Tunnel,
		clientFin: t.ClientFin,
		serverFin: t.ServerFin,
		check:     t.Check,
	}
	r.queue = orDefault(t.Queue, r.connect)
	r.tarpit = orDefault(t.Tarpit, r.connect)
	r.httpRequest = orDefault(t.HTTPRequest, r.client)
	r.keepAlive = orDefault(t.KeepAlive, r.httpRequest)
	return r
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// A compiler turns a Config into a plan and gathers all errors.
type compiler struct {
	cfg      *Config
	reg      *registry
	plan     *plan
	errs     Errors
	named    []mention
	looks    expr.Look // of the section that is compiled, and of all backends
	sessVars bool      // a rule so far sets a variable of the connection
	section  string
	answers  map[int]*answer
	early    map[int]*answer
	tune     Tune
	readFile func(name string) ([]byte, error)
	offline  bool // names of servers are not looked up
}

// newCompiler makes one that takes live objects from reg or adds them to it.
func newCompiler(cfg *Config, reg *registry, readFile func(string) ([]byte, error)) *compiler {
	if readFile == nil {
		readFile = os.ReadFile
	}
	return &compiler{
		cfg: cfg, reg: reg, tune: cfg.Global.Tune.withDefaults(), answers: newStandardAnswers(), early: newEarlyAnswers(),
		plan: &plan{cfg: cfg, byName: make(map[string]*backend)}, readFile: readFile,
	}
}

// compile builds the plan.
func (c *compiler) compile() (*plan, Errors) {
	cfg := c.cfg
	for i := range cfg.Backends {
		c.backend(&cfg.Backends[i])
	}
	c.trackers()
	ofBackends, all := c.looks, c.looks
	for i := range cfg.Frontends {
		c.looks = ofBackends
		c.frontend(&cfg.Frontends[i])
		all |= c.looks
	}
	c.checkMentions()
	for _, be := range c.plan.backends {
		for _, srv := range be.servers {
			srv.tellsSrc = all&expr.LookServerSrc != 0
		}
	}
	return c.plan, c.errs
}

// withDefaults is the one place where unset sizes get their values.
func (t Tune) withDefaults() Tune {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&t.BufSize, 16384)
	def(&t.MaxRewrite, min(1024, t.BufSize/2))
	def(&t.HTTPMaxHdr, 101)
	def(&t.H2.HeaderTable, 4096)
	def(&t.H2.Window, 65535)
	def(&t.H2.Streams, 100)
	def(&t.H2.FrontWindow, t.H2.Window)
	def(&t.H2.FrontStreams, t.H2.Streams)
	def(&t.H2.FrameSize, 1<<24-1)
	t.H2.FrameSize = min(t.H2.FrameSize, max(t.BufSize, 1<<14))
	def(&t.MaxAccept, 64)
	def(&t.LogURILen, 1024)
	return t
}

func (c *compiler) common(spec *Common) common {
	out := common{
		name: spec.Name, mode: spec.Mode, timeouts: spec.Timeouts.withDefaults(), connMode: spec.ConnMode,
		answers: c.answersOf(spec),
	}
	sources := make([]expr.ACLSource, len(spec.ACLs))
	for i, a := range spec.ACLs {
		sources[i] = expr.ACLSource{Name: a.Name, Words: a.Words, Origin: a.Origin}
	}
	acls, errs := expr.CompileACLsFrom(sources, expr.Loader{ReadFile: c.readFile})
	for _, err := range errs {
		var wrong *expr.ACLError
		if errors.As(err, &wrong) {
			c.errs.add(wrong.Origin, c.section, "acl %s: %v", wrong.Name, wrong.Err)
		}
	}
	c.mentions(spec.Origin, "acl", acls.References())
	out.acls = acls
	out.forwardFor = c.forwardFor(spec, spec.ForwardFor, "x-forwarded-for")
	out.originalTo = c.forwardFor(spec, spec.OriginalTo, "x-original-to")
	out.limits = h1.Limits{
		HeadMax:   c.tune.BufSize - c.tune.MaxRewrite,
		FieldsMax: c.tune.HTTPMaxHdr,
	}
	return out
}

func (c *compiler) answersOf(spec *Common) map[int]*answer {
	if len(spec.Errors) == 0 {
		return c.answers
	}
	all := make(map[int]*answer, len(c.answers))
	for status, a := range c.answers {
		all[status] = a
	}
	for status, e := range spec.Errors {
		all[status] = newErrorAnswer(status, e)
	}
	return all
}

func (c *compiler) cond(origin string, spec Cond, acls *expr.ACLs, ph expr.Phase) *expr.Cond {
	cond, err := expr.CompileCond(spec.Words, spec.Unless, acls, ph)
	if err != nil {
		c.errs.add(origin, c.section, "in the condition: %v", err)
	}
	c.mentions(origin, "in the condition", cond.References())
	c.looks |= cond.Looks()
	return cond
}

func (c *compiler) format(origin, what, text string, ph expr.Phase) *expr.Format {
	if text == "" {
		return nil
	}
	f, err := expr.CompileFormat(text, ph)
	if err != nil {
		c.errs.add(origin, c.section, "%s: %v", what, err)
		return nil
	}
	c.mentions(origin, what, f.References())
	c.looks |= f.Looks()
	return f
}

func (c *compiler) frontend(spec *Frontend) {
	c.section = "frontend " + spec.Name
	fe := &frontend{spec: spec, common: c.common(&spec.Common), tune: c.tune}
	fe.live = c.reg.frontend(spec.Name)
	fe.captures = [sideCount]capturePlan{newCapturePlan(spec.Log.CaptureRequest), newCapturePlan(spec.Log.CaptureResponse)}
	rules := func(name, letter string, ph expr.Phase, list []Rule) []rule {
		return c.compileRules(ruleScope{name: name, phase: ph, fe: fe}, letter, list, fe.acls)
	}
	fe.tcpConnection = rules("tcp-request connection", "t", expr.PhaseConnection, spec.TCPRules.Connection)
	fe.tcpSession = rules("tcp-request session", "t", expr.PhaseSession, spec.TCPRules.Session)
	fe.tcpContent = rules("tcp-request content", "t", expr.PhaseContent, spec.TCPRules.Content)
	fe.request = rules("http-request", "q", expr.PhaseRequest, spec.HTTPRules.Request)
	fe.response = rules("http-response", "s", expr.PhaseResponse, spec.HTTPRules.Response)
	fe.after = rules("http-after-response", "a", expr.PhaseResponse, spec.HTTPRules.AfterResponse)
	c.checkCaptures(fe, "http-request", fe.request)
	c.checkCaptures(fe, "http-response", fe.response)
	c.checkCaptures(fe, "http-after-response", fe.after)
	fe.inspectDelay = spec.TCPRules.InspectDelay
	fe.limits.Lenient = spec.AcceptInvalidRequest
	fe.limits.Unsafe = spec.AcceptUnsafeRequest
	fe.early = c.early
	fe.clientTuning = listener.ClientTuning{
		KeepAlive: listener.KeepAlive{On: spec.ClientKeepAlive}, RcvBuf: c.tune.RcvBufClient, SndBuf: c.tune.SndBufClient,
	}
	c.binds(fe, spec)
	c.routes(fe, spec)
	if spec.MonitorURI != "" {
		fe.monitor = []byte(spec.MonitorURI)
	}
	for _, m := range spec.MonitorFail {
		fe.monitorFail = append(fe.monitorFail, c.cond(orOrigin(m.Origin, spec.Origin), m, fe.acls, expr.PhaseRequest))
	}
	fe.uniqueID = c.format(orOrigin(spec.UniqueIDOrigin, spec.Origin), "unique-id-format", spec.UniqueIDFormat, expr.PhaseUniqueID)
	fe.uniqueHeader = []byte(spec.UniqueIDHeader)
	fe.logs = c.logPlan(spec)
	fe.looks, fe.sessVars = c.looks, c.sessVars
	c.plan.frontends = append(c.plan.frontends, fe)
}

// binds reads what the binds that speak TLS need.
func (c *compiler) binds(fe *frontend, spec *Frontend) {
	for _, s := range spec.TLS {
		if s == nil {
			fe.tls = append(fe.tls, nil)
			continue
		}
		server, err := tls.NewServer(s, c.readFile)
		if err != nil {
			c.errs.add(orOrigin(s.Origin, spec.Origin), c.section, "bind: %v", err)
		}
		fe.tls = append(fe.tls, server)
	}
}

// tlsOf is what bind number i shows its clients; nil when it is clear.
func (fe *frontend) tlsOf(i int) *tls.Server {
	if i >= len(fe.tls) {
		return nil
	}
	return fe.tls[i]
}

// routes compiles use_backend and default_backend. A backend of another mode
// cannot serve the frontend's traffic.
func (c *compiler) routes(fe *frontend, spec *Frontend) {
	for _, u := range spec.UseBackend {
		r := useRule{cond: c.cond(u.Origin, u.Cond, fe.acls, expr.PhaseRequest)}
		f := c.format(u.Origin, "use_backend", u.Backend, expr.PhaseRequest)
		if f == nil {
			continue
		}
		if name, constant := f.Constant(); constant {
			r.backend = c.target(fe, u.Origin, "use_backend", name)
		} else {
			r.name = f
		}
		fe.uses = append(fe.uses, r)
	}
	if spec.DefaultBackend != "" {
		fe.fallback = c.target(fe, spec.Origin, "default_backend", spec.DefaultBackend)
	}
}

func (c *compiler) target(fe *frontend, origin, keyword, name string) *backend {
	be := c.plan.byName[name]
	if be == nil {
		c.errs.add(origin, c.section, "%s: there is no backend %q", keyword, name)
		return nil
	}
	if be.mode != fe.mode {
		c.errs.add(origin, c.section, "%s: backend %s has another mode; both must be http or both tcp", keyword, name)
	}
	return be
}

func (c *compiler) backend(spec *Backend) {
	c.section = "backend " + spec.Name
	if c.plan.byName[spec.Name] != nil {
		c.errs.add(spec.Origin, c.section, "the name is taken by another backend")
		return
	}
	be := &backend{
		spec: spec, common: c.common(&spec.Common), retries: spec.Retries, reuse: spec.Reuse,
		redispatch: spec.Redispatch, cookie: newCookiePlan(spec.Cookie), sendName: []byte(spec.HTTPSendName),
	}
	switch {
	case spec.Retries == 0:
		be.retries = 3
	case spec.Retries < 0:
		be.retries = 0
	}
	be.limits.Lenient = spec.AcceptInvalidResponse
	be.limits.Unsafe = spec.AcceptUnsafeResponse
	rules := func(name, letter string, ph expr.Phase, list []Rule) []rule {
		return c.compileRules(ruleScope{name: name, phase: ph}, letter, list, be.acls)
	}
	be.request = rules("http-request", "q", expr.PhaseBackendRequest, spec.HTTPRules.Request)
	be.response = rules("http-response", "s", expr.PhaseResponse, spec.HTTPRules.Response)
	be.after = rules("http-after-response", "a", expr.PhaseResponse, spec.HTTPRules.AfterResponse)
	be.tcpResponse = rules("tcp-response content", "r", expr.PhaseTCPResponse, spec.TCPRules.Response)
	be.hash = c.hashExpr(spec)
	be.ownAnswers = make(map[int]*answer)
	for status, e := range spec.Errors {
		be.ownAnswers[status] = newErrorAnswer(status, e)
	}
	c.retryOn(be, spec)
	c.plan.byName[spec.Name] = be // also a broken one is not missing where frontends name it
	spec.Balance.Name = spec.Name
	live, err := c.reg.backend(spec)
	if err != nil {
		c.errs.add(spec.Origin, c.section, "%v", cmp.Or(errors.Unwrap(err), err))
		return
	}
	be.live = live
	for i := range spec.Servers {
		be.servers = append(be.servers, c.server(be, i))
	}
	c.plan.backends = append(c.plan.backends, be)
}

func (c *compiler) server(be *backend, i int) *server {
	spec := &be.spec.Servers[i]
	srv := &server{spec: spec, be: be, index: i, bal: be.live.bal.Servers()[i], live: be.live.servers[i]}
	err := c.address(srv)
	if err != nil {
		c.errs.add(spec.Origin, c.section, "server %s: %v", spec.Name, err)
	}
	srv.nameBytes = []byte(spec.Name)
	srv.cookie = cookieOf(srv, be.spec)
	srv.purgeDelay = orDefault(spec.PoolPurgeDelay, 5*time.Second)
	if srv.proxyOptions, err = listener.ParseProxyOptions(spec.ProxyOptions); err != nil {
		c.errs.add(spec.Origin, c.section, "server %s: %v", spec.Name, err)
	}
	source := spec.Source
	if source == (listener.SourceSpec{}) {
		source = be.spec.Source
	}
	if srv.tuning.Source, err = listener.ParseSource(source); err != nil {
		c.errs.add(spec.Origin, c.section, "server %s: %v", spec.Name, err)
	}
	srv.tuning.UNIX = srv.addr.Path != ""
	srv.tuning.IPv6 = srv.addr.IP.Addr().Is6()
	srv.tuning.KeepAlive.On = be.spec.ServerKeepAlive
	srv.tuning.FastOpen = spec.TFO
	srv.tuning.MSS = spec.MSS
	srv.tuning.UserTimeout = spec.TCPUserTimeout
	srv.tuning.RcvBuf, srv.tuning.SndBuf = c.tune.RcvBufServer, c.tune.SndBufServer
	srv.private = spec.SendProxy != ProxyNone || source.UseSrc != "" || srv.address.MapPort || srv.address.ClientDst
	c.serverTLS(srv)
	return srv
}

const resolveTimeout = 5 * time.Second // for the names of servers, at start

// address finds out where srv is. A name is resolved once, as "init-addr" says:
// by the system's resolver unless it names other ways; with "none" a server
// that can't be resolved starts in maintenance.
func (c *compiler) address(srv *server) error {
	addr, err := listener.ParseServerAddress(srv.spec.Address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	if !c.offline {
		err = addr.Resolve(ctx)
	}
	for _, way := range srv.spec.InitAddr {
		if err == nil {
			break
		}
		if way == "none" {
			srv.be.live.bal.SetState(srv.bal, balancer.StateMaint, 0)
			err = nil
		} else if ip, perr := netip.ParseAddr(way); perr == nil {
			addr.Addr.IP, err = netip.AddrPortFrom(ip, addr.Addr.IP.Port()), nil
		}
	}
	srv.addr, srv.address = addr.Addr, addr
	return err
}

// hashExpr compiles what a hashing algorithm hashes, if it is not the
// client's address.
func (c *compiler) hashExpr(spec *Backend) *expr.Expr {
	text := ""
	switch h := spec.HashOn; h.Kind {
	case "", "source":
		return nil
	case "hdr":
		text = fmt.Sprintf("req.hdr(%s)", h.Arg)
	case "url_param":
		text = fmt.Sprintf("url_param(%s)", h.Arg)
	case "uri":
		return nil // exchange_balance.go: the parts of it are chosen by len, depth, whole
	case "hash":
		text = h.Arg
	default:
		c.errs.add(orOrigin(h.Origin, spec.Origin), c.section, "balance %s: not supported; weir has roundrobin, static-rr, leastconn, first, random, source, uri, hdr, url_param and hash", h.Kind)
		return nil
	}
	e, err := expr.CompileExpr(text, expr.PhaseBackendRequest)
	if err != nil {
		c.errs.add(orOrigin(spec.HashOn.Origin, spec.Origin), c.section, "balance: %v", err)
		return nil
	}
	c.mentions(orOrigin(spec.HashOn.Origin, spec.Origin), "balance", e.References())
	c.looks |= e.Looks()
	return e
}

// redispatchNow reports whether the next retry may leave the server that
// failed (manual "option redispatch").
func (be *backend) redispatchNow(left, tries int) bool {
	n := be.redispatch
	switch {
	case n == 0:
		return false
	case n > 0:
		return tries%n == 0
	default:
		return left == -n-1 // -1 is the last retry
	}
}

// trackers joins each server to the one that its "track" names: "server" of
// the same backend or "backend/server".
func (c *compiler) trackers() {
	for _, be := range c.plan.backends {
		c.section = "backend " + be.name
		for _, srv := range be.servers {
			if srv.spec.Check.Track == "" {
				continue
			}
			if err := c.track(be, srv); err != nil {
				c.errs.add(srv.spec.Origin, c.section, "server %s: track %s: %v", srv.spec.Name, srv.spec.Check.Track, err)
			}
		}
	}
}

func (c *compiler) track(be *backend, srv *server) error {
	name := srv.spec.Check.Track
	if backendName, rest, ok := strings.Cut(name, "/"); ok {
		if be, name = c.plan.byName[backendName], rest; be == nil {
			return fmt.Errorf("there is no backend %q", backendName)
		}
		if be.live == nil {
			return nil // what is wrong with it is told already
		}
	}
	for _, other := range be.servers {
		if other.spec.Name != name {
			continue
		}
		if !other.spec.Check.Enabled {
			return fmt.Errorf("server %s has no check of its own", name)
		}
		other.trackers = append(other.trackers, srv)
		return nil
	}
	return fmt.Errorf("backend %s has no server %q", be.name, name)
}

// orOrigin is the line of the keyword itself if it is known, else of its
// section.
func orOrigin(own, section string) string {
	if own != "" {
		return own
	}
	return section
}
