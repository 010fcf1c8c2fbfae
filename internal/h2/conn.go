package h2

import (
	"encoding/binary"
	"time"
)

// A connState says what a connection waits for.
type connState uint8

const (
	connPreface  connState = iota // the client's preface
	connSettings                  // its first SETTINGS
	connOpen                      // any frame
	connLost                      // nothing: GOAWAY with an error was sent
)

// A Conn is the protocol of one client connection.
type Conn struct {
	// Out is what the protocol answers by itself; the caller sends and empties it.
	Out []byte

	lim *Limits
	sc  *Scratch
	now time.Duration
	dec decoder

	state        connState
	acknowledged bool   // the client has taken our SETTINGS
	leaving      bool   // GOAWAY was sent: no further requests
	last         uint32 // highest stream that the client has opened
	told         uint32 // last, as GOAWAY told it
	reason       Reason // of EventLost, or of an EventReset of our own
	open         int    // streams linked
	streams      [buckets]*Stream
	past         [forgottenMax]ended
	pastNext     int

	send         int64 // window of the connection: DATA that we may send
	receive      int64 // window of the connection: DATA that the client may send
	buffered     int64 // DATA that the caller has not used up, of all streams
	clientWindow int64 // the client's SETTINGS_INITIAL_WINDOW_SIZE
	clientFrame  int   // the client's SETTINGS_MAX_FRAME_SIZE

	block       []byte // of a header block that comes in pieces; nil without one
	blockStream uint32 // whose block it is; 0: none is under way
	blockEnd    bool   // END_STREAM

	data     *Stream // whose DATA frame is being read; nil: nobody wants it
	dataLeft int     // of its payload
	padLeft  int     // what is skipped behind it
	dataEnd  bool    // END_STREAM
	cleared  bool    // our encoder has told that it keeps no table

	resets, glitches budget
}

// An EventKind is what came.
type EventKind uint8

const (
	EventNone     EventKind = iota // nothing; more bytes are needed
	EventRequest                   // a request: Scratch.Head; the caller calls Accept or Refuse
	EventData                      // Data of Stream; nothing when only the end came
	EventTrailers                  // the end of Stream: Scratch.Head
	EventReset                     // Stream is over: by the client or, with Ours, by us
	EventWindow                    // more may be sent on Stream; nil: on any
	EventGoAway                    // the client will open no more streams
	EventLost                      // the client broke the protocol; GOAWAY stands in Out
)

// An Event is what Next found.
type Event struct {
	Kind   EventKind
	End    bool // the client has sent all of the stream
	Ours   bool
	ID     uint32 // of EventRequest
	Code   ErrorCode
	Stream *Stream
	Data   []byte // of what was given to Next
}

// Init begins a connection. Our SETTINGS stand in Out.
func (c *Conn) Init(lim *Limits, sc *Scratch, out []byte) {
	*c = Conn{
		Out: out, lim: lim, sc: sc, block: c.block[:0],
		dec:          decoder{table: table{bytes: c.dec.table.bytes[:0], entries: c.dec.table.entries, max: headerTableStart}},
		send:         windowStart,
		receive:      windowStart,
		clientWindow: windowStart, clientFrame: frameSizeMin,
	}
	c.dec.limit = max(lim.HeaderTable, headerTableStart)
	c.Out = appendSettings(c.Out, lim)
	c.receive += bufferedMax - windowStart
	c.Out = appendWindow(c.Out, 0, bufferedMax-windowStart)
}

// Streams is the number of open streams.
func (c *Conn) Streams() int { return c.open }

// Reason says what was wrong with what the last event tells of.
func (c *Conn) Reason() Reason { return c.reason }

// Last is the highest number of a stream that came.
func (c *Conn) Last() uint32 { return c.last }

// GoAway tells the client that nothing more is taken.
func (c *Conn) GoAway(code ErrorCode) {
	if !c.leaving && c.state != connLost {
		c.told, c.leaving = c.last, true
		c.Out = appendGoAway(c.Out, c.told, code)
	}
}

// Leaving reports whether GOAWAY was sent.
func (c *Conn) Leaving() bool { return c.leaving }

// InBlock reports whether a header block is under way: until it is whole, the
// client has sent no request.
func (c *Conn) InBlock() bool { return c.blockStream != 0 }

// FrameMax is how many bytes, head included, have to be kept for Next to go on.
func (c *Conn) FrameMax() int { return FrameHeadLen + c.lim.FrameSize }

// Next reads from b, all that came and was not used up, until there is something
// to tell. The caller takes used bytes off; Data and Scratch are valid until then.
func (c *Conn) Next(now time.Duration, b []byte, ev *Event) (used int) {
	c.now = now
	*ev = Event{}
	for ev.Kind == EventNone && c.state != connLost {
		n := c.step(b[used:], ev)
		if n == 0 {
			break
		}
		used += n
	}
	return used
}

// step reads one frame, or what is here of DATA. It returns 0 when more bytes are
// needed.
func (c *Conn) step(b []byte, ev *Event) int {
	switch {
	case c.dataLeft > 0 || c.padLeft > 0:
		return c.readData(b, ev)
	case c.state == connPreface:
		return c.readPreface(b, ev)
	case len(b) < FrameHeadLen:
		return 0
	}
	f := parseFrame(b)
	if why, code := c.checkFrame(f); why != ReasonNone {
		c.lose(ev, code, why)
		return FrameHeadLen
	}
	b = b[FrameHeadLen:]
	switch {
	case f.kind == FrameData:
		return c.beginData(f, b, ev)
	case f.kind >= frameTypes:
		c.padLeft = f.size
		c.data = nil
		c.glitch(ev)
		return FrameHeadLen
	case len(b) < f.size:
		return 0
	}
	c.handle(f, b[:f.size], ev)
	return FrameHeadLen + f.size
}

// readPreface: a single byte that differs is enough to know.
func (c *Conn) readPreface(b []byte, ev *Event) int {
	n := min(len(b), len(Preface))
	if string(b[:n]) != Preface[:n] {
		c.lose(ev, ProtocolError, ReasonPreface)
		return 0
	}
	if n < len(Preface) {
		return 0
	}
	c.state = connSettings
	return n
}

// checkFrame judges what concerns all frames.
func (c *Conn) checkFrame(f frame) (Reason, ErrorCode) {
	switch {
	case c.state == connSettings && (f.kind != FrameSettings || f.flags&flagAck != 0):
		return ReasonPreface, ProtocolError // RFC 9113 section 3.4
	case f.size > c.lim.FrameSize:
		return ReasonFrameSize, FrameSizeError // section 4.2
	case c.blockStream != 0 && (f.kind != FrameContinuation || f.stream != c.blockStream):
		return ReasonContinuation, ProtocolError // section 4.3
	}
	return ReasonNone, NoError
}

// lose ends the connection: the client can't be understood any more.
func (c *Conn) lose(ev *Event, code ErrorCode, why Reason) {
	*ev = Event{Kind: EventLost, Code: code}
	if !c.leaving {
		c.told = c.last
	}
	c.Out = appendGoAway(c.Out, c.told, code) // the number must not grow (RFC 9113 section 6.8)
	c.state, c.reason, c.leaving = connLost, why, true
}

// resetFor ends a stream because of what the client did.
func (c *Conn) resetFor(ev *Event, s *Stream, code ErrorCode, why Reason) {
	if !c.spendReset(ev) {
		return
	}
	*ev = Event{Kind: EventReset, Stream: s, Code: code, Ours: true}
	c.reason = why
	c.Reset(s, code)
}

// refuse resets a stream that was never opened.
func (c *Conn) refuse(ev *Event, id uint32, code ErrorCode) {
	if c.spendReset(ev) {
		c.Out = appendReset(c.Out, id, code)
		c.remember(id, true)
	}
}

func (c *Conn) spendReset(ev *Event) bool {
	if c.resets.spend(c.now, resetBurst, resetRate) {
		return true
	}
	c.lose(ev, EnhanceYourCalm, ReasonBudget)
	return false
}

// glitch counts a frame that costs us something and brings nothing.
func (c *Conn) glitch(ev *Event) bool {
	if c.glitches.spend(c.now, glitchBurst, glitchRate) {
		return true
	}
	c.lose(ev, EnhanceYourCalm, ReasonBudget)
	return false
}

// handle takes a whole frame other than DATA.
func (c *Conn) handle(f frame, p []byte, ev *Event) {
	switch f.kind {
	case FrameHeaders:
		c.headers(f, p, ev)
	case FrameContinuation:
		c.continuation(f, p, ev)
	case FramePriority:
		c.priority(f, ev)
	case FrameReset:
		c.reset(f, p, ev)
	case FrameSettings:
		c.settings(f, p, ev)
	case FramePushPromise:
		c.lose(ev, ProtocolError, ReasonPush)
	case FramePing:
		c.ping(f, p, ev)
	case FrameGoAway:
		c.goAway(f, ev)
	case FrameWindow:
		c.window(f, p, ev)
	}
}

// priority is read past: RFC 9113 section 5.3.2 has given it up.
func (c *Conn) priority(f frame, ev *Event) {
	switch {
	case f.stream == 0:
		c.lose(ev, ProtocolError, ReasonStreamID)
	case f.size != priorityLen:
		if s := c.find(f.stream); s != nil {
			c.resetFor(ev, s, FrameSizeError, ReasonFrameSize)
			return
		}
		c.lose(ev, FrameSizeError, ReasonFrameSize)
	default:
		c.glitch(ev)
	}
}

// reset: the client gives a request up.
func (c *Conn) reset(f frame, p []byte, ev *Event) {
	switch {
	case f.size != 4:
		c.lose(ev, FrameSizeError, ReasonFrameSize)
		return
	case f.stream == 0 || f.stream > c.last || f.stream&1 == 0:
		c.lose(ev, ProtocolError, ReasonIdle)
		return
	case !c.spendReset(ev):
		return
	}
	if s := c.find(f.stream); s != nil {
		*ev = Event{Kind: EventReset, Stream: s, Code: ErrorCode(binary.BigEndian.Uint32(p))}
		c.unlink(s, true)
	}
}

func (c *Conn) ping(f frame, p []byte, ev *Event) {
	switch {
	case f.size != pingLen:
		c.lose(ev, FrameSizeError, ReasonFrameSize)
	case f.stream != 0:
		c.lose(ev, ProtocolError, ReasonStreamID)
	case !c.glitch(ev):
	case f.flags&flagAck == 0:
		c.Out = appendFrame(c.Out, frame{size: pingLen, kind: FramePing, flags: flagAck})
		c.Out = append(c.Out, p...)
	}
}

func (c *Conn) goAway(f frame, ev *Event) {
	switch {
	case f.stream != 0:
		c.lose(ev, ProtocolError, ReasonStreamID)
	case f.size < 8:
		c.lose(ev, FrameSizeError, ReasonFrameSize)
	case c.glitch(ev):
		ev.Kind = EventGoAway
	}
}
