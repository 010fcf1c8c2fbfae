// Package h2 is the HTTP/2 codec (RFC 9113) and its header compression
// (RFC 7541), for connections from clients.
//
// It does no I/O, starts no goroutine and never reads the clock. It keeps the
// protocol: frames, stream states, windows, header fields. What a request means,
// who answers it and where payload is kept is the caller's matter.
//
// A Conn and its Streams belong to one client connection on one loop. A Scratch
// is the loop's and serves all its connections. Streams are the caller's memory: a
// Conn only links those that are open.
//
// Life cycle: Init, then Next with the bytes that came, over and over; each call
// uses up bytes and tells at most one Event. What the protocol itself has to answer
// (SETTINGS, PING, windows, RST_STREAM, GOAWAY) is appended to Out, which the
// caller sends and empties. After EventLost nothing more may be read.
//
// Limits: see Limits and the constants. A header block and what it decodes to, the
// dynamic table, the open streams and the windows are bounded; frames that cost us
// something and bring nothing are counted against budgets (budget.go), and who
// spends those is sent away with ENHANCE_YOUR_CALM.
package h2
