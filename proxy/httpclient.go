package proxy

import (
	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
	"github.com/weir-lb/weir/internal/message"
)

// An httpClient is what an exchange has of its client: a connection of HTTP/1
// (h1Client), or a stream of HTTP/2 (h2Stream). Everything that depends on which
// it is stands behind this.
type httpClient interface {
	conn() *clientConn
	shared() *httpSession
	setDeadline(at evloop.Time)
	timeIsUp(now evloop.Time) bool
	// again has the exchange's clientReady called once more, after the others.
	again()
	// hasLeft reports whether the client is known to be gone (option abortonclose).
	hasLeft() bool

	// headHere reports whether the bytes of the request's head are still kept.
	headHere() bool
	// bodyHere is what has come of the body and was not used up; over HTTP/1 other
	// bytes may stand behind it. whole: nothing more will come.
	bodyHere() (b []byte, whole bool)
	// firstBody takes what has come of a body of known length: it goes out with the head.
	firstBody(x *exchange) []byte
	// readBody gives bytes of the body; bodyUsed takes the first of them off.
	readBody(x *exchange) ([]byte, evloop.Result)
	bodyUsed(x *exchange, b []byte, used int)
	// awaitBody receives more behind what bodyHere gives.
	awaitBody(x *exchange) evloop.Result
	// skipBody forgets the rest of the body. It reports whether all of it was here.
	skipBody(x *exchange) bool

	// appendInterim appends a 1xx, and sendInterim sends some of them.
	appendInterim(dst []byte, res *message.Head) []byte
	sendInterim(heads []byte) bool
	// responseHead builds what the client shall see, in the loop's scratch memory.
	responseHead(x *exchange, tunnel bool) []byte
	// ownAnswer builds the head of an answer of ours, and tells its body.
	ownAnswer(x *exchange, a *answer) (head, body []byte)
	// sendHead sends such a head with the first of the body, which may stand behind
	// it; last: the answer ends with it. The senders keep what can't be sent now.
	// They report whether the client is still there.
	sendHead(x *exchange, head, body []byte, last bool) bool
	sendBody(x *exchange, p []byte) bool
	// waiting reports whether the client has to make room before more is sent, and
	// flush sends what it has room for; false: it is gone.
	waiting() bool
	flush() bool

	// refused: what came is no request.
	refused()
	// exchangeEnds is called before the exchange forgets the request.
	exchangeEnds(x *exchange, keep bool)
	// exchangeOver: the answer is written or kept. exchangeCut: it can't be ended
	// well. The exchange is gone already.
	exchangeOver(now evloop.Time, keep bool)
	exchangeCut(now evloop.Time, how cut)
}

var _, _ httpClient = (*h1Client)(nil), (*h2Stream)(nil)

// An httpSession is what the requests of one client connection share.
type httpSession struct {
	ended    evloop.Time // when the last response ended; accepted before the first
	requests uint32      // that have ended
	sess     *expr.Vars  // variables of the connection; nil when no rule has any
	pinned   *serverConn // kept for this client only (http-reuse never)
}

func (s *httpSession) shared() *httpSession { return s }

// h1 is the client's connection if it speaks HTTP/1, else nil.
func (x *exchange) h1() *h1Client {
	c, _ := x.c.(*h1Client)
	return c
}

func (c *h1Client) again() { c.w.loop.Again(&c.fd.FD) }

// hasLeft looks for FIN, which alone does not say that the client has gone, unless
// option abortonclose takes it that way.
func (c *h1Client) hasLeft() bool {
	if c.fd.Ready()&evloop.ReadyHup == 0 || c.eof {
		return false
	}
	_, res := c.fd.Peek(c.w.in[:1])
	return res != evloop.Done && c.noteEnd(res) != evloop.Again
}

func (c *h1Client) refused() {
	if c.state != clientBusy {
		c.setState(clientBusy)
	}
}
