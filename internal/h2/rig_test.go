package h2

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/message"
)

// A rig is a connection with the client's side in the test's hands.
type rig struct {
	t   testing.TB
	c   Conn
	lim Limits
	ev  Event
	now time.Duration
	in  []byte
}

var testLimits = Limits{
	HeaderTable: 4096, Window: 65535, Streams: 4, FrameSize: 16384, HeadMax: 15360, FieldsMax: 101,
}

// newRig is a connection on which nothing has been sent yet.
func newRig(t testing.TB) *rig {
	r := &rig{t: t, lim: testLimits, now: time.Hour}
	r.c.Init(&r.lim, NewScratch(r.lim.HeadMax, r.lim.FieldsMax), nil)
	return r
}

// openRig is a connection whose prefaces are exchanged.
func openRig(t testing.TB) *rig {
	r := newRig(t)
	r.send(Preface + settingsFrame() + settingsAck())
	if r.ev.Kind != EventNone {
		t.Fatalf("preface: %+v", r.ev)
	}
	r.c.Out = r.c.Out[:0]
	return r
}

// send gives bytes to the connection up to the next event.
func (r *rig) send(s string) {
	r.in = append(r.in, s...)
	n := r.c.Next(r.now, r.in, &r.ev)
	r.in = r.in[n:]
}

// more reads on in what was sent.
func (r *rig) more() { r.send("") }

// request opens a stream with the fields of a GET, or others.
func (r *rig) request(id uint32, end bool, fields ...string) *Stream {
	r.t.Helper()
	if len(fields) == 0 {
		fields = getFields
	}
	r.send(headersFrame(id, end, block(fields...)))
	if r.ev.Kind != EventRequest {
		r.t.Fatalf("request %d: %+v, %v", id, r.ev, r.c.Reason())
	}
	s := new(Stream)
	r.c.Accept(s, &r.ev)
	return s
}

var getFields = []string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}

var postFields = []string{":method", "POST", ":scheme", "http", ":authority", "a.example", ":path", "/"}

// frames splits what the connection has answered.
func (r *rig) frames() (list []sentFrame) {
	for b := r.c.Out; len(b) > 0; {
		f := parseFrame(b)
		list = append(list, sentFrame{f, string(b[FrameHeadLen : FrameHeadLen+f.size])})
		b = b[FrameHeadLen+f.size:]
	}
	r.c.Out = r.c.Out[:0]
	return list
}

type sentFrame struct {
	frame
	payload string
}

// code is the error code in RST_STREAM or GOAWAY.
func (f sentFrame) code() ErrorCode {
	return ErrorCode(binary.BigEndian.Uint32([]byte(f.payload[len(f.payload)-4:])))
}

// wire makes a frame.
func wire(kind FrameType, flags uint8, id uint32, payload string) string {
	return string(appendFrame(nil, frame{len(payload), kind, flags, id})) + payload
}

func settingsFrame(pairs ...uint32) string {
	var p []byte
	for i := 0; i < len(pairs); i += 2 {
		p = appendSetting(p, uint16(pairs[i]), int(pairs[i+1]))
	}
	return wire(FrameSettings, 0, 0, string(p))
}

func settingsAck() string { return wire(FrameSettings, flagAck, 0, "") }

func headersFrame(id uint32, end bool, block string) string {
	flags := uint8(flagEndHeaders)
	if end {
		flags |= flagEndStream
	}
	return wire(FrameHeaders, flags, id, block)
}

func dataFrame(id uint32, end bool, p string) string {
	flags := uint8(0)
	if end {
		flags = flagEndStream
	}
	return wire(FrameData, flags, id, p)
}

func windowFrame(id, n uint32) string {
	return wire(FrameWindow, 0, id, string(binary.BigEndian.AppendUint32(nil, n)))
}

func resetFrame(id uint32, code ErrorCode) string {
	return wire(FrameReset, 0, id, string(binary.BigEndian.AppendUint32(nil, uint32(code))))
}

func pingFrame() string { return wire(FramePing, 0, 0, "12345678") }

// block encodes fields as literals that no table keeps.
func block(fields ...string) string {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		b = literalField(b, 0, fields[i], fields[i+1], false)
	}
	return string(b)
}

// indexedBlock encodes fields as literals that the table keeps.
func indexedBlock(fields ...string) string {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		b = literalField(b, 0x40, fields[i], fields[i+1], true)
	}
	return string(b)
}

func literalField(b []byte, first byte, name, value string, huff bool) []byte {
	b = append(b, first)
	for _, s := range []string{name, value} {
		if huff {
			coded := appendHuffman(nil, []byte(s))
			b = append(appendInteger(b, 0x80, 7, len(coded)), coded...)
		} else {
			b = append(appendInteger(b, 0, 7, len(s)), s...)
		}
	}
	return b
}

// headText shows a decoded head: the first line and the fields that are kept.
func headText(h *message.Head) string {
	var b strings.Builder
	if h.MethodText.Len > 0 {
		b.WriteString(string(h.Raw[:strings.IndexByte(string(h.Raw), '\r')]) + "\n")
	}
	for i := range h.Fields {
		if !h.Fields[i].Drop {
			b.WriteString(string(h.Name(i)) + ": " + string(h.Value(i)) + "\n")
		}
	}
	return b.String()
}

// kept is how many fields of the last head are not dropped.
func kept(r *rig) (n int) {
	for i := range r.c.sc.Head.Fields {
		if !r.c.sc.Head.Fields[i].Drop {
			n++
		}
	}
	return n
}

// cloneHead is h with its own memory.
func cloneHead(h *message.Head) *message.Head {
	c := *h
	c.Raw = append([]byte(nil), h.Raw...)
	c.Fields = append([]message.Field(nil), h.Fields...)
	return &c
}
