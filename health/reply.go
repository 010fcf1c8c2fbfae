package health

import (
	"github.com/weir-lb/weir/internal/h1"
	"github.com/weir-lb/weir/internal/message"
)

// A reply reads one HTTP response as it comes. It points into the bytes that it
// is fed.
type reply struct {
	parser h1.Parser
	chunks h1.Chunks
	head   message.Head
	limits h1.Limits

	bad     bool // it is no response
	hasHead bool // head is complete
	ended   bool // body is complete

	interim       int // the last 1xx before head; 0: none
	interimReason string

	at      int    // bytes used up
	body    []byte // decoded: of what was fed, or of decoded
	decoded []byte // the chunks of body, joined
}

// reset makes r ready for the answer to another request.
func (r *reply) reset(bufSize int) {
	fields, extra, decoded := r.head.Fields, r.head.Extra, r.decoded
	*r = reply{limits: h1.Limits{HeadMax: bufSize}}
	r.head.Fields, r.head.Extra, r.decoded = fields[:0], extra[:0], decoded[:0]
}

// feed looks at all bytes so far; in begins with what was given before.
func (r *reply) feed(in []byte, toMethod message.Method) {
	for !r.hasHead && !r.bad {
		n, st := r.parser.Response(in[r.at:], &r.head, &r.limits, toMethod)
		if st == h1.NeedMore {
			return
		}
		if st != h1.Complete {
			r.bad = true
			return
		}
		r.at += n
		if r.head.Status/100 != 1 || r.head.Status == 101 {
			r.hasHead = true
			r.chunks.Begin(nil, &r.limits)
			break
		}
		r.interim, r.interimReason = r.head.Status, r.reason()
		r.parser.Reset()
	}
	if r.hasHead && !r.ended && !r.bad {
		r.feedBody(in)
	}
}

func (r *reply) feedBody(in []byte) {
	switch r.head.Framing {
	case message.BodyNone:
		r.ended = true
	case message.BodyUntilClose:
		r.body = in[r.at:]
	case message.BodyLength:
		r.body = in[r.at:]
		if int64(len(r.body)) >= r.head.Length {
			r.body, r.ended = r.body[:r.head.Length], true
		}
	case message.BodyChunked:
		r.feedChunks(in)
	}
}

func (r *reply) feedChunks(in []byte) {
	for {
		skip, data, st := r.chunks.Next(in[r.at:])
		r.at += skip
		r.decoded = append(r.decoded, in[r.at:r.at+data]...)
		r.body = r.decoded
		r.at += data
		switch st {
		case h1.ChunkData:
			continue
		case h1.ChunkEnd:
			r.ended = true
		case h1.ChunkBad:
			r.bad = true
		case h1.ChunkAgain:
		}
		return
	}
}

func (r *reply) reason() string { return string(r.head.Text(r.head.Reason)) }

func (r *reply) reasonIf(http bool) string {
	if !http || !r.hasHead {
		return ""
	}
	return r.reason()
}
