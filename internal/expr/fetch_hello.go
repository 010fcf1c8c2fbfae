package expr

import "github.com/weir-lb/weir/internal/hello"

// clientHello reads the ClientHello that the client sent first, to us as it is.
// While it may yet become whole, the outcome is unsure.
func (env *Env) clientHello() (hello.Client, bool) {
	if env.TLS != nil || env.Req != nil {
		return hello.Client{}, false
	}
	c, v := hello.FindClient(env.ReqPayload, env.helloRoom(env.ReqPayload))
	return c, env.helloCame(v)
}

// helloRoom is memory for a hello that was cut into records: it can't be longer
// than they are.
func (env *Env) helloRoom(b []byte) []byte { return env.Scratch.room(len(b)) }

func (env *Env) helloCame(v hello.Verdict) bool {
	if v == hello.Short && !env.Final {
		env.unsure = true
	}
	return v == hello.Whole
}

func fetchHelloType(env *Env, _ []Arg) (Value, bool) {
	if env.TLS != nil || env.Req != nil {
		return Value{}, false
	}
	kind, v := hello.Type(env.ReqPayload, env.helloRoom(env.ReqPayload))
	return Int(int64(kind)), env.helloCame(v)
}

func fetchServerHelloType(env *Env, _ []Arg) (Value, bool) {
	kind, v := hello.Type(env.ResPayload, env.helloRoom(env.ResPayload))
	return Int(int64(kind)), env.helloCame(v)
}

// fetchHelloVersion gives what TLS 1.3 calls legacy_version: 3.3 at most.
func fetchHelloVersion(env *Env, _ []Arg) (Value, bool) {
	c, ok := env.clientHello()
	return Int(int64(c.Version>>8)<<16 | int64(c.Version&0xff)), ok
}

func fetchHelloSNI(env *Env, _ []Arg) (Value, bool) {
	c, ok := env.clientHello()
	return env.helloText(c.ServerName, ok)
}

// fetchHelloALPN gives the first protocol of the list, as HAProxy does.
func fetchHelloALPN(env *Env, _ []Arg) (Value, bool) {
	c, ok := env.clientHello()
	return env.helloText(c.ALPN, ok)
}

// helloText keeps p if it stands in memory of ours.
func (env *Env) helloText(p []byte, ok bool) (Value, bool) {
	if !ok || p == nil {
		return Value{}, false
	}
	room := env.Scratch.room(len(p))
	if room == nil {
		return Value{}, false
	}
	return Str(env.Scratch.keep(append(room, p...))), true
}

func fetchHelloGroups(env *Env, _ []Arg) (Value, bool) {
	c, ok := env.clientHello()
	return Bool(true), ok && c.Groups
}

func fetchHelloTicket(env *Env, _ []Arg) (Value, bool) {
	c, ok := env.clientHello()
	return Int(int64(c.Ticket)), ok && c.Extensions
}
