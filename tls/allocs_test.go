//go:build !race

package tls

import (
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
)

// What a request and its answer allocate: crypto/tls makes a reader of a few
// bytes each time that it looks at the socket.
func TestAllocsOfRecords(t *testing.T) {
	loop, server, client := newSides(t)
	request, buf := make([]byte, 400), make([]byte, 16384)
	pass := func(from, to *side) {
		if n, res := from.conn.Write(&from.fd, request, nil, false); res != evloop.Done || n != len(request) {
			t.Fatalf("wrote %d, %v", n, res)
		}
		loop.Turn(0)
		if n, res := to.conn.Read(&to.fd, buf); res != evloop.Done || n != len(request) {
			t.Fatalf("read %d, %v", n, res)
		}
	}
	pass(server, client) // the client reads its tickets
	const each = 2       // two looks for each read: the second finds nothing
	allocs := testing.AllocsPerRun(200, func() {
		pass(client, server)
		pass(server, client)
	})
	if allocs > 2*each {
		t.Errorf("%v allocations for a request and its answer on both sides, want %d", allocs, 2*each)
	}
}
