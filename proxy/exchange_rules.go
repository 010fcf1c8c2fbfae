package proxy

import (
	"bytes"
	"net/netip"
	"regexp"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// A ruleEnd is how a ruleset ended.
type ruleEnd uint8

const (
	rulesPassed ruleEnd = iota // go on
	rulesEnded                 // the exchange was answered, closed or held: nothing more to do
)

// fillEnv shows the exchange to the rule engine.
func (x *exchange) fillEnv(now evloop.Time) *expr.Env {
	shared := x.c.shared()
	env := x.client().fillConn(now, x.fe)
	env.Req = &x.req
	if x.answered != 0 {
		env.Res = &x.res
	}
	env.ReqBody = x.payload()
	env.FirstRequest = shared.requests == 0
	env.Final = true
	if x.be != nil {
		env.BackendName, env.BackendID = x.be.name, x.be.spec.ID
	}
	if x.hunt.srv != nil {
		env.ServerName, env.ServerID = x.hunt.srv.spec.Name, x.hunt.srv.spec.ID
	}
	env.Txn, env.Sess = &x.vars, shared.sess
	env.Rec = &x.rec
	if x.hunt.srv == nil && x.cookieServer != nil { // the one that it would have gone to
		env.ServerName, env.ServerID = x.cookieServer.spec.Name, x.cookieServer.spec.ID
	}
	return env
}

// server is the one that has the request, or that its cookie names before one is
// chosen.
func (x *exchange) server() *server {
	if x.hunt.srv == nil {
		return x.cookieServer
	}
	return x.hunt.srv
}

// passedOver reports whether the server that the cookie names stands, and another
// one has the request.
func (x *exchange) passedOver() bool {
	return x.cookieStands && x.hunt.srv != nil && x.hunt.srv != x.cookieServer
}

// greetFrontend runs what the frontend does with a request of which nothing but
// the head matters. It reports whether the exchange goes on.
func (x *exchange) greetFrontend(now evloop.Time) bool {
	fe := x.fe
	if fe.monitor != nil && bytes.Equal(x.req.Text(x.req.Path), fe.monitor) {
		x.answerMonitor(now)
		return false
	}
	if fe.uniqueID != nil {
		x.uniqueID = fe.uniqueID.Append(x.uniqueID[:0], x.fillEnv(now))
		x.rec.UniqueID = x.uniqueID
		if len(fe.uniqueHeader) > 0 {
			x.req.Add(fe.uniqueHeader, x.uniqueID)
		}
	}
	return len(fe.tcpContent) == 0 || x.runContentRules(now, fe.tcpContent, &x.req) == rulesPassed
}

// applyFrontend runs what the frontend does with a request before a backend is
// chosen. It reports whether the exchange goes on.
func (x *exchange) applyFrontend(now evloop.Time) bool {
	return len(x.fe.request) == 0 || x.runRules(now, x.fe.request, &x.req) == rulesPassed
}

// runContentRules: what these reject never was a request, as far as logs go.
func (x *exchange) runContentRules(now evloop.Time, rules []rule, h *message.Head) ruleEnd {
	line := len(x.line)
	x.line = x.line[:0]
	end := x.runRules(now, rules, h)
	if end == rulesPassed {
		x.line = x.line[:line]
	}
	return end
}

func (x *exchange) answerMonitor(now evloop.Time) {
	status := 200
	for _, cond := range x.fe.monitorFail {
		if cond.Eval(x.fillEnv(now)) {
			status = 503
		}
	}
	x.logLevel = -1
	x.answerNow(now, x.fe.answers[status], CauseLocal, phaseRequest)
}

// chooseBackend follows use_backend in file order, then default_backend.
func (x *exchange) chooseBackend() *backend {
	return x.w.chooseBackend(x.fe, x)
}

// An envFiller shows a session to the rule engine.
type envFiller interface {
	fillEnv(now evloop.Time) *expr.Env
}

func (w *worker) chooseBackend(fe *frontend, s envFiller) *backend {
	if len(fe.uses) == 0 {
		return fe.fallback
	}
	env := s.fillEnv(w.loop.Now())
	for i := range fe.uses {
		u := &fe.uses[i]
		if !u.cond.Eval(env) {
			continue
		}
		if u.backend != nil {
			return u.backend
		}
		w.log = u.name.Append(w.log[:0], env)
		if be := w.p.plan.Load().byName[string(w.log)]; be != nil && be.mode == fe.mode {
			return be
		}
	}
	return fe.fallback
}

// applyBackend runs what a backend does with a request before a server is
// chosen.
func (x *exchange) applyBackend(now evloop.Time) bool {
	be := x.be
	if be.cookie != nil {
		x.readCookie()
	}
	if len(be.request) > 0 && x.runRules(now, be.request, &x.req) == rulesEnded {
		return false
	}
	x.forward(be)
	return true
}

// forward adds X-Forwarded-For and X-Original-To (option forwardfor,
// originalto); the backend's settings cover the frontend's.
func (x *exchange) forward(be *backend) {
	c := x.client()
	if f := firstOf(be.forwardFor, x.fe.forwardFor); f != nil && c.src.IsValid() && f.applies(c.src.Addr()) {
		x.addAddress(f, c.src.Addr())
	}
	if f := firstOf(be.originalTo, x.fe.originalTo); f != nil {
		if dst := c.dstAddr(); dst.IsValid() && f.applies(dst.Addr()) {
			x.addAddress(f, dst.Addr())
		}
	}
}

func firstOf(a, b *forwardFor) *forwardFor {
	if a != nil {
		return a
	}
	return b
}

// forwardFor is the compiled form of a ForwardFor.
type forwardFor struct {
	header []byte
	except []netip.Prefix
	ifNone bool
}

func (c *compiler) forwardFor(spec *Common, f *ForwardFor, header string) *forwardFor {
	if f == nil {
		return nil
	}
	out := &forwardFor{header: []byte(header), ifNone: f.IfNone}
	if f.Header != "" {
		out.header = bytes.ToLower([]byte(f.Header))
	}
	for _, text := range f.Except {
		p, err := parsePrefix(text)
		if err != nil {
			c.errs.add(spec.Origin, c.section, "except: %v", err)
			continue
		}
		out.except = append(out.except, p)
	}
	return out
}

func (f *forwardFor) applies(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range f.except {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

func (x *exchange) addAddress(f *forwardFor, a netip.Addr) {
	if f.ifNone && x.req.FindName(f.header, 0) >= 0 {
		return
	}
	var text [46]byte
	x.req.Add(f.header, a.Unmap().AppendTo(text[:0]))
}

// runRules carries a ruleset out on h.
func (x *exchange) runRules(now evloop.Time, rules []rule, h *message.Head) ruleEnd {
	env := x.fillEnv(now)
	for i := range rules {
		r := &rules[i]
		if r.cond != nil && !r.cond.Eval(env) {
			continue
		}
		switch r.op {
		case opNone:
		case opAllow:
			return rulesPassed
		case opDeny, opReturn, opRedirect, opReject, opSilentDrop, opTarpit:
			return x.runFinal(now, r, env)
		default:
			if !x.edit(r, env, h) {
				x.ruleFailed(now)
				return rulesEnded
			}
		}
	}
	return rulesPassed
}

// ruleFailed: a rule could not be carried out, for lack of room or because
// its result is not allowed there.
func (x *exchange) ruleFailed(now evloop.Time) {
	if x.answered != 0 {
		x.fail(now, 502, CauseInternal, phaseHeaders)
		return
	}
	x.fail(now, 500, CauseInternal, phaseRequest)
}

// runFinal carries out a rule that ends the exchange.
func (x *exchange) runFinal(now evloop.Time, r *rule, env *expr.Env) ruleEnd {
	at := phaseRequest
	if x.answered != 0 {
		at = phaseHeaders
		x.answered = 0 // the client gets another answer
	}
	switch r.op {
	case opDeny:
		x.fe.counters(x.w).denied.inc()
		x.keep = x.keep && r.answer.status != 400
		x.endWith(now, x.compose(r.answer, 403, env), CauseDenied, at)
	case opReturn:
		x.endWith(now, x.compose(r.answer, 200, env), CauseLocal, at)
	case opRedirect:
		a, ok := x.redirect(r.redir, env)
		if !ok {
			return rulesPassed
		}
		x.endWith(now, a, CauseLocal, at)
	case opReject, opSilentDrop:
		x.fe.counters(x.w).denied.inc()
		x.keep = false
		x.headDone = 0
		x.abort(now, CauseDenied, at)
	case opTarpit:
		x.fe.counters(x.w).denied.inc()
		x.startTarpit(now, r)
	}
	return rulesEnded
}

// endWith sends an answer of a rule. It may take the place of a server's.
func (x *exchange) endWith(now evloop.Time, a *answer, why Cause, at phase) {
	if x.hunt.sc != nil {
		x.forgetAnswer(now)
		x.hunt.end()
	}
	x.fe.counters(x.w).intercepted.inc()
	x.answerNow(now, a, why, at)
}

// edit carries out a rule that changes the message or a variable.
func (x *exchange) edit(r *rule, env *expr.Env, h *message.Head) bool {
	switch r.op {
	case opSetHeader:
		v := x.text(r, env)
		if h.Form == message.FormAbsolute && string(r.name) == "host" && !x.setAuthority(h, v) {
			return false
		}
		return h.Set(r.name, v)
	case opAddHeader:
		return h.Add(r.name, x.text(r, env))
	case opDelHeader:
		r.deleteFrom(h)
	case opReplaceHeader, opReplaceValue:
		return x.replaceField(r, env, h)
	case opSetMethod:
		return h.SetMethod(x.text(r, env))
	case opSetPath:
		return h.SetPath(x.text(r, env))
	case opSetPathQ:
		return h.SetPathQuery(x.text(r, env))
	case opSetQuery:
		return h.SetQuery(bytes.TrimPrefix(x.text(r, env), []byte("?")))
	case opSetURI:
		return h.SetURI(x.text(r, env))
	case opReplacePath:
		return x.replaceText(r, env, h.PathOnly(), h.SetPath)
	case opReplacePathQ:
		return x.replaceText(r, env, h.Text(h.Path), h.SetPathQuery)
	case opReplaceURI:
		return x.replaceText(r, env, h.Text(h.Target), h.SetURI)
	case opSetStatus:
		return h.SetStatus(r.number, r.name)
	case opSetVar, opSetVarFmt, opUnsetVar:
		x.w.setVar(r, env)
	case opSetLogLevel:
		x.logLevel = r.number
		if r.number >= 0 {
			x.logLevel++
		}
	case opCapture:
		if v, ok := r.expr.EvalStr(env); ok {
			x.captureSet(r, v)
		}
	}
	return true
}

// setAuthority keeps an absolute target in step with a new Host (RFC 9112
// section 3.2.2): the server would take the target's word.
func (x *exchange) setAuthority(h *message.Head, host []byte) bool {
	uri := append([]byte(nil), h.Text(h.Scheme)...)
	uri = append(append(append(uri, "://"...), host...), h.Text(h.Path)...)
	return h.SetURI(uri)
}

// text evaluates the rule's format into the loop's scratch memory.
func (x *exchange) text(r *rule, env *expr.Env) []byte {
	x.w.log = r.format.Append(x.w.log[:0], env)
	return x.w.log
}

func (w *worker) setVar(r *rule, env *expr.Env) {
	switch r.op {
	case opUnsetVar:
		env.UnsetVar(r.vars)
	case opSetVarFmt:
		w.log = r.format.Append(w.log[:0], env)
		env.SetVar(r.vars, expr.Str(w.log))
	case opSetVar:
		if v, ok := r.expr.Eval(env); ok {
			env.SetVar(r.vars, v)
		}
	}
}

// deleteFrom removes the fields whose name matches.
func (r *rule) deleteFrom(h *message.Head) {
	if r.match == matchName {
		h.Del(r.name)
		return
	}
	for i := len(h.Fields) - 1; i >= 0; i-- {
		name := h.Name(i)
		hit := false
		switch r.match {
		case matchPrefix:
			hit = len(name) >= len(r.name) && message.EqualFold(name[:len(r.name)], r.name)
		case matchSuffix:
			hit = len(name) >= len(r.name) && message.EqualFold(name[len(name)-len(r.name):], r.name)
		case matchPart:
			hit = bytes.Contains(bytes.ToLower(name), r.name)
		case matchRegex:
			hit = r.re.Match(name)
		}
		if hit && !message.FieldIDOf(name).HopByHop() {
			h.DelField(i)
		}
	}
}

// replaceField is replace-header (whole values) and replace-value (each of a
// comma list).
func (x *exchange) replaceField(r *rule, env *expr.Env, h *message.Head) bool {
	format := append([]byte(nil), x.text(r, env)...)
	for i := h.FindName(r.name, 0); i >= 0; i = h.FindName(r.name, i+1) {
		value := h.Value(i)
		var out []byte
		if r.op == opReplaceHeader {
			out = replaceAll(r.re, value, format)
		} else {
			out = replaceInList(r.re, value, format)
		}
		if out != nil && !h.SetValue(i, out) {
			return false
		}
	}
	return true
}

func (x *exchange) replaceText(r *rule, env *expr.Env, old []byte, set func([]byte) bool) bool {
	format := append([]byte(nil), x.text(r, env)...)
	if out := replaceAll(r.re, old, format); out != nil {
		return set(out)
	}
	return true
}

// replaceAll gives the format with \0 to \9 filled from the first match, or
// nil without one.
func replaceAll(re *regexp.Regexp, text, format []byte) []byte {
	m := re.FindSubmatchIndex(text)
	if m == nil {
		return nil
	}
	out := append([]byte(nil), text[:m[0]]...)
	for i := 0; i < len(format); i++ {
		if format[i] != '\\' || i+1 == len(format) {
			out = append(out, format[i])
			continue
		}
		i++
		if d := int(format[i]) - '0'; d >= 0 && d <= 9 {
			if 2*d+1 < len(m) && m[2*d] >= 0 {
				out = append(out, text[m[2*d]:m[2*d+1]]...)
			}
			continue
		}
		out = append(out, format[i])
	}
	return append(out, text[m[1]:]...)
}

func replaceInList(re *regexp.Regexp, value, format []byte) []byte {
	var out []byte
	changed := false
	for off := 0; off >= 0; {
		from, to, next := message.ListItem(value, off)
		end := len(value)
		if next >= 0 {
			end = next - 1
		}
		if off > 0 {
			out = append(out, ',')
		}
		if r := replaceAll(re, value[from:to], format); r != nil {
			out, changed = append(out, r...), true
		} else {
			out = append(out, value[off:end]...)
		}
		off = next
	}
	if !changed {
		return nil
	}
	return out
}
