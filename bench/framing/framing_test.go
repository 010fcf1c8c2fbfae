package framing

import (
	"strings"
	"testing"
)

func TestHeadSaysHowTheMessageGoesOn(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     Head
		ok       bool
	}{
		{"no body", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Head{Size: 27}, true},
		{"length", "HTTP/1.1 200 OK\r\ncontent-LENGTH:  128\r\n\r\nxx", Head{Size: 41, Length: 128}, true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Head{Size: 47, Chunked: true}, true},
		{"close", "HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", Head{Size: 38, Close: true}, true},
		{"other fields", "HTTP/1.1 200 OK\r\nCookie: content-length: 3\r\nTe: x\r\n\r\n", Head{Size: 53}, true},
		{"incomplete", "HTTP/1.1 200 OK\r\nA: b\r\n", Head{}, false},
	} {
		got, ok := ParseHead([]byte(tc.in))
		if got != tc.want || ok != tc.ok {
			t.Errorf("%s: %+v %v, want %+v %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

func TestTargetAndStatus(t *testing.T) {
	if got := string(Target([]byte("GET /a/b?c HTTP/1.1\r\n"))); got != "/a/b?c" {
		t.Errorf("target %q", got)
	}
	if got := Status([]byte("HTTP/1.1 503 Service Unavailable\r\n")); got != 503 {
		t.Errorf("status %d", got)
	}
}

func TestChunksEndWhereTheBodyEndsInAnyPieces(t *testing.T) {
	for _, body := range []string{
		"0\r\n\r\n",
		"5\r\nhello\r\n0\r\n\r\n",
		"a;x=1\r\n0123456789\r\n1F\r\n" + strings.Repeat("y", 31) + "\r\n0\r\nT: v\r\nU: w\r\n\r\n",
	} {
		stream := body + "HTTP/1.1 200 OK\r\n"
		for size := 1; size <= len(stream); size++ {
			if got := bodySize(stream, size); got != len(body) {
				t.Fatalf("%q in pieces of %d: ends after %d bytes, want %d", body, size, got, len(body))
			}
		}
	}
}

func bodySize(stream string, piece int) int {
	var c Chunks
	total := 0
	for total < len(stream) {
		n, ended := c.Next([]byte(stream[total:min(total+piece, len(stream))]))
		total += n
		if ended {
			return total
		}
	}
	return -1
}
