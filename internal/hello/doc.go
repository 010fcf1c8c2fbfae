// Package hello reads the first message of a TLS connection that passes through:
// the ClientHello, or the ServerHello that answers it (RFC 8446 section 4.1, RFC
// 5246 section 7.4.1).
//
// It does no I/O and decrypts nothing: of an encrypted ClientHello (ECH) it sees the
// outer one. A message may be cut into several records (RFC 8446 section 5.1) and
// may have values that mean nothing (GREASE, RFC 8701); both are ordinary. Of a
// message that breaks its own lengths nothing is told that another reader could
// see otherwise.
//
// The caller owns all bytes. What is found shares them, or the scratch memory that
// the caller lends for a message in pieces.
//
// Life cycle: functions without state, called again with more bytes until the
// verdict is no longer Short.
//
// Limits: MessageMax bytes of message.
package hello
