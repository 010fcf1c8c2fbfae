package expr

import (
	"bytes"
	"fmt"

	"github.com/weir-lb/weir/internal/message"
)

// request gives the request head, or nil.
func (e *Env) request() *message.Head {
	if e.Req == nil && !e.Final {
		e.unsure = true
	}
	return e.Req
}

// response gives the response head, or nil.
func (e *Env) response() *message.Head {
	if e.Res == nil && !e.Final {
		e.unsure = true
	}
	return e.Res
}

func fetchReqLen(env *Env, _ []Arg) (Value, bool) {
	n := len(env.ReqPayload)
	if env.Req != nil {
		n = len(env.Req.Raw)
	}
	if n == 0 && !env.Final {
		env.unsure = true
	}
	return Int(int64(n)), true
}

func fetchResLen(env *Env, _ []Arg) (Value, bool) {
	n := len(env.ResPayload)
	if env.Res != nil {
		n = len(env.Res.Raw)
	}
	if n == 0 && !env.Final {
		env.unsure = true
	}
	return Int(int64(n)), true
}

func checkPayload(a []Arg) error {
	if a[0].Int < 0 || a[1].Int < 0 {
		return fmt.Errorf("an offset and a length of zero or more are expected")
	}
	return nil
}

// fetchReqPayload gives bytes of the client; a length of 0 means all that there
// are.
func fetchReqPayload(env *Env, a []Arg) (Value, bool) {
	from, n := a[0].Int, a[1].Int
	have := int64(len(env.ReqPayload))
	if n == 0 {
		if from > have || !env.Final {
			env.unsure = env.unsure || !env.Final
			return Value{}, false
		}
		return Bin(env.ReqPayload[from:]), true
	}
	if from > have || n > have-from {
		env.settled()
		return Value{}, false
	}
	return Bin(env.ReqPayload[from : from+n]), true
}

// fetchIsHTTP tells true once a request head is there.
func fetchIsHTTP(env *Env, _ []Arg) (Value, bool) { return Bool(true), env.request() != nil }

func fetchMethod(env *Env, _ []Arg) (Value, bool) {
	if h := env.request(); h != nil {
		return MethodValue(h.Method, h.Text(h.MethodText)), true
	}
	if m, _, _, ok := env.requestLine(); ok {
		return MethodValue(message.MethodOf(m), m), true
	}
	return Value{}, false
}

// pathSpan is path and query; ok is false for targets that have none.
func pathAndQuery(h *message.Head) ([]byte, bool) {
	if h == nil || h.Form == message.FormAsterisk || h.Form == message.FormAuthority {
		return nil, false
	}
	p := h.Text(h.Path)
	return p, len(p) > 0
}

func pathOnly(p []byte) []byte {
	if q := bytes.IndexByte(p, '?'); q >= 0 {
		return p[:q]
	}
	return p
}

func fetchPath(env *Env, _ []Arg) (Value, bool) {
	p, ok := pathAndQuery(env.request())
	return Str(pathOnly(p)), ok
}

func fetchPathQ(env *Env, _ []Arg) (Value, bool) {
	p, ok := pathAndQuery(env.request())
	return Str(p), ok
}

func fetchQuery(env *Env, _ []Arg) (Value, bool) {
	p, _ := pathAndQuery(env.request())
	q := bytes.IndexByte(p, '?')
	if q < 0 {
		return Value{}, false
	}
	return Str(p[q+1:]), true
}

func fetchURL(env *Env, _ []Arg) (Value, bool) {
	h := env.request()
	if h == nil {
		return Value{}, false
	}
	return Str(h.Text(h.Target)), true
}

func fetchReqVer(env *Env, _ []Arg) (Value, bool) { return version(env.request()) }
func fetchResVer(env *Env, _ []Arg) (Value, bool) { return version(env.response()) }

// Versions as req.ver and res.ver give them.
var (
	version10 = []byte("1.0")
	version11 = []byte("1.1")
	version20 = []byte("2.0")
)

func version(h *message.Head) (Value, bool) {
	switch {
	case h == nil:
		return Value{}, false
	case h.Minor == 0:
		return Str(version10), true
	case h.HTTP2:
		return Str(version20), true
	}
	return Str(version11), true
}

func fetchStatus(env *Env, _ []Arg) (Value, bool) {
	if env.Res != nil {
		return Int(int64(env.Res.Status)), true
	}
	if env.Rec != nil && env.Rec.Status > 0 {
		return Int(int64(env.Rec.Status)), true
	}
	if !env.Final {
		env.unsure = true
	}
	return Value{}, false
}

func fetchUniqueID(env *Env, _ []Arg) (Value, bool) {
	if env.Rec == nil || len(env.Rec.UniqueID) == 0 {
		return Value{}, false
	}
	return Str(env.Rec.UniqueID), true
}

// hostAndPath joins the Host field and the path, with or without the query.
func hostAndPath(env *Env, query bool) ([]byte, bool) {
	h := env.request()
	if h == nil {
		return nil, false
	}
	host := hostText(h)
	path, _ := pathAndQuery(h)
	if !query {
		path = pathOnly(path)
	}
	p := env.Scratch.room(len(host) + len(path))
	if p == nil {
		return nil, false
	}
	return env.Scratch.keep(append(append(p, host...), path...)), true
}

// hostText is the value of the first Host field.
func hostText(h *message.Head) []byte {
	if i := h.Find(message.FieldHost, 0); i >= 0 {
		return h.Value(i)
	}
	return nil
}

func fetchBase(env *Env, _ []Arg) (Value, bool) {
	p, ok := hostAndPath(env, false)
	return Str(p), ok
}

func fetchBaseQ(env *Env, _ []Arg) (Value, bool) {
	p, ok := hostAndPath(env, true)
	return Str(p), ok
}

func fetchBase32(env *Env, _ []Arg) (Value, bool) {
	p, ok := hostAndPath(env, false)
	return Int(int64(avalanche(hashSDBM(p)))), ok
}

func fetchURL32(env *Env, _ []Arg) (Value, bool) {
	p, ok := hostAndPath(env, true)
	return Int(int64(avalanche(hashSDBM(p)))), ok
}

func fetchBase32Src(env *Env, _ []Arg) (Value, bool) { return hashAndSrc(env, false) }
func fetchURL32Src(env *Env, _ []Arg) (Value, bool)  { return hashAndSrc(env, true) }

func hashAndSrc(env *Env, query bool) (Value, bool) {
	text, ok := hostAndPath(env, query)
	p := env.Scratch.room(4 + 16)
	if !ok || p == nil || !env.Src.IsValid() {
		return Value{}, false
	}
	n := avalanche(hashSDBM(text))
	p = append(p, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	if ip := env.Src.Addr().Unmap(); ip.Is4() {
		b := ip.As4()
		p = append(p, b[:]...)
	} else {
		b := ip.As16()
		p = append(p, b[:]...)
	}
	return Bin(env.Scratch.keep(p)), true
}

// authority gives host and port of an absolute target.
func authority(h *message.Head) (host []byte, port int64, ok bool) {
	if h == nil || h.Form != message.FormAbsolute {
		return nil, 0, false
	}
	whole := h.Text(h.Authority)
	host = message.HostName(whole)
	port = 80
	if len(host) < len(whole) {
		port, _ = parseInt(whole[len(host)+1:])
	}
	return host, port, true
}

func fetchURLIP(env *Env, _ []Arg) (Value, bool) {
	host, _, ok := authority(env.request())
	if !ok {
		return Value{}, false
	}
	ip, ok := parseIPv4(host)
	return IP(ip), ok
}

func fetchURLPort(env *Env, _ []Arg) (Value, bool) {
	host, port, ok := authority(env.request())
	if !ok {
		return Value{}, false
	}
	_, ok = parseIPv4(host)
	return Int(port), ok
}

// fetchURLParam walks the parameters that begin after the first delimiter. The
// cursor is the offset in path and query.
func fetchURLParam(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	p, ok := pathAndQuery(env.request())
	if !ok {
		return Value{}, last, false
	}
	delim := byte('?')
	if len(a[1].Text) > 0 {
		delim = a[1].Text[0]
	}
	from := int(at)
	if at <= first {
		if from = bytes.IndexByte(p, delim) + 1; from == 0 {
			return Value{}, last, false
		}
	}
	v, next, ok := urlParam(p, a[0].Text, from, delim)
	return Str(v), cursor(next), ok
}

// urlParam finds the next "name=value" at or after from; values end at "&", ";"
// or delim. An empty name is any name. next is 0 when nothing follows.
func urlParam(p, name []byte, from int, delim byte) (value []byte, next int, ok bool) {
	for from < len(p) {
		end := from
		for end < len(p) && p[end] != '&' && p[end] != ';' && p[end] != delim {
			end++
		}
		pair := p[from:end]
		from = end + 1
		eq := bytes.IndexByte(pair, '=')
		if eq < 0 || len(name) > 0 && !bytes.Equal(pair[:eq], name) {
			continue
		}
		if from >= len(p) {
			from = 0
		}
		return pair[eq+1:], from, true
	}
	return nil, 0, false
}

func fetchURLParamVal(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	v, next, ok := fetchURLParam(env, a, at)
	if !ok {
		return v, next, false
	}
	n, ok := parseInt(v.Bytes)
	return Int(n), next, ok
}

func fetchBody(env *Env, _ []Arg) (Value, bool) {
	if env.request() == nil {
		return Value{}, false
	}
	return Bin(env.ReqBody), true
}

func fetchBodyLen(env *Env, _ []Arg) (Value, bool) {
	return Int(int64(len(env.ReqBody))), env.request() != nil
}

func fetchBodySize(env *Env, _ []Arg) (Value, bool) {
	h := env.request()
	if h == nil {
		return Value{}, false
	}
	if h.Framing == message.BodyLength {
		return Int(h.Length), true
	}
	return Int(int64(len(env.ReqBody))), true
}

func fetchBodyParam(env *Env, a []Arg, at cursor) (Value, cursor, bool) {
	if env.request() == nil {
		return Value{}, last, false
	}
	v, next, ok := urlParam(env.ReqBody, a[0].Text, int(max(at, first)), '&')
	return Str(v), cursor(next), ok
}
