package h1

import "github.com/weir-lb/weir/internal/message"

// ChunkStatus is the outcome of a call of Chunks.Next.
type ChunkStatus uint8

const (
	ChunkAgain ChunkStatus = iota // nothing more can be told before more bytes come
	ChunkData                     // data bytes of the body follow the framing; call again for the rest
	ChunkEnd                      // skip reaches the end of the body; its fields are in Trailer
	ChunkBad                      // the framing is broken: the message can't be ended well
)

var chunkStatusNames = [...]string{"again", "data", "end", "bad"}

func (s ChunkStatus) String() string { return chunkStatusNames[s] }

// A chunkState says what the decoder expects next.
type chunkState uint8

const (
	chunkSize      chunkState = iota // first digit of a size
	chunkDigits                      // more digits, blanks, an extension or the line end
	chunkBlank                       // more blanks or an extension
	chunkExtension                   // the rest of the extensions
	chunkSizeLF                      // LF of the chunk head
	chunkBodyCR                      // CR after the bytes
	chunkBodyLF                      // LF after the bytes
	chunkBody                        // bytes of the body
	chunkTrailer                     // trailer fields and the last empty line
	chunkDone                        // nothing: the body is over
)

const (
	chunkDigitsMax = 15 // hexadecimal digits of a size, so that it stays below 2^60; HAProxy takes any number of zeros

	// chunkExtensionsMax bounds the bytes of extensions, less the bytes of body
	// that came: who sends mostly extensions is not sending a body
	// (CVE-2023-39326), but signed uploads have 85 bytes in each chunk.
	chunkExtensionsMax = 16 << 10
)

// Chunks decodes one chunked body (RFC 9112 section 7.1): CRLF alone ends a line,
// while HAProxy takes LF too. Extensions are read past and never passed on. The
// zero Chunks stands before the first chunk.
type Chunks struct {
	state      chunkState
	digits     uint8
	reason     Reason
	extensions int32 // bytes of extensions less bytes of body so far, not below zero
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
// there were none and Begin gave no place for them. Those that must not come
// in a trailer are marked Drop.
func (c *Chunks) Trailer() *message.Head { return c.trailer }

// Done reports whether the body has ended.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Reason says why the body was refused.
func (c *Chunks) Reason() Reason { return c.reason }

// Next looks at b, the bytes not yet used up: skip bytes of framing, then data
// bytes of the body. The caller takes them off, with ChunkAgain too, and calls
// again with the rest. A trailer section is taken when all of it stands in b
// at once, within the limits of a head. The spans of Trailer are those of b.
func (c *Chunks) Next(b []byte) (skip, data int, st ChunkStatus) {
	i := 0
	for c.state < chunkBody {
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
		data = c.take(len(b) - i)
		if data == 0 {
			return i, 0, ChunkAgain
		}
		return i, data, ChunkData
	case chunkTrailer:
		n, st := c.readTrailer(b[i:])
		if st == ChunkAgain && i > 0 {
			c.parser.Reset() // the section will begin b in the next call
		}
		return i + n, 0, st
	}
	return 0, 0, ChunkEnd
}

// take accounts for n bytes of which the first may belong to the chunk.
func (c *Chunks) take(n int) int {
	if int64(n) >= c.left {
		n = int(c.left)
		c.state = chunkBodyCR
	}
	c.left -= int64(n)
	c.extensions -= int32(min(int64(n), int64(c.extensions)))
	return n
}

// frame takes one byte of a chunk head or of the CRLF after a chunk.
func (c *Chunks) frame(x byte) bool {
	switch c.state {
	case chunkSize, chunkDigits:
		return c.sizeByte(x)
	case chunkBlank:
		return c.blankByte(x)
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
	v := hexValues[x]
	if v < 16 {
		c.left = c.left<<4 | int64(v)
		c.digits++
		c.state = chunkDigits
		return c.digits <= chunkDigitsMax
	}
	if c.state == chunkSize {
		return false
	}
	switch x {
	case '\r':
		c.state = chunkSizeLF
	case ';':
		c.state = chunkExtension
	case ' ', '\t':
		c.state = chunkBlank
	default:
		return false
	}
	return true
}

// blankByte takes blanks before an extension. Blanks that only pad the size are
// not in the grammar; HAProxy takes them, we when asked.
func (c *Chunks) blankByte(x byte) bool {
	switch {
	case x == ';':
		c.state = chunkExtension
	case x == '\r' && c.limits.loose():
		c.state = chunkSizeLF
	case x != ' ' && x != '\t':
		return false
	}
	c.extensions++
	return c.extensions <= chunkExtensionsMax
}

// hexValues holds the value of each hexadecimal digit, and 16 elsewhere.
var hexValues = buildHexValues()

func buildHexValues() (t [256]uint8) {
	for i := range t {
		t[i] = 16
	}
	for i := range uint8(10) {
		t['0'+i] = i
	}
	for i := range uint8(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}

// readTrailer parses the trailer section at the start of b.
func (c *Chunks) readTrailer(b []byte) (int, ChunkStatus) {
	if c.parser.pos == 0 && (len(b) == 0 || b[0] == '\r') {
		// There are no trailers, as nearly always.
		switch {
		case len(b) < 2:
			return 0, ChunkAgain
		case b[1] == '\n':
			if c.trailer != nil {
				c.trailer.Reset(b[:2])
			}
			c.state = chunkDone
			return 2, ChunkEnd
		}
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
