package balancer

// Acquire asks for a slot.
//
//	Granted   the slot of the server is the caller's, who owes a Release
//	Queued    w is in a queue; w.Granter will be told, unless Leave comes first
//	QueueFull there is no free slot, and no place in a queue either; always instead of Queued if w is nil
//	NoServer  no server is usable
func (b *Backend) Acquire(w *Waiter, r *Request) (*Server, Verdict) {
	if t := b.fast.Load(); t != nil {
		if s := t.pick(b, r); s != nil {
			s.take()
			if b.fast.Load() == t {
				return s, Granted
			}
			// The backend has changed meanwhile, and those who changed it may have seen our slot as taken.
			s.served.Add(^uint64(0))
			b.Release(s)
		}
	}
	b.mu.Lock()
	if w != nil {
		w.slot = nil // of an earlier wait
	}
	b.loadLocked(1)
	s, verdict := b.placeLocked(w, r)
	if verdict > Queued {
		b.loadLocked(-1)
		b.stats.refused.Add(1)
	}
	told := b.takeGrantsLocked()
	b.mu.Unlock()
	told.tell()
	return s, verdict
}

// Release gives a slot back. The session that has waited longest for it gets it at once.
func (b *Backend) Release(s *Server) {
	if b.fast.Load() != nil {
		s.give()
		if b.fast.Load() != nil {
			return // nobody waits and no server has a limit
		}
		b.mu.Lock()
		b.recountLocked() // a limit was set meanwhile, and may have been full with our slot
		b.serveLocked()
	} else {
		b.mu.Lock()
		s.give()
		b.loadLocked(-1)
		b.serveServerLocked(s)
		b.refreshLocked(s)
	}
	told := b.takeGrantsLocked()
	b.mu.Unlock()
	told.tell()
}

// placeLocked finds a slot or a place in a queue.
func (b *Backend) placeLocked(w *Waiter, r *Request) (*Server, Verdict) {
	if s := r.stickyTo(); s != nil {
		if s.freeLocked() {
			return b.takeLocked(s), Granted
		}
		tie := tieSticky
		if r.StickyStrict {
			tie = tieStrict
		}
		if s.roomLocked() && b.enqueueLocked(w, r, s, tie) {
			return nil, Queued
		}
		if r.StickyStrict {
			return nil, QueueFull
		}
	}
	if s := r.Prefer; s != nil && s != r.Exclude && s.member.Load() {
		if s.open {
			return b.takeLocked(s), Granted
		}
		patient := r.PreferQueue < 0 || s.queue.len < r.PreferQueue
		if patient && s.roomLocked() && b.enqueueLocked(w, r, s, tieNone) {
			return nil, Queued
		}
	}
	if len(b.table.members) == 0 {
		return nil, NoServer
	}
	key, hasKey := b.keyOf(r)
	s := b.picker.choose(choice{key: uint32(key), hasKey: hasKey, not: r.Exclude})
	if s != nil && s.open {
		return b.takeLocked(s), Granted
	}
	if b.enqueueLocked(w, r, s, tieNone) {
		return nil, Queued
	}
	return nil, QueueFull
}

// takeLocked counts a session in.
func (b *Backend) takeLocked(s *Server) *Server {
	s.take()
	b.refreshLocked(s)
	return s
}

// refreshLocked brings up to date what is known of a server of which a slot, the limit or the queue changed.
func (b *Backend) refreshLocked(s *Server) {
	open := s.member.Load() && s.freeLocked()
	if open != s.open {
		s.open = open
		if open {
			b.openServers++
		} else {
			b.openServers--
		}
	}
	b.picker.changed(s)
}

// loadLocked counts sessions of the backend, waiters included. Limits that follow it (minconn) may rise, and then waiters
// are served.
func (b *Backend) loadLocked(by int) {
	b.load += by
	if b.dynamic && (b.load < b.loadLow || b.load > b.loadHigh) {
		b.limitLocked()
		if by > 0 {
			b.serveLocked()
		}
	}
}
