package proxy

import (
	cryptotls "crypto/tls"
	"net"
)

// tlsAttacks are those before and in a handshake.
func tlsAttacks() []attack {
	return []attack{
		{"TLS handshakes", tlsDoor, few, true, shakes},
		{"TLS silent clients", tlsDoor, crowd, false, holds("")},
		{"TLS hellos that trickle", tlsDoor, crowd, true, trickles("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", "b")},
		{"TLS hellos that break off", tlsDoor, few, true, repeats("\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x03\x03bbbbbbbbbb")},
		{"TLS that is none", tlsDoor, few, true, repeats(getRoot)},
	}
}

// shakes makes full handshakes, one on each connection.
func shakes(a *attacker, conn *net.TCPConn) {
	cryptotls.Client(conn, &cryptotls.Config{InsecureSkipVerify: true, ServerName: "example.com"}).Handshake()
	a.step()
}
