package listener

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func proxySeeds() []string {
	v4 := []byte{10, 0, 0, 1, 10, 0, 0, 2, 0x01, 0x02, 0x00, 0x50}
	return append(proxyOfHAProxy(),
		"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n",
		"PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 1 65535\r\n",
		"PROXY UNKNOWN whatever\r\n",
		"PROXY TCP4 300.0.2.7 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
		v2(0x20, 0, []byte("skipped")),
		v2(0x21, 0, []byte{0xe0, 0, 1, 7}),
		v2(0x21, 0x12, v4),
		v2(0x21, 0x31, make([]byte, 216), []byte{4, 0, 2, 0, 0}),
		v2(0x21, 0x11, v4, []byte{0x20, 0, 9, 1, 0, 0, 0, 0, 0x25, 0, 1, 'R', 0x01, 0, 1, 'x'}),
		"GET / HTTP/1.1\r\n",
	)
}

// What was parsed and printed parses to the same again, in either version as far
// as that can tell it, and however the bytes arrive.
func FuzzProxyHeader(f *testing.F) {
	for _, s := range proxySeeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var info ProxyInfo
		n, st := ParseProxy(b, &info)
		if n > ProxyHeaderMax || n > len(b) || (st == ProxyComplete) != (n > 0) {
			t.Fatalf("%d of %d bytes, %v", n, len(b), st)
		}
		if len(b) <= 512 {
			checkSplits(t, b, n, st)
		}
		if st != ProxyComplete {
			return
		}
		again := reparse(t, AppendProxyV2(nil, &info, ProxyOptions{Verbatim: true}))
		want := *info.Clone()
		want.Version = 2
		clearChecksum(again.TLVs)
		clearChecksum(want.TLVs)
		if !reflect.DeepEqual(again, want) {
			t.Fatalf("version 2:\n%+v\nprinted and parsed again:\n%+v", want, again)
		}
		again = reparse(t, AppendProxyV1(nil, &info))
		want = ProxyInfo{Version: 1, Src: info.Src, Dst: info.Dst, Local: info.Local || info.UNIX}
		if !reflect.DeepEqual(again, want) {
			t.Fatalf("version 1:\n%+v\nprinted and parsed again:\n%+v", want, again)
		}
		checkChosenVectors(t, &info)
	})
}

func reparse(t *testing.T, b []byte) ProxyInfo {
	t.Helper()
	var info ProxyInfo
	if n, st := ParseProxy(b, &info); n != len(b) || st != ProxyComplete {
		t.Fatalf("our own %q: %d, %v", b, n, st)
	}
	return info
}

// checkChosenVectors prints with all options: each field that we know survives.
func checkChosenVectors(t *testing.T, info *ProxyInfo) {
	t.Helper()
	if info.Local && !info.Unspec {
		return
	}
	all := ProxyOptions{SSL: true, CertCN: true, SSLCipher: true, CertSig: true, CertKey: true, Authority: true, CRC32C: true, UniqueID: true}
	again := reparse(t, AppendProxyV2(nil, info, all))
	for i, f := range again.slices() {
		if f == &again.TLVs {
			continue
		}
		if want := *info.slices()[i]; !bytes.Equal(*f, want) {
			t.Fatalf("field %d was %q, is %q", i, want, *f)
		}
	}
	if !again.Checksum || again.Src != info.Src || again.Dst != info.Dst || again.TLS.Verify != info.TLS.Verify {
		t.Fatalf("was %+v, is %+v", info, again)
	}
}

func clearChecksum(tlvs []byte) {
	for len(tlvs) > 0 {
		kind, value, rest, ok := nextTLV(tlvs)
		if !ok {
			return
		}
		if kind == tlvCRC32C {
			clear(value)
		}
		tlvs = rest
	}
}

// Our readers of addresses take what netip takes, less zones; leading zeros
// netip refuses as well.
func FuzzAddressText(f *testing.F) {
	for _, s := range []string{
		"1.2.3.4", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
		"12345::", ":1", "1:", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "::1.2.3", "::1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4",
		"0:0:0:0:0:0:0:0", "abcd:ef::01", "::g", "1.2.3.256", "01.2.3.4", "fe80::1%1", "1::2:3:4:5:6:7:8",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := netip.ParseAddr(s)
		ok4, ok6 := err == nil && want.Is4(), err == nil && want.Is6() && !strings.Contains(s, "%")
		if got, ok := parseIPv4([]byte(s)); ok != ok4 || ok && got != want {
			t.Errorf("IPv4 %q: %v, %v; netip: %v, %v", s, got, ok, want, err)
		}
		if got, ok := parseIPv6([]byte(s)); ok != ok6 || ok && got != want {
			t.Errorf("IPv6 %q: %v, %v; netip: %v, %v", s, got, ok, want, err)
		}
	})
}
