package proxy

import (
	"bytes"
	"strconv"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// This file composes the answers of deny, return, tarpit and redirect.

// An ownAnswer is a loop's memory for the one answer that it is composing. That
// is sent, or copied, before the next is composed.
type ownAnswer struct {
	answer
	text []byte // its body, or where it redirects to
}

// compose makes the answer of a rule. Fixed ones were made with the plan.
func (x *exchange) compose(spec *answerRule, def int, env *expr.Env) *answer {
	if spec.fixed != nil && (spec.fixed.head != nil || spec.fixed.raw != nil) {
		if own := x.errorAnswer(spec.status); own != nil {
			return own
		}
		return spec.fixed
	}
	own := &x.w.own
	body := spec.fixed.body
	if spec.body != nil {
		own.text = spec.body.Append(own.text[:0], env)
		body = own.text
	}
	head := appendStatusLine(own.head[:0], spec.status)
	for _, h := range spec.headers {
		head = append(append(head, h.name...), ": "...)
		start := len(head)
		head = h.value.Append(head, env)
		head = append(head[:start+dropControls(head[start:])], "\r\n"...)
	}
	if spec.status < 200 || spec.status == 204 || spec.status == 304 {
		body = nil // it would be taken for the next answer
	} else {
		head = strconv.AppendInt(append(head, "content-length: "...), int64(len(body)), 10)
		head = append(head, "\r\n"...)
	}
	if len(body) > 0 {
		ct := spec.contentType
		if ct == "" {
			ct = "text/plain"
		}
		head = append(append(append(head, "content-type: "...), ct...), "\r\n"...)
	}
	own.answer = answer{status: spec.status, head: head, body: body}
	return &own.answer
}

func appendStatusLine(dst []byte, status int) []byte {
	dst = strconv.AppendInt(append(dst, "HTTP/1.1 "...), int64(status), 10)
	dst = append(append(dst, ' '), reasonOf(status)...)
	return append(dst, "\r\n"...)
}

// redirect composes the answer; ok is false when ignore-empty skips it.
func (x *exchange) redirect(rd *redirectRule, env *expr.Env) (a *answer, ok bool) {
	own := &x.w.own
	to := rd.to.Append(own.text[:0], env)
	if rd.ignoreEmpty && len(to) == 0 {
		return nil, false
	}
	switch rd.kind {
	case "scheme":
		to = append(to, "://"...)
		to = append(to, x.req.Text(x.req.Host)...)
		to = x.appendPath(to, rd)
	case "prefix":
		if len(to) == 1 && to[0] == '/' {
			to = to[:0]
		}
		to = x.appendPath(to, rd)
	}
	own.text = to
	head := append(appendStatusLine(own.head[:0], rd.code), "content-length: 0\r\nlocation: "...)
	head = append(append(head, to[:dropControls(to)]...), "\r\n"...)
	if rd.code == 302 || rd.code == 303 || rd.code == 307 {
		head = append(head, "cache-control: no-cache\r\n"...)
	}
	if rd.setCookie != "" {
		head = append(append(append(head, "set-cookie: "...), rd.setCookie...), "\r\n"...)
	}
	own.answer = answer{status: rd.code, head: head, redirect: true}
	return &own.answer, true
}

// dropControls moves the bytes of b that a field value may hold to its front,
// and counts them: a rule's text may come from the client, decoded.
func dropControls(b []byte) (n int) {
	for _, c := range b {
		if message.IsValue(c) {
			b[n] = c
			n++
		}
	}
	return n
}

func (x *exchange) appendPath(to []byte, rd *redirectRule) []byte {
	path := x.req.Text(x.req.Path)
	if rd.dropQuery {
		path = x.req.PathOnly()
	}
	to = append(to, path...)
	if rd.appendSlash && (len(path) == 0 || path[len(path)-1] != '/') {
		to = append(to, '/')
	}
	return to
}

// answerWeight is what HAProxy counts an answer of ours as in %B.
func answerWeight(a *answer) uint64 {
	n := 20 + len("HTTP/1.1") + 3 + 1
	head := a.head
	if i := bytes.Index(head, []byte("\r\n")); i >= 0 {
		n += max(i-len("HTTP/1.1 200 "), 0)
		head = head[i+2:]
	}
	for len(head) > 0 {
		i := bytes.Index(head, []byte("\r\n"))
		n += i - len(": ")
		head = head[i+2:]
	}
	return uint64(n)
}

// startTarpit holds the request until timeout tarpit has passed, then answers.
func (x *exchange) startTarpit(now evloop.Time, r *rule) {
	x.tarpitted = true
	x.setState(exchangeTarpit)
	x.tarpitAnswer = x.compose(r.answer, 500, x.fillEnv(now)).clone()
	d := x.fe.timeouts.tarpit
	if x.be != nil {
		d = x.be.timeouts.tarpit
	}
	x.c.setDeadline(after(now, d))
	if d <= 0 {
		x.tarpitOver(now)
	}
}

func (x *exchange) tarpitOver(now evloop.Time) {
	x.answerNow(now, x.tarpitAnswer, CauseDenied, phaseTarpit)
}

// huntRedirect answers a GET or HEAD with the address that the server line's
// "redir" names instead of passing it on.
func (x *exchange) huntRedirect(now evloop.Time, srv *server) bool {
	if x.req.Method != message.MethodGet && x.req.Method != message.MethodHead {
		return false
	}
	head := []byte("HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + srv.spec.Redirect)
	head = append(append(head, x.req.Text(x.req.Path)...), "\r\n"...)
	x.answerNow(now, &answer{status: 302, head: head, redirect: true}, CauseLocal, phaseRequest)
	return true
}
