package h2

import "encoding/binary"

// This file is what a client may send (DATA) and have sent (WINDOW_UPDATE,
// SETTINGS).

// smallWindow is an increment below which WINDOW_UPDATE counts as a glitch: who
// opens windows by a few bytes has us send as many frames.
const smallWindow = 256 // bytes

// window takes WINDOW_UPDATE (RFC 9113 section 6.9).
func (c *Conn) window(f frame, p []byte, ev *Event) {
	if f.size != 4 {
		c.lose(ev, FrameSizeError, ReasonFrameSize)
		return
	}
	n := int64(binary.BigEndian.Uint32(p) & windowMax)
	if n < smallWindow && !c.glitch(ev) {
		return
	}
	if f.stream == 0 {
		c.send += n
		switch {
		case n == 0:
			c.lose(ev, ProtocolError, ReasonWindow)
		case c.send > windowMax:
			c.lose(ev, FlowControlError, ReasonWindow)
		default:
			ev.Kind = EventWindow
		}
		return
	}
	s := c.find(f.stream)
	switch {
	case f.stream > c.last || f.stream&1 == 0:
		c.lose(ev, ProtocolError, ReasonIdle)
	case s == nil: // it may have crossed the end of the stream
		c.glitch(ev)
	case n == 0:
		c.resetFor(ev, s, ProtocolError, ReasonWindow)
	case s.send+n > windowMax:
		c.resetFor(ev, s, FlowControlError, ReasonWindow)
	default:
		s.send += n
		*ev = Event{Kind: EventWindow, Stream: s}
	}
}

// beginData takes the head of a DATA frame (RFC 9113 section 6.1). All of its
// payload, padding included, counts against the windows.
func (c *Conn) beginData(f frame, b []byte, ev *Event) int {
	used, size, pad := FrameHeadLen, f.size, 0
	if f.flags&flagPadded != 0 {
		if f.size == 0 {
			c.lose(ev, FrameSizeError, ReasonFrameSize)
			return used
		}
		if len(b) == 0 {
			return 0
		}
		pad, size, used = int(b[0]), size-1, used+1
		if pad > size {
			c.lose(ev, ProtocolError, ReasonPadding)
			return used
		}
	}
	if f.stream == 0 || f.stream > c.last || f.stream&1 == 0 {
		c.lose(ev, ProtocolError, ReasonIdle)
		return used
	}
	if c.receive -= int64(f.size); c.receive < 0 {
		c.lose(ev, FlowControlError, ReasonOverWindow)
		return used
	}
	c.dataLeft, c.padLeft, c.dataEnd = size-pad, pad, f.flags&flagEndStream != 0
	c.data = nil
	c.takeData(f, ev)
	if c.data == nil {
		c.padLeft += c.dataLeft
		c.dataLeft = 0
		if c.state != connLost {
			c.openConnWindow()
		}
	} else if pad > 0 {
		c.Used(c.data, 0)
	}
	return used
}

// takeData finds whose DATA it is, and whether it may come.
func (c *Conn) takeData(f frame, ev *Event) {
	s := c.find(f.stream)
	switch {
	case s == nil:
		c.dataOfClosed(f.stream, ev)
		return
	case s.state == streamClientDone:
		c.resetFor(ev, s, StreamClosed, ReasonClosed)
		return
	case s.receive < int64(f.size):
		c.resetFor(ev, s, FlowControlError, ReasonOverWindow)
		return
	}
	s.receive -= int64(f.size)
	size := int64(c.dataLeft)
	if s.length >= 0 {
		if s.length -= size; s.length < 0 || c.dataEnd && s.length > 0 {
			c.resetFor(ev, s, ProtocolError, ReasonLength)
			return
		}
	}
	if size == 0 && !c.dataEnd && !c.glitch(ev) {
		return
	}
	c.data = s
	s.buffered += size
	c.buffered += size
	if size == 0 && c.dataEnd {
		*ev = Event{Kind: EventData, Stream: s, End: true}
		c.endClient(s)
	}
}

// dataOfClosed: a stream that we have reset may still be sent to for a while.
func (c *Conn) dataOfClosed(id uint32, ev *Event) {
	past, known := c.recall(id)
	if known && past.reset {
		c.glitch(ev)
		return
	}
	if c.leaving {
		return
	}
	c.refuse(ev, id, StreamClosed)
	c.reason = ReasonClosed
}

// readData takes what is here of the payload, and of what is skipped.
func (c *Conn) readData(b []byte, ev *Event) int {
	if c.dataLeft == 0 || c.data == nil {
		n := min(len(b), c.dataLeft+c.padLeft)
		rest := max(c.dataLeft-n, 0)
		c.padLeft -= n - (c.dataLeft - rest)
		c.dataLeft = rest
		return n
	}
	n := min(len(b), c.dataLeft)
	if n == 0 {
		return 0
	}
	c.dataLeft -= n
	s := c.data
	*ev = Event{Kind: EventData, Stream: s, Data: b[:n]}
	if c.dataLeft == 0 {
		c.data = nil
		if c.dataEnd {
			ev.End = true
			c.endClient(s)
		}
	}
	return n
}
