package listener

import (
	"encoding/binary"
	"net/netip"
)

const (
	proxyV2Signature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV2Fixed     = 16 // bytes before the addresses
	proxyV2PathLen   = 108

	proxyV2Local byte = 0x20 // version 2, command LOCAL
	proxyV2Proxy byte = 0x21 // version 2, command PROXY
)

// Family and transport of PROXY 2.2; no other byte is valid with PROXY.
const (
	proxyUnspec    byte = 0x00
	proxyTCP4      byte = 0x11
	proxyUDP4      byte = 0x12
	proxyTCP6      byte = 0x21
	proxyUDP6      byte = 0x22
	proxyUNIX      byte = 0x31
	proxyUNIXDgram byte = 0x32
)

// parseProxyV2 reads the binary form. What can be known to be wrong from the
// bytes so far is refused without waiting for the rest.
func parseProxyV2(b []byte, info *ProxyInfo) (int, ProxyStatus) {
	k := min(len(b), len(proxyV2Signature))
	if string(b[:k]) != proxyV2Signature[:k] {
		return 0, ProxyBad
	}
	if len(b) > 12 && b[12] != proxyV2Local && b[12] != proxyV2Proxy {
		return 0, ProxyBad
	}
	if len(b) < proxyV2Fixed {
		return 0, ProxyNeedMore
	}
	size := proxyV2Fixed + int(binary.BigEndian.Uint16(b[14:]))
	if size > ProxyHeaderMax {
		return 0, ProxyBad
	}
	if len(b) < size {
		return 0, ProxyNeedMore
	}
	info.Version = 2
	if b[12] == proxyV2Local {
		info.Local = true // the block is skipped, the family ignored
		return size, ProxyComplete
	}
	used, ok := parseProxyBlock(b[13], b[proxyV2Fixed:size], info)
	if !ok || !parseTLVs(b[:size], proxyV2Fixed+used, info) {
		return 0, ProxyBad
	}
	return size, ProxyComplete
}

// parseProxyBlock reads the addresses and returns their length.
func parseProxyBlock(family byte, b []byte, info *ProxyInfo) (int, bool) {
	info.Datagram = family&0x0f == 2
	need := 0
	switch family {
	case proxyUnspec:
		info.Local, info.Unspec = true, true
		return 0, true
	case proxyTCP4, proxyUDP4:
		if need = 12; len(b) >= need {
			info.Src = addrPort4(b, b[8:])
			info.Dst = addrPort4(b[4:], b[10:])
		}
	case proxyTCP6, proxyUDP6:
		if need = 36; len(b) >= need {
			info.Src = addrPort6(b, b[32:])
			info.Dst = addrPort6(b[16:], b[34:])
		}
	case proxyUNIX, proxyUNIXDgram:
		info.UNIX = true
		if need = 2 * proxyV2PathLen; len(b) >= need {
			info.SrcPath = trimPath(b[:proxyV2PathLen])
			info.DstPath = trimPath(b[proxyV2PathLen:need])
		}
	default:
		return 0, false
	}
	return need, len(b) >= need
}

func addrPort4(ip, port []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip)), binary.BigEndian.Uint16(port))
}

func addrPort6(ip, port []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(ip)).Unmap(), binary.BigEndian.Uint16(port))
}

// trimPath cuts the padding off sun_path: a file's name ends at its first zero
// byte, an abstract one (which begins with zero) where only zeros follow.
func trimPath(b []byte) []byte {
	if b[0] != 0 {
		for i, c := range b {
			if c == 0 {
				return b[:i:i]
			}
		}
		return b
	}
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	return b[:end:end]
}
