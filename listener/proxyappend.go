package listener

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// ProxyOptions says what a version 2 header tells besides the addresses
// (proxy-v2-options). ALPN is told whenever it is known.
type ProxyOptions struct {
	SSL       bool // whether the client used TLS, its version and the verdict on its certificate
	CertCN    bool
	SSLCipher bool
	CertSig   bool
	CertKey   bool
	Authority bool
	CRC32C    bool
	UniqueID  bool

	// Verbatim passes ProxyInfo.TLVs on as they are (with a new checksum if
	// they have one) instead of choosing by the other fields.
	Verbatim bool
}

// ParseProxyOptions reads the words of proxy-v2-options, which may be comma
// lists.
func ParseProxyOptions(words []string) (ProxyOptions, error) {
	var o ProxyOptions
	for word := range strings.SplitSeq(strings.Join(words, ","), ",") {
		flag := o.flag(word)
		if flag == nil && len(words) > 0 {
			return ProxyOptions{}, fmt.Errorf("proxy-v2-options knows ssl, cert-cn, ssl-cipher, cert-sig, "+
				"cert-key, authority, crc32c and unique-id, not %q", word)
		}
		if flag != nil {
			*flag = true
		}
	}
	// What describes the certificate stands inside the SSL vector.
	o.SSL = o.SSL || o.CertCN || o.SSLCipher || o.CertSig || o.CertKey
	return o, nil
}

func (o *ProxyOptions) flag(word string) *bool {
	switch word {
	case "ssl":
		return &o.SSL
	case "cert-cn":
		return &o.CertCN
	case "ssl-cipher":
		return &o.SSLCipher
	case "cert-sig":
		return &o.CertSig
	case "cert-key":
		return &o.CertKey
	case "authority":
		return &o.Authority
	case "crc32c":
		return &o.CRC32C
	case "unique-id":
		return &o.UniqueID
	}
	return nil
}

// AppendProxyV2 appends the binary form of info. Without endpoints to tell it is
// the LOCAL command, which HAProxy also sends for clients of UNIX sockets; the
// vectors asked for follow in any case. Those that would make the header longer
// than ProxyHeaderMax are left out.
func AppendProxyV2(dst []byte, info *ProxyInfo, opts ProxyOptions) []byte {
	start := len(dst)
	dst = append(dst, proxyV2Signature...)
	dst = append(dst, proxyV2Proxy, proxyUnspec, 0, 0)
	dst = appendProxyBlock(dst, start, info)
	sum := 0 // offset of the checksum's vector; 0: none
	if opts.Verbatim {
		dst, sum = appendVerbatim(dst, start, info.TLVs)
	} else {
		dst, sum = appendVectors(dst, start, info, opts)
	}
	if dst[start+13] == proxyUnspec && !info.Unspec {
		dst[start+12] = proxyV2Local
	}
	header := dst[start:]
	binary.BigEndian.PutUint16(header[14:], uint16(len(header)-proxyV2Fixed))
	if sum > 0 {
		at := sum - start + tlvFixed
		binary.BigEndian.PutUint32(header[at:], headerChecksum(header, at))
	}
	return dst
}

// appendProxyBlock appends the addresses and writes the family.
func appendProxyBlock(dst []byte, start int, info *ProxyInfo) []byte {
	src, to := info.Src.Addr(), info.Dst.Addr()
	transport := byte(1)
	if info.Datagram {
		transport = 2
	}
	switch {
	case info.Local:
		return dst
	case info.UNIX:
		dst[start+13] = proxyUNIX&0xf0 | transport
		return appendPath(appendPath(dst, info.SrcPath), info.DstPath)
	case !src.IsValid() || !to.IsValid():
		return dst
	case src.Is4() && to.Is4():
		dst[start+13] = proxyTCP4&0xf0 | transport
		a, b := src.As4(), to.As4()
		dst = append(append(dst, a[:]...), b[:]...)
	default:
		dst[start+13] = proxyTCP6&0xf0 | transport
		a, b := src.As16(), to.As16()
		dst = append(append(dst, a[:]...), b[:]...)
	}
	dst = binary.BigEndian.AppendUint16(dst, info.Src.Port())
	return binary.BigEndian.AppendUint16(dst, info.Dst.Port())
}

func appendPath(dst, path []byte) []byte {
	var room [proxyV2PathLen]byte
	copy(room[:], path)
	return append(dst, room[:]...)
}

// appendVectors appends what opts ask for, in HAProxy's order.
func appendVectors(dst []byte, start int, info *ProxyInfo, opts ProxyOptions) ([]byte, int) {
	sum := 0
	if opts.CRC32C {
		sum = len(dst)
		dst = append(dst, tlvCRC32C, 0, 4, 0, 0, 0, 0)
	}
	if len(info.ALPN) > 0 {
		dst = appendTLV(dst, start, tlvALPN, info.ALPN)
	}
	if opts.Authority && len(info.Authority) > 0 && len(info.Authority) <= authorityMax {
		dst = appendTLV(dst, start, tlvAuthority, info.Authority)
	}
	if opts.UniqueID && len(info.UniqueID) > 0 {
		dst = appendTLV(dst, start, tlvUniqueID, info.UniqueID[:min(len(info.UniqueID), uniqueIDMax)])
	}
	if opts.SSL {
		dst = appendTLS(dst, start, &info.TLS, opts)
	}
	if len(info.NetNS) > 0 {
		dst = appendTLV(dst, start, tlvNetNS, info.NetNS)
	}
	return dst, sum
}

func appendTLV(dst []byte, start int, kind byte, value []byte) []byte {
	if len(dst)-start+tlvFixed+len(value) > ProxyHeaderMax {
		return dst
	}
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}

func appendTLS(dst []byte, start int, t *ProxyTLS, opts ProxyOptions) []byte {
	if len(dst)-start+tlvFixed+tlvSSLFixed > ProxyHeaderMax {
		return dst
	}
	at := len(dst)
	dst = append(dst, tlvSSL, 0, 0, t.Client)
	dst = binary.BigEndian.AppendUint32(dst, t.Verify)
	for _, f := range [...]struct {
		want  bool
		kind  byte
		value []byte
	}{
		{true, tlvSSLVersion, t.Version},
		{opts.CertCN, tlvSSLCN, t.CommonName},
		{opts.CertKey, tlvSSLKeyAlg, t.KeyAlg},
		{opts.CertSig, tlvSSLSigAlg, t.SigAlg},
		{opts.SSLCipher, tlvSSLCipher, t.Cipher},
	} {
		if f.want && len(f.value) > 0 {
			dst = appendTLV(dst, start, f.kind, f.value)
		}
	}
	binary.BigEndian.PutUint16(dst[at+1:], uint16(len(dst)-at-tlvFixed))
	return dst
}

// appendVerbatim appends vectors as they are; sum is where the checksum's stands.
func appendVerbatim(dst []byte, start int, tlvs []byte) (out []byte, sum int) {
	for len(tlvs) > 0 {
		kind, value, rest, ok := nextTLV(tlvs)
		if !ok {
			return dst, sum
		}
		at := len(dst)
		if dst = appendTLV(dst, start, kind, value); kind == tlvCRC32C && len(dst) == at+tlvFixed+4 {
			sum = at
		}
		tlvs = rest
	}
	return dst, sum
}
