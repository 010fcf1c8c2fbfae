package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// Half-open clients: connected, and silent from the start or in the middle of
// a head.
func TestE2EClientsThatSayNothing(t *testing.T) {
	const each = 40
	r := newRig(t)
	cfg := e2eSite(ModeHTTP, refusingAddress(t))
	r.start(cfg.timeouts(func(to *Timeouts) { to.HTTPRequest = 200 * time.Millisecond }))
	var clients []*wire
	for range each {
		silent, half := r.dial(), r.dial()
		half.send("GET / HTTP/1.1\r\nhost: x\r\nx-half: ")
		clients = append(clients, silent, half)
	}
	for _, c := range clients {
		c.wantAnswer("timeout http-request", 408)
		c.wantEnd("and the connection ends")
		c.close()
	}
	r.wantLogs("", times(2*each, "408 cR-- fe/<NOSRV> 0 0/0")...)
	r.wantTally(tally{badRequest: 2 * each, answers4: 2 * each})
}

func TestE2EClientsThatGoAtOnce(t *testing.T) {
	const each = 20
	r := newRig(t)
	r.start(e2eSite(ModeHTTP, refusingAddress(t)))
	for range each {
		r.dial().close()
		half := r.dial()
		half.send("GET / HT")
		half.reset()
	}
	r.wantLogs("whether or not anybody could be answered", times(2*each, "400 CR-- fe/<NOSRV> 0 0/0")...)
	r.wantTally(tally{badRequest: 2 * each, answers4: 2 * each})
}

// A flood is a server whose answer has a length, and which notices when it may
// write no more.
type flood struct {
	size    int
	stalled chan int      // bytes written when writing stood still
	goOn    chan struct{} // closed: stalled connections go on
	written atomic.Int64
}

const (
	floodPiece  = 32 << 10
	floodStalls = 300 * time.Millisecond // without a byte taken: it stands still
)

func (f *flood) respond(conn *net.TCPConn, path string) error {
	if path != "/flood" {
		return respondOK(conn, path)
	}
	conn.SetWriteBuffer(floodPiece)
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", f.size); err != nil {
		return err
	}
	piece := make([]byte, floodPiece)
	sent, told := 0, false
	for sent < f.size {
		conn.SetWriteDeadline(time.Now().Add(floodStalls))
		n, err := conn.Write(piece[:min(floodPiece, f.size-sent)])
		sent += n
		f.written.Add(int64(n))
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if n == 0 && !told {
			told = true
			f.stalled <- sent
			<-f.goOn
		}
	}
	conn.SetWriteDeadline(time.Time{})
	return nil
}

// slowSite has small socket buffers, so that what is under way is known.
func slowSite(addr string) *Config {
	cfg := e2eSite(ModeHTTP, addr)
	cfg.Global.Tune.RcvBufServer, cfg.Global.Tune.SndBufClient = floodPiece, floodPiece
	return cfg
}

// Nobody's memory grows for a client that does not read: the server is not
// read either, and others are served as if nothing were.
func TestE2ESlowReaders(t *testing.T) {
	const readers, others = 20, 200
	r := newRig(t)
	f := &flood{size: 4 << 20, stalled: make(chan int, readers), goOn: make(chan struct{})}
	server := newWireServer(t)
	server.respond(f.respond)
	r.start(slowSite(server.addr))
	var slow []*wire
	for range readers {
		c := r.dial()
		c.conn.SetReadBuffer(floodPiece)
		c.get("/flood")
		slow = append(slow, c)
	}
	for range readers {
		if sent := <-f.stalled; sent > 1<<20 {
			t.Errorf("the server got rid of %d bytes for a client that reads none; want at most four socket buffers", sent)
		}
	}
	before, h := f.written.Load(), holdingsOf(r.p)
	if h.Buffers > 2*readers || h.Slots != readers || h.Exchanges != readers {
		t.Errorf("held for %d readers: %+v", readers, h)
	}
	fast := r.dial()
	for range others {
		fast.get("/")
		fast.wantAnswer("others are served", 200)
	}
	r.wantLogs("others", times(others, "200 ---- be/s1 0 0/0")...)
	if n := f.written.Load(); n != before {
		t.Errorf("the server wrote %d bytes more to clients that read none", n-before)
	}
	close(f.goOn)
	for _, c := range slow {
		if status, n, err := c.answer("it reads again"); status != 200 || n != f.size || err != nil {
			t.Errorf("a slow reader got %d with %d bytes and error %v", status, n, err)
		}
	}
	r.wantLogs("slow readers, whole", times(readers, "200 ---- be/s1 0 0/0")...)
	r.wantTally(tally{total: readers + others, answers2: readers + others})
}

func TestE2EReadersThatNeverRead(t *testing.T) {
	const readers = 10
	r := newRig(t)
	f := &flood{size: 4 << 20, stalled: make(chan int, readers), goOn: make(chan struct{})}
	close(f.goOn)
	server := newWireServer(t)
	server.respond(f.respond)
	cfg := slowSite(server.addr)
	r.start(cfg.timeouts(func(to *Timeouts) { to.Client = 300 * time.Millisecond }))
	var slow []*wire
	for range readers {
		c := r.dial()
		c.conn.SetReadBuffer(floodPiece)
		c.get("/flood")
		slow = append(slow, c)
	}
	r.wantLogs("timeout client", times(readers, "200 cD-- be/s1 0 0/0")...)
	for _, c := range slow {
		c.wantHead("what was sent", 200)
		if n, err := io.Copy(io.Discard, c.in); n >= int64(f.size) {
			t.Errorf("got %d bytes and error %v, want a cut body", n, err)
		}
	}
	r.wantTally(tally{total: readers, answers2: readers, clientAbort: readers})
}

// The mirror image: a server that does not read what a client sends.
func TestE2EServerThatDoesNotRead(t *testing.T) {
	const size = 4 << 20
	r := newRig(t)
	server := newWireServer(t)
	cfg := slowSite(server.addr)
	cfg.Global.Tune.RcvBufClient, cfg.Global.Tune.SndBufServer = floodPiece, floodPiece
	r.start(cfg.timeouts(func(to *Timeouts) { to.Server = 500 * time.Millisecond }))
	c := r.dial()
	c.conn.SetWriteBuffer(floodPiece)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", size))
	s := server.accept("the head goes ahead of the body")
	s.conn.SetReadBuffer(floodPiece)
	sent := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(c.conn, io.LimitReader(zeroes{}, size))
		sent <- n
	}()
	r.wantLogs("timeout server", "504 sH-- be/s1 0 0/0")
	if n := <-sent; n >= size {
		t.Errorf("the client got rid of %d bytes for a server that reads none", n)
	}
	r.wantTally(tally{total: 1, answers5: 1, badAnswer: 1})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { return len(p), nil }
