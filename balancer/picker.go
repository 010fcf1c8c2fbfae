package balancer

import (
	"cmp"
	"math/bits"
	"slices"
)

// A picker chooses among the members of a backend in which servers have limits. Backend.mu is held in all its methods.
type picker interface {
	// reform is told the new members and weights; changed is called for every server afterwards.
	reform(t *table)
	// changed is told that a server's sessions, its queue or its being open changed.
	changed(s *Server)
	// choose gives an open member, or a member whose queue the session should join, or nil if it should join the
	// queue of the backend. If c.open is set, a member is open and is given.
	choose(c choice) *Server
}

// A choice is what a picker may go by.
type choice struct {
	key    uint32
	hasKey bool
	open   bool    // only an open member will do
	not    *Server // take another one if there is one
}

// newPicker makes the picker of the backend's algorithm.
func newPicker(b *Backend) picker {
	switch b.spec.Algorithm {
	case RoundRobin:
		return &turnPicker{backend: b, turns: newTurns(len(b.servers))}
	case LeastConn:
		return &loadPicker{backend: b, open: newLoads(len(b.servers)), queueing: newLoads(len(b.servers))}
	case Random:
		return &drawPicker{backend: b}
	case First:
		return newFirstPicker(b)
	default: // StaticRR, Source, Hash
		return &tablePicker{backend: b}
	}
}

// A turnPicker keeps open members in turns.
type turnPicker struct {
	backend *Backend
	turns   *turns
}

func (p *turnPicker) reform(t *table) { p.turns.reweigh(t.weights) }

func (p *turnPicker) changed(s *Server) {
	if p.turns.in[s.index] != s.open {
		p.turns.put(s.index, s.open)
	}
}

func (p *turnPicker) choose(c choice) *Server {
	i, ok := p.turns.next()
	if !ok {
		return nil
	}
	s := p.backend.servers[i]
	if s != c.not {
		return s
	}
	p.turns.put(i, false)
	if j, ok := p.turns.next(); ok {
		s = p.backend.servers[j]
	}
	p.turns.put(i, true)
	return s
}

// A loadPicker takes the open member with the fewest sessions. When none is open, members whose maxqueue is set take
// waiters up to it (manual: "maxqueue"). HAProxy queues on them even while another member has a free slot; here
// nobody waits beside a free slot.
type loadPicker struct {
	backend  *Backend
	open     *loads
	queueing *loads
}

func (p *loadPicker) reform(t *table) {
	p.open.reweigh(t.weights)
	p.queueing.reweigh(t.weights)
}

func (p *loadPicker) changed(s *Server) {
	count := s.used.Load() + int32(s.queue.len)
	switch {
	case s.open:
		p.queueing.drop(s.index)
		p.open.put(s.index, count)
		return
	case s.member.Load() && s.spec.MaxQueue > 0 && s.queue.len < s.spec.MaxQueue:
		p.queueing.put(s.index, count)
	default:
		p.queueing.drop(s.index)
	}
	p.open.drop(s.index)
}

func (p *loadPicker) choose(c choice) *Server {
	i, ok := p.open.least()
	if ok {
		s := p.backend.servers[i]
		if s != c.not {
			return s
		}
		p.open.drop(i)
		if j, ok := p.open.least(); ok {
			s = p.backend.servers[j]
		}
		p.changed(p.backend.servers[i])
		return s
	}
	if i, ok = p.queueing.least(); ok && !c.open {
		return p.backend.servers[i]
	}
	return nil
}

// A firstPicker takes the open member with the lowest id.
type firstPicker struct {
	backend *Backend
	byID    []*Server
	rank    []int    // of each server in byID
	open    []uint64 // set of ranks
}

func newFirstPicker(b *Backend) *firstPicker {
	p := &firstPicker{backend: b, byID: slices.Clone(b.servers), rank: make([]int, len(b.servers))}
	slices.SortFunc(p.byID, func(x, y *Server) int { return cmp.Compare(x.ID(), y.ID()) })
	for rank, s := range p.byID {
		p.rank[s.index] = rank
	}
	p.open = make([]uint64, (len(b.servers)+63)/64)
	return p
}

func (p *firstPicker) reform(*table) {}

func (p *firstPicker) changed(s *Server) {
	rank := p.rank[s.index]
	if s.open {
		p.open[rank/64] |= 1 << (rank % 64)
	} else {
		p.open[rank/64] &^= 1 << (rank % 64)
	}
}

func (p *firstPicker) choose(c choice) *Server {
	var spare *Server
	for k, set := range p.open {
		for ; set != 0; set &= set - 1 {
			s := p.byID[k*64+bits.TrailingZeros64(set)]
			if s != c.not {
				return s
			}
			spare = s
		}
	}
	return spare
}

// A drawPicker draws open members at random and takes the least loaded of them.
type drawPicker struct {
	backend *Backend
	table   *table
}

const drawTriesMax = 32 // draws that may hit full servers before the next open one in the section is taken

func (p *drawPicker) reform(t *table) { p.table = t }

func (p *drawPicker) changed(*Server) {}

func (p *drawPicker) choose(c choice) *Server {
	b := p.backend
	if b.openServers == 0 {
		return nil
	}
	var best *Server
	for tries, draws := 0, 0; draws < b.spec.RandomDraws && tries < drawTriesMax; tries++ {
		s := b.servers[p.table.alias.draw(b.random())]
		if !s.open || s == c.not || !b.withinShare(p.table, s) {
			continue
		}
		draws++
		if best == nil || s != best && p.table.lighter(b, uint16(s.index), uint16(best.index)) {
			best = s
		}
	}
	if best != nil {
		return best
	}
	start := int(b.random() % uint64(len(p.table.members)))
	for k := range p.table.members {
		s := p.table.members[(start+k)%len(p.table.members)]
		if s.open && (best == nil || best == c.not) {
			best = s
		}
	}
	return best
}
