package hello

// A Verdict says what the bytes so far are.
type Verdict uint8

const (
	Short Verdict = iota // they may become a hello
	Other                // they are something else
	Whole                // a whole hello is there
)

// Types of handshake messages (RFC 8446 section 4).
const (
	TypeClient = 1
	TypeServer = 2
)

const (
	recordHandshake = 22
	recordHeader    = 5
	recordMax       = 1 << 14 // bytes in a record without encryption
	messageHeader   = 4

	// MessageMax bounds a hello in bytes; post-quantum keys and ECH need some 2 KB.
	MessageMax = 64 << 10
)

// message finds the handshake message at the beginning of b. One that is cut into
// several records is put together in scratch, which body then shares; otherwise
// body shares b.
func message(b, scratch []byte) (kind byte, body []byte, v Verdict) {
	if v := begins(b); v != Whole {
		return 0, nil, v
	}
	kind = b[recordHeader]
	need := messageHeader + (int(b[6])<<16 | int(b[7])<<8 | int(b[8]))
	if need > MessageMax {
		return 0, nil, Other
	}
	if recordSize(b) >= need {
		if len(b) < recordHeader+need {
			return 0, nil, Short
		}
		return kind, b[recordHeader+messageHeader : recordHeader+need], Whole
	}
	all, v := join(b, scratch[:0], need)
	if v != Whole {
		return 0, nil, v
	}
	return kind, all[messageHeader:], Whole
}

// begins judges the header of the first record, and whether the message's is
// there.
func begins(b []byte) Verdict {
	if len(b) > 0 && b[0] != recordHandshake || len(b) > 1 && b[1] != 3 {
		return Other
	}
	if len(b) < recordHeader {
		return Short
	}
	// A record that ends within the header of the message is lawful, but of no use
	// except to hide it from those who look.
	if !goodSize(b) || recordSize(b) < messageHeader {
		return Other
	}
	if len(b) < recordHeader+messageHeader {
		return Short
	}
	return Whole
}

func recordSize(b []byte) int { return int(b[3])<<8 | int(b[4]) }

func goodSize(b []byte) bool { n := recordSize(b); return n > 0 && n <= recordMax }

// join appends need bytes of message from the records of b to out.
func join(b, out []byte, need int) ([]byte, Verdict) {
	for len(out) < need {
		if len(b) < recordHeader {
			return nil, Short
		}
		if b[0] != recordHandshake || b[1] != 3 || !goodSize(b) {
			return nil, Other
		}
		n := recordSize(b)
		b = b[recordHeader:]
		take := min(n, need-len(out))
		if len(b) < take {
			return nil, Short
		}
		out = append(out, b[:take]...)
		b = b[take:]
	}
	return out, Whole
}
