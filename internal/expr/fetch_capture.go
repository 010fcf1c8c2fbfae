package expr

import "bytes"

// requestLine gives the parts of the request line that was kept for the log. A
// line that was cut may lack the last ones.
func (e *Env) requestLine() (method, uri, version []byte, ok bool) {
	if e.Rec == nil || len(e.Rec.RequestLine) == 0 {
		return nil, nil, nil, false
	}
	line := e.Rec.RequestLine
	sp := bytes.IndexByte(line, ' ')
	if sp < 0 {
		return line, nil, nil, true
	}
	method, line = line[:sp], line[sp+1:]
	if sp = bytes.IndexByte(line, ' '); sp < 0 {
		return method, line, nil, true
	}
	return method, line[:sp], line[sp+1:], true
}

func fetchReqCapture(env *Env, a []Arg) (Value, bool) {
	if env.Rec == nil {
		return Value{}, false
	}
	v, ok := env.Rec.ReqCaptures.Get(int(a[0].Int))
	return Str(v), ok
}

func fetchResCapture(env *Env, a []Arg) (Value, bool) {
	if env.Rec == nil {
		return Value{}, false
	}
	v, ok := env.Rec.ResCaptures.Get(int(a[0].Int))
	return Str(v), ok
}

func fetchCapturedMethod(env *Env, _ []Arg) (Value, bool) {
	if m, _, _, ok := env.requestLine(); ok {
		return Str(m), true
	}
	if env.Req == nil {
		return Value{}, false
	}
	return Str(env.Req.Text(env.Req.MethodText)), true
}

// fetchCapturedURI gives path and query, without a host before them.
func fetchCapturedURI(env *Env, _ []Arg) (Value, bool) {
	_, uri, _, ok := env.requestLine()
	if !ok {
		p, ok := pathAndQuery(env.Req)
		return Str(p), ok
	}
	p := pathOfURI(uri)
	return Str(p), len(p) > 0
}

// pathOfURI cuts scheme and host off; a target that has no path gives nothing.
func pathOfURI(uri []byte) []byte {
	if len(uri) > 0 && uri[0] == '/' {
		return uri
	}
	i := bytes.Index(uri, schemeEnd)
	if i < 0 {
		return nil
	}
	uri = uri[i+len(schemeEnd):]
	if i = bytes.IndexByte(uri, '/'); i < 0 {
		return nil
	}
	return uri[i:]
}

var schemeEnd = []byte("://")

func fetchCapturedVer(env *Env, _ []Arg) (Value, bool) {
	if _, _, v, ok := env.requestLine(); ok && len(v) > 0 {
		return Str(v), true
	}
	return httpVersion(env.Req != nil && env.Req.Minor == 0), env.Req != nil
}

func fetchCapturedResVer(env *Env, _ []Arg) (Value, bool) {
	return httpVersion(env.Res != nil && env.Res.Minor == 0), env.Res != nil
}

// Versions as they stand in a request line.
var (
	http09 = []byte("HTTP/0.9") // a line that was cut before its version
	http10 = []byte("HTTP/1.0")
	http11 = []byte("HTTP/1.1")
)

func httpVersion(old bool) Value {
	if old {
		return Str(http10)
	}
	return Str(http11)
}
