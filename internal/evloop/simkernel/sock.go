package simkernel

import (
	"fmt"
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
)

// A sockState is where a stream socket stands.
type sockState uint8

const (
	sockNew        sockState = iota // neither bound to another socket nor on the way
	sockConnecting                  // connect(2) was called; no answer yet
	sockOpen                        // has another side; each direction may have ended
	sockDead                        // reset, refused or timed out: nothing moves any more
)

func (s sockState) String() string {
	return [...]string{"new", "connecting", "open", "dead"}[s]
}

// A sock is one end of a connection. Bytes written wait in out until there is
// room at the other side, then in the other's in until they are read.
type sock struct {
	watch
	k          *Kernel
	unix       bool
	state      sockState
	other      *sock
	local, far evloop.Addr
	end        *End // nil: a descriptor's, or waiting to be accepted

	in, out       []byte
	inMax, outMax int

	// Of the sending direction.
	sendShut bool // no more writes
	finSent  bool // and the other side knows
	corked   bool // what is in out waits for more
	held     bool // the network keeps what is in out for a later turn
	squeezed bool // memory is short: no room to write until a later turn
	noSpace  bool // somebody was told that there is no room, and wants to know when there is
	// Two in a row would be for ever where the fault is certain.
	heldBefore, squeezedBefore bool // the last try moved nothing at all

	// Of the receiving direction.
	recvShut bool // nothing more will come
	recvFIN  bool // because of a FIN

	err     syscall.Errno
	orphan  bool // its owner closed it; what is in out still goes
	options map[[2]int]int
}

func (k *Kernel) newSock(unix bool) *sock {
	return &sock{k: k, unix: unix, inMax: k.ReceiveBuffer, outMax: k.SendBuffer}
}

// poll is tcp_poll and unix_poll.
func (s *sock) poll() evloop.Ready {
	var r evloop.Ready
	if s.state == sockConnecting {
		return r
	}
	if s.recvShut && s.sendShut || s.state == sockDead || s.state == sockNew {
		r |= evloop.ReadyErr // EPOLLHUP
	}
	if s.recvShut {
		r |= evloop.ReadyIn | evloop.ReadyHup
	}
	if len(s.in) > 0 {
		r |= evloop.ReadyIn
	}
	if s.sendShut || s.writable() {
		r |= evloop.ReadyOut
	} else {
		s.noSpace = true
	}
	if s.err != 0 {
		r |= evloop.ReadyErr
	}
	return r
}

// writable is when epoll calls a socket so: a third of the buffer is free.
func (s *sock) writable() bool { return !s.squeezed && len(s.out) <= s.outMax/3*2 }

func (s *sock) room() int {
	if s.squeezed {
		return 0
	}
	return max(s.outMax-len(s.out), 0)
}

// takeErr is sock_error: an error is told once.
func (s *sock) takeErr() syscall.Errno {
	err := s.err
	s.err = 0
	return err
}

// receivable says why there is nothing to receive; bytes go before all else.
func (s *sock) receivable() (eof bool, errno syscall.Errno) {
	switch {
	case s.state == sockNew && s.unix:
		return false, syscall.EINVAL
	case s.state == sockNew && s.err == 0:
		return false, syscall.ENOTCONN
	case len(s.in) > 0:
		return false, 0
	case s.recvFIN && !s.unix:
		return true, 0
	case s.err != 0:
		return false, s.takeErr()
	case s.recvShut:
		return true, 0
	}
	return false, syscall.EAGAIN
}

// sendable says why nothing can be sent, but for lack of room.
func (s *sock) sendable() syscall.Errno {
	switch {
	case s.unix && s.state == sockNew:
		return syscall.ENOTCONN
	case s.unix && s.sendShut:
		return syscall.EPIPE
	case s.err != 0:
		return s.takeErr()
	case s.sendShut, s.state == sockNew, s.state == sockDead:
		return syscall.EPIPE
	case s.state == sockConnecting:
		return syscall.EAGAIN
	}
	return 0
}

// take consumes n received bytes.
func (s *sock) take(n int) {
	s.in = s.in[n:]
	o := s.other
	if o == nil {
		return
	}
	o.pump()
	if s.unix && len(s.in) == 0 && o.writable() {
		s.k.wake(&o.watch, evloop.ReadyOut) // UNIX sockets do not ask whether anybody waits for room
	}
}

// give queues bytes of p, as many as there is room for.
func (s *sock) give(p []byte) (int, syscall.Errno) { return s.queue(p, false) }

func (s *sock) queue(p []byte, more bool) (int, syscall.Errno) {
	if errno := s.sendable(); errno != 0 {
		return 0, errno
	}
	n := min(len(p), s.room())
	if n > 0 && s.end == nil {
		n = s.k.squeeze(s, n)
	}
	if n < len(p) {
		s.noSpace = true
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	s.out = append(s.out, p[:n]...)
	s.corked = more && n == len(p) // a full buffer does not wait
	s.pump()
	if s.k.roll(s.k.Faults.Reset) {
		s.breakBoth()
	}
	return n, 0
}

// shutdown ends the sending direction. Like Linux it wakes its own epoll as well.
func (s *sock) shutdown() syscall.Errno {
	switch s.state {
	case sockNew, sockDead:
		if s.unix {
			return 0
		}
		return syscall.ENOTCONN
	case sockConnecting:
		s.state = sockNew // Linux disconnects it
		return 0
	}
	s.sendShut = true
	s.k.wake(&s.watch, 0)
	s.pump()
	return 0
}

// release is close(2).
func (s *sock) release() {
	if s.state == sockOpen && len(s.in) > 0 && !s.unix {
		s.abort() // the other side shall know that what it sent was not read
		return
	}
	s.orphan = true
	switch {
	case s.state != sockOpen:
		s.state = sockDead
	case s.unix:
		s.releaseUnix(len(s.in) > 0)
	default:
		s.sendShut = true
		s.pump()
	}
}

// releaseUnix: what was written before is there already, so both directions of
// the other side end at once. It is told when that was not in good order.
func (s *sock) releaseUnix(lost bool) {
	o := s.other
	s.in = nil
	s.held, s.squeezed = false, false
	s.sendShut = true
	o.in = append(o.in, s.out...)
	s.out = nil
	s.state = sockDead
	if o.state != sockOpen {
		return
	}
	o.recvShut, o.recvFIN, o.sendShut = true, true, true
	o.out = nil
	if lost {
		o.err = syscall.ECONNRESET
	}
	s.finSent = true
	o.drain()
	s.k.wake(&o.watch, 0)
}

// abort ends the connection with a RST.
func (s *sock) abort() {
	if s.unix && s.state == sockOpen {
		s.orphan = true
		s.releaseUnix(len(s.in) > 0)
		return
	}
	o := s.other
	wasOpen := s.state == sockOpen
	s.orphan = true
	s.state = sockDead
	s.in, s.out = nil, nil
	if wasOpen && o != nil {
		o.reset()
	}
}

// reset is the arrival of a RST.
func (s *sock) reset() {
	if s.state == sockDead || s.finSent && s.recvFIN {
		return // it has ended already
	}
	s.err = syscall.ECONNRESET
	switch {
	case s.state == sockConnecting:
		s.err = syscall.ECONNREFUSED
	case s.recvFIN && !s.sendShut:
		s.err = syscall.EPIPE
	}
	s.state = sockDead
	s.out = nil
	s.recvShut, s.sendShut = true, true
	if s.end != nil {
		s.end.wasReset = true
	}
	s.k.wake(&s.watch, 0)
}

// breakBoth is a fault: something between the two sends a RST to both.
func (s *sock) breakBoth() {
	if s.unix || s.state != sockOpen || s.other.orphan {
		return // no such thing on one machine
	}
	s.reset()
	s.other.reset()
}

func (s *sock) String() string {
	return fmt.Sprintf("%v socket %s -> %s, %d bytes unread, %d unsent", s.state, describe(s.local), describe(s.far),
		len(s.in), len(s.out))
}
