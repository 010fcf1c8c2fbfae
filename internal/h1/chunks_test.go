package h1

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

// decoded runs a decoder over raw, which arrives in the given pieces (the last
// one is repeated), as a session would: what is used up goes, the rest stays.
func decoded(raw string, lim *Limits, pieces ...int) (body string, fields []string, rest int, c *Chunks) {
	c = new(Chunks)
	c.Begin(new(message.Head), lim)
	var held, out []byte
	defer func() { body = string(out) }()
	for given := 0; ; {
		skip, data, st := c.Next(held)
		out = append(out, held[skip:skip+data]...)
		switch st {
		case ChunkEnd:
			return "", lines(c.Trailer()), len(raw) - given + len(held) - skip, c
		case ChunkBad:
			return "", nil, -1, c
		}
		held = held[skip+data:]
		if st == ChunkData {
			continue
		}
		if given == len(raw) {
			return "", nil, -2, c
		}
		n := len(raw)
		if len(pieces) > 0 {
			n = max(pieces[0], 1)
			if len(pieces) > 1 {
				pieces = pieces[1:]
			}
		}
		n = min(n, len(raw)-given)
		held = append(slices.Clone(held), raw[given:given+n]...)
		given += n
	}
}

// chunkCases: verdict is "end", "bad" or "again". Where HAProxy 2.6 does
// something else, haproxy says what.
var chunkCases = []struct {
	name, raw, body string
	verdict         string
	haproxy         string
}{
	{"empty", "0\r\n\r\n", "", "end", ""},
	{"one", "2\r\nok\r\n0\r\n\r\n", "ok", "end", ""},
	{"three", "1\r\na\r\nA\r\n0123456789\r\n00f\r\nabcdefghijklmno\r\n000\r\n\r\n", "a0123456789abcdefghijklmno", "end", ""},
	{"extension", "2;a=b;c=\"d\"\r\nok\r\n0;x\r\n\r\n", "ok", "end", ""},
	{"blank before extension", "2 ;a\r\nok\r\n0\t;x\r\n\r\n", "ok", "end", ""},
	{"trailers", "2\r\nok\r\n0\r\nX-T: 1\r\nY:2\r\n\r\n", "ok", "end", ""},
	{"something behind", "0\r\n\r\nGET", "", "end", ""},
	{"blanks pad the size", "2  \r\nok\r\n0\r\n\r\n", "", "bad", "accepted"},
	{"LF alone", "2\nok\n0\n\n", "", "bad", "accepted"},
	{"LF alone after bytes", "2\r\nok\n0\r\n\r\n", "ok", "bad", "accepted"},
	{"LF alone after extension", "2;a\nok\r\n0\r\n\r\n", "", "bad", "accepted"},
	{"LF alone after a trailer", "0\r\nX: y\n\r\n", "", "bad", "accepted"},
	{"LF alone at the end", "0\r\n\n", "", "bad", "accepted"},
	{"CR in extension", "2;a\rb\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"NUL in extension", "2;\x00\r\nok\r\n0\r\n\r\n", "", "bad", "accepted"},
	{"blank before size", " 2\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"hexadecimal prefix", "0x2\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"plus", "+2\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"no size", "\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"extension without size", ";a\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"largest size", "fffffffffffffff\r\nok", "ok", "again", ""},
	{"one digit more", "0fffffffffffffff\r\nok", "", "bad", "accepted"},
	{"size of 68 bits", "fffffffffffffffff\r\nok", "", "bad", ""},
	{"more bytes than the size", "2\r\nokX\r\n0\r\n\r\n", "ok", "bad", ""},
	{"fewer bytes than the size", "3\r\nok\r\n0\r\n\r\n", "ok\r", "bad", ""},
	{"cut in a chunk", "5\r\nok", "ok", "again", ""},
	{"cut after a chunk", "2\r\nok\r\n", "ok", "again", ""},
	{"cut after the last chunk", "2\r\nok\r\n0\r\n", "ok", "again", ""},
	{"cut in trailers", "0\r\nX: y\r\n", "", "again", ""},
	{"bad trailer", "0\r\nX y\r\n\r\n", "", "bad", ""},
	{"control in trailer", "0\r\nX: \x01\r\n\r\n", "", "bad", "accepted"},
	{"fold in trailer", "0\r\nX: a\r\n b\r\n\r\n", "", "bad", "accepted"},
	{"too many trailers", "0\r\n" + strings.Repeat("X: 1\r\n", 101) + "\r\n", "", "bad", ""},
	{"too long trailers", "0\r\nX: " + strings.Repeat("1", headMaxDefault) + "\r\n\r\n", "", "bad", ""},
	{"too long extension", "2;" + strings.Repeat("x", chunkExtensionsMax+1) + "\r\nok\r\n0\r\n\r\n", "", "bad", ""},
	{"extensions outweigh the body", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 17) + "0\r\n\r\n", "aaaaaaaaaaaaaaaa", "bad", ""},
	{"signed chunks", strings.Repeat("200;chunk-signature="+strings.Repeat("0", 64)+"\r\n"+strings.Repeat("d", 512)+"\r\n", 300) + "0\r\n\r\n",
		strings.Repeat("d", 512*300), "end", ""},
}

func TestChunkedBodies(t *testing.T) {
	for _, c := range chunkCases {
		t.Run(c.name, func(t *testing.T) {
			for _, pieces := range [][]int{nil, {1}, {2}, {3, 1, 7}} {
				body, _, rest, dec := decoded(c.raw, nil, pieces...)
				verdict := "end"
				switch rest {
				case -1:
					verdict = "bad"
				case -2:
					verdict = "again"
				}
				if body != c.body || verdict != c.verdict {
					t.Fatalf("pieces %v: %s %.60q (%v), want %s %.60q", pieces, verdict, body, dec.Reason(), c.verdict, c.body)
				}
				if dec.Done() != (verdict == "end") || (dec.Reason() != ReasonNone) != (verdict == "bad") {
					t.Errorf("pieces %v: done %v, reason %v", pieces, dec.Done(), dec.Reason())
				}
				if c.name == "something behind" && rest != len("GET") {
					t.Errorf("pieces %v: %d bytes left for the next message", pieces, rest)
				}
			}
		})
	}
}

func TestPaddedSizesAreTakenWhenAsked(t *testing.T) {
	if body, _, rest, _ := decoded("2  \r\nok\r\n0 \r\n\r\n", &Limits{Lenient: true}); body != "ok" || rest != 0 {
		t.Errorf("%q, %d", body, rest)
	}
}

func TestTrailersAreFiltered(t *testing.T) {
	_, got, _, _ := decoded("0\r\nX-T: 1\r\nHost: z\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\nAuthorization: y\r\n"+
		"Connection: X-T\r\nCookie: a=b\r\nX-Forwarded-For: 1\r\ngrpc-status: 0\r\n\r\n", nil)
	want := []string{
		"X-T: 1", "[Host: z]", "[Content-Length: x]", "[Transfer-Encoding: chunked]", "[Authorization: y]", "[Connection: X-T]",
		"[Cookie: a=b]", "[X-Forwarded-For: 1]", "grpc-status: 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZeroChunksDecode(t *testing.T) {
	var c Chunks
	skip, data, st := c.Next([]byte("2\r\nok\r\n0\r\nX: 1\r\n\r\n"))
	if skip != 3 || data != 2 || st != ChunkData {
		t.Fatal(skip, data, st)
	}
	if skip, _, st = c.Next([]byte("\r\n0\r\nX: 1\r\n\r\n")); st != ChunkEnd || skip != 13 || len(c.Trailer().Fields) != 1 {
		t.Fatal(skip, st)
	}
	if skip, data, st = c.Next([]byte("more")); skip != 0 || data != 0 || st != ChunkEnd {
		t.Error("bytes taken after the end")
	}
	c.Reset()
	if c.Done() || c.Trailer() != nil {
		t.Error("not reset")
	}
	if skip, _, st = c.Next([]byte("0\r\n\r\n")); st != ChunkEnd || skip != 5 || c.Trailer() != nil {
		t.Error("a body without trailers needs no place for them")
	}
}

func TestEncodedChunksDecode(t *testing.T) {
	for _, n := range []int{1, 9, 10, 15, 16, 255, 256, 4096, 1 << 20} {
		body := strings.Repeat("x", n)
		enc := AppendLastChunk(AppendChunkEnd(append(AppendChunkHead(nil, n), body...)))
		if got, _, rest, _ := decoded(string(enc), nil); got != body || rest != 0 {
			t.Errorf("%d bytes: %.20q does not decode", n, enc)
		}
	}
	if got := string(AppendChunkHead(nil, 0x1a2b)); got != "1a2b\r\n" {
		t.Errorf("head %q", got)
	}
	var h message.Head
	h.Add([]byte("X-T"), []byte("1"))
	h.Add([]byte("Y"), []byte("2"))
	h.Fields[1].Drop = true
	if got := string(AppendTrailers(nil, &h)); got != "0\r\nx-t: 1\r\n\r\n" {
		t.Errorf("trailers %q", got)
	}
}
