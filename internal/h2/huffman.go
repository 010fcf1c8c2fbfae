package h2

// The Huffman code of RFC 7541 appendix B is canonical: among codes of one length
// the symbols ascend with the codes, and shorter codes come first. So the lengths
// are all there is to know.

// huffmanLengths holds the length in bits of each symbol's code, from '0' up.
const huffmanLengths = "" +
	"=GLLLLLLLHNLLNLLLLLLLLNLLLLLLLLL6::<=68;::8;8666555666666678?6<:" +
	"=67777777777777777777777878=C=>6?56565666577666567655677777?;>=L" +
	"DFDDFFFGFGGGGGHGHHFGHGGGGEFGFGGHFEDFFGGEGFFHEFGGEEFEGFGGDFFFGFFG" +
	"JJDCFGFIJJJKKJHICEJKKJKHEEJJLKKKDHDEFEEGFFIIHHJGJKJJKKKKKLKKKKKJ"

const (
	huffmanLengthMax = 30 // bits; of EOS, which is no symbol of any string
	huffmanFastBits  = 9  // bits that one step looks at: all that usual text needs
)

// A huffmanCode holds the tables that are made of the lengths.
type huffmanCode struct {
	fast    [1 << huffmanFastBits]huffmanStep // by the next bits
	symbols [256]byte                         // by rank: length, then value
	// first and rank are the first code of a length, with its bits in front of 32,
	// and its rank; end is the first code behind those of the length.
	first, end [huffmanLengthMax + 1]uint32
	rank       [huffmanLengthMax + 1]int
	codes      [256]uint32
}

// A huffmanStep is the symbol that some bits begin with; length 0: a long code.
type huffmanStep struct{ symbol, length uint8 }

// huffman never changes.
var huffman = buildHuffman()

func buildHuffman() *huffmanCode {
	h := new(huffmanCode)
	code, rank := uint32(0), 0
	for n := 1; n <= huffmanLengthMax; n++ {
		h.first[n], h.rank[n] = code<<(32-n), rank
		for sym := range 256 {
			if int(huffmanLengths[sym]-'0') != n {
				continue
			}
			h.symbols[rank], h.codes[sym] = byte(sym), code
			h.addFast(byte(sym), n, int(code))
			code++
			rank++
		}
		h.end[n] = code << (32 - n)
		code <<= 1
	}
	return h
}

// addFast fills in all that may follow a code that is short enough.
func (h *huffmanCode) addFast(sym byte, n, code int) {
	if n > huffmanFastBits {
		return
	}
	free := huffmanFastBits - n
	for i := range 1 << free {
		h.fast[code<<free|i] = huffmanStep{sym, byte(n)}
	}
}

// appendHuffmanDecoded appends what b means. ok is false when a code is not whole,
// the padding is not the begin of EOS and shorter than a byte (RFC 7541 section
// 5.2), or the text would be longer than most bytes.
func appendHuffmanDecoded(dst, b []byte, most int) (_ []byte, ok bool) {
	var acc uint64 // the bits not used up, from the top
	bits := 0
	start := len(dst)
	for {
		for bits <= 56 && len(b) > 0 {
			acc |= uint64(b[0]) << (56 - bits)
			bits += 8
			b = b[1:]
		}
		if bits == 0 {
			return dst, true
		}
		s := huffman.fast[acc>>(64-huffmanFastBits)]
		if s.length == 0 {
			s = huffman.long(uint32(acc >> 32))
		}
		if int(s.length) > bits || s.length == 0 {
			// Only padding may be left: less than a byte of ones.
			return dst, bits < 8 && len(b) == 0 && ^acc>>(64-bits) == 0
		}
		if len(dst)-start == most {
			return dst, false
		}
		dst = append(dst, s.symbol)
		acc <<= s.length
		bits -= int(s.length)
	}
}

// long finds a code longer than huffmanFastBits at the front of 32 bits. A length
// of 0 means that it is EOS.
func (h *huffmanCode) long(front uint32) huffmanStep {
	for n := huffmanFastBits + 1; n <= huffmanLengthMax; n++ {
		if front < h.end[n] && front >= h.first[n] {
			return huffmanStep{h.symbols[h.rank[n]+int((front-h.first[n])>>(32-n))], uint8(n)}
		}
	}
	return huffmanStep{}
}

// appendHuffman appends s in the Huffman code.
func appendHuffman(dst, s []byte) []byte {
	var acc uint64
	bits := 0
	for _, c := range s {
		n := int(huffmanLengths[c] - '0')
		acc = acc<<n | uint64(huffman.codes[c])
		bits += n
		for bits >= 8 {
			bits -= 8
			dst = append(dst, byte(acc>>bits))
		}
	}
	if bits > 0 {
		dst = append(dst, byte(acc<<(8-bits))|byte(1<<(8-bits)-1))
	}
	return dst
}
