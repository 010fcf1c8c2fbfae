package proxy

import (
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// This file answers what rules and formats ask about the state of proxies.

func newProcess(cfg *Config) *expr.Process {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	node := cfg.Global.Node
	if node == "" {
		node = host
	}
	return &expr.Process{Hostname: host, Node: node, PID: os.Getpid(), IsLocal: ownAddress()}
}

// ownAddress tells the addresses that the machine has now from others.
func ownAddress() func(netip.Addr) bool {
	own := map[netip.Addr]bool{}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil // loopback addresses are known without
	}
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap()] = true
		}
	}
	return func(a netip.Addr) bool { return own[a] }
}

// Stopping reports whether a soft stop is under way.
func (p *Proxy) Stopping() bool { return p.stopping.Load() }

// LiveFrontend implements expr.Live.
func (p *Proxy) LiveFrontend(env *expr.Env, name string) (expr.FrontendLive, bool) {
	if name == "" {
		name = env.FrontendName
	}
	for _, fe := range p.plan.Load().frontends {
		if fe.name == name {
			return expr.FrontendLive{
				Conns: int(fe.live.conns.Load()), SessionRate: int(fe.live.connRate.Load()),
				RequestRate: int(fe.live.requestRate.Load()), ClientTimeMS: int(ms(fe.timeouts.client)),
			}, true
		}
	}
	return expr.FrontendLive{}, false
}

// LiveBackend implements expr.Live.
func (p *Proxy) LiveBackend(env *expr.Env, name string) (expr.BackendLive, bool) {
	if name == "" {
		name = env.BackendName
	}
	be := p.plan.Load().byName[name]
	if be == nil {
		return expr.BackendLive{}, false
	}
	active, backup := be.usable()
	out := expr.BackendLive{
		Conns: int(be.live.sessions()), Queued: be.live.bal.Queued(), Usable: active,
		ServerMS: int(ms(be.timeouts.server)), TunnelMS: int(ms(be.timeouts.tunnel)),
		SessionRate: int(be.live.rate.Load()),
	}
	if active == 0 {
		out.Usable = backup
	}
	for _, s := range be.servers {
		if s.bal.State() != balancer.StateUp {
			continue
		}
		limit := s.bal.Spec().MaxConn
		if limit == 0 {
			out.FreeConns, out.FreeSlots = -1, -1
			break
		}
		out.FreeConns += max(limit-s.bal.Current(), 0)
		out.FreeSlots += max(limit+s.bal.Spec().MaxQueue-s.bal.Current()-s.bal.Queued(), 0)
	}
	return out, true
}

// LiveServer implements expr.Live.
func (p *Proxy) LiveServer(env *expr.Env, backend, name string) (expr.ServerLive, bool) {
	if backend == "" {
		backend = env.BackendName
	}
	be := p.plan.Load().byName[backend]
	if be == nil {
		return expr.ServerLive{}, false
	}
	for _, s := range be.servers {
		if s.spec.Name != name {
			continue
		}
		spec := s.bal.Spec()
		out := expr.ServerLive{
			Up: s.bal.State() == balancer.StateUp, Conns: s.bal.Current(), FreeConns: -1, Queued: s.bal.Queued(),
			SessionRate: int(s.live.rate.Load()), Weight: s.bal.EffectiveWeight(), UserWeight: spec.Weight, InitialWeight: spec.Weight,
		}
		if spec.MaxConn > 0 {
			out.FreeConns = max(spec.MaxConn-out.Conns, 0)
		}
		return out, true
	}
	return expr.ServerLive{}, false
}

// sampleRates turns counters into events per second; one loop does it once a
// second.
func (p *Proxy) sampleRates() {
	pl := p.plan.Load()
	for _, fe := range pl.frontends {
		var conns, requests uint64
		for i := range fe.live.counters {
			conns += fe.live.counters[i].accepted.load()
			requests += fe.live.counters[i].sessions.load()
		}
		fe.live.connRate.Store(int64(conns - fe.live.connsSeen))
		fe.live.requestRate.Store(int64(requests - fe.live.requestsSeen))
		fe.live.connsSeen, fe.live.requestsSeen = conns, requests
	}
	for _, be := range pl.backends {
		var total uint64
		for i := range be.live.counters {
			total += be.live.counters[i].total.load()
		}
		be.live.rate.Store(int64(total - be.live.seen))
		be.live.seen = total
		for _, srv := range be.servers {
			srv.live.sampleRate()
		}
	}
}

func (s *liveServer) sampleRate() {
	var total uint64
	for i := range s.counters {
		total += s.counters[i].total.load()
	}
	s.rate.Store(int64(total - s.seen))
	s.seen = total
}

// tickBackends has slow starts go on.
func (p *Proxy) tickBackends(now evloop.Time) {
	for _, be := range p.plan.Load().backends {
		be.live.bal.Tick(time.Duration(now))
	}
}

// requestCount is the number of requests and TCP sessions of all loops so far.
func (p *Proxy) requestCount() uint32 {
	var n uint64
	for _, w := range p.workers {
		n += w.requests.load()
	}
	return uint32(n)
}
