package proxy

import (
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// A body is one direction's payload: how it comes in, how it goes out, and how
// much of it is left. It does no I/O.
type body struct {
	framing  message.Framing // as it comes in
	plain    bool            // it comes without chunks, in frames of HTTP/2 that tell its end
	last     bool            // of a plain one: nothing comes behind what take is given
	sum      []byte          // of a plain one: its trailers, as HTTP/1 has them; nil without
	dechunk  bool            // the other side speaks HTTP/1.0: no chunks go out
	hidden   bool            // the client asked with HEAD: what comes is counted and goes nowhere
	done     bool            // all of it was taken in
	left     int64           // of BodyLength
	moved    int64           // payload bytes
	trailers int64           // what HAProxy counts for them and the last chunk
	chunks   h1.Chunks
}

// begin makes b the body that h announces; the limits are those of its trailers.
func (b *body) begin(h *message.Head, lim *h1.Limits) {
	b.framing, b.dechunk, b.hidden, b.done = h.Framing, false, false, h.Framing == message.BodyNone
	b.plain, b.last, b.sum = h.HTTP2, false, nil
	b.left, b.moved, b.trailers = h.Length, 0, 0
	switch b.framing {
	case message.BodyChunked:
		b.chunks.Begin(nil, lim)
	case message.BodyLength:
		b.done = b.left == 0
	}
}

// trailerWeight is what HAProxy counts a trailer section as in %B.
func trailerWeight(t *message.Head) int64 {
	n := 0
	for i := range t.Fields {
		n += int(t.Fields[i].Name.Len + t.Fields[i].Value.Len)
	}
	return int64(n)
}

const (
	chunkHeadMax = 18 // bytes before a chunk's data: 16 digits and CRLF
	// chunkRoom is left free in reads of chunked bodies, so that one read in a
	// chunk of its own still fits a buffer.
	chunkRoom = 32 // bytes
)

// take uses up bytes of in. What goes out is either a part of in itself or,
// for a chunked body, what was appended to scratch: one chunk for all that one
// read brought. ok is false when the framing is broken.
func (b *body) take(in, scratch []byte) (used int, out []byte, ok bool) {
	used, out, ok = b.takeIn(in, scratch)
	if b.hidden {
		out = nil
	}
	return used, out, ok
}

func (b *body) takeIn(in, scratch []byte) (used int, out []byte, ok bool) {
	switch b.framing {
	case message.BodyLength:
		n := len(in)
		if int64(n) >= b.left {
			n = int(b.left)
			b.done = true
		}
		b.left -= int64(n)
		b.moved += int64(n)
		return n, in[:n], true
	case message.BodyUntilClose:
		b.moved += int64(len(in))
		return len(in), in, true
	case message.BodyChunked:
		if b.plain {
			used, out = b.takePlain(in, scratch)
			return used, out, true
		}
		return b.takeChunks(in, scratch)
	}
	return 0, nil, true
}

func (b *body) takeChunks(in, scratch []byte) (used int, out []byte, ok bool) {
	start := len(scratch)
	out = append(scratch, make([]byte, chunkHeadMax)...)
	st := h1.ChunkData
	for st == h1.ChunkData {
		skip, n, s := b.chunks.Next(in[used:])
		if s == h1.ChunkData {
			out = append(out, in[used+skip:used+skip+n]...)
		}
		used += skip + n
		st = s
	}
	if st == h1.ChunkBad {
		return used, nil, false
	}
	n := len(out) - start - chunkHeadMax
	b.moved += int64(n)
	b.done = st == h1.ChunkEnd
	if b.dechunk {
		return used, out[start+chunkHeadMax:], true
	}
	from := start + chunkHeadMax
	if n > 0 {
		from = putChunkHead(out[:from], n)
		out = append(out, "\r\n"...)
	}
	if b.done {
		if t := b.chunks.Trailer(); t != nil {
			out = h1.AppendTrailers(out, t)
			b.trailers = trailerWeight(t)
		} else {
			out = h1.AppendLastChunk(out)
		}
	}
	return used, out[from:], true
}

// takePlain makes one chunk of in, and the end of the body when that has come.
func (b *body) takePlain(in, scratch []byte) (used int, out []byte) {
	out = scratch
	b.moved += int64(len(in))
	if len(in) > 0 {
		out = append(h1.AppendChunkHead(out, len(in)), in...)
		out = h1.AppendChunkEnd(out)
	}
	if b.last {
		b.done = true
		out = append(append(append(out, "0\r\n"...), b.sum...), "\r\n"...)
	}
	return len(in), out
}

// putChunkHead writes the size line of a chunk of n bytes so that it ends with
// dst, and returns where it begins.
func putChunkHead(dst []byte, n int) int {
	i := len(dst)
	i--
	dst[i] = '\n'
	i--
	dst[i] = '\r'
	for {
		i--
		dst[i] = "0123456789ABCDEF"[n&15]
		n >>= 4
		if n == 0 {
			return i
		}
	}
}
