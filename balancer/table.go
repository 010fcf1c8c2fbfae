package balancer

const (
	orderMax = 4096 // turns of one round of roundrobin that are worked out ahead
)

// A table is what the choice of a server can look up without the mutex. It is immutable: a change of members or
// weights makes a new one.
type table struct {
	members []*Server // those that take part in the balancing
	weights []int32   // by Server.index; 0: no member

	order []uint16 // roundrobin: first round, then the round that repeats; nil: not worked out
	slots []uint16 // static-rr and map-based hashes
	ring  *ring    // consistent hashes
	alias *alias   // random
	share []int64  // with BalanceFactor: sum of the weights of the servers before each one, and of all
}

// newTable works out what the backend's algorithm needs.
func (b *Backend) newTable(members []*Server) *table {
	t := &table{members: members, weights: make([]int32, len(b.servers))}
	for _, s := range members {
		t.weights[s.index] = b.effectiveWeight(s)
	}
	if len(members) == 0 {
		return t
	}
	switch b.spec.Algorithm {
	case RoundRobin:
		t.order = turnOrder(t.weights, orderMax)
	case StaticRR:
		t.slots = smoothMap(t.weights)
	case Random:
		t.alias = newAlias(t.weights)
		t.share = sums(t.weights)
	case Source, Hash:
		if b.spec.Consistent {
			t.ring = newRing(b.ids, t.weights)
			t.share = sums(t.weights)
		} else {
			t.slots = smoothMap(t.weights)
		}
	}
	return t
}

// sums[i] is the sum of the weights before i.
func sums(weights []int32) []int64 {
	out := make([]int64, len(weights)+1)
	for i, w := range weights {
		out[i+1] = out[i] + int64(w)
	}
	return out
}

// shareOf is the number of sessions that a server may have so that none has more than factor percent of its share of
// all ("hash-balance-factor"). The slots that the division leaves over go to the servers in their order; HAProxy's
// choices are explained by exactly this sum.
func (t *table) shareOf(server int, sessions int64, factor int) int64 {
	all := (sessions*int64(factor) + 99) / 100
	total := t.share[len(t.share)-1]
	return max(1, all*t.share[server+1]/total-all*t.share[server]/total)
}

// free reports whether choices can be made from the table alone if no server has a limit.
func (t *table) free(spec *Spec) bool {
	if len(t.members) == 0 || spec.BalanceFactor != 0 {
		return false
	}
	switch spec.Algorithm {
	case RoundRobin:
		return t.order != nil
	case StaticRR, Source, Hash, Random:
		return true
	}
	return false
}

// pick chooses for a backend in which no server has a limit. Nil leaves the choice to the caller who has the mutex.
func (t *table) pick(b *Backend, r *Request) *Server {
	if s := r.stickyTo(); s != nil {
		return s
	}
	if s := r.Prefer; s != nil && s != r.Exclude && s.member.Load() {
		return s
	}
	var i uint16
	switch b.spec.Algorithm {
	case RoundRobin:
		i = t.turn(b.turn.Add(1) - 1)
	case StaticRR:
		i = t.slots[(b.turn.Add(1)-1)%uint64(len(t.slots))]
	case Random:
		i = t.drawLeast(b)
	default:
		key, ok := b.keyOf(r)
		if !ok {
			key = 0
		}
		i = t.hashed(b, uint32(key), ok)
	}
	if s := b.servers[i]; s != r.Exclude {
		return s
	}
	return nil
}

// turn is the server of a turn of roundrobin.
func (t *table) turn(n uint64) uint16 {
	round := uint64(len(t.order) / 2)
	at := n % round
	if n >= round {
		at += round
	}
	return t.order[at]
}

// hashed is the server of a key; without a key servers take turns, in the order of the ring or the map, as HAProxy's do.
func (t *table) hashed(b *Backend, key uint32, hasKey bool) uint16 {
	if t.ring != nil {
		if !hasKey {
			return t.ring.owners[(b.turn.Add(1)-1)%uint64(len(t.ring.owners))]
		}
		return t.ring.owners[t.ring.find(key)]
	}
	if !hasKey {
		return t.slots[(b.turn.Add(1)-1)%uint64(len(t.slots))]
	}
	return t.slots[key%uint32(len(t.slots))]
}

// drawLeast draws servers and takes the least loaded.
func (t *table) drawLeast(b *Backend) uint16 {
	draws := uint64(b.spec.RandomDraws)
	from := b.turn.Add(draws)
	best := t.alias.draw(scatter(from))
	for k := uint64(1); k < draws; k++ {
		if i := t.alias.draw(scatter(from - k)); i != best && t.lighter(b, i, best) {
			best = i
		}
	}
	return best
}

// lighter reports whether server i has fewer sessions per weight than server j.
func (t *table) lighter(b *Backend, i, j uint16) bool {
	x, y := b.servers[i], b.servers[j]
	return int64(x.used.Load())*int64(t.weights[j]) < int64(y.used.Load())*int64(t.weights[i])
}
