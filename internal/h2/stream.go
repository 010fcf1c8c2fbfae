package h2

// A streamState is the state of a stream that a client opened (RFC 9113 section
// 5.1). Idle streams and closed ones have no Stream.
type streamState uint8

const (
	streamClosed     streamState = iota // not linked to any connection
	streamOpen                          // both sides may send
	streamClientDone                    // the client has sent all
	streamWeDone                        // we have sent all
)

// A Stream is one request and its response. It is the caller's memory, linked to
// its Conn from Open until it has ended both ways or was reset.
type Stream struct {
	Owner any // the caller's

	id       uint32
	state    streamState
	next     *Stream // in a bucket of Conn
	send     int64   // window: bytes of DATA that we may send; may be negative
	receive  int64   // window: bytes of DATA that the client may send; may be negative
	buffered int64   // bytes of DATA that the caller has not used up
	length   int64   // content-length less what came; -1: not told
}

// ID is the number of the stream.
func (s *Stream) ID() uint32 { return s.id }

// Open reports whether the stream is linked to its connection.
func (s *Stream) Open() bool { return s.state != streamClosed }

// EndedByClient reports whether the client has sent all of its request.
func (s *Stream) EndedByClient() bool { return s.state == streamClientDone || s.state == streamClosed }

// An ended is a stream that is over, as long as we remember it.
type ended struct {
	id    uint32
	reset bool // by us: what the client sent before it knew is no fault
}

const buckets = 16

func (c *Conn) find(id uint32) *Stream {
	s := c.streams[id>>1%buckets]
	for s != nil && s.id != id {
		s = s.next
	}
	return s
}

// Accept makes s the stream of the request that the last EventRequest brought.
func (c *Conn) Accept(s *Stream, ev *Event) {
	window := int64(windowStart)
	if c.acknowledged {
		window = int64(c.lim.Window)
	}
	*s = Stream{Owner: s.Owner, id: ev.ID, state: streamOpen, send: c.clientWindow, receive: window, length: -1}
	if c.sc.Head.HasLength {
		s.length = c.sc.Head.Length
	}
	if ev.End {
		s.state = streamClientDone
	}
	b := &c.streams[ev.ID>>1%buckets]
	s.next, *b = *b, s
	c.open++
}

// Refuse resets the request that the last EventRequest brought.
func (c *Conn) Refuse(ev *Event, code ErrorCode) {
	c.Out = appendReset(c.Out, ev.ID, code)
	c.remember(ev.ID, true)
}

// Reset ends s at once, with RST_STREAM.
func (c *Conn) Reset(s *Stream, code ErrorCode) {
	c.Out = appendReset(c.Out, s.id, code)
	c.unlink(s, true)
}

// endOurs: END_STREAM was sent.
func (c *Conn) endOurs(s *Stream) {
	if s.state == streamClientDone {
		c.unlink(s, false)
		return
	}
	s.state = streamWeDone
}

// endClient: END_STREAM has come.
func (c *Conn) endClient(s *Stream) {
	if s.state == streamWeDone {
		c.unlink(s, false)
		return
	}
	s.state = streamClientDone
}

func (c *Conn) unlink(s *Stream, reset bool) {
	p := &c.streams[s.id>>1%buckets]
	for *p != s {
		p = &(*p).next
	}
	*p, s.next = s.next, nil
	c.open--
	c.remember(s.id, reset)
	if c.data == s {
		c.data = nil
	}
	s.state = streamClosed
	c.buffered -= s.buffered
	s.buffered = 0
	if !reset {
		c.resets.earn(resetBurst)
	}
	c.openConnWindow()
}

func (c *Conn) remember(id uint32, reset bool) {
	c.past[c.pastNext] = ended{id, reset}
	c.pastNext = (c.pastNext + 1) % forgottenMax
}

// recall says what is known of a stream that is not open any more.
func (c *Conn) recall(id uint32) (e ended, known bool) {
	for i := range c.past {
		if c.past[i].id == id {
			return c.past[i], true
		}
	}
	return ended{}, false
}

// Used tells that n bytes of the payload of s are used up: the client may send
// more.
func (c *Conn) Used(s *Stream, n int) {
	if s.state == streamClosed {
		return // unlink has counted all that it held
	}
	s.buffered -= int64(n)
	c.buffered -= int64(n)
	c.openConnWindow()
	if s.state != streamOpen {
		return
	}
	window := int64(windowStart)
	if c.acknowledged {
		window = int64(c.lim.Window)
	}
	if more := window - s.buffered - s.receive; more > 0 && more >= window/2 {
		s.receive += more
		c.Out = appendWindow(c.Out, s.id, uint32(more))
	}
}

// openConnWindow gives the connection as much window as there is room.
func (c *Conn) openConnWindow() {
	if more := bufferedMax - c.buffered - c.receive; more >= bufferedMax/2 && c.state == connOpen {
		c.receive += more
		c.Out = appendWindow(c.Out, 0, uint32(more))
	}
}

// Room is how many bytes of payload may be sent on s now, in one frame.
func (c *Conn) Room(s *Stream) int {
	return int(max(min(s.send, c.send, int64(c.clientFrame)), 0))
}

// Blocked reports whether only the window of the whole connection stops s.
func (c *Conn) Blocked(s *Stream) bool { return c.send <= 0 && s.send > 0 }

// AppendData appends a DATA frame; p must not be more than Room allows.
func (c *Conn) AppendData(dst []byte, s *Stream, p []byte, end bool) []byte {
	return append(c.AppendDataHead(dst, s, len(p), end), p...)
}

// AppendDataHead appends the head of a DATA frame whose payload of n bytes follows.
func (c *Conn) AppendDataHead(dst []byte, s *Stream, n int, end bool) []byte {
	f := frame{size: n, kind: FrameData, stream: s.id}
	if end {
		f.flags = flagEndStream
	}
	s.send -= int64(n)
	c.send -= int64(n)
	if end {
		c.endOurs(s)
	}
	return appendFrame(dst, f)
}

// EndHead marks frames, as AppendHead made them, as the end of s.
func (c *Conn) EndHead(frames []byte, s *Stream) {
	frames[4] |= flagEndStream
	c.endOurs(s)
}

// EndStream: trailers were sent.
func (c *Conn) EndStream(s *Stream) { c.endOurs(s) }
