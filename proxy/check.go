package proxy

import (
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/accesslog"
)

// A serverCheck joins a server to its health check.
type serverCheck struct {
	checker *health.Checker
}

// observe counts the outcome of live traffic (manual "observe"): layer7
// tells an exchange from a mere connection.
func (srv *server) observe(ok, layer7 bool) {
	c := srv.live.check
	if c == nil {
		return
	}
	switch srv.spec.Check.Observe {
	case health.ObserveLayer4:
		if !layer7 {
			c.checker.Observed(ok)
		}
	case health.ObserveLayer7:
		if layer7 || !ok {
			c.checker.Observed(ok)
		}
	}
}

// observeStatus counts a response: HAProxy takes 100 to 499, 501 and 505 for
// signs of health.
func (srv *server) observeStatus(status int) {
	if srv.live.check != nil && srv.spec.Check.Observe == health.ObserveLayer7 {
		srv.observe(status < 500 || status == 501 || status == 505, true)
	}
}

// startChecks puts every check on a loop, in turn.
func (p *Proxy) startChecks() {
	n := 0
	for _, be := range p.plan.Load().backends {
		for _, srv := range be.servers {
			if srv.spec.Check.Enabled {
				p.startCheck(p.workers[n%len(p.workers)], srv, n)
				n++
			}
		}
	}
}

func (p *Proxy) startCheck(w *worker, srv *server, n int) {
	be := srv.be
	target := health.Target{
		Backend: be.name, Server: srv.spec.Name, Addr: srv.addr, Tuning: srv.tuning,
		Report: func(r health.Report) { p.checked(w, srv, r) },
	}
	spec := be.spec.Check
	if spec.Timeout == 0 {
		spec.Timeout = max(be.timeouts.check, 0)
	}
	target.Connect = max(be.timeouts.connect, 0)
	srv.live.check = &serverCheck{checker: health.NewChecker(w.loop, &spec, &srv.spec.Check, target)}
	// Spread over the interval, so that many checks do not start as one.
	delay := time.Duration(n) * checkSpread
	w.loop.Do(func() { srv.live.check.checker.Start(delay % max(srv.spec.Check.Inter, time.Second)) })
}

const checkSpread = 10 * time.Millisecond // between the first checks of two servers

// checked carries a check's result out, on the loop of the check.
func (p *Proxy) checked(w *worker, srv *server, r health.Report) {
	if r.Changed {
		st := balancer.StateDown
		if r.Up {
			st = balancer.StateUp
		}
		if r.Drain {
			st = balancer.StateDrain
		}
		srv.be.live.bal.SetState(srv.bal, st, time.Duration(w.loop.Now()))
		p.tellState(srv, &r)
		if !r.Up && srv.spec.Check.ShutdownOnDown {
			p.endSessions(srv)
		}
		if r.Up && srv.spec.Check.ShutdownBackupsOnUp {
			for _, other := range srv.be.servers {
				if other.spec != srv.spec && other.bal.Spec().Backup {
					p.endSessions(other)
				}
			}
		}
	} else if srv.be.spec.LogHealthChecks && r.Result {
		p.tell(srv.be, accesslog.LevelNotice, health.CheckLine(srv.be.name, &r))
	}
}

// tellState logs a change of state with the backend's numbers.
func (p *Proxy) tellState(srv *server, r *health.Report) {
	active, backup := srv.be.usable()
	counts := health.BackendCounts{
		Active: active, Backup: backup, Sessions: srv.bal.Current(), Queued: srv.be.live.bal.Queued(),
	}
	level := accesslog.LevelNotice
	if !r.Up {
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
		w.loop.Do(func() {
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
		})
	}
}

// unpin closes a connection that waits for one client.
func (sc *serverConn) unpin() {
	sc.pinnedTo.pinned = nil
	sc.close()
}
