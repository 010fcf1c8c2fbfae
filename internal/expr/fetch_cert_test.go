package expr

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"
)

// newTestCert is a certificate with a name of many parts.
func newTestCert(t *testing.T) *x509.Certificate {
	t.Helper()
	part := func(oid asn1.ObjectIdentifier, v string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: v}}
	}
	raw, err := asn1.Marshal(pkix.RDNSequence{
		part(asn1.ObjectIdentifier{2, 5, 4, 6}, "NL"),
		part(asn1.ObjectIdentifier{2, 5, 4, 10}, "Example, Org"),
		part(asn1.ObjectIdentifier{2, 5, 4, 11}, "Ops"),
		part(asn1.ObjectIdentifier{2, 5, 4, 11}, "Web"),
		part(asn1.ObjectIdentifier{2, 5, 4, 3}, "client one"),
		part(asn1.ObjectIdentifier{1, 2, 3, 4}, "x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1a2b3c), RawSubject: raw, NotBefore: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		NotAfter: time.Date(2050, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertificatesAreSeen(t *testing.T) {
	cert := newTestCert(t)
	env := newEnv(t, plainRequest)
	env.TLS = &TLSInfo{Client: cert, Shown: cert, SNI: "x", Cipher: "TLS_AES_128_GCM_SHA256", CertErr: 10}
	for expr, want := range map[string]string{
		"s_dn": "/C=NL/O=Example, Org/OU=Ops/OU=Web/CN=client one/1.2.3.4=x", "s_dn(ou)": "Ops", "s_dn(OU,1)": "Ops", "s_dn(OU,2)": "Web",
		"s_dn(OU,3)": "(none)", "s_dn(OU,-1)": "Web", "s_dn(OU,-2)": "Ops", "s_dn(OU,-3)": "(none)", "s_dn(1.2.3.4)": "x",
		"s_dn(,0,rfc2253)": `1.2.3.4=x,CN=client one,OU=Web,OU=Ops,O=Example\, Org,C=NL`, "i_dn(CN)": "client one", "s_dn(L)": "(none)",
		"serial,hex": "1A2B3C", "version": "3", "key_alg": "id-ecPublicKey", "sig_alg": "ecdsa-with-SHA256",
		"notbefore": "260102030405Z", "notafter": "20500102030405Z", "der,hex": strings.ToUpper(hex.EncodeToString(cert.Raw)),
		"sha1,length": "20",
	} {
		for _, side := range []string{"ssl_c_", "ssl_f_"} {
			if got := evalStr(t, env, side+expr, PhaseRequest); got != want {
				t.Errorf("%s%s: got %s, want %s", side, expr, got, want)
			}
		}
	}
	for expr, want := range map[string]string{
		"ssl_fc_has_sni": "1", "ssl_fc_npn": "(none)", "ssl_fc_use_keysize": "128", "ssl_c_verify": "10", "ssl_fc_has_early": "0",
	} {
		if got := evalStr(t, env, expr, PhaseRequest); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
	env.TLS = nil
	if got := evalStr(t, env, "ssl_c_s_dn", PhaseRequest); got != "(none)" {
		t.Errorf("a clear connection has the name %s", got)
	}
	if _, err := CompileExpr("ssl_c_s_dn(CN,1,json)", PhaseRequest); err == nil {
		t.Error("the format json was accepted")
	}
}
