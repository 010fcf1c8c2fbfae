package proxy

import (
	"bytes"
	"time"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// This file fills the record of a session and hands its line to the log
// targets. Nothing here waits: a full ring drops the line and counts it.

// A logPlan is how a frontend logs.
type logPlan struct {
	sink   *accesslog.Sink // nil: nowhere
	format *expr.Format
	// failed is for requests that could not be understood, refused for
	// connections that ended before any session: error-log-format if there is one.
	failed, refused *expr.Format
	data            *expr.Format // log-format-sd; nil: none, or no target sends it
}

// ms is d in milliseconds, as logs have it.
func ms(d time.Duration) int64 { return int64(d / time.Millisecond) }

// since is the time from one mark to a later one; -1 if either was not
// reached.
func since(from, to evloop.Time) int64 {
	if from == 0 || to == 0 {
		return -1
	}
	return ms(to.Sub(from))
}

// log writes the exchange's line, unless an option leaves it out.
func (x *exchange) log(now evloop.Time, why Cause, at phase) {
	fe := x.fe
	w := x.w
	w.requests.inc()
	if x.be != nil && !x.left && !x.rec.ASAP {
		x.left = true
		x.be.counters(w).sessions.add(-1) // before the line: it tells of the others
	}
	if fe.logs == nil || fe.logs.sink == nil || x.logLevel < 0 || x.logged {
		return
	}
	failed := why != CauseNone && why != CauseLocal
	o := &fe.spec.Log
	if o.DontLogNull && x.headDone == 0 && !x.c.headHere() || o.DontLogNormal && !failed && x.rec.Status < 500 {
		return
	}
	x.logged = true
	x.fillRecord(now, why, at)
	env := x.fillEnv(now)
	env.Res = nil
	w.writeLog(fe, env, logLevelOf(x.logLevel, failed || x.rec.Status >= 500, o.SeparateErrors), x.logFormat())
}

// logFormat: only what HAProxy tells as an error of the connection gets
// error-log-format, not what rules and servers did with a request.
func (x *exchange) logFormat() *expr.Format {
	if x.rec.RequestLine == nil {
		return x.fe.logs.failed
	}
	return x.fe.logs.format
}

func (x *exchange) fillRecord(now evloop.Time, why Cause, at phase) {
	r, c, h := &x.rec, x.client(), &x.hunt
	start := x.began
	r.Accept = x.w.wall(start).UnixNano()
	r.Th = 0
	if x.c.shared().requests == 0 {
		r.Th = ms(c.greeted.Sub(c.accepted))
		start = c.greeted
	}
	r.Ti = since(start, x.first)
	r.TR = since(x.first, x.headDone)
	r.Tw = since(x.headDone, h.granted)
	if at == phaseQueue && h.granted == 0 && why != CauseQueueFull || x.tarpitted {
		r.Tw = since(x.headDone, now)
	}
	r.Tc = since(h.granted, h.connected)
	if x.headDone == 0 || x.tarpitted {
		r.TR = -1
	}
	if r.Tc >= 0 {
		r.Tr = since(h.connected, x.answered)
	}
	r.Tt = ms(now.Sub(x.began))
	r.Term = [2]byte{why.Side(), byte(at)}
	r.BytesOut += uint64(x.down.moved + x.down.trailers)
	if x.down.framing == message.BodyChunked && x.down.done {
		r.BytesOut++ // the end of the body, in HAProxy's count
	}
	if x.tunnel != nil {
		r.BytesOut += uint64(max(x.tunnel.down.moved, 0))
	}
	r.BytesIn = uint64(x.up.moved) + uint64(len(x.req.Raw))
	r.Retries, r.Redispatched = h.tries, h.redispatched && h.srv != h.avoid || x.passedOver()
	r.ServerQueue, r.BackendQueue = h.waiter.SrvPos, h.waiter.BackPos
	r.RequestLine = nil
	if len(x.line) > 0 {
		r.RequestLine = x.line
	}
	x.w.countConns(r, x.fe, x.be, x.server())
	if h.slot && !r.ASAP {
		r.ServerConns-- // as of the others
	}
	if t := &r.CookieState; x.be == nil || x.be.cookie == nil {
		t[0], t[1] = '-', '-'
	}
}

// countConns fills how many connections there are when the line is written.
func (w *worker) countConns(r *expr.Record, fe *frontend, be *backend, srv *server) {
	r.RequestCount = w.p.requestCount() - 1
	r.ProcessConns = int(w.p.conns.Load())
	r.FrontendConns = int(fe.live.conns.Load())
	r.LogCount = fe.live.logged.Add(1) - 1
	if be != nil {
		r.BackendConns = int(be.live.sessions())
	}
	if srv != nil {
		r.ServerConns = srv.bal.Current()
	}
}

func (x *exchange) record() *expr.Record   { return &x.rec }
func (s *tcpSession) record() *expr.Record { return &s.rec }

func (w *worker) writeLog(fe *frontend, env *expr.Env, level accesslog.Level, f *expr.Format) {
	w.log = f.Append(w.log[:0], env)
	if fe.logs.data == nil {
		fe.logs.sink.Line(w.id, level, w.log)
		return
	}
	w.logData = fe.logs.data.Append(w.logData[:0], env)
	fe.logs.sink.LineData(w.id, level, w.log, w.logData)
}

func logLevelOf(set int, failed, separate bool) accesslog.Level {
	switch {
	case set > 0:
		return accesslog.Level(set - 1)
	case failed && separate:
		return accesslog.LevelErr
	}
	return accesslog.LevelInfo
}

// noteRequest copies what rules and the log need of the request while it is here.
func (x *exchange) noteRequest() {
	fe := x.fe
	x.captureHeads(&x.req, sideRequest)
	x.captureSlots(sideResponse)
	if fe.logs == nil || fe.logs.sink == nil {
		return
	}
	line := x.req.Raw[x.req.MethodText.Off:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = bytes.TrimSuffix(line[:end], []byte("\r"))
	}
	x.line = append(x.line[:0], line[:min(len(line), x.w.p.tune.LogURILen+1)]...)
	if ck := fe.spec.Log.CaptureCookie; ck != nil {
		x.captureCookie(sideRequest, ck)
	}
}

// log writes the session's line, unless an option leaves it out.
func (s *tcpSession) log(now evloop.Time, why Cause, at phase) {
	fe := s.fe
	if s.logged {
		return
	}
	s.w.requests.inc()
	if fe.logs == nil || fe.logs.sink == nil {
		return
	}
	failed := why != CauseNone
	o := &fe.spec.Log
	if o.DontLogNull && s.up.moved == 0 && s.down.moved == 0 || o.DontLogNormal && !failed {
		return
	}
	r, h := &s.rec, &s.hunt
	r.Tw = since(h.started, h.granted)
	if at == phaseQueue {
		r.Tw = since(h.started, now)
	}
	r.Tc = since(h.granted, h.connected)
	r.Tt = ms(now.Sub(s.accepted))
	r.Term = [2]byte{why.Side(), byte(at)}
	r.BytesIn, r.BytesOut = uint64(max(s.up.moved, 0)), uint64(s.down.moved)
	r.Retries, r.Redispatched = h.tries, h.redispatched && h.srv != h.avoid
	r.ServerQueue, r.BackendQueue = h.waiter.SrvPos, h.waiter.BackPos
	s.w.countConns(r, fe, s.be, h.srv)
	s.w.writeLog(fe, s.fillEnv(now), logLevelOf(0, failed, o.SeparateErrors), fe.logs.format)
}
