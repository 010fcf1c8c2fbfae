package h2

import "encoding/binary"

// Parameters of SETTINGS (RFC 9113 section 6.5.2).
const (
	settingHeaderTable   = 0x1
	settingPush          = 0x2
	settingStreams       = 0x3
	settingWindow        = 0x4
	settingFrameSize     = 0x5
	settingHeaderListMax = 0x6
)

// appendSettings appends ours; what equals the protocol's default is left out.
func appendSettings(dst []byte, lim *Limits) []byte {
	head := len(dst)
	dst = appendFrame(dst, frame{kind: FrameSettings})
	if lim.HeaderTable != headerTableStart {
		dst = appendSetting(dst, settingHeaderTable, lim.HeaderTable)
	}
	dst = appendSetting(dst, settingStreams, lim.Streams)
	if lim.Window != windowStart {
		dst = appendSetting(dst, settingWindow, lim.Window)
	}
	if lim.FrameSize != frameSizeMin {
		dst = appendSetting(dst, settingFrameSize, lim.FrameSize)
	}
	dst = appendSetting(dst, settingHeaderListMax, lim.HeadMax)
	putSize(dst[head:], len(dst)-head-FrameHeadLen)
	return dst
}

func appendSetting(dst []byte, id uint16, value int) []byte {
	dst = binary.BigEndian.AppendUint16(dst, id)
	return binary.BigEndian.AppendUint32(dst, uint32(value))
}

// settings takes SETTINGS and acknowledges them.
func (c *Conn) settings(f frame, p []byte, ev *Event) {
	switch {
	case f.stream != 0:
		c.lose(ev, ProtocolError, ReasonStreamID)
		return
	case f.flags&flagAck != 0 && f.size != 0 || f.size%settingLen != 0:
		c.lose(ev, FrameSizeError, ReasonFrameSize)
		return
	case !c.glitch(ev):
		return
	case f.flags&flagAck != 0:
		c.settingsTaken()
		return
	}
	for ; len(p) > 0; p = p[settingLen:] {
		c.setting(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:]), ev)
		if c.state == connLost {
			return
		}
	}
	if c.state == connSettings {
		c.state = connOpen
	}
	c.Out = appendFrame(c.Out, frame{kind: FrameSettings, flags: flagAck})
}

// setting takes one parameter. Unknown ones are ignored. We send no more headers
// than we must, and keep no table for them, so what bounds those is no matter.
func (c *Conn) setting(id uint16, v uint32, ev *Event) {
	switch id {
	case settingPush:
		if v > 1 {
			c.lose(ev, ProtocolError, ReasonSetting)
		}
	case settingWindow:
		if v > windowMax {
			c.lose(ev, FlowControlError, ReasonSetting)
			return
		}
		c.clientWindowIs(int64(v), ev)
	case settingFrameSize:
		if v < frameSizeMin || v > frameSizeMax {
			c.lose(ev, ProtocolError, ReasonSetting)
			return
		}
		c.clientFrame = int(v)
	}
}

// clientWindowIs changes the windows of all streams by the difference (RFC 9113
// section 6.9.2). They may become negative.
func (c *Conn) clientWindowIs(v int64, ev *Event) {
	more := v - c.clientWindow
	c.clientWindow = v
	for _, s := range c.streams {
		for ; s != nil; s = s.next {
			if s.send += more; s.send > windowMax {
				c.lose(ev, FlowControlError, ReasonWindow)
				return
			}
		}
	}
	if more > 0 {
		ev.Kind = EventWindow
	}
}

// settingsTaken: from now on our SETTINGS hold for what the client sends.
func (c *Conn) settingsTaken() {
	if c.acknowledged {
		return
	}
	c.acknowledged = true
	c.dec.limit = c.lim.HeaderTable
	for _, s := range c.streams {
		for ; s != nil; s = s.next {
			s.receive += int64(c.lim.Window) - windowStart
		}
	}
}
