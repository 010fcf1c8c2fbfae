package proxy

import (
	"github.com/weir-lb/weir/health"
	"syscall"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// A tcpSession relays the bytes of one client to one server.
type tcpSession struct {
	clientConn      // client.go
	hunt       hunt // hunt.go: slot and connection
	fe         *frontend
	be         *backend
	state      tcpState // tcp.go
	up, down   half     // relay.go: client to server, server to client
	rec        expr.Record
	vars       expr.Vars
	captures   *expr.Captures // nil: never needed; kept for the next session
	sniffed    int            // tcp-request content rules that are done
	inspectEnd evloop.Time    // tcp-request inspect-delay
	active     evloop.Time    // when bytes moved last, or the connection was there (tcp_timeout.go)
	finUp      evloop.Time    // when FIN was passed on to the server
	finDown    evloop.Time    // when FIN was passed on to the client
	silent     Cause          // whose time was over first; CauseNone while nobody's was
	ended      bool
	heard      bool // tcp-response content rules have seen what the server sent first
	logged     bool // option logasap: the line was written when the connection stood
	nextFree   *tcpSession
}

// A tcpState says what a TCP session waits for.
type tcpState uint8

const (
	tcpGreet  tcpState = iota // the client's PROXY header, and the end of the TLS handshake
	tcpSniff                  // client bytes, for tcp-request content rules
	tcpHunt                   // a slot and a connection (hunt.go has the details)
	tcpRelay                  // bytes from either side
	tcpHalf                   // the last bytes of the side that has not sent FIN
	tcpClosed                 // nothing: both descriptors are closed
)

// tcpNext[s] holds the states that may follow s. Any state may go to tcpClosed.
var tcpNext = [...]uint8{
	tcpGreet:  1<<tcpSniff | 1<<tcpHunt,
	tcpSniff:  1 << tcpHunt,
	tcpHunt:   1 << tcpRelay,
	tcpRelay:  1 << tcpHalf,
	tcpHalf:   0,
	tcpClosed: 1 << tcpGreet,
}

func (s *tcpSession) setState(next tcpState) {
	if next != tcpClosed && tcpNext[s.state]&(1<<next) == 0 {
		panic("tcp session: " + s.state.String() + " -> " + next.String())
	}
	s.state = next
}

func (s tcpState) String() string {
	return [...]string{"greet", "sniff", "hunt", "relay", "half", "closed"}[s]
}

func (w *worker) takeTCP() *tcpSession {
	s := w.freeTCP
	if s == nil {
		w.made.tcp++
		s = &tcpSession{}
		s.state = tcpClosed
	} else {
		w.freeTCP, s.nextFree = s.nextFree, nil
		w.nTCP--
	}
	s.hunt.init(w, s)
	s.rec.Reset()
	return s
}

// begin starts the session once its PROXY header, if any, has been read.
func (s *tcpSession) begin(now evloop.Time) {
	if s.state == tcpClosed {
		s.setState(tcpGreet)
		s.fe = s.w.p.plan.Load().frontends[s.door.index]
		s.ended = false
		s.rec.Accept = s.w.wall(s.accepted).UnixNano()
	}
	if s.greeting && !s.readGreeting(now) || s.securing && !s.secure(now) {
		if !s.fd.IsOpen() {
			s.freed()
		}
		return
	}
	s.rec.Th = ms(now.Sub(s.accepted))
	s.fe.counters(s.w).sessions.inc()
	if len(s.fe.tcpSession) > 0 && !s.w.admit(s.fe, &s.clientConn, s.fe.tcpSession) {
		s.refuse(now, false)
		return
	}
	if len(s.fe.tcpContent) > 0 {
		s.setState(tcpSniff)
		s.inspectEnd = now.Add(s.fe.inspectDelay)
		s.setDeadline(s.inspectEnd)
		s.sniff(now)
		return
	}
	s.route(now)
}

// HandleReady: the client's descriptor. The server's events come through
// serverReady.
func (s *tcpSession) HandleReady(now evloop.Time, _ *evloop.FD) {
	switch s.state {
	case tcpGreet:
		s.begin(now)
	case tcpSniff:
		s.sniff(now)
	case tcpHunt:
		s.clientWhileHunting(now)
	case tcpRelay, tcpHalf:
		s.relay(now)
	case tcpClosed:
		panic("tcp session: event after close")
	}
}

// HandleTimeout: nothing came from the client, or nothing could be written
// to it, in time.
func (s *tcpSession) HandleTimeout(now evloop.Time, _ *evloop.Timer) {
	switch s.state {
	case tcpGreet:
		s.greetingTimeout(now)
		s.freed()
	case tcpSniff:
		s.sniff(now)
	case tcpHunt:
		s.end(now, CauseClientTimeout, s.phase())
	case tcpRelay, tcpHalf:
		s.timeIsOver(now, true, s.hunt.sc.timeIsUp(now))
	case tcpClosed:
	}
}

func (s *tcpSession) HandleLetter(evloop.Time, *evloop.Letter) {}

// route chooses the backend and asks for a server.
func (s *tcpSession) route(now evloop.Time) {
	s.setState(tcpHunt)
	s.setDeadline(0)
	s.be = s.w.chooseBackend(s.fe, s)
	if s.be == nil {
		s.end(now, CauseNoServer, phaseConnect)
		return
	}
	s.be.counters(s.w).sessions.add(1)
	s.be.counters(s.w).total.inc()
	s.hunt.start(now, s.be)
}

// clientWhileHunting: a client that resets while it waits gives its place in
// the queue away; one that only sent FIN still wants its answer, unless
// option abortonclose says otherwise.
func (s *tcpSession) clientWhileHunting(now evloop.Time) {
	gone := s.fd.Ready()&evloop.ReadyErr != 0
	if !gone && s.fd.Ready()&evloop.ReadyHup != 0 && s.be.spec.AbortOnClose {
		_, res := s.fd.Peek(s.w.in[:1])
		gone = res == evloop.EOF || res == evloop.Failed
	}
	if gone {
		at := phaseConnect
		if s.hunt.state == huntQueued {
			at = phaseQueue
		}
		s.end(now, CauseClientAbort, at)
	}
}

func (s *tcpSession) client() *clientConn { return &s.clientConn }

func (s *tcpSession) huntRequest(r *balancer.Request) {
	s.hashTCP(r)
}

func (s *tcpSession) huntReuse(*server) *serverConn { return nil }

func (s *tcpSession) huntRedirect(evloop.Time, *server) bool { return false }

func (s *tcpSession) huntFailed(now evloop.Time, why Cause, at phase) { s.end(now, why, at) }

func (s *tcpSession) serverConnected(now evloop.Time) {
	s.hunt.hold(now)
}

func (s *tcpSession) serverConnectFailed(now evloop.Time, why syscall.Errno) {
	s.hunt.connectFailed(now, causeOfDial(why))
}

func (s *tcpSession) serverConnectTimeout(now evloop.Time) {
	s.hunt.connectFailed(now, CauseServerTimeout)
}

// huntDone: connected. The PROXY header goes first, in one piece with what
// the client has sent.
func (s *tcpSession) huntDone(now evloop.Time) {
	s.setState(tcpRelay)
	s.active = now
	s.hunt.srv.observe(health.ObservedOK)
	s.hunt.srv.live.counters[s.w.id].total.inc()
	if s.hunt.srv.spec.SendProxy != ProxyNone && s.hunt.srv.tls == nil {
		s.up.prepend(s.w, s.w.proxyHeader(s.hunt.srv, &s.clientConn))
	}
	if s.fe.spec.Log.LogASAP {
		s.rec.ASAP = true
		s.log(now, CauseNone, phaseNone)
		s.logged = true
	}
	s.relay(now)
}

func (s *tcpSession) serverReady(now evloop.Time) { s.relay(now) }

func (s *tcpSession) serverTimeout(now evloop.Time) { s.timeIsOver(now, s.timeIsUp(now), true) }

func (s *tcpSession) serverMarkedDown(now evloop.Time) {
	s.end(now, CauseServerDown, s.phase())
}

// relay moves bytes both ways and then decides what they mean.
func (s *tcpSession) relay(now evloop.Time) {
	server := &s.hunt.sc.fd
	if !s.heard && len(s.be.tcpResponse) > 0 && !s.passAnswer(now) {
		return
	}
	up0, down0 := s.up.moved, s.down.moved
	upEnd := s.up.move(s.w, &s.fd, server)
	downEnd := s.down.move(s.w, server, &s.fd)
	s.countBytes(s.up.moved-up0, s.down.moved-down0)
	if s.up.moved != up0 || s.down.moved != down0 {
		s.active = now
	}
	if (s.up.eof || upEnd == haltFull) && broke(&s.fd) {
		upEnd = haltSource
	}
	if s.down.eof && !s.up.shut && broke(server) {
		upEnd = haltDest
	}
	s.finishRelay(now, upEnd, downEnd)
}

func (s *tcpSession) finishRelay(now evloop.Time, up, down haltReason) {
	switch {
	case up == haltSource:
		s.end(now, CauseClientAbort, s.phase())
		return
	case down == haltSource:
		s.end(now, CauseServerAbort, s.phase())
		return
	case down == haltDest:
		s.end(now, CauseClientAbort, s.phase())
		return
	case up == haltDest && (!s.down.eof || s.hunt.sc.fd.Errno() == syscall.ECONNRESET):
		s.end(now, CauseServerAbort, s.phase())
		return
	case up == haltDest:
		// The server had sent FIN and has closed altogether by now. What it sent
		// is still to be delivered.
		s.up.release(s.w)
		s.up.eof, s.up.shut, s.up.lost = true, true, true
	}
	s.passFIN(now, up, down)
	if s.up.shut && s.down.shut {
		why, at := CauseNone, phaseNone
		if s.up.lost {
			why, at = CauseServerAbort, phaseData
		}
		s.end(now, why, at)
		return
	}
	if s.state == tcpRelay && (s.up.eof || s.down.eof) {
		s.setState(tcpHalf)
	}
	if up == haltBudget || down == haltBudget {
		s.w.loop.Again(&s.fd.FD)
	}
	s.setDeadlines()
}

// passFIN forwards the end of one direction when its last byte is written.
func (s *tcpSession) passFIN(now evloop.Time, up, down haltReason) {
	if up == haltEOF && !s.up.shut {
		s.up.shut, s.finUp = true, now
		s.hunt.sc.fd.Shutdown()
	}
	if down == haltEOF && !s.down.shut {
		s.down.shut, s.finDown = true, now
		s.fd.Shutdown()
	}
}

// after is the deadline d from now; none when d is not positive.
func after(now evloop.Time, d time.Duration) evloop.Time {
	if d <= 0 {
		return 0
	}
	return now.Add(d)
}

// phase is where the session stands, for the log.
func (s *tcpSession) phase() phase {
	switch s.state {
	case tcpGreet, tcpSniff:
		return phaseRequest
	case tcpHunt:
		if s.hunt.state == huntQueued {
			return phaseQueue
		}
		return phaseConnect
	default:
		return phaseData
	}
}

func (s *tcpSession) countBytes(up, down int64) {
	id := s.w.id
	s.fe.counters(s.w).bytesIn.add(uint64(up))
	s.fe.counters(s.w).bytesOut.add(uint64(down))
	s.be.counters(s.w).bytesIn.add(uint64(up))
	s.be.counters(s.w).bytesOut.add(uint64(down))
	srv := &s.hunt.srv.live.counters[id]
	srv.bytesIn.add(uint64(up))
	srv.bytesOut.add(uint64(down))
}

// drain: a relay is not cut by a soft stop; a client that has sent nothing
// to inspect yet is.
func (s *tcpSession) drain(now evloop.Time) {}

// kill ends the session whatever it is doing.
func (s *tcpSession) kill(now evloop.Time) {
	if s.state == tcpGreet {
		s.shut(false)
		s.freed()
		return
	}
	s.end(now, CauseKilled, s.phase())
}

// refuse ends a session that a connection or session rule rejected.
func (s *tcpSession) refuse(_ evloop.Time, rst bool) {
	s.door.counters[s.w.id].denied.inc()
	s.shut(rst)
	s.freed()
}

// end closes both sides, logs, and gives everything back.
func (s *tcpSession) end(now evloop.Time, why Cause, at phase) {
	first, where := why, at
	if s.silent != CauseNone { // what came of it does not count
		first, where = s.silent, phaseData
	}
	s.count(first)
	if s.be != nil {
		s.be.counters(s.w).sessions.add(-1) // before the line: it tells of the others
	}
	if sc := s.hunt.sc; sc != nil && why != CauseNone {
		s.hunt.sc = nil
		sc.reset() // what was cut must look cut
	}
	free := s.hunt.end()
	s.log(now, first, where)
	lost := why == CauseClientTimeout && s.down.pending()
	s.up.release(s.w)
	s.down.release(s.w)
	s.shut(lost || why == CauseServerAbort && s.state >= tcpRelay && !s.down.shut || s.fe.spec.NoLinger)
	s.state = tcpClosed
	s.ended = true
	if free {
		s.freed()
	}
}

func (s *tcpSession) count(why Cause) {
	switch why {
	case CauseClientAbort, CauseClientTimeout:
		if s.be != nil {
			s.be.counters(s.w).clientAbort.inc()
		}
	case CauseServerAbort, CauseServerTimeout:
		if s.be != nil && s.hunt.srv != nil && s.state >= tcpRelay {
			s.be.counters(s.w).serverAbort.inc()
			s.hunt.srv.live.counters[s.w.id].serverAbort.inc()
		}
	}
}

func (s *tcpSession) huntMailOver() {
	if s.ended {
		s.freed()
	}
}

// freed puts the ended session on the free list.
func (s *tcpSession) freed() {
	w := s.w
	s.vars.Reset(w.env.Scratch)
	*s = tcpSession{state: tcpClosed, captures: s.captures}
	if w.nTCP < connsKeptMax {
		s.nextFree, w.freeTCP = w.freeTCP, s
		w.nTCP++
	}
}
