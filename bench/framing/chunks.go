package framing

// A chunkState says which part of a chunked body the next byte belongs to.
type chunkState uint8

const (
	chunkSize    chunkState = iota // digits of a size
	chunkExt                       // the rest of the size line
	chunkData                      // data and the CRLF after it
	trailerStart                   // the first byte of a trailer line
	trailerLine                    // the rest of a trailer line
	trailerEnd                     // the LF of the last line
)

// Chunks follows a chunked body. The zero value is the start of one.
type Chunks struct {
	state chunkState
	left  int64 // of the size while it is read; of data and CRLF then
}

// Next looks at the bytes that follow. n is how many of them belong to the
// body; ended is true when the last of them is the body's last.
func (c *Chunks) Next(b []byte) (n int, ended bool) {
	for n < len(b) {
		if c.state == chunkData {
			step := min(c.left, int64(len(b)-n))
			n += int(step)
			if c.left -= step; c.left == 0 {
				c.state = chunkSize
			}
			continue
		}
		ended = c.take(b[n])
		n++
		if ended {
			*c = Chunks{}
			return n, true
		}
	}
	return n, false
}

func (c *Chunks) take(b byte) (ended bool) {
	switch c.state {
	case chunkSize:
		if d, ok := hexDigit(b); ok {
			c.left = c.left<<4 + d
		} else if c.state = chunkExt; b == '\n' {
			c.endSizeLine()
		}
	case chunkExt:
		if b == '\n' {
			c.endSizeLine()
		}
	case trailerStart:
		c.state = trailerLine
		if b == '\r' {
			c.state = trailerEnd
		}
	case trailerLine:
		if b == '\n' {
			c.state = trailerStart
		}
	case trailerEnd:
		return b == '\n'
	}
	return false
}

func (c *Chunks) endSizeLine() {
	c.state = trailerStart
	if c.left > 0 {
		c.left += int64(len("\r\n"))
		c.state = chunkData
	}
}

func hexDigit(b byte) (int64, bool) {
	switch {
	case '0' <= b && b <= '9':
		return int64(b - '0'), true
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int64(b|0x20-'a') + 10, true
	}
	return 0, false
}
