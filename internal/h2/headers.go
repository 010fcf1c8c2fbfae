package h2

// This file takes header blocks, in one frame or several.

// headers takes HEADERS (RFC 9113 section 6.2).
func (c *Conn) headers(f frame, p []byte, ev *Event) {
	if f.stream == 0 || f.stream&1 == 0 {
		c.lose(ev, ProtocolError, ReasonStreamID)
		return
	}
	pad := 0
	if f.flags&flagPadded != 0 {
		if len(p) == 0 {
			c.lose(ev, FrameSizeError, ReasonFrameSize)
			return
		}
		pad, p = int(p[0]), p[1:]
	}
	if f.flags&flagPriority != 0 {
		if len(p) < priorityLen {
			c.lose(ev, FrameSizeError, ReasonFrameSize)
			return
		}
		p = p[priorityLen:]
	}
	if pad > len(p) {
		c.lose(ev, ProtocolError, ReasonPadding)
		return
	}
	p = p[:len(p)-pad]
	c.blockEnd = f.flags&flagEndStream != 0
	if f.flags&flagEndHeaders != 0 {
		c.takeBlock(f.stream, p, ev)
		return
	}
	if len(p) == 0 && !c.glitch(ev) {
		return
	}
	c.blockStream = f.stream
	c.block = append(c.block[:0], p...)
	c.checkBlock(ev)
}

// checkBlock bounds what comes of a block (the "CONTINUATION flood").
func (c *Conn) checkBlock(ev *Event) bool {
	if len(c.block) > blockMax*c.lim.HeadMax {
		c.lose(ev, EnhanceYourCalm, ReasonBlockSize)
		return false
	}
	return true
}

// continuation takes CONTINUATION (RFC 9113 section 6.10).
func (c *Conn) continuation(f frame, p []byte, ev *Event) {
	if c.blockStream == 0 {
		c.lose(ev, ProtocolError, ReasonContinuation)
		return
	}
	c.block = append(c.block, p...)
	if !c.checkBlock(ev) || len(p) < smallWindow && !c.glitch(ev) {
		return
	}
	if f.flags&flagEndHeaders != 0 {
		c.blockStream = 0
		c.takeBlock(f.stream, c.block, ev)
		c.block = nil // rare: no connection keeps the memory
	}
}

// takeBlock: the block is whole.
func (c *Conn) takeBlock(id uint32, block []byte, ev *Event) {
	if id > c.last {
		c.newStream(id, block, ev)
		return
	}
	if s := c.find(id); s != nil {
		c.trailers(s, block, ev)
		return
	}
	past, known := c.recall(id)
	switch {
	case known && past.reset || c.leaving:
		if !c.skipBlock(block) {
			c.lose(ev, CompressionError, ReasonCompression)
			return
		}
		c.glitch(ev)
	case known:
		c.lose(ev, StreamClosed, ReasonClosed)
	default: // numbers must ascend (RFC 9113 section 5.1.1)
		c.lose(ev, ProtocolError, ReasonStreamID)
	}
}

// newStream: a request, if there is room for it.
func (c *Conn) newStream(id uint32, block []byte, ev *Event) {
	c.last = id
	if c.leaving || c.open >= c.lim.Streams {
		if !c.skipBlock(block) {
			c.lose(ev, CompressionError, ReasonCompression)
			return
		}
		if !c.leaving {
			c.reason = ReasonStreams
			c.refuse(ev, id, RefusedStream)
		}
		return
	}
	why, ok := c.decodeRequest(block, c.blockEnd)
	switch {
	case !ok:
		c.lose(ev, CompressionError, ReasonCompression)
	case why == ReasonFields:
		c.reason = why
		c.refuse(ev, id, EnhanceYourCalm)
	case why != ReasonNone:
		c.reason = why
		c.refuse(ev, id, ProtocolError)
	default:
		*ev = Event{Kind: EventRequest, ID: id, End: c.blockEnd}
	}
}

// trailers: a second block must end the stream (RFC 9113 section 8.1).
func (c *Conn) trailers(s *Stream, block []byte, ev *Event) {
	why, ok := c.decodeTrailers(block)
	switch {
	case !ok:
		c.lose(ev, CompressionError, ReasonCompression)
	case s.state == streamClientDone:
		c.resetFor(ev, s, StreamClosed, ReasonClosed)
	case why != ReasonNone:
		c.resetFor(ev, s, ProtocolError, why)
	case !c.blockEnd:
		c.resetFor(ev, s, ProtocolError, ReasonTrailers)
	case s.length > 0:
		c.resetFor(ev, s, ProtocolError, ReasonLength)
	default:
		*ev = Event{Kind: EventTrailers, Stream: s, End: true}
		c.endClient(s)
	}
}
