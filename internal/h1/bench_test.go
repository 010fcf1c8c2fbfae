package h1

import (
	"fmt"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

const (
	wrkGet = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk/4.2.0\r\nAccept: */*\r\n\r\n"

	browserGet = "GET /assets/app/main.3f9a1c.js?v=20240117&lang=en HTTP/1.1\r\n" +
		"Host: www.example.org\r\n" +
		"Connection: keep-alive\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"120\", \"Not?A_Brand\";v=\"8\"\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Sec-Fetch-Site: same-origin\r\n" +
		"Sec-Fetch-Mode: no-cors\r\n" +
		"Referer: https://www.example.org/index.html\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\n" +
		"Accept-Language: en-US,en;q=0.9\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n"

	nginxResponse = "HTTP/1.1 200 OK\r\n" +
		"Server: nginx/1.22.1\r\n" +
		"Date: Sat, 22 Nov 2025 15:26:00 GMT\r\n" +
		"Content-Type: application/octet-stream\r\n" +
		"Content-Length: 128\r\n" +
		"Last-Modified: Sat, 22 Nov 2025 15:00:00 GMT\r\n" +
		"Connection: keep-alive\r\n" +
		"ETag: \"6921d0f0-80\"\r\n" +
		"Accept-Ranges: bytes\r\n\r\n"
)

func BenchmarkRequest(b *testing.B) {
	for _, c := range []struct{ name, raw string }{{"head=wrk/fields=3", wrkGet}, {"head=browser/fields=11", browserGet}} {
		b.Run(c.name, func(b *testing.B) {
			raw := []byte(c.raw)
			var p Parser
			var h message.Head
			var lim Limits
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if n, st := p.Request(raw, &h, &lim); st != Complete || n != len(raw) {
					b.Fatal(st, p.Reason())
				}
			}
		})
	}
}

// The head arrives in pieces of feed bytes: the cost of a byte must not depend
// on the length of the head.
func BenchmarkRequestInPieces(b *testing.B) {
	for _, c := range []struct{ name, raw string }{{"bytes=600", browserGet}, {"bytes=15360", sized(headMaxDefault)}} {
		for _, feed := range []int{1, 16, 1460} {
			b.Run(fmt.Sprintf("head=%s/feed=%d", c.name, feed), func(b *testing.B) {
				raw := []byte(c.raw)
				var p Parser
				var h message.Head
				var lim Limits
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					st := NeedMore
					for n := feed; st == NeedMore; n += feed {
						_, st = p.Request(raw[:min(n, len(raw))], &h, &lim)
					}
					if st != Complete {
						b.Fatal(st, p.Reason())
					}
				}
			})
		}
	}
}

func BenchmarkChunks(b *testing.B) {
	for _, size := range []int{1, 128, 8192} {
		b.Run(fmt.Sprintf("chunk=%d", size), func(b *testing.B) {
			body := AppendLastChunk(AppendChunkEnd(append(AppendChunkHead(nil, size), make([]byte, size)...)))
			var c Chunks
			var trailer message.Head
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c.Begin(&trailer, nil)
				rest := body
				for {
					skip, data, st := c.Next(rest)
					if st == ChunkEnd {
						break
					}
					rest = rest[skip+data:]
				}
			}
		})
	}
}

func BenchmarkResponse(b *testing.B) {
	b.Run("head=nginx/fields=8", func(b *testing.B) {
		raw := []byte(nginxResponse)
		var p Parser
		var h message.Head
		var lim Limits
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if n, st := p.Response(raw, &h, &lim, message.MethodGet); st != Complete || n != len(raw) {
				b.Fatal(st, p.Reason())
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	var lim Limits
	dst := make([]byte, 0, 4096)
	b.Run("head=wrk/fields=3", func(b *testing.B) {
		var p Parser
		var h message.Head
		p.Request([]byte(wrkGet), &h, &lim)
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendRequest(dst[:0], &h, Rewrite{Minor: 1, Framing: h.Framing})
		}
	})
	b.Run("head=browser/fields=11", func(b *testing.B) {
		var p Parser
		var h message.Head
		p.Request([]byte(browserGet), &h, &lim)
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendRequest(dst[:0], &h, Rewrite{Minor: 1, Framing: h.Framing})
		}
	})
	b.Run("head=nginx/fields=8", func(b *testing.B) {
		var p Parser
		var h message.Head
		p.Response([]byte(nginxResponse), &h, &lim, message.MethodGet)
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendResponse(dst[:0], &h, Rewrite{Minor: 1, Framing: h.Framing})
		}
	})
}
