package tlstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	cryptotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority issues certificates.
type Authority struct {
	t      testing.TB
	cert   *x509.Certificate
	key    crypto.Signer
	serial int64
	PEM    []byte // its own certificate
	Pool   *x509.CertPool
}

// A Request is what a certificate shall say. Zero fields have defaults.
type Request struct {
	Names    []string // the first is the common name too
	RSA      bool     // else ECDSA P-256
	Client   bool     // for a client
	Expired  bool
	Subject  pkix.Name
	NotAfter time.Time
}

// NewAuthority makes one with a new key.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, serial: 1}
	a.key = newKey(t, false)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	a.Pool = x509.NewCertPool()
	a.Pool.AddCert(a.cert)
	return a
}

func newKey(t testing.TB, wantRSA bool) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	if wantRSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Issue makes a certificate and its key, as PEM.
func (a *Authority) Issue(r Request) (chain, key []byte) {
	a.t.Helper()
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: r.Subject, DNSNames: r.Names,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: r.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(r.Names) > 0 {
		template.Subject.CommonName = r.Names[0]
	}
	if r.Client {
		template.ExtKeyUsage, template.DNSNames = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, nil
	}
	switch {
	case r.Expired:
		template.NotAfter = time.Now().Add(-time.Hour)
	case r.NotAfter.IsZero():
		template.NotAfter = time.Now().Add(12 * time.Hour)
	}
	signer := newKey(a.t, r.RSA)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, signer.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// File writes certificate and key into one file of the test's folder dir.
func (a *Authority) File(dir, name string, r Request) (path string) {
	a.t.Helper()
	chain, key := a.Issue(r)
	return Write(a.t, dir, name, append(chain, key...))
}

// Pair is Issue for crypto/tls.
func (a *Authority) Pair(r Request) cryptotls.Certificate {
	a.t.Helper()
	chain, key := a.Issue(r)
	pair, err := cryptotls.X509KeyPair(chain, key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

// Revoke gives a list of revoked certificates, as PEM.
func (a *Authority) Revoke(certs ...*x509.Certificate) []byte {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range certs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// Write puts text into a file and gives its path.
func Write(t testing.TB, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
