// Package h1 is the HTTP/1 codec: it parses heads and chunked bodies (RFC 9112)
// and writes them.
//
// It does no I/O, reads no clock, and decides nothing about connections but
// what the framing of a message says.
//
// A Parser and a Chunks belong to one connection side on one loop. They hold
// offsets only; the bytes belong to the caller's buffer, which may be moved
// between calls as long as the bytes of the message stay in front.
//
// Life cycle: call Parser.Request or Response with all bytes so far until it is
// no longer NeedMore; after Complete the same Parser is ready for the next
// message, after an error the connection is lost (Reset makes the Parser new).
// Each byte is looked at a bounded number of times however the bytes arrive,
// and a byte that no valid message could have is reported as soon as its token
// or line is seen.
//
// Limits: bytes and fields of a head, tokens of Connection, bytes of chunk
// heads, extensions and trailers; see Limits and the constants.
package h1
