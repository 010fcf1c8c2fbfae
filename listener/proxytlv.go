package listener

import (
	"encoding/binary"
	"hash/crc32"
	"unicode/utf8"
)

// Types of vectors (PROXY 2.2.1 to 2.2.7).
const (
	tlvALPN      byte = 0x01
	tlvAuthority byte = 0x02
	tlvCRC32C    byte = 0x03
	tlvUniqueID  byte = 0x05
	tlvSSL       byte = 0x20
	tlvNetNS     byte = 0x30

	tlvSSLVersion byte = 0x21
	tlvSSLCN      byte = 0x22
	tlvSSLCipher  byte = 0x23
	tlvSSLSigAlg  byte = 0x24
	tlvSSLKeyAlg  byte = 0x25
)

const (
	tlvFixed     = 3   // bytes of type and length
	tlvSSLFixed  = 5   // bytes before the vectors within PP2_TYPE_SSL
	authorityMax = 255 // bytes of a host name (RFC 1035 section 2.3.4)
	uniqueIDMax  = 128 // bytes (PROXY 2.2.5)
)

// nextTLV splits the first vector off b; ok is false if it does not fit.
func nextTLV(b []byte) (kind byte, value, rest []byte, ok bool) {
	if len(b) < tlvFixed {
		return 0, nil, nil, false
	}
	end := tlvFixed + int(binary.BigEndian.Uint16(b[1:]))
	if end > len(b) {
		return 0, nil, nil, false
	}
	return b[0], b[tlvFixed:end:end], b[end:], true
}

// parseTLVs reads the vectors of a header from offset at. All lengths must fit
// exactly. A type that means something here may stand only once: with two,
// what we believe and what the next one believes could differ.
func parseTLVs(header []byte, at int, info *ProxyInfo) bool {
	if at < len(header) {
		info.TLVs = header[at:len(header):len(header)]
	}
	var seen uint64 // by type, of the known ones
	for rest := header[at:]; len(rest) > 0; {
		kind, value, next, ok := nextTLV(rest)
		if !ok {
			return false
		}
		if known(kind) {
			if seen&(1<<kind) != 0 {
				return false
			}
			seen |= 1 << kind
		}
		start := len(header) - len(rest) + tlvFixed
		if !info.takeTLV(kind, value) || kind == tlvCRC32C && !checksumRight(header, start) {
			return false
		}
		rest = next
	}
	return true
}

func known(kind byte) bool {
	switch kind {
	case tlvALPN, tlvAuthority, tlvCRC32C, tlvUniqueID, tlvSSL, tlvNetNS:
		return true
	}
	return false
}

func (p *ProxyInfo) takeTLV(kind byte, value []byte) bool {
	switch kind {
	case tlvALPN:
		p.ALPN = value
	case tlvAuthority:
		p.Authority = value
		return len(value) <= authorityMax && utf8.Valid(value) && !hasControl(value)
	case tlvCRC32C:
		p.Checksum = true
		return len(value) == 4
	case tlvUniqueID:
		p.UniqueID = value
		return len(value) <= uniqueIDMax
	case tlvNetNS:
		p.NetNS = value
		return !hasControl(value)
	case tlvSSL:
		return p.TLS.parse(value)
	}
	return true
}

func (t *ProxyTLS) parse(b []byte) bool {
	if len(b) < tlvSSLFixed {
		return false
	}
	t.Present = true
	t.Client, t.Verify = b[0], binary.BigEndian.Uint32(b[1:])
	var seen uint64
	for rest := b[tlvSSLFixed:]; len(rest) > 0; {
		kind, value, next, ok := nextTLV(rest)
		if !ok {
			return false
		}
		if field := t.field(kind); field != nil {
			if seen&(1<<kind) != 0 || hasControl(value) {
				return false
			}
			seen |= 1 << kind
			*field = value
		}
		rest = next
	}
	return true
}

func (t *ProxyTLS) field(kind byte) *[]byte {
	switch kind {
	case tlvSSLVersion:
		return &t.Version
	case tlvSSLCN:
		return &t.CommonName
	case tlvSSLCipher:
		return &t.Cipher
	case tlvSSLSigAlg:
		return &t.SigAlg
	case tlvSSLKeyAlg:
		return &t.KeyAlg
	}
	return nil
}

// hasControl refuses what has no business in names that end up in logs and
// headers.
func hasControl(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c == 0x7f {
			return true
		}
	}
	return false
}

// castagnoli is the polynomial of CRC32C. MakeTable builds this one once for
// the whole program.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// zeroChecksum stands in for the checksum; a local one would move to the heap.
var zeroChecksum = [4]byte{}

// checksumRight compares the four bytes at offset at with the CRC32C of the
// header in which they are zero (PROXY 2.2.3).
func checksumRight(header []byte, at int) bool {
	return binary.BigEndian.Uint32(header[at:]) == headerChecksum(header, at)
}

func headerChecksum(header []byte, at int) uint32 {
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, zeroChecksum[:])
	return crc32.Update(sum, castagnoli, header[at+4:])
}
