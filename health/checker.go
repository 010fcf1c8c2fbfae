package health

import (
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// A Target is one server to be checked, and who wants to know.
type Target struct {
	Backend, Server string
	Backup          bool
	Node            string      // for http-check send-state
	Addr            evloop.Addr // of the server; ServerSpec.Addr and Port change what is checked
	Connect         time.Duration
	Spread          int       // percent (spread-checks)
	Down            bool      // it begins as one that is down
	Resume          *Snapshot // what an earlier Checker knew; nil: nothing

	// Tune sets the options of a socket before it connects; nil: none. It must
	// not ask for TCP Fast Open: connect(2) would then succeed without a server.
	Tune func(fd int) syscall.Errno
	// Greeting appends the PROXY header for a connection from src to dst. It is
	// sent with ServerSpec.SendProxy, with Step.SendProxy, and if SendProxy is set
	// (traffic has one) as long as neither port nor addr of the check is.
	Greeting  func(dst []byte, src, to netip.AddrPort) []byte
	SendProxy bool
	// Secure makes what a connection speaks through when checks are encrypted; nil:
	// they are not. The Checker's HandleReady is called when its Shake can go on.
	// SecureAll also encrypts the connections of steps that the user wrote.
	Secure    func(c *Checker) Channel
	SecureAll bool
	// Loads gives the numbers of the state header; nil: zeros.
	Loads func() Loads
	// Report is called on the loop, after the next check has been scheduled; it
	// may Stop the Checker.
	Report func(Report)
}

// A Channel is a connection with a layer of its own between socket and check.
type Channel interface {
	// Shake brings the handshake on until it is over or has to wait.
	Shake(fd *evloop.FD) (over bool, err error)
	Read(fd *evloop.FD, p []byte) (int, evloop.Result)
	Write(fd *evloop.FD, p []byte) (int, evloop.Result)
	// Close gives memory back, also in the middle of a handshake. An orderly end
	// is told to the server. The socket is closed afterwards.
	Close(fd *evloop.FD, orderly bool)
}

// A Snapshot is what outlives a Checker over a reload.
type Snapshot struct {
	Level  int
	Drain  bool
	Status string
}

// A checkState says what a Checker waits for.
type checkState uint8

const (
	checkStopped checkState = iota // Start
	checkPause                     // the time of the next check
	checkConnect                   // the end of connect(2)
	checkShake                     // the end of the handshake
	checkSend                      // room for the rest of what is to be sent
	checkExpect                    // bytes that decide an expectation
)

var checkStateNames = [...]string{"stopped", "pause", "connect", "shake", "send", "expect"}

func (s checkState) String() string { return checkStateNames[s] }

// A Checker checks one server, again and again.
type Checker struct {
	// Set by NewChecker, then read-only.
	loop    *evloop.Loop
	script  *script
	spec    ServerSpec
	timeout time.Duration // timeout check; 0: none of its own
	target  Target

	// Of the loop.
	verdict  *Verdict
	state    checkState
	fd       evloop.FD
	channel  Channel // nil: clear
	timer    evloop.Timer
	random   *rand.Rand
	status   string // of the last report
	began    evloop.Time
	at       int     // step being done
	linger   bool    // close the connection with FIN
	found    finding // of the last expectation
	out, in  []byte
	sent     int  // of out
	ended    bool // the server has sent FIN
	reply    reply
	hasReply bool // reply has been fed since the last request

	// Atomic, or posted by any goroutine.
	errors   atomic.Int32  // of live traffic, in a row
	lastSeen atomic.Uint32 // Observation that made errors reach the limit
	letter   evloop.Letter
}

// NewChecker makes a Checker that stands still. spec must have passed Validate;
// if not, every check fails with what is wrong.
func NewChecker(loop *evloop.Loop, spec *Spec, srv *ServerSpec, target Target) *Checker {
	c := &Checker{loop: loop, spec: srv.withDefaults(), timeout: max(spec.Timeout, 0), target: target, status: StatusInit}
	c.verdict = NewVerdict(*srv, !target.Down)
	if target.Resume != nil {
		c.verdict.resume(*target.Resume)
		c.status = orText(target.Resume.Status, StatusInit)
	}
	var err error
	if c.script, err = compile(spec); err != nil {
		c.script = brokenScript(err)
	}
	seed := maphash.String(maphash.MakeSeed(), target.Backend+"/"+target.Server)
	c.random = rand.New(rand.NewPCG(seed, uint64(loop.Kernel().Now())))
	return c
}

// brokenScript never passes: its only expectation can't be met.
func brokenScript(err error) *script {
	s := step{Step: Step{Kind: StepExpect}, number: 1, comment: err.Error()}
	return &script{steps: []step{s}, bufSize: answerMax}
}

// Start makes the first check after delay (FirstDelay). A Checker that runs
// goes on as it is.
func (c *Checker) Start(delay time.Duration) {
	if c.state == checkStopped {
		c.pause(c.loop.Now(), delay)
	}
}

// Stop ends the checks, the running one too, without a report.
func (c *Checker) Stop() {
	c.close()
	c.loop.StopTimer(&c.timer)
	c.state = checkStopped
}

// Running reports whether Start was called after the last Stop.
func (c *Checker) Running() bool { return c.state != checkStopped }

// Verdict is what the checks have found so far, for reading.
func (c *Checker) Verdict() *Verdict { return c.verdict }

// Snapshot is what a Checker that takes over must know.
func (c *Checker) Snapshot() Snapshot {
	return Snapshot{Level: c.verdict.level, Drain: c.verdict.drain, Status: c.status}
}

// Force puts the server into a state by order and reports that.
func (c *Checker) Force(f Forced) {
	changed := c.verdict.Force(f)
	r := c.report(finding{status: c.status}, changed)
	r.Ordered = true
	c.tell(r)
}

// pause waits for the time of the next check.
func (c *Checker) pause(now evloop.Time, d time.Duration) {
	c.state = checkPause
	c.loop.SetTimer(&c.timer, c, 0, now.Add(max(d, 0)))
}

// spread moves an interval by up to Target.Spread percent either way.
func (c *Checker) spread(d time.Duration) time.Duration {
	if width := d * time.Duration(c.target.Spread) / 100; width > 0 {
		d += time.Duration(c.random.Int64N(2*int64(width)+1)) - width
	}
	return d
}

// finish ends a check with what it found, schedules the next one, and reports.
func (c *Checker) finish(now evloop.Time, f finding) {
	c.close()
	level, draining := c.verdict.level, c.verdict.Draining()
	if f.status == StatusL7OKC && !c.verdict.Up() {
		f.status, f.info = StatusL7Sts, orText(f.info, c.reply.reasonIf(c.script.http))
	}
	changed := c.verdict.Result(outcomeOf(f.status))
	c.pause(now, c.spread(c.verdict.NextInterval()))
	r := c.report(f, changed)
	r.Result, r.Latency = true, now.Sub(c.began)
	r.Alert = changed && !r.Up && !draining
	r.Noted = level != c.verdict.level || f.status != c.status
	c.status = f.status
	c.tell(r)
}

// report makes a report of the verdict as it stands now.
func (c *Checker) report(f finding, changed bool) Report {
	v := c.verdict
	r := Report{
		Backend: c.target.Backend, Server: c.target.Server, Backup: c.target.Backup,
		Up: v.Up(), Drain: v.Draining(), Changed: changed,
		Status: f.status, Code: f.code, Detail: f.info,
		State: v.String(), Rise: c.spec.Rise, Fall: c.spec.Fall,
	}
	r.Progress, r.ProgressFrom = v.Progress()
	r.ShutdownSessions = changed && !r.Up && c.spec.ShutdownOnDown
	r.ShutdownBackups = changed && r.Up && !r.Drain && c.spec.ShutdownBackupsOnUp
	return r
}

func (c *Checker) tell(r Report) {
	if c.target.Report != nil {
		c.target.Report(r)
	}
}

// Observed counts an exchange of live traffic; from any goroutine. Which
// exchanges count is for the caller (manual, "observe").
func (c *Checker) Observed(ok bool) {
	if ok {
		c.Observe(ObservedOK)
	} else {
		c.Observe(ObservedInvalid)
	}
}

// Observe is Observed with the kind of error, which a log line names.
func (c *Checker) Observe(o Observation) {
	if o == ObservedOK {
		if c.errors.Load() != 0 {
			c.errors.Store(0)
		}
		return
	}
	if int(c.errors.Add(1)) < c.spec.ErrorLimit {
		return
	}
	c.errors.Store(0)
	c.lastSeen.Store(uint32(o))
	c.loop.Post(&c.letter, c)
}

// HandleLetter takes a run of errors of live traffic.
func (c *Checker) HandleLetter(now evloop.Time, _ *evloop.Letter) {
	if c.state == checkStopped {
		return
	}
	if c.state == checkPause {
		if soon := now.Add(c.spec.FastInter); soon < c.timer.Deadline() {
			c.loop.SetTimer(&c.timer, c, 0, soon)
		}
	}
	if c.spec.OnError == OnErrorFastInter || !c.verdict.Up() {
		return
	}
	draining := c.verdict.Draining()
	changed := c.verdict.Observed()
	info := "Detected " + strconv.Itoa(c.spec.ErrorLimit) + " consecutive errors, last one was: " + Observation(c.lastSeen.Load()).String()
	r := c.report(finding{status: StatusAnalyze, info: info}, changed)
	r.Result, r.Observed, r.Noted = true, true, true
	r.Alert = changed && !draining // it can only have gone down
	c.status = StatusAnalyze
	c.tell(r)
}

// FirstDelay is when check pos of count should begin, counted from the start:
// all first checks are spread over the interval, but over at most bound (0: none;
// max-spread-checks).
func FirstDelay(spec *ServerSpec, pos, count int, bound time.Duration) time.Duration {
	width := max(spec.withDefaults().Inter, time.Second)
	if bound > 0 {
		width = min(width, bound)
	}
	return width * time.Duration(pos) / time.Duration(max(count, 1))
}
