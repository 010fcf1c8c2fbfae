package proxy

import (
	"fmt"
	"testing"
	"time"
)

// busySite is a rig whose only server has one slot, which a first client has
// taken: its connection at the server is returned with it.
func busySite(r *rig, change func(cfg *Config)) (server *wireServer, client, taken *wire) {
	r.t.Helper()
	server = newWireServer(r.t)
	cfg := e2eSite(ModeHTTP, server.addr).limited(1)
	change(cfg)
	r.start(cfg)
	client = r.get("/first")
	taken = server.accept("the first request")
	if path := taken.request("the first request"); path != "/first" {
		r.t.Fatalf("got a request for %s", path)
	}
	return server, client, taken
}

const replyOK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

// free answers the request that has the slot.
func free(client, taken *wire) {
	client.t.Helper()
	taken.send(replyOK)
	client.wantAnswer("the first request is answered", 200)
	taken.close() // so that the next request comes on a connection of its own, on whichever loop
}

func TestE2EQueueIsFull(t *testing.T) {
	r := newRig(t)
	server, first, taken := busySite(r, func(cfg *Config) { cfg.Backends[0].Balance.QueueMax = 2 })
	second := r.get("/second")
	r.until("it waits", func() bool { return r.waiting() == 1 })
	third := r.get("/third")
	r.until("both wait", func() bool { return r.waiting() == 2 })
	for range 3 {
		r.get("/refused").wantAnswer("no place in the queue", 503)
	}
	r.wantLogs("refused at once", times(3, "503 SQ-- be/<NOSRV> 0 0/0")...)
	free(first, taken)
	s := server.accept("the slot is free")
	s.serve("the longest waiter", "/second")
	second.wantAnswer("it has waited", 200)
	s.close()
	server.accept("the slot is free again").serve("the next", "/third")
	third.wantAnswer("it has waited", 200)
	r.wantLogs("those that waited", "200 ---- be/s1 0 0/0", "200 ---- be/s1 0 0/1", "200 ---- be/s1 0 0/2")
	r.wantTally(tally{total: 6, answers2: 3, answers5: 3, queueFull: 3})
}

// maxqueue bounds the waiters of one server, those whose cookie binds them to
// it. The next one is served elsewhere only with option redispatch.
func TestE2EServerQueueIsFull(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		r := serverQueueIsFull(t, 0, 503)
		r.wantLogs("", "200 --VN be/s1 0 0/0", "200 --VN be/s1 0 1/0", "503 SQVN be/s1 0 0/0")
		r.wantTally(tally{total: 3, answers2: 2, answers5: 1, queueFull: 1})
	})
	t.Run("redispatch", func(t *testing.T) {
		r := serverQueueIsFull(t, -1, 200)
		r.wantLogs("", "200 --VN be/s1 0 0/0", "200 --VN be/s1 0 1/0", "200 --DI be/s2 +0 0/0")
		r.wantTally(tally{total: 3, answers2: 3, redispatch: 1})
	})
}

func serverQueueIsFull(t *testing.T, redispatch, third int) *rig {
	r := newRig(t)
	first, second := newWireServer(t), newWireServer(t)
	second.respond(respondOK)
	cfg := e2eSite(ModeHTTP, first.addr, second.addr).limited(1)
	be := &cfg.Backends[0]
	be.Redispatch = redispatch
	be.Cookie = &Cookie{Name: "S", Insert: true, Indirect: true}
	for i, value := range []string{"one", "two"} {
		be.Servers[i].Cookie = value
		be.Balance.Servers[i].MaxQueue = 1
	}
	r.start(cfg)
	sticky := func() *wire {
		w := r.dial()
		w.send("GET / HTTP/1.1\r\nhost: x\r\ncookie: S=one\r\n\r\n")
		return w
	}
	holds := sticky()
	taken := first.accept("the slot")
	taken.request("the slot")
	waits := sticky()
	r.until("it waits for its server", func() bool { return r.waiting() == 1 })
	sticky().wantAnswer("no place in that server's queue", third)
	taken.send(replyOK)
	holds.wantAnswer("the first is answered", 200)
	taken.close()
	first.accept("the slot is free").serve("the second", "/")
	waits.wantAnswer("it has waited", 200)
	return r
}

func TestE2EQueueTimeout(t *testing.T) {
	r := newRig(t)
	_, first, taken := busySite(r, func(cfg *Config) {
		cfg.timeouts(func(to *Timeouts) { to.Queue = 100 * time.Millisecond })
	})
	second := r.get("/second")
	second.wantAnswer("waited too long", 503)
	r.wantLogs("", "503 sQ-- be/<NOSRV> 0 0/1")
	if n := r.slots(); n != 1 {
		t.Errorf("%d slots are taken, want the first request's", n)
	}
	free(first, taken)
	r.wantLogs("", "200 ---- be/s1 0 0/0")
	r.wantTally(tally{total: 2, answers2: 1, answers5: 1, queueTimeout: 1})
}

func TestE2EClientsGoWhileQueued(t *testing.T) {
	const gone = 20
	r := newRig(t)
	server, first, taken := busySite(r, func(cfg *Config) { cfg.Backends[0].AbortOnClose = true })
	var leaving []*wire
	for n := range gone {
		leaving = append(leaving, r.get("/gone"))
		r.until("it waits", func() bool { return r.waiting() == n+1 })
	}
	last := r.get("/last")
	r.until("the last waits", func() bool { return r.waiting() == gone+1 })
	for n, w := range leaving {
		if n%2 == 0 {
			w.reset()
		} else {
			w.close()
		}
	}
	r.until("those that have gone have given up their places", func() bool { return r.waiting() == 1 })
	if n := r.slots(); n != 1 {
		t.Errorf("%d slots are taken, want the first request's", n)
	}
	free(first, taken)
	server.accept("the slot was not lost").serve("to a client that has gone", "/last")
	last.wantAnswer("", 200)
	lines := []string{"200 ---- be/s1 0 0/0", "200 ---- be/s1 0 0/21"}
	for n := range gone {
		lines = append(lines, fmt.Sprintf("-1 CQ-- be/<NOSRV> 0 0/%d", n+1))
	}
	r.wantLogs("", lines...)
	r.wantTally(tally{total: gone + 2, answers2: 2, clientAbort: gone})
}
