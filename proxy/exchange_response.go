package proxy

import "github.com/weir-lb/weir/internal/evloop"

// applyResponse runs what backend and frontend do with a response before it
// goes to the client. It reports whether the exchange goes on.
func (x *exchange) applyResponse(now evloop.Time) bool {
	be, fe := x.be, x.fe
	if fe.logs != nil {
		x.captureHeads(&x.res, 1)
	}
	if len(be.response) > 0 && x.runRules(now, be.response, &x.res) == rulesEnded {
		return false
	}
	if len(fe.response) > 0 && x.runRules(now, fe.response, &x.res) == rulesEnded {
		return false
	}
	if be.cookie != nil {
		x.writeCookie()
	}
	if len(be.after) > 0 && x.runRules(now, be.after, &x.res) == rulesEnded {
		return false
	}
	return len(fe.after) == 0 || x.runRules(now, fe.after, &x.res) == rulesPassed
}
