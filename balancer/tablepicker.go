package balancer

// A tablePicker walks a static map or a ring: static-rr and the hashes. A session whose server is full waits for this
// server alone, as behind HAProxy; if that server's queue is full as well, the next one on the way is tried, as the
// manual says under "maxqueue".
type tablePicker struct {
	backend *Backend
	table   *table
}

func (p *tablePicker) reform(t *table) { p.table = t }

func (p *tablePicker) changed(*Server) {}

func (p *tablePicker) choose(c choice) *Server {
	b, t := p.backend, p.table
	if len(t.members) == 0 || c.open && b.openServers == 0 {
		return nil
	}
	way := t.slots
	if t.ring != nil {
		way = t.ring.owners
	}
	if !c.hasKey {
		return p.nextTurn(way, c)
	}
	start := int(c.key % uint32(len(way)))
	if t.ring != nil {
		start = t.ring.find(c.key)
	}
	if b.spec.BalanceFactor != 0 {
		if s := p.walk(way, start, c, true); s != nil {
			return s
		}
	}
	return p.walk(way, start, c, false)
}

// nextTurn takes open members in turns.
func (p *tablePicker) nextTurn(way []uint16, c choice) *Server {
	b := p.backend
	if b.openServers == 0 {
		return nil
	}
	open := c
	open.open = true
	at := b.turn.Add(1) - 1
	size := uint64(len(way))
	for k := uint64(0); k < size; k++ {
		if s := b.servers[way[(at+k)%size]]; p.fits(s, open) {
			b.turn.Add(k)
			return s
		}
	}
	return c.not
}

// walk goes along the way from start to the first member that fits.
func (p *tablePicker) walk(way []uint16, start int, c choice, sharing bool) *Server {
	b := p.backend
	last := uint16(1<<16 - 1)
	for k := 0; k < len(way); k++ {
		at := start + k
		if at >= len(way) {
			at -= len(way)
		}
		if way[at] == last {
			continue
		}
		last = way[at]
		s := b.servers[last]
		if p.fits(s, c) && (!sharing || b.withinShare(p.table, s)) {
			return s
		}
	}
	if c.not != nil && c.not.member.Load() && p.fits(c.not, choice{open: c.open}) {
		return c.not
	}
	return nil
}

// fits reports whether a session may take a slot of s, or a place in its queue.
func (p *tablePicker) fits(s *Server, c choice) bool {
	return s != c.not && (s.open || !c.open && s.roomLocked())
}
