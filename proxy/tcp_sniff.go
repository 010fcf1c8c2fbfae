package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// fillEnv shows the session to the rule engine.
func (s *tcpSession) fillEnv(now evloop.Time) *expr.Env {
	env := s.fillConn(now, s.fe)
	if s.up.buf != nil {
		env.ReqPayload = s.up.buf.Bytes()
	}
	if s.be != nil {
		env.BackendName, env.BackendID = s.be.name, s.be.spec.ID
	}
	if s.hunt.srv != nil {
		env.ServerName, env.ServerID = s.hunt.srv.spec.Name, s.hunt.srv.spec.ID
	}
	env.Sess, env.Txn = &s.vars, &s.vars
	env.Rec = &s.rec
	return env
}

// sniff reads what tcp-request content rules want to see, until one decides
// or the inspect delay has passed.
func (s *tcpSession) sniff(now evloop.Time) {
	over := now >= s.inspectEnd
	if s.up.buf == nil {
		s.up.buf = s.w.pool.Take(s.w.p.tune.BufSize)
	}
	if free := s.up.buf.Free(); len(free) > 0 && s.fd.Ready()&(evloop.ReadyIn|evloop.ReadyHup|evloop.ReadyErr) != 0 {
		n, res := s.fd.Read(free)
		switch res {
		case evloop.Done:
			s.up.buf.Filled(n)
		case evloop.EOF:
			s.up.eof, over = true, true
		case evloop.Failed:
			s.end(now, CauseClientAbort, phaseRequest)
			return
		}
	} else if len(free) == 0 {
		over = true
	}
	s.finishSniff(now, over)
}

func (s *tcpSession) finishSniff(now evloop.Time, over bool) {
	if s.rec.ReqCaptures == nil {
		s.captureSlots()
	}
	env := s.fillEnv(now)
	env.Final = over
	for ; s.sniffed < len(s.fe.tcpContent); s.sniffed++ {
		r := &s.fe.tcpContent[s.sniffed]
		switch r.cond.Test(env) {
		case expr.Unsure:
			return // more bytes, or the end of the delay, will tell
		case expr.No:
			continue
		}
		switch r.op {
		case opAllow:
			s.passSniff(now)
			return
		case opReject, opSilentDrop:
			s.fe.counters(s.w).denied.inc()
			s.end(now, CauseDenied, phaseRequest)
			return
		case opSetVar, opSetVarFmt, opUnsetVar:
			s.w.setVar(r, env)
		case opCapture:
			switch v, outcome := r.expr.TestStr(env); {
			case outcome == expr.Yes:
				s.rec.ReqCaptures.Set(r.number, v)
			case outcome == expr.Unsure && !over:
				return // as with conditions
			}
		}
	}
	s.passSniff(now)
}

// passSniff goes on to the backend; what was read is sent on first.
func (s *tcpSession) passSniff(now evloop.Time) {
	if s.up.buf.Len() == 0 {
		s.w.pool.Put(s.up.buf)
		s.up.buf = nil
	}
	s.route(now)
}

// passAnswer has tcp-response content rules look at what the server sends
// first. It reports whether the session goes on.
func (s *tcpSession) passAnswer(now evloop.Time) bool {
	server := &s.hunt.sc.fd
	if server.Ready()&evloop.ReadyIn == 0 {
		return true
	}
	n, res := server.Peek(s.w.in)
	if res != evloop.Done {
		return true
	}
	server.Assume(evloop.ReadyIn) // the bytes are still in the socket
	s.heard = true
	env := s.fillEnv(now)
	env.ResPayload, env.Final = s.w.in[:n], true
	defer func() { env.ResPayload = nil }()
	for i := range s.be.tcpResponse {
		r := &s.be.tcpResponse[i]
		if !r.cond.Eval(env) {
			continue
		}
		switch r.op {
		case opAllow:
			return true
		case opReject, opSilentDrop:
			s.fe.counters(s.w).denied.inc()
			s.end(now, CauseDenied, phaseData)
			return false
		case opSetVar, opSetVarFmt, opUnsetVar:
			s.w.setVar(r, env)
		}
	}
	return true
}
