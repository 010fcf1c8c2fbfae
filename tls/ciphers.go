package tls

import (
	cryptotls "crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// A suite is a cipher suite of TLS 1.2 or older that Go has, with the words by
// which OpenSSL's strings select it.
type suite struct {
	id   uint16
	name string // OpenSSL's
	tags string // words that mean it, among others
}

// suites are all that Go has but those that are broken (RC4, 3DES), in the order
// in which OpenSSL would prefer them.
var suites = []suite{
	{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", "ec aECDSA TLSv1.2 AES AES256 AESGCM AEAD HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", "ec aRSA TLSv1.2 AES AES256 AESGCM AEAD HIGH"},
	{cryptotls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", "ec aECDSA TLSv1.2 CHACHA20 AEAD HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", "ec aRSA TLSv1.2 CHACHA20 AEAD HIGH"},
	{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", "ec aECDSA TLSv1.2 AES AES128 AESGCM AEAD HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", "ec aRSA TLSv1.2 AES AES128 AESGCM AEAD HIGH"},
	{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", "ec aECDSA TLSv1.2 AES AES128 SHA256 HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", "ec aRSA TLSv1.2 AES AES128 SHA256 HIGH"},
	{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", "ec aECDSA TLSv1 AES AES256 SHA1 HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", "ec aRSA TLSv1 AES AES256 SHA1 HIGH"},
	{cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", "ec aECDSA TLSv1 AES AES128 SHA1 HIGH"},
	{cryptotls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", "ec aRSA TLSv1 AES AES128 SHA1 HIGH"},
	{cryptotls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", "kRSA aRSA TLSv1.2 AES AES256 AESGCM AEAD HIGH"},
	{cryptotls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", "kRSA aRSA TLSv1.2 AES AES128 AESGCM AEAD HIGH"},
	{cryptotls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", "kRSA aRSA TLSv1.2 AES AES128 SHA256 HIGH"},
	{cryptotls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", "kRSA aRSA SSLv3 AES AES256 SHA1 HIGH"},
	{cryptotls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", "kRSA aRSA SSLv3 AES AES128 SHA1 HIGH"},
}

// strongSuites are offered unless the configuration says otherwise: those of
// Mozilla's intermediate recommendation that Go has.
var strongSuites = []uint16{
	cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, cryptotls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	cryptotls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, cryptotls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	cryptotls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, cryptotls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// suites13 are Go's suites of TLS 1.3, all of which are always offered.
var suites13 = []suite{
	{id: cryptotls.TLS_AES_128_GCM_SHA256, name: "TLS_AES_128_GCM_SHA256"},
	{id: cryptotls.TLS_AES_256_GCM_SHA384, name: "TLS_AES_256_GCM_SHA384"},
	{id: cryptotls.TLS_CHACHA20_POLY1305_SHA256, name: "TLS_CHACHA20_POLY1305_SHA256"},
}

// otherWords are words of OpenSSL's strings for what Go does not have at all.
// They select nothing, and removing them removes nothing.
const otherWords = " aNULL eNULL NULL EXPORT EXPORT40 EXPORT56 EXP LOW MEDIUM ADH AECDH DH DHE EDH kDHE kEDH kDH aDH " +
	"DES 3DES RC4 RC2 MD5 PSK kPSK aPSK kDHEPSK kECDHEPSK kRSAPSK SRP kSRP aSRP CAMELLIA CAMELLIA128 CAMELLIA256 ARIA " +
	"ARIA128 ARIA256 ARIAGCM SEED IDEA DSS aDSS AESCCM AESCCM8 KRB5 kKRB5 aKRB5 GOST aGOST kGOST GOST94 GOST89MAC SSLv2 " +
	"COMPLEMENTOFDEFAULT COMPLEMENTOFALL kECDH kECDHr kECDHe aECDH SUITEB128 SUITEB128ONLY SUITEB192 FIPS CBC "

// synonyms turn OpenSSL's other words for something into the one of the table.
var synonyms = map[string]string{
	"ECDHE": "ec", "EECDH": "ec", "kECDHE": "ec", "kEECDH": "ec", "ECDH": "ec", "ECDSA": "aECDSA", "RSA": "kRSA", "SHA": "SHA1",
	"TLSv1.0": "TLSv1",
}

// CipherName is OpenSSL's name of a suite of any version.
func CipherName(id uint16) string {
	for _, list := range [][]suite{suites13, suites} {
		for i := range list {
			if list[i].id == id {
				return list[i].name
			}
		}
	}
	return cryptotls.CipherSuiteName(id)
}

// ParseCiphers reads an OpenSSL cipher string (openssl-ciphers(1)). left are the
// words that name what Go does not have. The order of a string means nothing to
// Go, which prefers suites by its own measure.
func ParseCiphers(text string) (ids []uint16, left []string, err error) {
	var chosen, banned []uint16
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
		sign, name := byte(0), word
		if strings.IndexByte("!-+", word[0]) >= 0 {
			sign, name = word[0], word[1:]
		}
		if strings.HasPrefix(name, "@") { // @STRENGTH sorts, @SECLEVEL=n forbids what Go does not have
			continue
		}
		found, known := matching(name)
		switch sign {
		case '!':
			banned = append(banned, found...)
			fallthrough
		case '-':
			chosen = slices.DeleteFunc(chosen, func(id uint16) bool { return slices.Contains(found, id) })
			continue
		case '+':
			continue // moves to the end
		}
		if !known || len(found) == 0 {
			left = append(left, word)
		}
		for _, id := range found {
			if !slices.Contains(chosen, id) && !slices.Contains(banned, id) {
				chosen = append(chosen, id)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, left, fmt.Errorf("leaves no cipher suite that Go has, got %q", text)
	}
	return chosen, left, nil
}

// matching gives the suites that a word means: a name, a group, or groups joined
// with +.
func matching(word string) (ids []uint16, known bool) {
	switch word {
	case "ALL", "DEFAULT":
		word = "HIGH"
	}
	for i := range suites {
		if suites[i].name == word {
			return []uint16{suites[i].id}, true
		}
	}
	known = true
	parts := strings.Split(word, "+")
	for i, part := range parts {
		if s := synonyms[part]; s != "" {
			parts[i] = s
		}
	}
	for i := range suites {
		tags := " " + suites[i].tags + " "
		if !slices.ContainsFunc(parts, func(p string) bool { return p == "" || !strings.Contains(tags, " "+p+" ") }) {
			ids = append(ids, suites[i].id)
		}
	}
	if len(ids) == 0 {
		known = !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(otherWords, " "+p+" ") })
	}
	return ids, known
}

// ParseSuites13 reads a list of suites of TLS 1.3. missing are those of Go that
// the list leaves out, and which are offered all the same.
func ParseSuites13(text string) (missing, left []string, err error) {
	var have []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == ',' }) {
		switch {
		case slices.ContainsFunc(suites13, func(s suite) bool { return s.name == word }):
			have = append(have, word)
		case word == "TLS_AES_128_CCM_SHA256", word == "TLS_AES_128_CCM_8_SHA256":
			left = append(left, word)
		default:
			return nil, nil, fmt.Errorf("names %q, which is no cipher suite of TLS 1.3", word)
		}
	}
	if len(have) == 0 {
		return nil, left, fmt.Errorf("leaves no cipher suite that Go has, got %q", text)
	}
	for i := range suites13 {
		if !slices.Contains(have, suites13[i].name) {
			missing = append(missing, suites13[i].name)
		}
	}
	return missing, left, nil
}

var curves = []struct {
	names string
	id    cryptotls.CurveID
}{
	{"X25519 x25519", cryptotls.X25519},
	{"P-256 prime256v1 secp256r1", cryptotls.CurveP256},
	{"P-384 secp384r1", cryptotls.CurveP384},
	{"P-521 secp521r1", cryptotls.CurveP521},
	{"X25519MLKEM768", cryptotls.X25519MLKEM768},
	{"SecP256r1MLKEM768", cryptotls.SecP256r1MLKEM768},
	{"SecP384r1MLKEM1024", cryptotls.SecP384r1MLKEM1024},
}

// ParseCurves reads a list of groups as in "curves". left are those that Go does
// not have.
func ParseCurves(text string) (ids []cryptotls.CurveID, left []string, err error) {
	for _, word := range strings.Split(text, ":") {
		word = strings.TrimPrefix(word, "?") // OpenSSL 3.3: only if it is known
		found := false
		for _, c := range curves {
			if slices.Contains(strings.Fields(c.names), word) {
				ids, found = append(ids, c.id), true
			}
		}
		if !found {
			left = append(left, word)
		}
	}
	if len(ids) == 0 {
		return nil, left, fmt.Errorf("leaves no group that Go has, got %q", text)
	}
	return ids, left, nil
}
