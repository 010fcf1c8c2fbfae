//go:build !race

package h1

import (
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	var p Parser
	var req, res message.Head
	lim := &Limits{}
	out := make([]byte, 0, 4096)
	request, response := []byte(browserGet), []byte(nginxResponse)
	got := testing.AllocsPerRun(1000, func() {
		for cut := 1; cut < len(request); cut += 100 {
			p.Request(request[:cut], &req, lim)
		}
		p.Request(request, &req, lim)
		req.Add([]byte("x-forwarded-for"), []byte("127.0.0.1"))
		out = AppendEnd(AppendRequest(out[:0], &req, Rewrite{Framing: req.Framing, Minor: 1}))
		p.Response(response, &res, lim, req.Method)
		out = AppendEnd(AppendResponse(out[:0], &res, Rewrite{Connection: ConnectionClose, Framing: res.Framing, Minor: 1}))
	})
	if got != 0 {
		t.Errorf("a request and its response allocate %v times, want 0", got)
	}
}

func TestRefusalsDoNotAllocate(t *testing.T) {
	var p Parser
	var h message.Head
	lim := &Limits{}
	bad := []byte("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
	got := testing.AllocsPerRun(1000, func() {
		p.Reset()
		if _, st := p.Request(bad, &h, lim); st != BadRequest {
			t.Error(st)
		}
	})
	if got != 0 {
		t.Errorf("a refusal allocates %v times, want 0", got)
	}
}

func TestChunksDoNotAllocate(t *testing.T) {
	body := []byte("5;ext\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")
	var c Chunks
	var trailer message.Head
	out := make([]byte, 0, 4096)
	got := testing.AllocsPerRun(1000, func() {
		c.Begin(&trailer, nil)
		out = out[:0]
		for rest := body; ; {
			skip, data, st := c.Next(rest)
			if st == ChunkEnd {
				break
			}
			out = AppendChunkEnd(append(AppendChunkHead(out, data), rest[skip:skip+data]...))
			rest = rest[skip+data:]
		}
		out = AppendTrailers(out, &trailer)
	})
	if got != 0 {
		t.Errorf("a chunked body allocates %v times, want 0", got)
	}
}
