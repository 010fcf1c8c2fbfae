// Package tls speaks TLS to clients: certificates and the choice among them, what
// an OpenSSL-flavoured configuration means in Go's terms, and connections that
// live on a loop.
//
// It opens and accepts nothing, knows no HTTP and picks no server: package proxy
// reads and writes through a Conn instead of the socket. The cryptography and the
// protocol are crypto/tls of the standard library, unchanged.
//
// A Server belongs to one bind and may be used by all loops and handshakes at
// once; its Store is replaced by one atomic store. A Conn belongs to its loop. During the
// handshake, which runs in a goroutine of its own that the caller bounds, loop
// and goroutine share the Conn's wire under its mutex; from then on there is no
// goroutine and no lock.
//
// NewServer reads files, at start only. A Conn lives from NewConn to Close: the
// caller runs Handshake in a goroutine, calls Pump when the socket is ready or
// Handshake asked for it, and Settle when Handshake has returned. Abandon ends a handshake early.
//
// Limits: wireMax bytes received and wireMax bytes to be sent wait in a Conn
// during the handshake; afterwards at most what one Write made of batchMax bytes.
package tls
