package h1

import "github.com/weir-lb/weir/internal/message"

// ChunkStatus is the outcome of a call of Chunks.Next.
type ChunkStatus uint8

const (
	ChunkAgain ChunkStatus = iota // nothing more can be told before more bytes come
	ChunkData                     // data bytes of the body follow the framing; call again for the rest
	ChunkEnd                      // skip reaches the end of the body; trailers are in Trailer
	ChunkBad                      // the framing is broken: the message can't be ended well
)

var chunkStatusNames = [...]string{"again", "data", "end", "bad"}

func (s ChunkStatus) String() string { return chunkStatusNames[s] }

// A chunkState says what the decoder expects next.
type chunkState uint8

const (
	chunkSize      chunkState = iota // first digit of a size
	chunkDigits                      // more digits, blanks, an extension or the line end
	chunkExtension                   // the rest of a chunk extension
	chunkSizeLF                      // LF of the chunk head
	chunkBody                        // bytes of the body
	chunkBodyCR                      // CR after the bytes
	chunkBodyLF                      // LF after the bytes
	chunkTrailer                     // trailer fields and the last empty line
	chunkDone                        // nothing: the body is over
)

const (
	chunkDigitsMax     = 15   // hexadecimal digits of a size: it stays below 2^60
	chunkExtensionsMax = 4096 // bytes of extensions of one body that we read past before giving up (CVE-2023-39326)
)

// Chunks decodes one chunked body (RFC 9112 section 7.1). The zero Chunks
// stands before the first chunk.
type Chunks struct {
	state      chunkState
	digits     uint8
	reason     Reason
	extensions int   // bytes of extensions so far
	left       int64 // of the chunk, or its size while that is read
	limits     *Limits
	trailer    *message.Head
	parser     Parser // of the trailer section
}

// Reset makes c ready for another body, with no place for trailers given.
func (c *Chunks) Reset() { *c = Chunks{} }

// Begin makes c ready for a body whose trailer fields go into trailer, under
// the limits. Both may be nil: then the defaults hold, and a body that has
// trailers costs an allocation.
func (c *Chunks) Begin(trailer *message.Head, lim *Limits) {
	*c = Chunks{trailer: trailer, limits: lim}
}

// Trailer is the head that holds the trailer fields after ChunkEnd; nil when
// there were none and Begin gave no place for them.
func (c *Chunks) Trailer() *message.Head { return c.trailer }

// Done reports whether the body has ended.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Reason says why the body was refused.
func (c *Chunks) Reason() Reason { return c.reason }

// Next looks at b, the bytes not yet used up: skip bytes of framing, then data
// bytes of the body. The caller takes them off and calls again with the rest.
// While a trailer section is incomplete nothing is skipped: all of it must
// stand in b at once. Its fields are in Trailer(), whose Raw is b: they are
// valid until the bytes go.
func (c *Chunks) Next(b []byte) (skip, data int, st ChunkStatus) {
	i := 0
	for c.state < chunkBody || c.state == chunkBodyCR || c.state == chunkBodyLF {
		if i == len(b) {
			return i, 0, ChunkAgain
		}
		if !c.frame(b[i]) {
			c.reason = ReasonChunk
			return i, 0, ChunkBad
		}
		i++
	}
	switch c.state {
	case chunkBody:
		data = len(b) - i
		if data == 0 {
			return i, 0, ChunkAgain
		}
		if int64(data) >= c.left {
			data = int(c.left)
			c.state = chunkBodyCR
		}
		c.left -= int64(data)
		return i, data, ChunkData
	case chunkTrailer:
		if i > 0 {
			// The chunk head is used up first, so that the section begins b.
			if n, st := c.readTrailer(b[i:]); st != ChunkAgain {
				return i + n, 0, st
			}
			c.parser.Reset()
			return i, 0, ChunkAgain
		}
		n, st := c.readTrailer(b)
		return n, 0, st
	}
	return 0, 0, ChunkEnd
}

// frame takes one byte of a chunk head or of the CRLF after a chunk.
func (c *Chunks) frame(x byte) bool {
	switch c.state {
	case chunkSize, chunkDigits:
		return c.sizeByte(x)
	case chunkExtension:
		if x == '\r' {
			c.state = chunkSizeLF
			return true
		}
		c.extensions++
		return message.IsValue(x) && c.extensions <= chunkExtensionsMax
	case chunkSizeLF:
		c.state = chunkBody
		if c.left == 0 {
			c.state = chunkTrailer
		}
		return x == '\n'
	case chunkBodyCR:
		c.state = chunkBodyLF
		return x == '\r'
	}
	c.state, c.digits = chunkSize, 0
	return x == '\n'
}

func (c *Chunks) sizeByte(x byte) bool {
	var v byte
	switch {
	case '0' <= x && x <= '9':
		v = x - '0'
	case 'a' <= x|0x20 && x|0x20 <= 'f':
		v = x | 0x20 - 'a' + 10
	case c.state == chunkSize:
		return false
	case x == '\r':
		c.state = chunkSizeLF
		return true
	case x == ';' || x == ' ' || x == '\t':
		c.state = chunkExtension
		c.extensions++
		return true
	default:
		return false
	}
	c.left = c.left<<4 | int64(v)
	c.digits++
	c.state = chunkDigits
	return c.digits <= chunkDigitsMax
}

// readTrailer parses the trailer section at the start of b.
func (c *Chunks) readTrailer(b []byte) (int, ChunkStatus) {
	if c.parser.state == stateStart && len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
		if c.trailer != nil {
			c.trailer.Reset(b[:2])
		}
		c.state = chunkDone
		return 2, ChunkEnd
	}
	if c.trailer == nil {
		c.trailer = new(message.Head)
	}
	n, st := c.parser.Trailer(b, c.trailer, c.limits)
	switch st {
	case NeedMore:
		return 0, ChunkAgain
	case Complete:
		c.state = chunkDone
		return n, ChunkEnd
	}
	c.reason = c.parser.Reason()
	return 0, ChunkBad
}

// Trailer parses a trailer section: field lines up to an empty line. Fields
// that must not come in a trailer are marked Drop.
func (p *Parser) Trailer(b []byte, h *message.Head, lim *Limits) (n int, st Status) {
	if p.state == stateStart {
		h.Reset(b)
		p.begin(true)
		p.state = stateLine
	}
	st = p.fields(p.bounded(b, h, lim), h, lim)
	if st == Complete {
		dropForbidden(h)
	}
	return p.finish(b, h, lim, st)
}

// dropForbidden marks what RFC 9110 section 6.5.1 keeps out of trailers: framing,
// routing, authentication, and whatever the proxy itself treats.
func dropForbidden(h *message.Head) {
	for i := range h.Fields {
		if h.Fields[i].ID != message.FieldOther {
			h.Fields[i].Drop = true
		}
	}
}
