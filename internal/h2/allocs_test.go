//go:build !race

package h2

import (
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// A request and its answer, with fields that the table knows and others.
func TestRequestsDoNotAllocate(t *testing.T) {
	r := openRig(t)
	browser := append(append([]string(nil), getFields...), "user-agent", "test/1.0", "accept", "*/*", "cookie", "a=b", "cookie", "c=d")
	r.request(1, true, browser...)
	s := r.c.find(1)
	first := headersFrame(3, true, indexedBlock(browser...))
	r.send(first)
	r.c.Accept(new(Stream), &r.ev)
	raw := []byte("content-typetext/html")
	res := &message.Head{Raw: raw, Status: 200, Fields: []message.Field{
		{Name: message.Span{Len: 12}, Value: message.Span{Off: 12, Len: 9}, ID: message.FieldContentType},
	}}
	out := make([]byte, 0, 1<<14)
	body := make([]byte, 128)
	r.c.Reset(s, Cancel)
	indexed := "\xc5\xc4\xc3\xc2\xc1\xc0\xbf\xbe"
	id := uint32(5)
	st := new(Stream)
	frames := make([]byte, 0, 1<<12)
	for name, blk := range map[string]string{"indexed": indexed, "spelt out": block(browser...)} {
		blk := []byte(blk)
		one := func() {
			frames = appendFrame(frames[:0], frame{len(blk), FrameHeaders, flagEndHeaders | flagEndStream, id})
			frames = append(frames, blk...)
			id += 2
			r.c.Next(r.now, frames, &r.ev)
			if r.ev.Kind != EventRequest {
				t.Fatalf("%s: %+v %v", name, r.ev, r.c.Reason())
			}
			r.c.Accept(st, &r.ev)
			out = r.c.AppendHead(out[:0], st, res, Rewrite{})
			out = r.c.AppendData(out, st, body, true)
			r.c.send += 128
			r.c.Out = r.c.Out[:0]
		}
		one()
		if got := testing.AllocsPerRun(1000, one); got != 0 {
			t.Errorf("%s: a request allocates %v times, want 0", name, got)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	r := openRig(b)
	browser := append(append([]string(nil), getFields...), "user-agent", "test/1.0", "accept", "*/*")
	r.send(headersFrame(1, true, indexedBlock(browser...)))
	r.c.Accept(new(Stream), &r.ev)
	for _, bm := range []struct{ name, block string }{
		{"indexed", "\xc3\xc2\xc1\xc0\xbf\xbe"}, {"huffman", indexedBlock(browser...)}, {"plain", block(browser...)},
	} {
		b.Run("block="+bm.name, func(b *testing.B) {
			blk := []byte(bm.block)
			b.ReportAllocs()
			for b.Loop() {
				r.c.decodeRequest(blk, true)
			}
		})
	}
}

// BenchmarkDecode is the header compression alone.
func BenchmarkDecode(b *testing.B) {
	fields := append(append([]string(nil), getFields...), "user-agent", "test/1.0", "accept", "*/*")
	sc := NewScratch(1<<14, 100)
	d := newDecoder(4096)
	decodeAll(d, []byte(indexedBlock(fields...)))
	for _, bm := range []struct{ name, block string }{
		{"indexed", "\xc3\x86\xc1\x84\xbf\xbe"}, {"huffman", indexedBlock(fields...)}, {"plain", block(fields...)},
	} {
		b.Run("block="+bm.name, func(b *testing.B) {
			b.ReportAllocs()
			var f field
			blk := []byte(bm.block)
			for b.Loop() {
				d.begun = false
				for p := blk; ; {
					n, ok := d.next(p, &f, sc)
					if !ok || n == 0 {
						break
					}
					p = p[n:]
				}
			}
		})
	}
}
