package proxy

import (
	"fmt"

	"github.com/weir-lb/weir/internal/accesslog"
)

// This file is what a soft stop tells, and the end of health checks.

// tellStopped tells the log targets of each section that it takes nothing more,
// as HAProxy does: a process in the background leaves no other trace.
func (p *Proxy) tellStopped() {
	pl := p.plan.Load()
	told := make(map[string]bool)
	for _, fe := range pl.frontends {
		if fe.spec.Disabled {
			continue
		}
		var conns, sessions uint64
		for i := range fe.live.counters {
			conns += fe.live.counters[i].accepted.load()
		}
		if be := pl.byName[fe.name]; be != nil { // a listen section
			sessions = be.live.total()
			told[fe.name] = true
		}
		var sink *accesslog.Sink
		if fe.logs != nil {
			sink = fe.logs.sink
		}
		p.tellStoppedTo(sink, fe.name, conns, sessions)
	}
	for _, be := range pl.backends {
		if !be.spec.Disabled && !told[be.name] {
			p.tellStoppedTo(be.sink, be.name, 0, be.live.total())
		}
	}
}

func (p *Proxy) tellStoppedTo(sink *accesslog.Sink, name string, conns, sessions uint64) {
	line := fmt.Sprintf("Proxy %s stopped (cumulated conns: FE: %d, BE: %d).", name, conns, sessions)
	if sink != nil {
		sink.Message(accesslog.LevelWarning, line)
	}
	if p.opt.Logf != nil {
		p.opt.Logf("%s", line)
	}
}

// total is the number of requests and sessions since the start.
func (b *liveBackend) total() (n uint64) {
	for i := range b.counters {
		n += b.counters[i].total.load()
	}
	return n
}

// stopChecks ends the health checks of this loop: the process takes nothing new,
// and another one, or nobody, watches the servers from now on.
func (w *worker) stopChecks() {
	for _, be := range w.p.plan.Load().backends {
		for _, srv := range be.servers {
			if c := srv.live.check; c != nil && c.w == w {
				c.checker.Stop()
			}
		}
	}
}
