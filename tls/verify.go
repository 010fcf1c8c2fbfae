package tls

import (
	"bytes"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Numbers by which OpenSSL, and so ca-ignore-err, crt-ignore-err and the ssl_c_*
// fetches, call what is wrong with a certificate (X509_V_ERR_*).
const (
	verifyOK          = 0
	verifyUnspecified = 1
	verifyNotYetValid = 9
	verifyExpired     = 10
	verifySelfSigned  = 18
	verifyRootInChain = 19
	verifyNoIssuer    = 20
	verifyRevoked     = 23
	verifyPurpose     = 26
	verifyCodesMax    = 256
)

// An ErrorSet holds numbers of errors of certificates that are to be ignored.
type ErrorSet struct {
	All   bool
	Codes []int
}

// ParseErrors reads the value of ca-ignore-err and crt-ignore-err: "all" or
// numbers with commas between them.
func ParseErrors(text string) (set ErrorSet, err error) {
	if text == "all" {
		return ErrorSet{All: true}, nil
	}
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n >= verifyCodesMax {
			return set, fmt.Errorf("wants \"all\" or numbers of OpenSSL's errors with commas between them, got %q", text)
		}
		set.Codes = append(set.Codes, n)
	}
	return set, nil
}

func (s *ErrorSet) has(code int) bool {
	if s.All {
		return true
	}
	for _, c := range s.Codes {
		if c == code {
			return true
		}
	}
	return false
}

// A judge decides about client certificates.
type judge struct {
	roots      *x509.CertPool
	revoked    map[string]*x509.RevocationList // by issuer, as the certificate writes it
	ignoreCA   ErrorSet
	ignoreCert ErrorSet
	now        func() time.Time
}

// A Finding is what is wrong with a client's certificate, ignored or not.
type Finding struct {
	Code  int // OpenSSL's number; 0: nothing
	Depth int // 0: the client's own certificate; above: an issuer's
}

// judge looks at a chain, the client's certificate first.
func (j *judge) find(chain []*x509.Certificate) Finding {
	now := j.now()
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots: j.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return findingOf(err, chain)
	}
	for depth, c := range chains[0] {
		if list := j.revoked[string(c.RawIssuer)]; list != nil && onList(list, c.SerialNumber) {
			return Finding{verifyRevoked, depth}
		}
	}
	return Finding{}
}

func onList(list *x509.RevocationList, serial *big.Int) bool {
	for i := range list.RevokedCertificateEntries {
		if list.RevokedCertificateEntries[i].SerialNumber.Cmp(serial) == 0 {
			return true
		}
	}
	return false
}

func findingOf(err error, chain []*x509.Certificate) Finding {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid):
		depth := 0
		if invalid.Cert != nil && !invalid.Cert.Equal(chain[0]) {
			depth = 1
		}
		switch invalid.Reason {
		case x509.Expired:
			code := verifyExpired
			if strings.Contains(invalid.Detail, "is before") {
				code = verifyNotYetValid
			}
			return Finding{code, depth}
		case x509.IncompatibleUsage:
			return Finding{verifyPurpose, depth}
		}
		return Finding{verifyUnspecified, depth}
	case errors.As(err, &unknown):
		last := chain[len(chain)-1]
		selfSigned := bytes.Equal(last.RawIssuer, last.RawSubject)
		switch {
		case selfSigned && len(chain) == 1:
			return Finding{verifySelfSigned, 0}
		case selfSigned:
			return Finding{verifyRootInChain, len(chain) - 1}
		}
		return Finding{verifyNoIssuer, len(chain) - 1}
	}
	return Finding{verifyUnspecified, 0}
}

// ignored reports whether the bind lets a client in all the same.
func (j *judge) ignored(f Finding) bool {
	switch {
	case f.Code == verifyOK:
		return true
	case f.Depth > 0:
		return j.ignoreCA.has(f.Code)
	}
	return j.ignoreCert.has(f.Code)
}

// A refusedCertificate is why a handshake failed.
type refusedCertificate struct{ Finding }

func (e refusedCertificate) Error() string {
	return "client certificate refused: OpenSSL's error " + strconv.Itoa(e.Code) + " at depth " + strconv.Itoa(e.Depth)
}

// verifyConnection is called for full and for resumed handshakes: what a ticket
// remembers is judged again.
func (j *judge) verifyConnection(state cryptotls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return nil // ClientAuth has decided whether that is right
	}
	if f := j.find(state.PeerCertificates); !j.ignored(f) {
		return refusedCertificate{f}
	}
	return nil
}

// newJudge reads the authorities and the lists of revoked certificates.
func (r reader) newJudge(spec *Spec) (*judge, error) {
	j := &judge{ignoreCA: spec.IgnoreCA, ignoreCert: spec.IgnoreCert, now: time.Now}
	var err error
	if j.roots, err = r.authorities(spec.CAFile); err != nil {
		return nil, err
	}
	if spec.CRLFile != "" {
		j.revoked, err = r.revocations(spec.CRLFile)
	}
	return j, err
}

// systemCA stands for the authorities that the system trusts.
const systemCA = "@system-ca"

func (r reader) authorities(path string) (*x509.CertPool, error) {
	if path == systemCA {
		return x509.SystemCertPool()
	}
	text, err := r.readFile(path)
	if err != nil {
		return nil, cantRead(path, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return pool, nil
}

// revocations reads lists of revoked certificates, by issuer.
func (r reader) revocations(path string) (map[string]*x509.RevocationList, error) {
	text, err := r.readFile(path)
	if err != nil {
		return nil, cantRead(path, err)
	}
	all := map[string]*x509.RevocationList{}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "x509: "))
		}
		all[string(list.RawIssuer)] = list
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no list of revoked certificates", path)
	}
	return all, nil
}
