package expr

import "strconv"

// requestStart is the wall clock at the first byte of the request.
func (r *Record) requestStart() int64 {
	return r.Accept + (max(r.Th, 0)+max(r.Ti, 0))*nanosPerMS
}

func (e *Env) appendDate(dst []byte, ns int64, gmt bool) []byte {
	return append(dst, e.Scratch.dates.long(ns/nanosPerSec, gmt)...)
}

// appendStamp writes a date with milliseconds and no zone.
func (e *Env) appendStamp(dst []byte, ns int64) []byte {
	dst = append(dst, e.Scratch.dates.long(ns/nanosPerSec, false)[:dateLen]...)
	return appendMillis(append(dst, '.'), ns)
}

func logDate(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendStamp(dst, r.Accept)
}

func logDateGMT(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendDate(dst, r.Accept, true)
}

func logDateLocal(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendDate(dst, r.Accept, false)
}

func logRequestDate(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendStamp(dst, r.requestStart())
}

func logRequestDateGMT(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendDate(dst, r.requestStart(), true)
}

func logRequestDateLocal(dst []byte, env *Env, r *Record, _ flag) []byte {
	return env.appendDate(dst, r.requestStart(), false)
}

func logSeconds(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCount(dst, r.Accept/nanosPerSec, f)
}

func logMillis(dst []byte, _ *Env, r *Record, f flag) []byte {
	if f&flagHex != 0 {
		return appendHex(dst, uint64(r.Accept/nanosPerMS%1000), 2)
	}
	return appendMillis(dst, r.Accept)
}

func appendTime(dst []byte, ms int64) []byte { return strconv.AppendInt(dst, ms, 10) }

func logHandshake(dst []byte, _ *Env, r *Record, _ flag) []byte { return appendTime(dst, r.Th) }
func logIdle(dst []byte, _ *Env, r *Record, _ flag) []byte      { return appendTime(dst, r.Ti) }
func logRequest(dst []byte, _ *Env, r *Record, _ flag) []byte   { return appendTime(dst, r.TR) }
func logWait(dst []byte, _ *Env, r *Record, _ flag) []byte      { return appendTime(dst, r.Tw) }
func logConnect(dst []byte, _ *Env, r *Record, _ flag) []byte   { return appendTime(dst, r.Tc) }
func logResponse(dst []byte, _ *Env, r *Record, _ flag) []byte  { return appendTime(dst, r.Tr) }

// logRequestTotal is Th + Ti + TR, or -1 when one of them was not reached.
func logRequestTotal(dst []byte, _ *Env, r *Record, _ flag) []byte {
	if r.Th < 0 || r.Ti < 0 || r.TR < 0 {
		return appendTime(dst, -1)
	}
	return appendTime(dst, r.Th+r.Ti+r.TR)
}

// logTotal, logActive and logUser are Tt without nothing, without handshake and
// idle time, and without idle time.
func logTotal(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return appendTime(r.growing(dst), r.Tt)
}

func logActive(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return appendTime(r.growing(dst), max(r.Tt-max(r.Th, 0)-max(r.Ti, 0), 0))
}

func logUser(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return appendTime(r.growing(dst), max(r.Tt-max(r.Ti, 0), 0))
}

// logData is the time that is left for the data, -1 when it never came to that.
func logData(dst []byte, env *Env, r *Record, _ flag) []byte {
	before := r.Th + max(r.Ti, 0) + max(r.TR, 0) + r.Tw + r.Tc
	if env.FrontendHTTP {
		before += r.Tr
	}
	if r.Tw < 0 || r.Tc < 0 || env.FrontendHTTP && (r.TR < 0 || r.Tr < 0) {
		return appendTime(dst, -1)
	}
	return appendTime(dst, max(r.Tt-before, 0))
}
