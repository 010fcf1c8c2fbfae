package balancer

import "time"

// SetState changes what a server takes. A server that comes up serves waiters at once; one that goes down gives those who
// wait for it to the backend, except the strictly stuck. Coming up from down or maintenance starts a slow start.
func (b *Backend) SetState(s *Server, st State, now time.Duration) {
	b.control.Lock()
	defer b.control.Unlock()
	old := s.State()
	if old == st {
		return
	}
	b.mu.Lock()
	s.state.Store(uint32(st))
	switch {
	case !st.accepts():
		s.ramp = ramp{}
	case !old.accepts() && s.spec.SlowStart > 0:
		s.ramp = ramp{on: true, from: now}
	}
	b.mu.Unlock()
	b.installTable(b.newTable(b.chooseMembers()))
}

// SetWeight changes a server's weight, 0 to 256; what is outside is brought inside. With WeightsAreStatic, HAProxy's
// run-time command refuses all but 0 and the weight of the configuration: that is up to the caller.
func (b *Backend) SetWeight(s *Server, weight int) {
	b.control.Lock()
	defer b.control.Unlock()
	weight = min(max(weight, 0), weightMax)
	if int32(weight) == s.weight {
		return
	}
	b.mu.Lock()
	s.weight = int32(weight)
	b.mu.Unlock()
	b.installTable(b.newTable(b.chooseMembers()))
}

// SetMaxConn changes a server's slots; 0: no bound. Slots that are gained serve waiters at once. Sessions over a new
// bound stay; nobody takes their place.
func (b *Backend) SetMaxConn(s *Server, maxConn int) {
	b.control.Lock()
	defer b.control.Unlock()
	b.mu.Lock()
	s.maxConn = int32(min(max(maxConn, 0), slotsMax))
	t := b.table
	b.mu.Unlock()
	b.installTable(t)
}

// chooseMembers lists the servers that take part in the balancing: those that are usable and no backups; if there
// are none, the first usable backup, or with AllBackups all of them. The caller holds control.
func (b *Backend) chooseMembers() []*Server {
	var active, backups []*Server
	for _, s := range b.servers {
		switch {
		case s.State() != StateUp || s.weight == 0:
		case s.spec.Backup:
			backups = append(backups, s)
		default:
			active = append(active, s)
		}
	}
	if len(active) == 0 {
		active = backups
		if len(active) > 1 && !b.spec.AllBackups {
			active = active[:1]
		}
	}
	return active
}

// installTable makes a table the one in force, and brings everything in line with it and with the servers' states and
// limits. The caller holds control.
func (b *Backend) installTable(t *table) {
	b.mu.Lock()
	b.fast.Store(nil)
	b.table = t
	for _, s := range b.servers {
		s.member.Store(t.weights[s.index] > 0)
		s.eweight.Store(b.effectiveWeight(s))
	}
	b.picker.reform(t)
	b.recountLocked()
	for _, s := range b.servers {
		if s.queue.head != nil {
			b.displaceLocked(s)
			b.refreshLocked(s)
		}
	}
	b.serveLocked()
	if b.waiting == 0 && t.free(&b.spec) && !b.limitedLocked() {
		b.fast.Store(t)
	}
	told := b.takeGrantsLocked()
	b.mu.Unlock()
	told.tell()
}

// recountLocked counts everything anew: while a backend has no limits sessions come and go without the mutex.
func (b *Backend) recountLocked() {
	b.load = b.waiting
	for _, s := range b.servers {
		b.load += int(s.used.Load())
	}
	b.limitLocked()
	for _, s := range b.servers {
		b.refreshLocked(s)
	}
}

// limitedLocked reports whether any server has a limit.
func (b *Backend) limitedLocked() bool {
	for _, s := range b.servers {
		if s.limit > 0 {
			return true
		}
	}
	return false
}

// limitLocked works the servers' limits out.
func (b *Backend) limitLocked() {
	b.dynamic, b.loadLow, b.loadHigh = false, 0, 1<<62
	for _, s := range b.servers {
		limit := b.limitOfLocked(s)
		if limit != s.limit {
			s.limit = limit
			b.refreshLocked(s)
		}
	}
}

// limitOfLocked is the number of slots of a server now. Between minconn and maxconn it follows the load of the backend:
// maxconn * load / fullconn, the session that asks included, as HAProxy's binary does it.
func (b *Backend) limitOfLocked(s *Server) int32 {
	most, least, full := int(s.maxConn), s.spec.MinConn, b.spec.FullConn
	switch {
	case most == 0 || least > most:
		most = least
	case least == 0 || least == most || full == 0:
	default:
		b.dynamic = true
		if b.load >= full {
			b.loadLow = max(b.loadLow, full)
			break
		}
		// The quotient stays the same for the loads whose product lies between two multiples of full.
		now := most * b.load / full
		b.loadLow = max(b.loadLow, (now*full+most-1)/most)
		b.loadHigh = min(b.loadHigh, ((now+1)*full+most-1)/most-1)
		most = max(least, now)
	}
	if most > 0 && s.ramp.on {
		most = max(1, s.ramp.of(most))
	}
	return int32(most)
}
