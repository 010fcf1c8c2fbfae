package proxy

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// This file compiles and composes the answers of deny, return, tarpit and
// redirect.

// denial compiles the arguments of deny and tarpit.
func (m *ruleMaker) denial(r *rule, args []string) error {
	def := 403
	switch {
	case r.op == opTarpit:
		def = 500
	case m.scope.phase == expr.PhaseResponse:
		def = 502
	}
	return m.answerArgs(r, args, def)
}

// reply compiles the arguments of return.
func (m *ruleMaker) reply(r *rule, args []string) error { return m.answerArgs(r, args, 200) }

func (m *ruleMaker) answerArgs(r *rule, args []string, status int) (err error) {
	a := &answerRule{status: status}
	r.answer = a
	var body []byte
	custom := false
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "default-errorfiles" {
			continue
		}
		if i+1 >= len(args) {
			return fmt.Errorf("%s wants a value", word)
		}
		i++
		switch word {
		case "status", "deny_status":
			if a.status, err = parseStatus(args[i]); err != nil {
				return err
			}
		case "content-type":
			a.contentType, custom = args[i], true
		case "string":
			body, custom = []byte(args[i]), true
		case "file":
			if body, err = os.ReadFile(args[i]); err != nil {
				return fmt.Errorf("can't read %s: %v", args[i], err)
			}
			custom = true
		case "lf-string", "lf-file":
			text := args[i]
			if word == "lf-file" {
				b, err := os.ReadFile(text)
				if err != nil {
					return fmt.Errorf("can't read %s: %v", text, err)
				}
				text = string(b)
			}
			if a.body, err = expr.CompileFormat(text, m.scope.phase); err != nil {
				return err
			}
			custom = true
		case "errorfile":
			raw, err := os.ReadFile(args[i])
			if err != nil {
				return fmt.Errorf("can't read %s: %v", args[i], err)
			}
			a.fixed = &answer{status: a.status, raw: raw}
			return nil
		case "hdr":
			if i+1 >= len(args) {
				return fmt.Errorf("hdr wants a name and a format")
			}
			f, err := expr.CompileFormat(args[i+1], m.scope.phase)
			if err != nil {
				return err
			}
			a.headers = append(a.headers, headerFormat{strings.ToLower(args[i]), f})
			i++
			custom = true
		default:
			return fmt.Errorf("%q is not known here; weir has status, deny_status, content-type, string, lf-string, file, lf-file, hdr, errorfile and default-errorfiles", word)
		}
	}
	if !custom && r.op != opReturn {
		a.fixed = m.errors[a.status]
		if a.fixed == nil {
			return fmt.Errorf("status %d has no standard answer; say what to send with string, file or hdr", a.status)
		}
		return nil
	}
	a.fixed = &answer{status: a.status, body: body}
	return nil
}

// compose makes the answer of a rule. Fixed ones were made with the plan.
func (x *exchange) compose(spec *answerRule, def int, env *expr.Env) *answer {
	if spec.fixed != nil && (spec.fixed.head != nil || spec.fixed.raw != nil) {
		if own := x.errorAnswer(spec.status); own != nil {
			return own
		}
		return spec.fixed
	}
	body := spec.fixed.body
	if spec.body != nil {
		body = spec.body.Append(nil, env)
	}
	head := []byte("HTTP/1.1 " + strconv.Itoa(spec.status) + " " + reasonOf(spec.status) + "\r\n")
	for _, h := range spec.headers {
		head = append(head, h.name+": "...)
		head = h.value.Append(head, env)
		head = append(head, "\r\n"...)
	}
	if spec.status != 204 && spec.status != 304 {
		head = append(head, "content-length: "+strconv.Itoa(len(body))+"\r\n"...)
	}
	if len(body) > 0 {
		ct := spec.contentType
		if ct == "" {
			ct = "text/plain"
		}
		head = append(head, "content-type: "+ct+"\r\n"...)
	}
	return &answer{status: spec.status, head: head, body: body}
}

// redirect compiles the arguments of redirect.
func (m *ruleMaker) redirect(r *rule, args []string) (err error) {
	rd := &redirectRule{code: 302}
	r.redir = rd
	r.op = opRedirect
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "drop-query":
			rd.dropQuery = true
			continue
		case "append-slash":
			rd.appendSlash = true
			continue
		case "ignore-empty":
			rd.ignoreEmpty = true
			continue
		}
		if i+1 >= len(args) {
			return fmt.Errorf("redirect: %s wants a value", args[i])
		}
		word, value := args[i], args[i+1]
		i++
		switch word {
		case "location", "prefix", "scheme":
			rd.kind = word
			if rd.to, err = expr.CompileFormat(value, m.scope.phase); err != nil {
				return err
			}
		case "code":
			if rd.code, err = strconv.Atoi(value); err != nil || !validRedirect(rd.code) {
				return fmt.Errorf("redirect: code wants 301, 302, 303, 307 or 308, got %q", value)
			}
		case "set-cookie":
			rd.setCookie = value + "; path=/;"
		case "clear-cookie":
			rd.setCookie = value + "; path=/; Max-Age=0;"
		default:
			return fmt.Errorf("redirect: %q is not known; weir has location, prefix, scheme, code, drop-query, append-slash, ignore-empty, set-cookie and clear-cookie", word)
		}
	}
	if rd.kind == "" {
		return fmt.Errorf("redirect wants location, prefix or scheme")
	}
	return nil
}

func validRedirect(code int) bool {
	switch code {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// redirect composes the answer; ok is false when ignore-empty skips it.
func (x *exchange) redirect(rd *redirectRule, env *expr.Env) (a *answer, ok bool) {
	to := rd.to.Append(nil, env)
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
	to = bytes.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1 // nothing that could end the header line
		}
		return r
	}, to)
	head := []byte("HTTP/1.1 " + strconv.Itoa(rd.code) + " " + reasonOf(rd.code) + "\r\ncontent-length: 0\r\nlocation: ")
	head = append(head, to...)
	head = append(head, "\r\n"...)
	if rd.code == 302 || rd.code == 303 || rd.code == 307 {
		head = append(head, "cache-control: no-cache\r\n"...)
	}
	if rd.setCookie != "" {
		head = append(head, "set-cookie: "+rd.setCookie+"\r\n"...)
	}
	return &answer{status: rd.code, head: head, redirect: true}, true
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
	x.tarpitAnswer = x.compose(r.answer, 500, x.fillEnv(now))
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
