package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// This file is what the times of a relay mean. Each side has its own, and only
// one half ends with it, as with that side's FIN: the other may still finish.

// setDeadlines: every byte that moves, either way, starts both times anew, and
// FIN starts the -fin time of the side that has not sent its own.
func (s *tcpSession) setDeadlines() {
	t := &s.be.timeouts
	client, server := s.fe.timeouts.client, t.server
	if t.tunnel > 0 {
		client, server = t.tunnel, t.tunnel
	}
	clientFrom, serverFrom := s.active, s.active
	if s.down.shut && s.fe.timeouts.clientFin > 0 {
		client, clientFrom = s.fe.timeouts.clientFin, max(s.active, s.finDown)
	}
	if s.up.shut && t.serverFin > 0 {
		server, serverFrom = t.serverFin, max(s.active, s.finUp)
	}
	client, server = s.awaited(idleTimes(&s.up, &s.down, client, server))
	s.setDeadline(after(clientFrom, client))
	s.hunt.sc.setDeadline(after(serverFrom, server))
}

// awaited leaves a time to those sides only from which something is awaited:
// bytes, room or FIN.
func (s *tcpSession) awaited(client, server time.Duration) (c, sv time.Duration) {
	if s.up.eof && !s.down.pending() {
		client = 0
	}
	if s.down.eof && !s.up.pending() {
		server = 0
	}
	return client, server
}

// timeIsOver: a side, or both, was silent for too long. Its half ends as with
// FIN. Where it would not take what waits for it, that is lost, and the session
// is over.
func (s *tcpSession) timeIsOver(now evloop.Time, client, server bool) {
	switch {
	case client && s.down.pending():
		s.end(now, CauseClientTimeout, phaseData)
		return
	case server && s.up.pending():
		s.end(now, CauseServerTimeout, phaseData)
		return
	}
	if s.silent == CauseNone {
		s.silent = CauseServerTimeout
		if client { // timeout tunnel is the same for both: as HAProxy, we blame the client
			s.silent = CauseClientTimeout
		}
	}
	s.up.eof = s.up.eof || client
	s.down.eof = s.down.eof || server
	s.relay(now)
}

// timeIsUp reports whether the deadline has passed, even if nobody was told.
func (sc *serverConn) timeIsUp(now evloop.Time) bool {
	at := sc.timer.Deadline()
	return at != 0 && at <= now
}
