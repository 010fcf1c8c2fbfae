package expr

import (
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weir-lb/weir/internal/message"
)

// A Cert is what fetches tell of a certificate, worked out once.
type Cert struct {
	der, sha1, serial   []byte
	subject, issuer     name
	keyAlg, sigAlg      []byte
	notBefore, notAfter []byte
	version             int
}

// NewCert prepares a certificate for the ssl_c_* and ssl_f_* fetches.
func NewCert(c *x509.Certificate) *Cert {
	sum := sha1.Sum(c.Raw)
	return &Cert{
		der: c.Raw, sha1: sum[:], serial: c.SerialNumber.Bytes(), version: c.Version,
		subject: parseName(c.RawSubject), issuer: parseName(c.RawIssuer),
		keyAlg: keyAlgorithm(c), sigAlg: SignatureName(c),
		notBefore: certDate(c.NotBefore), notAfter: certDate(c.NotAfter),
	}
}

// client and shown are made when something asks for them first.
func (t *TLSInfo) client() *Cert {
	if t.clientCert == nil && t.Client != nil {
		t.clientCert = NewCert(t.Client)
	}
	return t.clientCert
}

func (t *TLSInfo) shown() *Cert {
	if t.shownCert == nil && t.Shown != nil {
		t.shownCert = NewCert(t.Shown)
	}
	return t.shownCert
}

// A certFetch is a fetch of a certificate, whichever it is.
type certFetch func(c *Cert, a []Arg) (Value, bool)

func ofClient(f certFetch) func(*Env, []Arg) (Value, bool) {
	return func(env *Env, a []Arg) (Value, bool) {
		if c := env.tls().client(); c != nil {
			return f(c, a)
		}
		return Value{}, false
	}
}

func ofShown(f certFetch) func(*Env, []Arg) (Value, bool) {
	return func(env *Env, a []Arg) (Value, bool) {
		if c := env.tls().shown(); c != nil {
			return f(c, a)
		}
		return Value{}, false
	}
}

func certDER(c *Cert, _ []Arg) (Value, bool)       { return Bin(c.der), true }
func certSHA1(c *Cert, _ []Arg) (Value, bool)      { return Bin(c.sha1), true }
func certSerial(c *Cert, _ []Arg) (Value, bool)    { return Bin(c.serial), true }
func certVersion(c *Cert, _ []Arg) (Value, bool)   { return Int(int64(c.version)), true }
func certKeyAlg(c *Cert, _ []Arg) (Value, bool)    { return Str(c.keyAlg), true }
func certSigAlg(c *Cert, _ []Arg) (Value, bool)    { return Str(c.sigAlg), true }
func certNotBefore(c *Cert, _ []Arg) (Value, bool) { return Str(c.notBefore), true }
func certNotAfter(c *Cert, _ []Arg) (Value, bool)  { return Str(c.notAfter), true }
func certSubject(c *Cert, a []Arg) (Value, bool)   { return c.subject.value(a) }
func certIssuer(c *Cert, a []Arg) (Value, bool)    { return c.issuer.value(a) }

func fetchTLSHasSNI(env *Env, _ []Arg) (Value, bool) { return Bool(env.tls().SNI != ""), true }
func fetchTLSNPN(env *Env, _ []Arg) (Value, bool)    { return Value{}, false }
func fetchTLSEarly(env *Env, _ []Arg) (Value, bool)  { return Bool(false), env.TLS != nil }

// fetchTLSVerify is the number of the error that was found first, by OpenSSL's
// count.
func fetchTLSVerify(env *Env, _ []Arg) (Value, bool) {
	t := env.tls()
	return Int(int64(max(t.CertErr, t.CertCA))), env.TLS != nil
}

func fetchTLSKeySize(env *Env, _ []Arg) (Value, bool) {
	bits := int64(256)
	if c := env.tls().Cipher; strings.Contains(c, "AES128") || strings.Contains(c, "AES_128") {
		bits = 128
	}
	return Int(bits), env.TLS != nil
}

// A name is a distinguished name: its parts in their order, and the whole.
type name struct {
	parts   []namePart
	oneline []byte // "/C=NL/CN=x"
	rfc2253 []byte // "CN=x,C=NL"
}

type namePart struct {
	kind  []byte // OpenSSL's short name
	value []byte
}

// value is the whole name, or one of its parts: the first of that kind, or
// number N of them, counted from the end when N is below zero (manual,
// "ssl_c_s_dn").
func (n *name) value(a []Arg) (Value, bool) {
	if len(a) == 0 || !a[0].Set || len(a[0].Text) == 0 {
		if len(a) > 2 && len(a[2].Text) > 0 {
			return Str(n.rfc2253), len(n.rfc2253) > 0
		}
		return Str(n.oneline), len(n.oneline) > 0
	}
	nth := int64(1)
	if len(a) > 1 && a[1].Int != 0 {
		nth = a[1].Int
	}
	for i := range n.parts {
		p := &n.parts[i]
		if nth < 0 {
			p = &n.parts[len(n.parts)-1-i]
		}
		if !message.EqualFold(p.kind, a[0].Text) {
			continue
		}
		switch nth {
		case 1, -1:
			return Str(p.value), true
		}
		if nth > 0 {
			nth--
		} else {
			nth++
		}
	}
	return Value{}, false
}

// checkName checks the third argument of ssl_c_s_dn and its like.
func checkName(a []Arg) error {
	if len(a) > 2 && a[2].Set && string(a[2].Text) != "rfc2253" && len(a[2].Text) > 0 {
		return fmt.Errorf("the format wants rfc2253, got %q", a[2].Text)
	}
	return nil
}

// attributeNames are OpenSSL's short names of what a name consists of.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description",
	"2.5.4.15": "businessCategory", "2.5.4.17": "postalCode", "2.5.4.20": "telephoneNumber", "2.5.4.41": "name", "2.5.4.42": "GN",
	"2.5.4.43": "initials", "2.5.4.44": "generationQualifier", "2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym",
	"2.5.4.97": "organizationIdentifier", "1.2.840.113549.1.9.1": "emailAddress", "1.2.840.113549.1.9.2": "unstructuredName",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
	"1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}

func parseName(der []byte) (n name) {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return n
	}
	var sets []string
	for _, set := range sequence {
		var parts []string
		for _, attribute := range set {
			oid := attribute.Type.String()
			kind := attributeNames[oid]
			if kind == "" {
				kind = oid
			}
			value := fmt.Sprint(attribute.Value)
			n.parts = append(n.parts, namePart{[]byte(kind), []byte(value)})
			n.oneline = append(n.oneline, "/"+kind+"="+value...)
			parts = append(parts, kind+"="+escapeName(value))
		}
		sets = append(sets, strings.Join(parts, "+"))
	}
	slices.Reverse(sets)
	n.rfc2253 = []byte(strings.Join(sets, ","))
	return n
}

// escapeName writes a value as RFC 2253 section 2.4 wants it.
func escapeName(s string) string {
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case strings.IndexByte(",+\"\\<>;", c) >= 0, c == '#' && i == 0, c == ' ' && (i == 0 || i == len(s)-1):
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&out, "\\%02X", c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// certDate writes a date as the certificate does: with two digits of the year up
// to 2049 (RFC 5280 section 4.1.2.5).
func certDate(t time.Time) []byte {
	layout := "060102150405Z"
	if y := t.UTC().Year(); y < 1950 || y > 2049 {
		layout = "20060102150405Z"
	}
	return t.UTC().AppendFormat(nil, layout)
}

func keyAlgorithm(c *x509.Certificate) []byte {
	switch c.PublicKeyAlgorithm {
	case x509.RSA:
		return []byte("rsaEncryption")
	case x509.ECDSA:
		return []byte("id-ecPublicKey")
	case x509.Ed25519:
		return []byte("ED25519")
	}
	return []byte(c.PublicKeyAlgorithm.String())
}

// SignatureName is OpenSSL's short name of the algorithm that c is signed with.
func SignatureName(c *x509.Certificate) []byte {
	short := map[x509.SignatureAlgorithm]string{
		x509.SHA1WithRSA: "RSA-SHA1", x509.SHA256WithRSA: "RSA-SHA256", x509.SHA384WithRSA: "RSA-SHA384", x509.SHA512WithRSA: "RSA-SHA512",
		x509.SHA256WithRSAPSS: "RSASSA-PSS", x509.SHA384WithRSAPSS: "RSASSA-PSS", x509.SHA512WithRSAPSS: "RSASSA-PSS",
		x509.ECDSAWithSHA1: "ecdsa-with-SHA1", x509.ECDSAWithSHA256: "ecdsa-with-SHA256", x509.ECDSAWithSHA384: "ecdsa-with-SHA384",
		x509.ECDSAWithSHA512: "ecdsa-with-SHA512", x509.PureEd25519: "ED25519",
	}
	if s := short[c.SignatureAlgorithm]; s != "" {
		return []byte(s)
	}
	return []byte(c.SignatureAlgorithm.String())
}
