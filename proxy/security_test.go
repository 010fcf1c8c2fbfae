package proxy

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// Attacks, by the rows of the threat model that docs/security.md lists. What a
// test elsewhere proves is named there.

// Ended too early, core: a server can neither stop the process nor mix bytes.

// A chunk that is broken in the first piece of an answer once was a panic:
// "relay -> hunt".
func TestBadChunkBehindTheHeadWithRetries(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].RetryOn = []string{"all-retryable-errors"}
	sc := newScript(t, cfg)
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	s.Send(chunkedHead + "zz\r\n")
	s.WantReset("junk")
	s.Accept("the request is sent again").Want("", getA)
	s.Send(hello)
	c.Want("", hello)
}

// The client's event comes first, so that the reset shows as a write that fails.
// That once was an endless recursion.
func TestServerThatResetsWhileBytesWaitForIt(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 4<<10, 4<<10
	c, s := sc.Client(1), sc.Server("s1")
	c.Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
	s.Want("", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
	s.last("").end.Pause()
	c.Send(text(9000))
	c.end.Send([]byte(text(10)))
	s.last("").end.Reset()
	s.last("").ended = true
	sc.settle()
	c.WantStart("", sorry502)
}

// A head and its first chunk are sent as one. When the socket took only a part,
// the chunk's own bytes once had been overwritten by the copy.
func TestSmallChunksBehindTheHeadToASlowClient(t *testing.T) {
	for seed := uint64(1); seed <= 30; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1), seed)
		sc.sk.Faults = simkernel.Faults{ShortWrite: 0.5, Again: 0.3}
		c, s := sc.Client(1), sc.Server("s1")
		for range 5 {
			c.Send(getA)
			s.Want("", getA)
			s.Send(chunkedHead + chunked(text(300), 100))
			sc.settle()
			head, body, _ := strings.Cut(string(c.end.Take()), "\r\n\r\n")
			if head+"\r\n\r\n" != chunkedHead || dechunk(t, body) != text(300) {
				t.Fatalf("seed %d: got %s and %s", seed, brief(head), brief(body))
			}
		}
		sc.finish()
	}
}
