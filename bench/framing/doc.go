// Package framing finds where HTTP/1.1 messages end.
//
// It reads as much of a message as that needs and no more: it checks nothing,
// knows no other fields, and is only fit for the traffic that the benchmark makes
// itself. The floor, the server and the load generator use it; weir never does.
//
// Nothing is kept between calls but what a Chunks holds for its caller, so every
// loop may use the package at once.
//
// Life cycle: ParseHead once the head may be complete; for a chunked body one
// Chunks, used until it says that the body has ended.
//
// A head has at most the size of the caller's buffer.
package framing
