package proxy

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/listener"
)

// A serverCheck joins a server to its health check.
type serverCheck struct {
	checker *health.Checker
	w       *worker // whose loop it runs on
}

// observe counts how an exchange of live traffic ended (manual "observe").
func (srv *server) observe(o health.Observation) {
	c := srv.live.check
	if c == nil {
		return
	}
	switch srv.spec.Check.Observe {
	case health.ObserveLayer4:
		if o == health.ObservedConnect || o == health.ObservedOK {
			c.checker.Observe(o)
		}
	case health.ObserveLayer7:
		c.checker.Observe(o)
	}
}

// startChecks puts every check on a loop, in turn.
func (p *Proxy) startChecks() {
	var checked []*server
	for _, be := range p.plan.Load().backends {
		for _, srv := range be.servers {
			if srv.spec.Check.Enabled {
				checked = append(checked, srv)
			}
		}
	}
	for i, srv := range checked {
		p.startCheck(p.workers[i%len(p.workers)], srv, health.FirstDelay(&srv.spec.Check, i, len(checked), p.cfg.Global.SpreadMax))
	}
}

func (p *Proxy) startCheck(w *worker, srv *server, delay time.Duration) {
	be := srv.be
	tuning := srv.tuning
	tuning.FastOpen, tuning.Sole = false, true
	target := health.Target{
		Backend: be.name, Server: srv.spec.Name, Backup: srv.bal.Spec().Backup, Node: p.process.Node,
		Addr: srv.addr, Connect: max(be.timeouts.connect, 0), Spread: p.cfg.Global.SpreadRate,
		Down:      srv.bal.State() == balancer.StateDown,
		SendProxy: srv.spec.SendProxy != ProxyNone,
		Tune: func(num int) syscall.Errno {
			return listener.TuneServer(w.loop.Kernel(), num, tuning)
		},
		Greeting: func(dst []byte, src, to netip.AddrPort) []byte {
			info := listener.ProxyInfo{Src: src, Dst: to, Local: true}
			if srv.spec.SendProxy == ProxyV1 {
				info.Local = !src.IsValid()
				return listener.AppendProxyV1(dst, &info)
			}
			return listener.AppendProxyV2(dst, &info, srv.proxyOptions)
		},
		Report: func(r health.Report) { p.checked(w, srv, r) },
	}
	if srv.checkTLS != nil {
		target.Secure = func(c *health.Checker) health.Channel { return w.secureCheck(srv, c) }
		target.SecureAll = srv.spec.CheckTLSAll
	}
	spec := be.spec.Check
	if spec.Timeout == 0 {
		spec.Timeout = max(be.timeouts.check, 0)
	}
	srv.live.check = &serverCheck{checker: health.NewChecker(w.loop, &spec, &srv.spec.Check, target), w: w}
	w.loop.Do(func() { srv.live.check.checker.Start(delay) })
}

// checked carries a check's result out, on the loop of the check.
func (p *Proxy) checked(w *worker, srv *server, r health.Report) {
	if r.Noted && srv.be.spec.LogHealthChecks {
		p.tell(srv.be, accesslog.LevelNotice, health.CheckLine(srv.be.name, &r))
	}
	if !r.Changed {
		return
	}
	st := balancer.StateDown
	switch {
	case r.Up && r.Drain:
		st = balancer.StateDrain
	case r.Up:
		st = balancer.StateUp
	}
	p.setServer(w, srv, st, r)
	for _, other := range srv.trackers {
		via := r
		via.Backend, via.Server, via.Backup = other.be.name, other.spec.Name, other.bal.Spec().Backup
		via.Via = srv.be.name + "/" + srv.spec.Name
		p.setServer(w, other, st, via)
	}
	if r.ShutdownBackups {
		for _, other := range srv.be.servers {
			if other != srv && other.bal.Spec().Backup {
				p.endSessions(other)
			}
		}
	}
}

// setServer carries a change of state out and tells it.
func (p *Proxy) setServer(w *worker, srv *server, st balancer.State, r health.Report) {
	srv.be.live.bal.SetState(srv.bal, st, time.Duration(w.loop.Now()))
	p.tellState(srv, &r)
	if r.ShutdownSessions || !r.Up && srv.spec.Check.ShutdownOnDown {
		p.endSessions(srv)
	}
}

// tellState logs a change of state with the backend's numbers.
func (p *Proxy) tellState(srv *server, r *health.Report) {
	active, backup := srv.be.usable()
	counts := health.BackendCounts{
		Active: active, Backup: backup, Sessions: srv.bal.Current(), Queued: srv.be.live.bal.Queued(),
		Told: srv.be.spec.LogHealthChecks,
	}
	level := accesslog.LevelNotice
	if r.Alert {
		level = accesslog.LevelAlert
	}
	p.tell(srv.be, level, health.StateLine(srv.be.name, r, counts))
	if !r.Up && active+backup == 0 {
		p.tell(srv.be, accesslog.LevelEmerg, srv.be.kind()+" "+srv.be.name+" has no server available!")
	}
}

// kind is the word for the section that be came from.
func (be *backend) kind() string {
	if be.spec.Listen {
		return "proxy"
	}
	return "backend"
}

// usable counts the servers that take sessions, by role.
func (be *backend) usable() (active, backup int) {
	for _, s := range be.servers {
		if s.bal.State() != balancer.StateUp {
			continue
		}
		if s.bal.Spec().Backup {
			backup++
		} else {
			active++
		}
	}
	return active, backup
}

// endSessions ends every session on srv, each on its own loop.
func (p *Proxy) endSessions(srv *server) {
	for _, w := range p.workers {
		w.loop.Do(func() { w.endSessions(srv) })
	}
}

func (w *worker) endSessions(srv *server) {
	now := w.loop.Now()
	pool := &srv.live.pools[w.id]
	for sc := pool.busy.first; sc != nil; {
		next := sc.next
		if sc.user != nil {
			sc.user.serverMarkedDown(now)
		} else {
			sc.unpin()
		}
		sc = next
	}
	for pool.idle.first != nil {
		pool.idle.first.close()
	}
}

// unpin closes a connection that waits for one client.
func (sc *serverConn) unpin() {
	sc.pinnedTo.pinned = nil
	sc.reset()
}
