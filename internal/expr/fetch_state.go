package expr

import "strings"

func (e *Env) backend(a []Arg) (BackendLive, bool) {
	if e.Live == nil {
		return BackendLive{}, false
	}
	return e.Live.LiveBackend(e, a[0].Name)
}

func (e *Env) frontend(name string) (FrontendLive, bool) {
	if e.Live == nil {
		return FrontendLive{}, false
	}
	return e.Live.LiveFrontend(e, name)
}

func (e *Env) server(a []Arg) (ServerLive, bool) {
	if e.Live == nil {
		return ServerLive{}, false
	}
	backend, server, ok := strings.Cut(a[0].Name, "/")
	if !ok {
		backend, server = "", a[0].Name
	}
	return e.Live.LiveServer(e, backend, server)
}

// fetchAvgQueue rounds up; without a usable server the queue counts twice.
func fetchAvgQueue(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	if b.Usable > 0 {
		return Int(int64((b.Queued + b.Usable - 1) / b.Usable)), ok
	}
	return Int(int64(2 * b.Queued)), ok
}

func fetchBackendConns(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.Conns)), ok
}

func fetchBackendFree(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.FreeConns)), ok
}

func fetchBackendRate(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.SessionRate)), ok
}

func fetchSlots(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.FreeSlots)), ok
}

func fetchUsable(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.Usable)), ok
}

func fetchQueue(env *Env, a []Arg) (Value, bool) {
	b, ok := env.backend(a)
	return Int(int64(b.Queued)), ok
}

func fetchServerTimeout(env *Env, _ []Arg) (Value, bool) {
	b, ok := env.backend(noName)
	return Int(int64(b.ServerMS)), ok
}

func fetchTunnelTimeout(env *Env, _ []Arg) (Value, bool) {
	b, ok := env.backend(noName)
	return Int(int64(b.TunnelMS)), ok
}

// noName is the argument list that means the current backend.
var noName = make([]Arg, 1)

func fetchFrontendConns(env *Env, a []Arg) (Value, bool) {
	f, ok := env.frontend(a[0].Name)
	return Int(int64(f.Conns)), ok
}

func fetchRequestRate(env *Env, a []Arg) (Value, bool) {
	f, ok := env.frontend(a[0].Name)
	return Int(int64(f.RequestRate)), ok
}

func fetchSessionRate(env *Env, a []Arg) (Value, bool) {
	f, ok := env.frontend(a[0].Name)
	return Int(int64(f.SessionRate)), ok
}

func fetchBindConns(env *Env, _ []Arg) (Value, bool) { return Int(int64(env.BindConns)), true }

func fetchClientTimeout(env *Env, _ []Arg) (Value, bool) {
	f, ok := env.frontend("")
	return Int(int64(f.ClientTimeMS)), ok
}

func fetchServerUp(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Bool(s.Up), ok
}

func fetchServerConns(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.Conns)), ok
}

func fetchServerFree(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.FreeConns)), ok
}

func fetchServerQueue(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.Queued)), ok
}

func fetchServerRate(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.SessionRate)), ok
}

func fetchServerWeight(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.Weight)), ok
}

func fetchServerUserWeight(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.UserWeight)), ok
}

func fetchServerInitialWeight(env *Env, a []Arg) (Value, bool) {
	s, ok := env.server(a)
	return Int(int64(s.InitialWeight)), ok
}
