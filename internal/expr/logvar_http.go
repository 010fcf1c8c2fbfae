package expr

import (
	"bytes"
	"strconv"
)

// badRequest stands for a request line that never came whole.
var badRequest = []byte("<BADREQ>")

func logRequestLine(dst []byte, env *Env, r *Record, f flag) []byte {
	line := env.line(r, f)
	if line == nil {
		line = badRequest
	}
	return appendText(dst, line, f, &notInLine)
}

// line gives the kept request line or, in rules that come before it is kept, that
// of the request at hand; nil when there is none.
func (e *Env) line(r *Record, f flag) []byte {
	if len(r.RequestLine) > 0 {
		return r.RequestLine
	}
	if f&flagLog != 0 || e.Req == nil {
		return nil
	}
	return e.lineNow()
}

func (e *Env) lineNow() []byte {
	h := e.Req
	method, target := h.Text(h.MethodText), h.Text(h.Target)
	e.Scratch.reset()
	p := e.Scratch.room(len(method) + len(target) + 10)
	if p == nil {
		return nil
	}
	p = append(append(append(p, method...), ' '), target...)
	if h.HTTP2 {
		return e.Scratch.keep(append(p, " HTTP/2.0"...))
	}
	p = append(p, " HTTP/1."...)
	return e.Scratch.keep(append(p, '0'+h.Minor))
}

// lineParts gives method, target and version of the request line; ok is false
// where there is none. A line that was cut has no version.
func lineParts(env *Env, r *Record, f flag) (method, uri, version []byte, ok bool) {
	line := env.line(r, f)
	sp := bytes.IndexByte(line, ' ')
	if sp < 0 {
		return nil, nil, nil, false
	}
	method, uri = line[:sp], line[sp+1:]
	if sp = bytes.LastIndexByte(uri, ' '); sp < 0 {
		return method, uri, nil, true
	}
	return method, uri[:sp], uri[sp+1:], true
}

func logMethod(dst []byte, env *Env, r *Record, f flag) []byte {
	m, _, _, ok := lineParts(env, r, f)
	if !ok {
		m = badRequest
	}
	return appendText(dst, m, f&^flagDash, &notInLine)
}

func logURI(dst []byte, env *Env, r *Record, f flag) []byte {
	_, uri, _, ok := lineParts(env, r, f)
	if !ok {
		uri = badRequest
	}
	return appendText(dst, uri, f&^flagDash, &notInLine)
}

func logURIPath(dst []byte, env *Env, r *Record, f flag) []byte {
	_, uri, _, ok := lineParts(env, r, f)
	if !ok {
		uri = badRequest
	}
	return appendText(dst, pathOnly(uri), f&^flagDash, &notInLine)
}

func logPathOnly(dst []byte, env *Env, r *Record, f flag) []byte {
	_, uri, _, ok := lineParts(env, r, f)
	if !ok {
		return appendText(dst, badRequest, f&^flagDash, &notInLine)
	}
	return appendText(dst, pathOnly(pathOfURI(uri)), f&^flagDash, &notInLine)
}

// logQuery writes the query with its question mark.
func logQuery(dst []byte, env *Env, r *Record, f flag) []byte {
	_, uri, _, ok := lineParts(env, r, f)
	switch q := bytes.IndexByte(uri, '?'); {
	case !ok && len(r.RequestLine) == 0:
		uri = badRequest
	case q < 0:
		uri = nil
	default:
		uri = uri[q:]
	}
	return appendText(dst, uri, f&^flagDash, &notInLine)
}

func logVersion(dst []byte, env *Env, r *Record, f flag) []byte {
	_, _, v, ok := lineParts(env, r, f)
	switch {
	case !ok:
		v = badRequest
	case v == nil:
		v = http09
	}
	return appendText(dst, v, f&^flagDash, &notInLine)
}

// logStatus writes -1 where HTTP has no status yet, and 0 in TCP mode.
func logStatus(dst []byte, env *Env, r *Record, _ flag) []byte {
	status := r.Status
	if status == 0 && env.FrontendHTTP {
		status = -1
	}
	return strconv.AppendInt(dst, int64(status), 10)
}

func logReqCookie(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendText(dst, r.ReqCookie, f, &lineBreaks)
}

func logResCookie(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendText(dst, r.ResCookie, f, &lineBreaks)
}

func logReqHeaders(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCaptures(dst, r.ReqCaptures, f)
}

func logResHeaders(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCaptures(dst, r.ResCaptures, f)
}

// appendCaptures writes captured headers between braces; nothing when no capture
// is declared.
func appendCaptures(dst []byte, c *Captures, f flag) []byte {
	if c.Len() == 0 {
		return dst
	}
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	}
	dst = append(dst, '{')
	for i := range c.Len() {
		if i > 0 {
			dst = append(dst, '|')
		}
		v, _ := c.Get(i)
		dst = appendEncoded(dst, v, f, &notInHeader)
	}
	dst = append(dst, '}')
	if f&flagQuote != 0 {
		dst = append(dst, '"')
	}
	return dst
}

func logReqHeadersCLF(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCaptureList(dst, r.ReqCaptures, f)
}

func logResHeadersCLF(dst []byte, _ *Env, r *Record, f flag) []byte {
	return appendCaptureList(dst, r.ResCaptures, f)
}

// appendCaptureList writes captured headers one after the other.
func appendCaptureList(dst []byte, c *Captures, f flag) []byte {
	for i := range c.Len() {
		if i > 0 {
			dst = append(dst, ' ')
		}
		v, _ := c.Get(i)
		dst = appendText(dst, v, f, &notInHeader)
	}
	return dst
}
