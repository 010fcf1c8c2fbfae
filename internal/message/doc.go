// Package message is the protocol-neutral form of a request or response head:
// spans into the bytes that were received, plus what rules added.
//
// It does no I/O, reads no clock and knows no wire grammar: the codecs (h1, h2)
// fill a Head, rules look into it and edit it, writers send it.
//
// A Head belongs to one exchange on one loop and is never shared. It owns Extra
// and Fields and keeps their memory over Reset; Raw belongs to the buffer that
// the head was received into and must stay unchanged while spans are in use.
//
// Life cycle: Reset with the received bytes, filled by a parser, edited by
// rules, written, Reset again. No method allocates once Extra and Fields have
// grown to their working size.
//
// Limits: offsets and lengths are 31 bits; the number of fields and bytes is
// bounded by the parser's limits and by the rules that add to a Head.
package message
