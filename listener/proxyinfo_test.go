package listener

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestProxyV1IsReadAsWritten(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		want ProxyInfo
	}{
		{"tcp4", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
			ProxyInfo{Version: 1, Src: ap("192.168.0.1:56324"), Dst: ap("192.168.0.11:443")}},
		{"tcp6", "PROXY TCP6 2001:DB8::1 ::1 1 65535\r\n",
			ProxyInfo{Version: 1, Src: ap("[2001:db8::1]:1"), Dst: ap("[::1]:65535")}},
		{"mapped addresses are IPv4", "PROXY TCP6 ::ffff:10.0.0.1 ::ffff:a00:2 1 2\r\n",
			ProxyInfo{Version: 1, Src: ap("10.0.0.1:1"), Dst: ap("10.0.0.2:2")}},
		{"port 0 is a port", "PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n",
			ProxyInfo{Version: 1, Src: ap("1.2.3.4:0"), Dst: ap("5.6.7.8:0")}},
		{"unknown, short", "PROXY UNKNOWN\r\n", ProxyInfo{Version: 1, Local: true}},
		{"unknown, ignored rest", "PROXY UNKNOWN ffff::1 x  y\r\n", ProxyInfo{Version: 1, Local: true}},
		{"longest", "PROXY UNKNOWN " + strings.Repeat("f", 107-16) + "\r\n", ProxyInfo{Version: 1, Local: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ProxyInfo
			n, st := ParseProxy([]byte(tt.in+"GET / HTTP/1.1\r\n"), &got)
			if n != len(tt.in) || st != ProxyComplete || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %d, %v, %+v; want %d, complete, %+v", n, st, got, len(tt.in), tt.want)
			}
		})
	}
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestWrongProxyHeadersAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"not a header", "GET / HTTP/1.1\r\n"},
		{"lower case", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
		{"octet above 255, which HAProxy takes", "PROXY TCP4 300.0.2.7 1.2.3.4 1 2\r\n"},
		{"port above 65535, which HAProxy takes", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"},
		{"leading zero in an address", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"},
		{"leading zero in a port", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"},
		{"sign", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"},
		{"three octets", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"},
		{"five octets", "PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n"},
		{"family does not match", "PROXY TCP4 ::1 ::1 1 2\r\n"},
		{"family does not match, 6", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"},
		{"zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"},
		{"two spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"},
		{"tab", "PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n"},
		{"trailing space", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"},
		{"a field too many", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"},
		{"a field too few", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"},
		{"no address", "PROXY TCP4\r\n"},
		{"udp", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"},
		{"unknown is a whole word", "PROXY UNKNOWNX\r\n"},
		{"LF alone", "PROXY UNKNOWN\n"},
		{"CR alone", "PROXY UNKNOWN\rX"},
		{"LF within the ignored rest", "PROXY UNKNOWN a\nb\r\n"},
		{"107 bytes without CRLF", "PROXY UNKNOWN " + strings.Repeat("f", 107-14)},
		{"CRLF ends at 108", "PROXY UNKNOWN " + strings.Repeat("f", 107-15) + "\r\n"},
		{"v2 signature broken", "\r\n\r\n\x00\r\nQUIX"},
		{"v2 version 1", proxyV2Signature + "\x11\x11"},
		{"v2 command 2", proxyV2Signature + "\x22\x11"},
		{"v2 family 4", v2(0x21, 0x41, nil)},
		{"v2 transport 3", v2(0x21, 0x13, nil)},
		{"v2 stream of no family", v2(0x21, 0x01, nil)},
		{"v2 addresses cut", v2(0x21, 0x11, make([]byte, 11))},
		{"v2 IPv6 addresses cut", v2(0x21, 0x21, make([]byte, 35))},
		{"v2 UNIX addresses cut", v2(0x21, 0x31, make([]byte, 215))},
		{"v2 longer than ProxyHeaderMax", proxyV2Signature + "\x21\x11\x10\x00"},
		{"vector without length", v2(0x21, 0x11, make([]byte, 12), []byte{4})},
		{"vector longer than the header", v2(0x21, 0x11, make([]byte, 12), []byte{4, 0, 2, 0})},
		{"checksum of three bytes", v2(0x21, 0x11, make([]byte, 12), []byte{3, 0, 3, 0, 0, 0})},
		{"checksum wrong", v2(0x21, 0x11, make([]byte, 12), []byte{3, 0, 4, 1, 2, 3, 4})},
		{"authority twice", v2(0x21, 0x11, make([]byte, 12), []byte{2, 0, 1, 'a', 2, 0, 1, 'b'})},
		{"authority with CR", v2(0x21, 0x11, make([]byte, 12), []byte{2, 0, 1, '\r'})},
		{"authority not UTF-8", v2(0x21, 0x11, make([]byte, 12), []byte{2, 0, 1, 0xff})},
		{"authority of 256 bytes", v2(0x21, 0x11, make([]byte, 12), append([]byte{2, 1, 0}, bytes.Repeat([]byte("a"), 256)...))},
		{"unique id of 129 bytes", v2(0x21, 0x11, make([]byte, 12), append([]byte{5, 0, 129}, make([]byte, 129)...))},
		{"ssl vector too short", v2(0x21, 0x11, make([]byte, 12), []byte{0x20, 0, 4, 0, 0, 0, 0})},
		{"ssl inner vector too long", v2(0x21, 0x11, make([]byte, 12), []byte{0x20, 0, 8, 1, 0, 0, 0, 0, 0x21, 0, 1})},
		{"ssl version twice", v2(0x21, 0x11, make([]byte, 12), []byte{0x20, 0, 13, 1, 0, 0, 0, 0, 0x21, 0, 1, 'a', 0x21, 0, 1, 'b'})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var info ProxyInfo
			n, st := ParseProxy([]byte(tt.in), &info)
			if n != 0 || st != ProxyBad || !reflect.DeepEqual(info, ProxyInfo{}) {
				t.Errorf("got %d, %v, %+v; want bad", n, st, info)
			}
		})
	}
}

// v2 builds a header of version 2 from its parts.
func v2(command, family byte, parts ...[]byte) string {
	body := bytes.Join(parts, nil)
	b := append([]byte(proxyV2Signature), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return string(append(b, body...))
}

func TestProxyV2IsReadAsWritten(t *testing.T) {
	v4 := []byte{10, 0, 0, 1, 10, 0, 0, 2, 0x01, 0x02, 0x00, 0x50}
	v6 := append(append(make([]byte, 15), 1), append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}, 0, 7, 0, 8)...)
	paths := make([]byte, 216)
	copy(paths, "/run/a.sock")
	copy(paths[108:], "\x00abstract")
	tlvs := []byte{0x01, 0, 2, 'h', '2', 0x02, 0, 3, 'a', '.', 'b', 0x05, 0, 2, 'i', 'd', 0xe5, 0, 1, 9, 0x30, 0, 1, 'n',
		0x20, 0, 15, 1, 0, 0, 0, 2, 0x21, 0, 2, 'v', '1', 0x22, 0, 2, 'c', 'n'}
	for _, tt := range []struct {
		name string
		in   string
		want ProxyInfo
	}{
		{"local", v2(0x20, 0, nil), ProxyInfo{Version: 2, Local: true}},
		{"local skips what follows", v2(0x20, 0x99, []byte("garbage")), ProxyInfo{Version: 2, Local: true}},
		{"unspecified", v2(0x21, 0, nil), ProxyInfo{Version: 2, Local: true, Unspec: true}},
		{"tcp4", v2(0x21, 0x11, v4), ProxyInfo{Version: 2, Src: ap("10.0.0.1:258"), Dst: ap("10.0.0.2:80")}},
		{"udp4", v2(0x21, 0x12, v4), ProxyInfo{Version: 2, Datagram: true, Src: ap("10.0.0.1:258"), Dst: ap("10.0.0.2:80")}},
		{"tcp6, one side mapped", v2(0x21, 0x21, v6), ProxyInfo{Version: 2, Src: ap("[::1]:7"), Dst: ap("1.2.3.4:8")}},
		{"unix", v2(0x21, 0x31, paths), ProxyInfo{Version: 2, UNIX: true, SrcPath: []byte("/run/a.sock"), DstPath: []byte("\x00abstract")}},
		{"vectors", v2(0x21, 0x11, v4, tlvs), ProxyInfo{Version: 2, Src: ap("10.0.0.1:258"), Dst: ap("10.0.0.2:80"),
			TLVs: tlvs, ALPN: []byte("h2"), Authority: []byte("a.b"), UniqueID: []byte("id"), NetNS: []byte("n"),
			TLS: ProxyTLS{Present: true, Client: ProxyTLSOn, Verify: 2, Version: []byte("v1"), CommonName: []byte("cn")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ProxyInfo
			n, st := ParseProxy([]byte(tt.in+"more"), &got)
			if n != len(tt.in) || st != ProxyComplete || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %d, %v,\n%+v; want %d, complete,\n%+v", n, st, got, len(tt.in), tt.want)
			}
		})
	}
}

func TestHeaderIsTheSameInAnyPieces(t *testing.T) {
	for _, in := range proxySeeds() {
		var whole ProxyInfo
		n, st := ParseProxy([]byte(in), &whole)
		checkSplits(t, []byte(in), n, st)
	}
}

// checkSplits demands that a shorter part of b is either undecided or leads to
// the same verdict.
func checkSplits(t *testing.T, b []byte, n int, st ProxyStatus) {
	t.Helper()
	var info ProxyInfo
	for i := range b {
		gotN, got := ParseProxy(b[:i], &info)
		switch {
		case got == ProxyNeedMore && (st != ProxyComplete || i < n):
		case got == st && gotN == n && i >= n:
		default:
			t.Fatalf("after %d of %q: %d, %v; the whole: %d, %v", i, b, gotN, got, n, st)
		}
	}
}

// What HAProxy 2.6 sends with proxy-v2-options crc32c,authority,ssl,unique-id:
// a check, and a connection.
func proxyOfHAProxy() []string {
	return []string{
		"\r\n\r\n\x00\r\nQUIT\n \x00\x00\x0f\x03\x00\x04\x88\x9d\xa1\xdf \x00\x05\x00\x00\x00\x00\x00",
		"\r\n\r\n\x00\r\nQUIT\n!\x11\x000\x7f\x00\x00\x01\x7f\x00\x00\x01\xb9VGi\x03\x00\x04R\xdb\x8c\xfc\x05\x00\x12id-127.0.0.1-47446 \x00\x05\x00\x00\x00\x00\x00",
		"\r\n\r\n\x00\r\nQUIT\n!!\x00B" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) +
			"\x01\xdb\xfeGk\x03\x00\x04\x1b\xb0\xbc\xbd\x05\x00\x0cid-::1-56318 \x00\x05\x00\x00\x00\x00\x00",
	}
}

func TestWhatWeSendEqualsWhatHAProxySends(t *testing.T) {
	opts, err := ParseProxyOptions([]string{"crc32c,authority,ssl", "unique-id"})
	if err != nil {
		t.Fatal(err)
	}
	infos := []ProxyInfo{
		{Local: true},
		{Src: ap("127.0.0.1:47446"), Dst: ap("127.0.0.1:18281"), UniqueID: []byte("id-127.0.0.1-47446")},
		{Src: ap("[::1]:56318"), Dst: ap("[::1]:18283"), UniqueID: []byte("id-::1-56318")},
	}
	for i, want := range proxyOfHAProxy() {
		if got := AppendProxyV2(nil, &infos[i], opts); string(got) != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestProxyV1IsWrittenAsHAProxyDoes(t *testing.T) {
	for _, tt := range []struct {
		name string
		info ProxyInfo
		want string
	}{
		{"tcp4", ProxyInfo{Src: ap("127.0.0.1:40972"), Dst: ap("127.0.0.1:18291")}, "PROXY TCP4 127.0.0.1 127.0.0.1 40972 18291\r\n"},
		{"tcp6", ProxyInfo{Src: ap("[::1]:0"), Dst: ap("[2001:db8::2]:65535")}, "PROXY TCP6 ::1 2001:db8::2 0 65535\r\n"},
		{"mixed", ProxyInfo{Src: ap("1.2.3.4:1"), Dst: ap("[::1]:2")}, "PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n"},
		{"unix", ProxyInfo{UNIX: true}, "PROXY UNKNOWN\r\n"},
		{"local", ProxyInfo{Local: true}, "PROXY UNKNOWN\r\n"},
		{"nothing known", ProxyInfo{}, "PROXY UNKNOWN\r\n"},
	} {
		if got := AppendProxyV1([]byte("x"), &tt.info); string(got) != "x"+tt.want {
			t.Errorf("%s: got %q, want x%q", tt.name, got, tt.want)
		}
	}
}

func TestUnknownProxyOptionIsAnError(t *testing.T) {
	if _, err := ParseProxyOptions([]string{"crc32c,nonsense"}); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("got %v, want an error that names the word", err)
	}
	opts, err := ParseProxyOptions([]string{"cert-cn"})
	if err != nil || !opts.SSL || !opts.CertCN {
		t.Errorf("got %+v, %v; cert-cn needs the SSL vector around it", opts, err)
	}
}

func TestHugeVectorsAreLeftOut(t *testing.T) {
	info := ProxyInfo{Src: ap("1.2.3.4:1"), Dst: ap("1.2.3.4:2"), ALPN: make([]byte, ProxyHeaderMax), UniqueID: make([]byte, 500)}
	b := AppendProxyV2(nil, &info, ProxyOptions{UniqueID: true})
	var got ProxyInfo
	n, st := ParseProxy(b, &got)
	if st != ProxyComplete || n != len(b) || got.ALPN != nil || len(got.UniqueID) != uniqueIDMax {
		t.Errorf("got %d of %d bytes, %v, ALPN %d, unique id %d bytes", n, len(b), st, len(got.ALPN), len(got.UniqueID))
	}
}

func TestCloneIsDetachedFromTheBuffer(t *testing.T) {
	b := []byte(proxyOfHAProxy()[1])
	var info ProxyInfo
	if _, st := ParseProxy(b, &info); st != ProxyComplete {
		t.Fatal(st)
	}
	c := info.Clone()
	clear(b)
	if string(c.UniqueID) != "id-127.0.0.1-47446" || !c.Checksum || !c.TLS.Present {
		t.Errorf("the clone changed with the buffer: %+v", c)
	}
	if plain := (&ProxyInfo{Version: 1}).Clone(); plain.UniqueID != nil || plain.Version != 1 {
		t.Errorf("clone of a plain one: %+v", plain)
	}
}
