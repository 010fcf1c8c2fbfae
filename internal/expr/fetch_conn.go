package expr

import "net/netip"

func ipOf(a netip.AddrPort) (Value, bool) { return IP(a.Addr().Unmap()), a.IsValid() }

func portOf(a netip.AddrPort) (Value, bool) { return Int(int64(a.Port())), a.IsValid() }

func fetchSrc(env *Env, _ []Arg) (Value, bool)         { return ipOf(env.Src) }
func fetchSrcPort(env *Env, _ []Arg) (Value, bool)     { return portOf(env.Src) }
func fetchDst(env *Env, _ []Arg) (Value, bool)         { return ipOf(env.Dst) }
func fetchDstPort(env *Env, _ []Arg) (Value, bool)     { return portOf(env.Dst) }
func fetchConnSrc(env *Env, _ []Arg) (Value, bool)     { return ipOf(env.ConnSrc) }
func fetchConnSrcPort(env *Env, _ []Arg) (Value, bool) { return portOf(env.ConnSrc) }
func fetchConnDst(env *Env, _ []Arg) (Value, bool)     { return ipOf(env.ConnDst) }
func fetchConnDstPort(env *Env, _ []Arg) (Value, bool) { return portOf(env.ConnDst) }
func fetchSrcLocal(env *Env, _ []Arg) (Value, bool)    { return env.local(env.Src) }

// fetchDstLocal asks about the socket, whatever a PROXY header said, as HAProxy
// does.
func fetchDstLocal(env *Env, _ []Arg) (Value, bool) { return env.local(env.ConnDst) }

// local reports whether an address belongs to this machine.
func (e *Env) local(a netip.AddrPort) (Value, bool) {
	if !a.IsValid() {
		return Value{}, false
	}
	ip := a.Addr().Unmap()
	return Bool(ip.IsLoopback() || e.Process != nil && e.Process.IsLocal != nil && e.Process.IsLocal(ip)), true
}

func fetchConnErr(env *Env, _ []Arg) (Value, bool) { return Int(int64(env.ConnErr)), true }

func fetchConnErrText(env *Env, _ []Arg) (Value, bool) {
	if env.ConnErr == 0 {
		return Str(success), true
	}
	return strOf(env, env.ConnErrText)
}

// success is what fc_err_str says of a connection without an error.
var success = []byte("Success")

// fetchHTTPMajor tells 1 until there are other versions.
func fetchHTTPMajor(env *Env, _ []Arg) (Value, bool) { return Int(1), true }

func fetchRcvdProxy(env *Env, _ []Arg) (Value, bool) { return Bool(env.Proxy != nil), true }

func fetchProxyAuthority(env *Env, _ []Arg) (Value, bool) {
	if env.Proxy == nil || env.Proxy.Authority == nil {
		return Value{}, false
	}
	return Str(env.Proxy.Authority), true
}

func fetchProxyUniqueID(env *Env, _ []Arg) (Value, bool) {
	if env.Proxy == nil || env.Proxy.UniqueID == nil {
		return Value{}, false
	}
	return Str(env.Proxy.UniqueID), true
}

func fetchFrontendName(env *Env, _ []Arg) (Value, bool)   { return strOf(env, env.FrontendName) }
func fetchFrontendID(env *Env, _ []Arg) (Value, bool)     { return Int(int64(env.FrontendID)), true }
func fetchDefaultBackend(env *Env, _ []Arg) (Value, bool) { return strOf(env, env.DefaultBE) }
func fetchBindID(env *Env, _ []Arg) (Value, bool)         { return Int(int64(env.BindID)), true }
func fetchBindName(env *Env, _ []Arg) (Value, bool)       { return strOf(env, env.BindName) }
func fetchBackendName(env *Env, _ []Arg) (Value, bool)    { return strOf(env, env.BackendName) }
func fetchServerName(env *Env, _ []Arg) (Value, bool)     { return strOf(env, env.ServerName) }

func fetchBackendID(env *Env, _ []Arg) (Value, bool) {
	return Int(int64(env.BackendID)), env.BackendName != ""
}

func fetchServerID(env *Env, _ []Arg) (Value, bool) {
	return Int(int64(env.ServerID)), env.ServerName != ""
}

func fetchTLS(env *Env, _ []Arg) (Value, bool) { return Bool(env.TLS != nil), true }

// noTLS stands for the state of a clear connection.
var noTLS TLSInfo

func (e *Env) tls() *TLSInfo {
	if e.TLS == nil {
		return &noTLS
	}
	return e.TLS
}

func fetchTLSSNI(env *Env, _ []Arg) (Value, bool)     { return strOf(env, env.tls().SNI) }
func fetchTLSVersion(env *Env, _ []Arg) (Value, bool) { return strOf(env, env.tls().Version) }
func fetchTLSCipher(env *Env, _ []Arg) (Value, bool)  { return strOf(env, env.tls().Cipher) }
func fetchTLSALPN(env *Env, _ []Arg) (Value, bool)    { return strOf(env, env.tls().ALPN) }
func fetchTLSResumed(env *Env, _ []Arg) (Value, bool) { return Bool(env.tls().Resumed), true }
func fetchTLSHasCert(env *Env, _ []Arg) (Value, bool) { return Bool(env.tls().HasCert), true }
func fetchTLSErr(env *Env, _ []Arg) (Value, bool)     { return Int(int64(env.tls().Err)), env.TLS != nil }
func fetchTLSCertErr(env *Env, _ []Arg) (Value, bool) {
	return Int(int64(env.tls().CertErr)), env.TLS != nil
}
func fetchTLSCertCA(env *Env, _ []Arg) (Value, bool) {
	return Int(int64(env.tls().CertCA)), env.TLS != nil
}
func fetchTLSUsedCert(env *Env, _ []Arg) (Value, bool) {
	return Bool(env.tls().UsedCert), env.TLS != nil
}
