package expr

import "strconv"

func logClient(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.UnixClient && !env.Src.IsValid() {
		return appendString(dst, "unix", f)
	}
	return appendAddr(dst, env.Src, f)
}

func logClientPort(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.UnixClient && !env.Src.IsValid() {
		return appendCount(dst, int64(env.BindID), f)
	}
	return appendPort(dst, env.Src, f)
}

func logDst(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.UnixClient && !env.Dst.IsValid() {
		return appendString(dst, "unix", f)
	}
	return appendAddr(dst, env.Dst, f)
}

func logDstPort(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.UnixClient && !env.Dst.IsValid() {
		return appendCount(dst, int64(env.BindID), f)
	}
	return appendPort(dst, env.Dst, f)
}

func logServerAddr(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendAddr(dst, r.ServerAddr, f)
}

func logServerPort(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendPort(dst, r.ServerAddr, f)
}

func logServerSrc(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendAddr(dst, r.ServerSrc, f)
}

func logServerSrcPort(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendPort(dst, r.ServerSrc, f)
}

func logFrontend(dst []byte, env *Env, _ *Record, f flag) []byte {
	return appendString(dst, env.FrontendName, f)
}

// logFrontendTransport marks an encrypted connection with a tilde.
func logFrontendTransport(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.TLS == nil {
		return appendString(dst, env.FrontendName, f)
	}
	dst = appendString(dst, env.FrontendName, f)
	if f&flagQuote != 0 {
		return append(dst[:len(dst)-1], '~', '"')
	}
	return append(dst, '~')
}

// logBackend gives the frontend where no backend was chosen.
func logBackend(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.BackendName == "" {
		return appendString(dst, env.FrontendName, f)
	}
	return appendString(dst, env.BackendName, f)
}

func logServer(dst []byte, env *Env, r *Record, f flag) []byte {
	switch {
	case env.ServerName != "":
		return appendString(dst, env.ServerName, f)
	case r.StatsPage:
		return appendString(dst, "<STATS>", f)
	}
	return appendString(dst, "<NOSRV>", f)
}

func logMode(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.FrontendHTTP {
		return appendString(dst, "HTTP", f)
	}
	return appendString(dst, "TCP", f)
}

func logBind(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.BindName == "" {
		return appendCount(dst, int64(env.BindID), f&^flagHex)
	}
	return appendString(dst, env.BindName, f)
}

func logHost(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.Process == nil {
		return appendString(dst, "", f)
	}
	return appendString(dst, env.Process.Node, f)
}

func logPID(dst []byte, env *Env, _ *Record, f flag) []byte {
	if env.Process == nil {
		return appendCount(dst, 0, f)
	}
	return appendCount(dst, int64(env.Process.PID), f)
}

func logUniqueID(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendText(dst, r.UniqueID, f, &noBytes)
}

func logCipher(dst []byte, env *Env, _ *Record, f flag) []byte {
	return appendString(dst, env.tls().Cipher, f)
}

func logTLSVersion(dst []byte, env *Env, _ *Record, f flag) []byte {
	return appendString(dst, env.tls().Version, f)
}

func logTermination(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return append(dst, r.Term[0], r.Term[1])
}

func logTerminationCookies(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return append(dst, r.Term[0], r.Term[1], r.CookieState[0], r.CookieState[1])
}

func logProcessConns(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.ProcessConns), 10)
}

func logFrontendConns(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.FrontendConns), 10)
}

func logBackendConns(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.BackendConns), 10)
}

func logServerConns(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.ServerConns), 10)
}

func logServerQueue(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.ServerQueue), 10)
}

func logBackendQueue(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendInt(dst, int64(r.BackendQueue), 10)
}

// logRetries begins with a plus when the session was sent to another server.
func logRetries(dst []byte, _ *Env, r *Record, _ flag) []byte {
	if r.Redispatched {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(r.Retries), 10)
}

func logRequestCount(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCount(dst, int64(r.RequestCount), f)
}

func logLineCount(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCount(dst, int64(r.LogCount), f)
}

func logBytesOut(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendUint(r.growing(dst), r.BytesOut, 10)
}

func logBytesIn(dst []byte, _ *Env, r *Record, _ flag) []byte {
	return strconv.AppendUint(dst, r.BytesIn, 10)
}

// growing writes the plus before totals of a line that is written early.
func (r *Record) growing(dst []byte) []byte {
	if r.ASAP {
		return append(dst, '+')
	}
	return dst
}
