//go:build !race

package listener

import "testing"

func TestProxyCodecDoesNotAllocate(t *testing.T) {
	opts := ProxyOptions{CRC32C: true, UniqueID: true, SSL: true, Authority: true}
	room := make([]byte, 0, ProxyHeaderMax)
	for _, in := range proxySeeds() {
		b := []byte(in)
		var info ProxyInfo
		got := testing.AllocsPerRun(100, func() {
			if _, st := ParseProxy(b, &info); st != ProxyComplete {
				return
			}
			AppendProxyV1(room, &info)
			AppendProxyV2(room, &info, opts)
		})
		if got != 0 {
			t.Errorf("%q: %v allocations, want 0", in, got)
		}
	}
}

func BenchmarkProxyHeader(b *testing.B) {
	for name, in := range map[string]string{
		"version=1": "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
		"version=2": proxyOfHAProxy()[1],
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(in)
			room := make([]byte, 0, ProxyHeaderMax)
			var info ProxyInfo
			b.ReportAllocs()
			for b.Loop() {
				ParseProxy(raw, &info)
				AppendProxyV2(room, &info, ProxyOptions{})
			}
		})
	}
}
