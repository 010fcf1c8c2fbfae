package tls

import (
	cryptotls "crypto/tls"
	"strings"
)

// A Spec is what the TLS options of one bind line say (manual section 5.1). The
// zero value of a field is the default.
type Spec struct {
	Origin string // "haproxy.cfg:9"
	// Sources are the crt and crt-list options, in the order of the line. The
	// first certificate of all is the default one.
	Sources   []Source
	StrictSNI bool // refuse clients that name no site of ours
	NoTickets bool

	MinVersion, MaxVersion uint16
	ALPN                   []string
	Ciphers                []uint16            // of TLS 1.2 and older; nil: Go's
	Curves                 []cryptotls.CurveID // nil: Go's

	Verify           Verify
	CAFile, CRLFile  string
	IgnoreCA         ErrorSet // ca-ignore-err
	IgnoreCert       ErrorSet // crt-ignore-err
	WithoutCANames   bool     // no-ca-names
	MaxRecord        int      // tune.ssl.maxrecord: bytes of a record; 0: 16384
	WithoutExtraKeys bool     // ssl-load-extra-files without "key": FILE.key is not looked for
}

// A Source names certificates.
type Source struct {
	List    bool   // crt-list: Path is a list of certificates
	Default bool   // default-crt: for clients that name nobody or nobody we know
	Path    string // crt: a file with certificate and key, or a folder of such files
	Base    string // crt-base, for relative names in a list
}

// Verify says what is asked of clients.
type Verify uint8

const (
	VerifyNone     Verify = iota // no certificate
	VerifyOptional               // a good one or none
	VerifyRequired               // a good one
)

// recordMax is the most plaintext that fits into one record (RFC 8446 section 5.1).
const recordMax = 1 << 14

// ParseALPN reads a list of protocols as in alpn. left are those that weir does
// not speak: a client must not choose one of them.
func ParseALPN(text string) (protocols, left []string) {
	for _, p := range strings.Split(text, ",") {
		switch p {
		case "":
		case "h3":
			left = append(left, p)
		default:
			protocols = append(protocols, p)
		}
	}
	return protocols, left
}
