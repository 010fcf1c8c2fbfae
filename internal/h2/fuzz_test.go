package h2

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Whatever comes, and in whatever pieces, the same is made of it; nothing panics,
// and what is kept and answered is bounded.
func FuzzFrames(f *testing.F) {
	for _, rows := range [][]conformanceCase{frameCases(), stateCases(), headerFrameCases(), settingsCases(), windowCases()} {
		for _, tc := range rows {
			f.Add([]byte(tc.send), uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		whole, _ := fuzzPlay(t, in, len(in))
		pieces, out := fuzzPlay(t, in, int(step)+1)
		if whole != pieces {
			t.Errorf("in one piece:\n%s\nin pieces of %d:\n%s", whole, int(step)+1, pieces)
		}
		for len(out) > 0 { // what we answer must be frames
			if len(out) < FrameHeadLen || len(out) < FrameHeadLen+parseFrame(out).size {
				t.Fatalf("a frame of ours is cut short: %x", out)
			}
			out = out[FrameHeadLen+parseFrame(out).size:]
		}
	})
}

// fuzzPlay feeds in, size bytes at a time, and tells the events with the payload of
// each stream joined.
func fuzzPlay(t *testing.T, in []byte, size int) (told string, out []byte) {
	r := openRig(t)
	r.request(1, false, postFields...)
	var events strings.Builder
	data := map[uint32]*bytes.Buffer{}
	var b []byte
	for len(in) > 0 {
		n := min(max(size, 1), len(in))
		b, in = append(b, in[:n]...), in[n:]
		for {
			used := r.c.Next(time.Hour, b, &r.ev)
			if s := r.ev.Stream; r.ev.Kind == EventData {
				if data[s.id] == nil {
					data[s.id] = new(bytes.Buffer)
				}
				data[s.id].Write(r.ev.Data)
				r.c.Used(s, len(r.ev.Data))
			}
			b = b[used:]
			if r.ev.Kind == EventNone || r.ev.Kind == EventLost {
				break
			}
			if r.ev.Kind != EventData || r.ev.End {
				events.WriteString(r.describe() + "\n")
			}
		}
		if len(b) > r.c.FrameMax() && r.ev.Kind != EventLost {
			t.Fatalf("%d bytes are left over", len(b))
		}
		if len(r.c.block) > blockMax*r.lim.HeadMax+r.lim.FrameSize || r.c.open > r.lim.Streams {
			t.Fatalf("a block of %d bytes, %d streams", len(r.c.block), r.c.open)
		}
		if r.ev.Kind == EventLost {
			events.WriteString(r.ev.Code.String() + r.c.Reason().String())
			break
		}
	}
	for id, buf := range data {
		if buf.Len() > 1<<20 {
			t.Fatalf("stream %d: %d bytes", id, buf.Len())
		}
	}
	return events.String(), r.c.Out
}

// A block is decoded or refused; what is accepted has no control characters, no
// capitals in names, and survives being written and read again.
func FuzzBlocks(f *testing.F) {
	for _, rows := range [][]conformanceCase{fieldCases(), compressionCases()} {
		for _, tc := range rows {
			f.Add([]byte(tc.send[FrameHeadLen:]))
		}
	}
	f.Add([]byte(indexedBlock(getFields...)))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := openRig(t)
		why, ok := r.c.decodeRequest(in, true)
		tab := &r.c.dec.table
		if tab.size > tab.max || tab.max > headerTableStart || cap(tab.bytes) > 4*headerTableStart {
			t.Fatalf("the table has %d of %d bytes, capacity %d", tab.size, tab.max, cap(tab.bytes))
		}
		h := &r.c.sc.Head
		if len(h.Raw) > 2*r.lim.HeadMax || len(h.Fields) >= r.lim.FieldsMax {
			t.Fatalf("%d bytes, %d fields", len(h.Raw), len(h.Fields))
		}
		if !ok || why != ReasonNone {
			return
		}
		text := headText(h)
		if strings.ContainsAny(text, "\r\x00") || strings.Count(text, "\n") != 1+kept(r) {
			t.Fatalf("%q", text)
		}
		h = cloneHead(h)
		h.Status = 200
		s := r.request(1, true)
		var fields []string
		for i := range h.Fields {
			fields = append(fields, string(h.Name(i)), string(h.Value(i)))
		}
		got, ok := decodeAll(newDecoder(4096), r.c.AppendHead(nil, s, h, Rewrite{})[FrameHeadLen:])
		if !ok {
			t.Fatalf("what we write of %q can't be read", fields)
		}
		for i := range h.Fields {
			if !h.Fields[i].Drop && !strings.Contains(got, string(h.Name(i))+": "+string(h.Value(i))+"\n") &&
				!h.Fields[i].ID.HopByHop() && string(h.Name(i)) != "content-length" {
				t.Fatalf("%s is not in %q", h.Name(i), got)
			}
		}
	})
}
