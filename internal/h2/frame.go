package h2

import "encoding/binary"

// A FrameType is the type of a frame (RFC 9113 section 6).
type FrameType uint8

const (
	FrameData         FrameType = iota // section 6.1
	FrameHeaders                       // section 6.2
	FramePriority                      // section 6.3: read past
	FrameReset                         // section 6.4: RST_STREAM
	FrameSettings                      // section 6.5
	FramePushPromise                   // section 6.6: no client may send it
	FramePing                          // section 6.7
	FrameGoAway                        // section 6.8
	FrameWindow                        // section 6.9: WINDOW_UPDATE
	FrameContinuation                  // section 6.10
	frameTypes                         // how many are known
)

// Flags of frames. A bit has a meaning only for some types.
const (
	flagEndStream  = 0x1 // DATA, HEADERS
	flagAck        = 0x1 // SETTINGS, PING
	flagEndHeaders = 0x4 // HEADERS, CONTINUATION
	flagPadded     = 0x8 // DATA, HEADERS
	flagPriority   = 0x20
)

const (
	// Preface is what a client sends first (RFC 9113 section 3.4).
	Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	// FrameHeadLen is the size of a frame's head.
	FrameHeadLen = 9

	frameSizeMin = 1 << 14   // bytes of payload that everybody takes
	frameSizeMax = 1<<24 - 1 // bytes of payload that the head can tell
	windowMax    = 1<<31 - 1 // bytes
	windowStart  = 1<<16 - 1 // bytes, before SETTINGS and WINDOW_UPDATE
	streamIDMax  = 1<<31 - 1
	settingLen   = 6 // bytes of one parameter in SETTINGS
	priorityLen  = 5 // bytes of a priority
	pingLen      = 8 // bytes of PING's payload
)

// A frame is the head of a frame.
type frame struct {
	size   int // of the payload
	kind   FrameType
	flags  uint8
	stream uint32
}

// parseFrame reads the head at the front of b, which holds at least FrameHeadLen
// bytes. The reserved bit is ignored (RFC 9113 section 4.1).
func parseFrame(b []byte) frame {
	return frame{
		size:   int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   FrameType(b[3]),
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & streamIDMax,
	}
}

// appendFrame appends the head of a frame.
func appendFrame(dst []byte, f frame) []byte {
	dst = append(dst, byte(f.size>>16), byte(f.size>>8), byte(f.size), byte(f.kind), f.flags)
	return binary.BigEndian.AppendUint32(dst, f.stream)
}

// putSize writes the size of a frame whose head begins b.
func putSize(b []byte, n int) { b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n) }

func appendReset(dst []byte, stream uint32, code ErrorCode) []byte {
	dst = appendFrame(dst, frame{size: 4, kind: FrameReset, stream: stream})
	return binary.BigEndian.AppendUint32(dst, uint32(code))
}

func appendWindow(dst []byte, stream, n uint32) []byte {
	dst = appendFrame(dst, frame{size: 4, kind: FrameWindow, stream: stream})
	return binary.BigEndian.AppendUint32(dst, n)
}

func appendGoAway(dst []byte, last uint32, code ErrorCode) []byte {
	dst = appendFrame(dst, frame{size: 8, kind: FrameGoAway})
	dst = binary.BigEndian.AppendUint32(dst, last)
	return binary.BigEndian.AppendUint32(dst, uint32(code))
}
