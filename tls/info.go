package tls

import (
	"crypto/x509"
	"errors"
	"io"
)

// An Info is what is known of a connection after its handshake.
type Info struct {
	SNI     string
	Version string // as HAProxy writes it: "TLSv1.3"
	Cipher  string // OpenSSL's name
	ALPN    string
	Resumed bool
	Shown   *Certificate        // the certificate that the client was shown
	Chain   []*x509.Certificate // the client's, its own first; empty: none
	Finding Finding             // what is wrong with Chain, ignored or not
}

// Info describes the connection; Settle must have been called.
func (c *Conn) Info() Info {
	st := c.tls.ConnectionState()
	i := Info{
		SNI: c.wire.helloSNI, Version: VersionName(st.Version), Cipher: CipherName(st.CipherSuite), ALPN: st.NegotiatedProtocol,
		Resumed: st.DidResume, Chain: st.PeerCertificates,
	}
	if c.wire.shown != nil {
		i.Shown = c.wire.shown.cert
	}
	if j := c.wire.site.judge; j != nil && len(i.Chain) > 0 && (j.ignoreCA.any() || j.ignoreCert.any()) {
		i.Finding = j.find(i.Chain)
	}
	return i
}

// Refused describes a connection whose handshake failed with err.
func (c *Conn) Refused(err error) Info {
	i := Info{SNI: c.wire.helloSNI}
	var refused refusedCertificate
	if errors.As(err, &refused) {
		i.Finding = refused.Finding
	}
	return i
}

func (s *ErrorSet) any() bool { return s.All || len(s.Codes) > 0 }

// A Failure is how a handshake failed.
type Failure uint8

const (
	FailureProtocol Failure = iota // the client's words, or a certificate
	FailureClosed                  // the client left in the middle of it
	FailureSilent                  // the client left without a word
	FailureBroken                  // the connection broke
	FailureCA                      // the issuer of the client's certificate
	FailureCert                    // the client's certificate
)

// FailureOf tells of a handshake for which Settle returned err.
func (c *Conn) FailureOf(err error) Failure {
	w := &c.wire
	var refused refusedCertificate
	if errors.As(err, &refused) {
		if refused.Depth > 0 {
			return FailureCA
		}
		return FailureCert
	}
	switch w.ended {
	case nil:
		return FailureProtocol
	case io.EOF:
		if !w.heard {
			return FailureSilent
		}
		return FailureClosed
	}
	return FailureBroken
}
