package proxy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/listener"
)

// Options are what a program that embeds a Proxy may replace.
type Options struct {
	// Logf receives messages about the proxy itself (not about traffic), one
	// line each. Nil: they go to the log targets of the Config only.
	Logf func(format string, args ...any)
	// Kernel makes the system that one loop sees. Nil: the real one.
	Kernel func(loop int) evloop.Kernel
	// Inherited lists descriptors that "fd@N" binds may take besides the
	// process's own numbering. Nil: N is the number.
	Inherited map[int]int
	// Now is the wall clock. Nil: time.Now.
	Now func() time.Time
	// ReadFile reads patterns and the texts of answers. Nil: os.ReadFile.
	ReadFile func(name string) ([]byte, error)
}

// A Proxy runs a Config. Make one with New, start it with Run.
type Proxy struct {
	opt         Options
	cfg         *Config
	tune        Tune
	reg         *registry
	plan        atomic.Pointer[plan]
	workers     []*worker
	sockets     []*listener.Socket
	doors       []*door
	logs        *logSinks
	maxConn     int64
	maxPipes    int64
	idlePerLoop int // idle server connections that one loop may keep
	wallClock   func() time.Time
	process     *expr.Process
	seed        uint64 // of random numbers in rules

	// Written by all loops.
	conns          atomic.Int64 // client connections now
	pipes          atomic.Int64
	tlsConns       atomic.Int64 // client connections that speak TLS, or are about to
	pausedDoors    atomic.Int32
	watching       atomic.Int32 // loops that accept
	acceptFailures atomic.Uint64
	lastResource   atomic.Int64 // when warnResource last spoke
	lastNoPort     atomic.Int64 // when tellNoPort last spoke

	ready    chan struct{}
	stopping atomic.Bool
	running  sync.WaitGroup
	shaking  sync.WaitGroup // goroutines of handshakes
	started  atomic.Bool
}

// ErrRunning is returned by Run when it was called before.
var ErrRunning = errors.New("can't run proxy: it was started before")

// New compiles cfg and opens all its binds, so that privileges can be dropped
// before Run. The error is Errors when the Config is at fault; nothing stays
// open then.
func New(cfg Config, opt Options) (*Proxy, error) {
	p := &Proxy{opt: opt, cfg: &cfg, tune: cfg.Global.Tune.withDefaults(), ready: make(chan struct{})}
	p.wallClock = opt.Now
	if p.wallClock == nil {
		p.wallClock = time.Now
	}
	loops := cfg.Global.Loops
	if loops <= 0 {
		loops = runtime.GOMAXPROCS(0)
	}
	p.reg = newRegistry(loops)
	p.process = newProcess(&cfg)
	p.seed = uint64(p.wallClock().UnixNano())
	pl, errs := newCompiler(&cfg, p.reg, opt.ReadFile).compile()
	if len(errs) > 0 {
		return nil, errs
	}
	p.plan.Store(pl)
	p.setLimits(loops)
	if err := p.openLogs(); err != nil {
		return nil, err
	}
	if err := p.openDoors(pl); err != nil {
		p.closeSockets()
		return nil, err
	}
	if err := p.makeWorkers(loops); err != nil {
		p.closeSockets()
		return nil, err
	}
	return p, nil
}

// Check compiles cfg without opening anything or looking up names, and returns all that is wrong
// with it, as Errors, or nil. Of opt only ReadFile counts.
func Check(cfg Config, opt Options) error {
	c := newCompiler(&cfg, newRegistry(1), opt.ReadFile)
	c.offline = true
	_, errs := c.compile()
	return errs.orNil()
}

const (
	maxConnDefault = 100_000 // client connections when nothing says how many
	idleConnsMax   = 65_536  // idle server connections of the process
)

func (p *Proxy) setLimits(loops int) {
	p.maxConn = int64(p.cfg.Global.MaxConn)
	if p.maxConn <= 0 {
		p.maxConn = maxConnDefault
	}
	p.maxPipes = int64(p.tune.MaxPipes)
	if p.maxPipes <= 0 {
		p.maxPipes = max(p.maxConn/4, 1)
	}
	p.idlePerLoop = max(int(min(p.maxConn, idleConnsMax))/loops, 1)
	for _, fe := range p.plan.Load().frontends {
		if fe.spec.MaxConn > 0 {
			fe.live.maxConn.Store(int64(fe.spec.MaxConn))
		}
	}
}

// openDoors opens every bind; all failures are told together.
func (p *Proxy) openDoors(pl *plan) error {
	var errs Errors
	for i, fe := range pl.frontends {
		if fe.spec.Disabled {
			continue
		}
		for bind, spec := range fe.spec.Binds {
			if spec.Backlog == 0 {
				spec.Backlog = fe.backlog(p.maxConn)
			}
			socks, err := listener.Open(spec, listener.OpenOptions{})
			if err != nil {
				errs.add("", "frontend "+fe.name, "%v", err)
				continue
			}
			for _, s := range socks {
				p.sockets = append(p.sockets, s)
				p.addDoor(i, fe, spec, s).tls = fe.tlsOf(bind)
			}
		}
	}
	return errs.orNil()
}

func (p *Proxy) addDoor(index int, fe *frontend, spec listener.Spec, s *listener.Socket) *door {
	d := &door{
		socket: s, spec: spec, name: fe.name, index: index, front: fe.live,
		counters: fe.live.counters, proxy: spec.AcceptProxy,
	}
	p.doors = append(p.doors, d)
	return d
}

// backlog is what listen(2) gets when the bind does not say: the frontend's
// backlog, else its maxconn, as HAProxy does.
func (fe *frontend) backlog(maxConn int64) int {
	switch {
	case fe.spec.Backlog > 0:
		return fe.spec.Backlog
	case fe.spec.MaxConn > 0:
		return fe.spec.MaxConn
	}
	return int(min(maxConn, 1<<20))
}

// closeSockets may be called again: a socket closes once.
func (p *Proxy) closeSockets() {
	for _, s := range p.sockets {
		s.Close()
	}
}

func (p *Proxy) makeWorkers(loops int) error {
	for id := range loops {
		loop, err := evloop.New(evloop.Config{ID: id, Kernel: p.kernel(id)})
		if err != nil {
			return fmt.Errorf("can't start loop %d: %w", id, err)
		}
		p.workers = append(p.workers, newWorker(p, id, loop))
	}
	return nil
}

func (p *Proxy) kernel(loop int) evloop.Kernel {
	switch {
	case p.opt.Kernel != nil:
		return p.opt.Kernel(loop)
	case p.tune.NoIOUring:
		return evloop.System()
	}
	return evloop.Fastest()
}

// IOUringError says why loops do without io_uring on this machine; nil when they
// use it. They work without, at a somewhat higher price for each request.
func IOUringError() error { return evloop.RingError() }

// Addrs gives the addresses of all open TCP binds, in the order of the Config:
// what the kernel chose for port 0.
func (p *Proxy) Addrs() []string {
	var out []string
	for _, s := range p.sockets {
		if s.UNIX {
			out = append(out, s.Path)
		} else {
			out = append(out, s.Local.String())
		}
	}
	return out
}

// Ready is closed when all loops accept connections.
func (p *Proxy) Ready() <-chan struct{} { return p.ready }

// Run serves until ctx ends and then stops at once: open connections are cut.
// Call Shutdown first for a soft stop; Run returns when that has drained.
func (p *Proxy) Run(ctx context.Context) error {
	if p.started.Swap(true) {
		return ErrRunning
	}
	for _, w := range p.workers {
		if err := w.watchDoors(); err != nil {
			return err
		}
	}
	p.watching.Store(int32(len(p.workers)))
	p.startChecks() // before a loop can be told to stop them
	for _, w := range p.workers {
		p.running.Add(1)
		go func() {
			defer p.running.Done()
			w.loop.Run()
		}()
	}
	close(p.ready)
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-ctx.Done():
		p.stopLoops()
		<-done
	case <-done:
	}
	p.cutAll()
	p.shaking.Wait() // they post letters to the loops
	p.watching.Store(0)
	p.closeSockets()
	p.logs.close()
	for _, w := range p.workers {
		w.loop.Free()
	}
	return nil
}

// cutAll ends what is still open when the loops have stopped.
func (p *Proxy) cutAll() {
	for _, be := range p.plan.Load().backends {
		for _, srv := range be.servers {
			if c := srv.live.check; c != nil {
				c.checker.Stop()
			}
		}
	}
	for _, w := range p.workers {
		w.cut()
	}
}

func (p *Proxy) stopLoops() {
	for _, w := range p.workers {
		w.loop.Stop()
	}
}

// watchDoors has the loop accept from every socket it shares.
func (w *worker) watchDoors() error {
	for i, d := range w.p.doors {
		if d.spec.Shards > 1 && i%len(w.p.workers) != w.id {
			continue // one socket a loop
		}
		dw := &doorWatch{w: w, door: d}
		if errno := w.loop.OpenListener(&dw.fd, d.socket.FD, dw, 0); errno != 0 {
			return fmt.Errorf("can't watch %s: %w", d.spec.Address, errno)
		}
		w.doors = append(w.doors, dw)
	}
	w.loop.SetTimer(&w.tick, w, 0, w.loop.Now().Add(tickInterval))
	return nil
}

const drainPoll = 20 * time.Millisecond // how often Shutdown looks whether all sessions have ended

// Shutdown stops accepting, lets sessions end and then ends Run. If ctx ends
// first, the rest is cut and its error returned.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.beginShutdown()
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for p.conns.Load() > 0 || p.watching.Load() > 0 {
		select {
		case <-ctx.Done():
			p.stopLoops()
			return ctx.Err()
		case <-tick.C:
		}
	}
	p.stopLoops()
	return nil
}

// beginShutdown tells every loop to stop accepting and to let sessions end.
func (p *Proxy) beginShutdown() {
	if p.stopping.Swap(true) {
		return
	}
	p.tellStopped()
	for _, w := range p.workers {
		w.loop.Post(&w.softStop, w)
	}
}

// Connections is the number of client connections now.
func (p *Proxy) Connections() int { return int(p.conns.Load()) }

// resumeAll has every loop look again whether a paused door may accept.
func (p *Proxy) resumeAll() {
	for _, w := range p.workers {
		w.loop.Post(&w.resumeLetter, w)
	}
}

const resourceWarnInterval = time.Second

// warnResource says, at most once a second, that the system refuses us
// something.
func (p *Proxy) warnResource(err error) {
	now := p.wallClock().UnixNano()
	last := p.lastResource.Load()
	if now-last < int64(resourceWarnInterval) || !p.lastResource.CompareAndSwap(last, now) {
		return
	}
	p.notify(accesslog.LevelAlert, fmt.Sprintf("can't accept connections: %v; %d are open, maxconn is %d", err, p.conns.Load(), p.maxConn))
}
