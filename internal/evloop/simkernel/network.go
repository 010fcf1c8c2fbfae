package simkernel

import (
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// synAgain is when a client tries again whose SYN was dropped.
const synAgain = time.Second

// pump moves what s has sent to the other side, as far as there is room, and the
// FIN after it.
func (s *sock) pump() {
	o := s.other
	if s.state != sockOpen || o == nil {
		return
	}
	if s.corked && !s.sendShut {
		return
	}
	for len(s.out) > 0 && !s.held {
		if o.orphan {
			o.state, o.out = sockDead, nil
			s.reset() // nobody reads this any more (RFC 9293 section 3.6.1)
			return
		}
		n := min(len(s.out), o.inMax-len(o.in))
		if n > 0 {
			n = s.k.holdBack(s, n)
		}
		if n <= 0 {
			break
		}
		o.in = append(o.in, s.out[:n]...)
		s.out = s.out[n:]
		s.k.wake(&o.watch, evloop.ReadyIn)
		o.drain()
		s.roomMade()
	}
	if len(s.out) == 0 && s.sendShut && !s.finSent && !s.held {
		s.finSent = true
		o.fin()
	}
}

// fin is the arrival of a FIN.
func (s *sock) fin() {
	if s.state != sockOpen {
		return
	}
	s.recvShut, s.recvFIN = true, true
	s.k.wake(&s.watch, 0)
}

// drain hands what arrived to a script that reads.
func (s *sock) drain() {
	if s.end != nil && !s.end.paused && len(s.in) > 0 {
		s.end.got = append(s.end.got, s.in...)
		s.in = nil
	}
}

// roomMade wakes who was told that there is no room.
func (s *sock) roomMade() {
	if s.noSpace && s.writable() {
		s.noSpace = false
		s.k.wake(&s.watch, evloop.ReadyOut)
	}
}

// holdBack decides, by the faults, how many of n bytes arrive now. The rest
// stands in the network until a later turn: to the reader that is the only legal
// kind of short read or EAGAIN.
func (k *Kernel) holdBack(s *sock, n int) int {
	now := n
	switch {
	case !s.heldBefore && k.roll(k.Faults.Again):
		now = 0
	case k.roll(k.Faults.ShortRead):
		now = 1 + k.rng.IntN(n)
	}
	s.heldBefore = now == 0
	if now < n {
		s.held = true
		k.later(0, func() {
			s.held = false
			s.pump()
		})
	}
	return now
}

// squeeze decides, by the faults, how many of n bytes a write takes although
// there is room for all.
func (k *Kernel) squeeze(s *sock, n int) int {
	now := n
	switch {
	case !s.squeezedBefore && k.roll(k.Faults.Again):
		now = 0
	case k.roll(k.Faults.ShortWrite):
		now = 1 + k.rng.IntN(n)
	}
	s.squeezedBefore = now == 0
	if now < n {
		s.squeezed = true
		k.later(0, func() {
			s.squeezed = false
			s.roomMade()
		})
	}
	return now
}

// handshake is the arrival of s's SYN, or its place in a UNIX listener's queue.
// It returns false when the queue is full.
func (s *sock) handshake() bool {
	if s.state != sockConnecting || s.orphan {
		return true
	}
	l := s.k.lookup(s.far)
	switch {
	case l == nil, l.server != nil && l.server.refuses, s.k.roll(s.k.Faults.Refuse):
		s.reset()
		return true
	case l.server != nil && l.server.swallows:
		return !s.unix
	case l.server == nil && len(l.queue) > l.backlog:
		return false
	}
	o := s.k.newSock(s.unix)
	o.local, o.far = s.far, s.local
	s.other, o.other = o, s
	s.state, o.state = sockOpen, sockOpen
	if l.server != nil {
		l.server.arrived = append(l.server.arrived, newEnd(o))
	} else {
		l.queue = append(l.queue, o)
		s.k.wake(&l.watch, evloop.ReadyIn)
	}
	s.k.wake(&s.watch, 0)
	s.pump()
	return true
}

// dial starts a TCP handshake; d is the time that the SYN takes.
func (s *sock) dial(d time.Duration) {
	try := func() {
		if !s.handshake() {
			s.dial(synAgain)
		}
	}
	if d == 0 && !s.k.roll(s.k.Faults.Slow) {
		try()
		return
	}
	if d == 0 && s.k.rng.IntN(2) == 0 {
		d = time.Duration(s.k.rng.Int64N(int64(time.Second)))
	}
	s.k.later(d, try)
}

// lookup finds who listens at an address; of several the one with the shortest
// queue.
func (k *Kernel) lookup(a evloop.Addr) *listener {
	all := k.bound[a]
	if len(all) == 0 && a.Path == "" {
		all = k.bound[evloop.Addr{IP: anyOf(a.IP)}]
	}
	var best *listener
	for _, l := range all {
		if best == nil || len(l.queue) < len(best.queue) {
			best = l
		}
	}
	return best
}
