package proxy

import (
	"fmt"
	"strings"
	"time"
)

// finish ends every connection, lets all deadlines pass and looks for what is
// left over. A script that has failed is only taken down.
func (sc *script) finish() {
	if sc.finished {
		return
	}
	sc.finished = true
	if !sc.t.Failed() && !sc.stopped {
		sc.endAll()
		if left := sc.leftovers(); left != "" {
			sc.t.Errorf("left over at the end (seed %d):\n%s", sc.sk.Seed(), left)
		}
	}
	sc.p.logs.close()
	for _, end := range sc.logEnds {
		if end != nil {
			end.Close()
		}
	}
}

// endAll closes all ends, clients first.
func (sc *script) endAll() {
	sc.sk.Faults.Again, sc.sk.Faults.Reset = 0, 0
	for _, c := range sc.clients {
		c.end.Resume()
		c.Close()
	}
	sc.Advance(2 * lingerTimeout)
	for _, s := range sc.order {
		for end := s.srv.Accept(); end != nil; end = s.srv.Accept() {
			s.conns = append(s.conns, &peer{sc: sc, end: end})
		}
		for _, c := range s.conns {
			c.end.Resume()
			c.Close()
		}
		s.srv.Close()
	}
	sc.Advance(time.Hour)
}

// leftovers lists everything that should be gone and is not.
func (sc *script) leftovers() string {
	var b strings.Builder
	note := func(n int, format string, args ...any) {
		if n != 0 {
			fmt.Fprintf(&b, "%d %s\n", n, fmt.Sprintf(format, args...))
		}
	}
	p := sc.p
	pipes := 0
	for i, w := range p.workers {
		pipes += len(w.pipes)
		note(w.pool.InUse(), "buffers of loop %d", i)
		note(w.live, "client connections of loop %d", i)
		note(w.idle, "idle server connections of loop %d", i)
		note(w.made.exchanges-w.nExchanges, "exchanges of loop %d", i)
		note(w.made.h1-w.nH1, "h1 clients of loop %d", i)
		note(w.made.tcp-w.nTCP, "TCP sessions of loop %d", i)
		note(w.made.servers-w.nServers, "server connections of loop %d", i)
		note(w.made.h2-w.nH2, "HTTP/2 clients of loop %d", i)
		note(w.made.h2Streams-w.nH2Streams, "HTTP/2 streams of loop %d", i)
		note(w.loop.Stats().Timers-1, "timers of loop %d, besides its own", i)
	}
	note(sc.sk.OpenDescriptors()-len(sc.doors)-2*pipes, "descriptors: %s", sc.sk.Descriptors())
	note(int(p.pipes.Load())-pipes, "pipes")
	note(int(p.conns.Load()), "connections counted in the process")
	note(int(p.pausedDoors.Load()), "paused doors")
	for _, d := range p.doors {
		note(int(d.conns.Load()), "connections counted at %s", d.spec.Address)
	}
	for _, fe := range p.plan.Load().frontends {
		note(int(fe.live.conns.Load()), "connections counted in frontend %s", fe.name)
	}
	for _, be := range p.plan.Load().backends {
		sc.backendLeftovers(be, note)
	}
	return b.String()
}

func (sc *script) backendLeftovers(be *backend, note func(n int, format string, args ...any)) {
	note(int(be.live.sessions()), "sessions counted in backend %s", be.name)
	note(be.live.bal.Queued(), "waiters of backend %s", be.name)
	for _, srv := range be.servers {
		note(srv.bal.Current(), "slots of server %s", srv.spec.Name)
		note(srv.bal.Queued(), "waiters of server %s", srv.spec.Name)
		for i := range srv.live.pools {
			pool := &srv.live.pools[i]
			note(pool.nBusy, "busy connections of server %s in loop %d", srv.spec.Name, i)
			note(pool.nIdle, "idle connections of server %s in loop %d", srv.spec.Name, i)
		}
	}
}
