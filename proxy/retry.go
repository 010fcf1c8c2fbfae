package proxy

import (
	"slices"
	"strconv"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/message"
)

// A retryCause is a set of the reasons for which a request is sent again
// (manual "retry-on"). Failed connections are the hunt's matter.
type retryCause uint8

const (
	retryEmpty    retryCause = 1 << iota // empty-response: the connection ended before an answer
	retryJunk                            // junk-response: what came is no answer
	retryTimeout                         // response-timeout
	retryStatuses                        // the answer has one of the statuses named
)

// retryOn compiles the keyword.
func (c *compiler) retryOn(be *backend, spec *Backend) {
	for _, word := range spec.RetryOn {
		switch word {
		case "none", "conn-failure", "0rtt-rejected":
		case "empty-response":
			be.retryOn |= retryEmpty
		case "junk-response":
			be.retryOn |= retryJunk
		case "response-timeout":
			be.retryOn |= retryTimeout
		case "all-retryable-errors":
			be.retryOn |= retryEmpty | retryJunk | retryTimeout | retryStatuses
			be.retryStatuses = append(be.retryStatuses, 500, 502, 503, 504)
		default:
			status, err := strconv.Atoi(word)
			if err != nil || status < 400 || status > 599 {
				c.errs.add(spec.Origin, c.section, "retry-on: %q is not known; weir has none, conn-failure, empty-response, junk-response, response-timeout, 0rtt-rejected, all-retryable-errors and statuses from 400 to 599", word)
				continue
			}
			be.retryOn |= retryStatuses
			be.retryStatuses = append(be.retryStatuses, status)
		}
	}
}

func (be *backend) retryStatus(status int) bool {
	return len(be.retryStatuses) > 0 && slices.Contains(be.retryStatuses, status)
}

// retryOn sends the request again if the backend wants that for the cause. It
// is possible as long as the client has seen nothing and the request has no
// body, which would be gone by now.
func (x *exchange) retryOn(now evloop.Time, why retryCause) bool {
	h := &x.hunt
	if x.be.retryOn&why == 0 || h.left <= 0 || x.answering || x.up.framing != message.BodyNone || !x.c.headHere() {
		return false
	}
	x.be.counters(x.w).retries.inc()
	h.srv.live.counters[x.w.id].retries.inc()
	h.left--
	h.tries++
	h.avoid = h.srv
	h.redispatched = x.be.redispatchNow(h.left, h.tries)
	if why == retryStatuses {
		x.forgetAnswer(now)
		x.down = body{}
	} else {
		sc := h.sc
		h.sc = nil
		sc.reset()
	}
	h.releaseSlot()
	if x.resIn != nil {
		x.w.pool.Put(x.resIn)
		x.resIn = nil
	}
	x.setState(exchangeHunt)
	x.requestSent, x.sentUp = false, 0
	h.fresh = true
	h.acquire(now)
	return true
}
