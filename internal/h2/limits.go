package h2

// Limits are the same for all connections of a frontend; a Conn only reads them.
type Limits struct {
	HeaderTable int // tune.h2.header-table-size, bytes
	Window      int // tune.h2.initial-window-size, bytes of a stream
	Streams     int // tune.h2.max-concurrent-streams
	FrameSize   int // tune.h2.max-frame-size, bytes of payload
	HeadMax     int // bytes that a header block may decode to
	FieldsMax   int // fields with the first line, as tune.http.maxhdr
}

const (
	headerTableStart = 4096 // bytes, before SETTINGS

	// blockMax bounds the bytes of a header block while it comes in pieces, as a
	// multiple of what it may decode to: Huffman codes can be longer than the text.
	blockMax = 2

	// decodedMax bounds what a header block decodes to before the connection is
	// given up, as a multiple of what a request may have; between one and that its
	// stream is refused.
	decodedMax = 4

	// bufferedMax is how many bytes of request bodies one connection may have us
	// keep before the window of the connection opens only as they are used up.
	bufferedMax = 512 << 10

	// forgottenMax is how many streams that we have reset are remembered, so
	// that frames that crossed the reset are no fault.
	forgottenMax = 32
)
