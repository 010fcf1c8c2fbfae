package framing

import "bytes"

// A Head says how a message goes on after its head.
type Head struct {
	Size    int   // bytes of the head, with its empty line
	Length  int64 // bytes of the body, if it is not chunked
	Chunked bool
	Close   bool // the sender closes after this message
}

// Whole reports whether no byte follows the head.
func (h Head) Whole() bool { return !h.Chunked && h.Length == 0 }

var emptyLine = []byte("\r\n\r\n")

// ParseHead looks at a head at the start of b. ok is false while it is incomplete.
func ParseHead(b []byte) (h Head, ok bool) {
	end := bytes.Index(b, emptyLine)
	if end < 0 {
		return Head{}, false
	}
	h.Size = end + len(emptyLine)
	fields := b[:end+2]
	for {
		i := bytes.IndexByte(fields, '\n')
		fields = fields[i+1:]
		if len(fields) == 0 {
			return h, true
		}
		switch fields[0] | 0x20 {
		case 'c':
			h.field(fields)
		case 't':
			h.Chunked = h.Chunked || hasName(fields, "transfer-encoding:")
		}
	}
}

func (h *Head) field(line []byte) {
	if hasName(line, "content-length:") {
		h.Length = decimal(line[len("content-length:"):])
	} else if hasName(line, "connection:") {
		value := bytes.TrimLeft(line[len("connection:"):], " ")
		h.Close = h.Close || hasName(value, "close")
	}
}

// hasName compares without regard to case; name is in lower case.
func hasName(line []byte, name string) bool {
	if len(line) < len(name) {
		return false
	}
	for i := range len(name) {
		c := line[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

func decimal(b []byte) (n int64) {
	for _, c := range bytes.TrimLeft(b, " ") {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// Status is the code of a response head.
func Status(b []byte) int {
	if len(b) < len("HTTP/1.1 200") {
		return 0
	}
	return int(decimal(b[len("HTTP/1.1 "):len("HTTP/1.1 200")]))
}

// Target is the request target of a request head.
func Target(b []byte) []byte {
	_, rest, _ := bytes.Cut(b, []byte(" "))
	target, _, _ := bytes.Cut(rest, []byte(" "))
	return target
}
