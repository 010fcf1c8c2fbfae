package tls

import (
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A ClientSpec is what the TLS options of one server line say (manual section
// 5.2). Of Spec, what a bind alone has does not count.
type ClientSpec struct {
	Spec
	CertFile   string // crt: certificate and key that we show; empty: none
	VerifyHost string // verifyhost
	SNI        string // expression, for package proxy; empty: none is sent
	NoReuse    bool   // no-ssl-reuse
}

// A Client is the TLS side of one server line: what NewClient made of a
// ClientSpec.
type Client struct {
	config *cryptotls.Config
}

// sessionsMax bounds the sessions that are kept to be resumed with one server:
// one for each name that was asked for.
const sessionsMax = 256

// NewClient reads the files that spec names. readFile may be nil: os.ReadFile.
func NewClient(spec *ClientSpec, readFile func(string) ([]byte, error)) (*Client, error) {
	if readFile == nil {
		readFile = os.ReadFile
	}
	r := reader{readFile: readFile, extraKey: true}
	c := &cryptotls.Config{
		MinVersion: spec.MinVersion, MaxVersion: spec.MaxVersion, CipherSuites: spec.Ciphers, CurvePreferences: spec.Curves,
		NextProtos: spec.ALPN, SessionTicketsDisabled: spec.NoTickets, DynamicRecordSizingDisabled: true,
		// What crypto/tls would verify does not know verifyhost, and asks for a
		// name where there is none: VerifyConnection does it.
		InsecureSkipVerify: true,
	}
	if c.MinVersion == 0 {
		c.MinVersion = cryptotls.VersionTLS12
	}
	if c.CipherSuites == nil && c.MinVersion >= cryptotls.VersionTLS12 {
		c.CipherSuites = slices.Clone(strongSuites)
	}
	if !spec.NoReuse && !spec.NoTickets {
		c.ClientSessionCache = cryptotls.NewLRUClientSessionCache(sessionsMax)
	}
	if spec.Verify != VerifyNone {
		if spec.CAFile == "" {
			return nil, errors.New("no ca-file says whose certificates are right; name one, or write verify none where nobody can come between")
		}
		j, err := r.newJudge(&spec.Spec)
		if err != nil {
			return nil, err
		}
		c.VerifyConnection = func(state cryptotls.ConnectionState) error { return j.verifyServer(&state, spec.VerifyHost) }
	}
	if spec.CertFile != "" {
		cert, err := r.loadFile(spec.CertFile)
		if err != nil {
			return nil, err
		}
		c.GetClientCertificate = func(*cryptotls.CertificateRequestInfo) (*cryptotls.Certificate, error) { return &cert.tls, nil }
	}
	return &Client{config: c}, nil
}

// NewConn is a connection on which we speak first. sni is the name to ask for,
// empty for none. notify is as with Server.NewConn.
func (cl *Client) NewConn(scratch *Scratch, notify func(), sni string) *Conn {
	cfg := cl.config
	if sni != "" {
		cfg = cfg.Clone()
		cfg.ServerName = sni
	}
	c := &Conn{wire: wire{scratch: scratch, notify: notify, more: make(chan struct{}, 1), site: new(site)}}
	c.tls = cryptotls.Client(&c.wire, cfg)
	return c
}

// verifyServer judges the certificate of a server: its chain, the lists of
// revoked ones, and the name: verifyhost, else what was asked for.
func (j *judge) verifyServer(state *cryptotls.ConnectionState, host string) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server has no certificate")
	}
	if host == "" {
		host = state.ServerName
	}
	chain := state.PeerCertificates
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{Roots: j.roots, Intermediates: between, CurrentTime: j.now()})
	if err != nil {
		return err
	}
	for _, c := range chains[0] {
		if list := j.revoked[string(c.RawIssuer)]; list != nil && onList(list, c.SerialNumber) {
			return errors.New("the server's certificate is revoked")
		}
	}
	if host != "" && !isFor(chain[0], host) {
		return fmt.Errorf("the server's certificate is not for %s", host)
	}
	return nil
}

// isFor reports whether a certificate names host. One without alternative names
// is known by its common name, as in HAProxy.
func isFor(c *x509.Certificate, host string) bool {
	if c.VerifyHostname(host) == nil {
		return true
	}
	if len(c.DNSNames) > 0 || len(c.IPAddresses) > 0 {
		return false
	}
	name := strings.ToLower(c.Subject.CommonName)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if rest, ok := strings.CutPrefix(name, "*."); ok {
		_, domain, found := strings.Cut(host, ".")
		return found && domain == rest
	}
	return name != "" && name == host
}
