package proxy

import (
	"sync/atomic"

	"github.com/weir-lb/weir/balancer"
)

// The registry holds live objects: what a new plan adopts by identity instead
// of starting anew. Slots, queues, health, counters and idle connections
// belong to them, not to a plan.
type registry struct {
	loops     int
	frontends map[string]*liveFrontend
	backends  map[string]*liveBackend
}

func newRegistry(loops int) *registry {
	return &registry{loops: loops, frontends: make(map[string]*liveFrontend), backends: make(map[string]*liveBackend)}
}

// A liveFrontend is what survives of a frontend from plan to plan.
type liveFrontend struct {
	conns                   atomic.Int64 // client connections now, for maxconn
	maxConn                 atomic.Int64
	counters                []frontCounters // one per loop
	logged                  atomic.Uint32
	connRate, requestRate   atomic.Int64 // of the last second
	connsSeen, requestsSeen uint64       // by sampleRates, on its loop only
}

func (r *registry) frontend(name string) *liveFrontend {
	f := r.frontends[name]
	if f == nil {
		f = &liveFrontend{counters: make([]frontCounters, r.loops)}
		f.maxConn.Store(1 << 40)
		r.frontends[name] = f
	}
	return f
}

// A liveBackend is what survives of a backend.
type liveBackend struct {
	bal      *balancer.Backend
	servers  []*liveServer
	counters []backCounters // one per loop
	rate     atomic.Int64   // sessions of the last second
	seen     uint64         // by sampleRates, on its loop only
}

// A liveServer is what survives of a server.
type liveServer struct {
	pools    []serverPool     // one per loop
	counters []serverCounters // one per loop
	parked   atomic.Int32     // idle connections that pool-max-conn counts
	check    *serverCheck     // nil: not checked
	rate     atomic.Int64     // sessions of the last second
	seen     uint64           // by sampleRates, on its loop only
}

func (r *registry) backend(spec *Backend) (*liveBackend, error) {
	if b := r.backends[spec.Name]; b != nil {
		return b, nil
	}
	bal, err := balancer.New(spec.Balance)
	if err != nil {
		return nil, err
	}
	b := &liveBackend{bal: bal, counters: make([]backCounters, r.loops)}
	for range spec.Servers {
		b.servers = append(b.servers, &liveServer{
			pools: make([]serverPool, r.loops), counters: make([]serverCounters, r.loops),
		})
	}
	r.backends[spec.Name] = b
	return b, nil
}

// sessions is the number of requests and sessions in the backend now.
func (b *liveBackend) sessions() int64 {
	var n int64
	for i := range b.counters {
		n += b.counters[i].sessions.load()
	}
	return n
}

func (fe *frontend) counters(w *worker) *frontCounters { return &fe.live.counters[w.id] }
func (be *backend) counters(w *worker) *backCounters   { return &be.live.counters[w.id] }
