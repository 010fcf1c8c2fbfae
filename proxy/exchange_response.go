package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// applyResponse runs what backend and frontend do with a response before it
// goes to the client. It reports whether the exchange goes on.
func (x *exchange) applyResponse(now evloop.Time) bool {
	be, fe := x.be, x.fe
	if fe.logs != nil {
		x.captureHeads(&x.res, 1)
		if ck := fe.spec.Log.CaptureCookie; ck != nil {
			x.captureCookie(1, ck)
		}
	}
	if len(be.tcpResponse) > 0 && x.runRules(now, be.tcpResponse, &x.res) == rulesEnded {
		return false
	}
	if len(be.response) > 0 && x.runRules(now, be.response, &x.res) == rulesEnded {
		return false
	}
	if len(fe.response) > 0 && x.runRules(now, fe.response, &x.res) == rulesEnded {
		return false
	}
	risky := be.spec.CheckCache && x.setsCookies()
	if be.cookie != nil {
		x.writeCookie()
	}
	if risky && x.blockStoredCookie(now) {
		return false
	}
	if len(be.after) > 0 && x.runRules(now, be.after, &x.res) == rulesEnded {
		return false
	}
	return len(fe.after) == 0 || x.runRules(now, fe.after, &x.res) == rulesPassed
}

// afterResponse has http-after-response rules work on an answer of ours.
func (x *exchange) afterResponse(now evloop.Time, a *answer) *answer {
	var p h1.Parser
	raw := append(append([]byte(nil), a.head...), "\r\n"...)
	lim := h1.Limits{HeadMax: len(raw) + 1, FieldsMax: 1000, Lenient: true}
	if _, st := p.Response(raw, &x.res, &lim, message.MethodGet); st != h1.Complete {
		return a
	}
	env := x.fillEnv(now)
	env.Res = &x.res
	rules := x.fe.after
	if x.be != nil {
		rules = append(append([]rule(nil), x.be.after...), rules...)
	}
	for i := range rules {
		r := &rules[i]
		if r.cond != nil && !r.cond.Eval(env) {
			continue
		}
		if r.op == opAllow {
			break
		}
		x.edit(r, env, &x.res)
	}
	framing := x.res.Framing
	head := h1.AppendResponse(nil, &x.res, h1.Rewrite{Framing: framing, Minor: 1})
	return &answer{status: x.res.Status, head: head, body: a.body, redirect: a.redirect, closes: a.closes}
}
