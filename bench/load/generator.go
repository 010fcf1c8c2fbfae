package load

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// Kinds of a poller's tags.
const (
	kindClient int32 = iota
	kindStop
)

const (
	scratchBytes  = 1 << 16
	contentBytes  = 1 << 20 // of the file that long uploads are sent from, again and again
	inMemoryMax   = 1 << 15 // bytes of a body that goes out with its head
	openingMax    = 256     // connections that are being opened at once
	pingBytes     = 128
	chunkBytes    = 4096
	slowWindow    = 64 << 10 // receive buffer of a slow reader
	dripsPerSec   = 10
	sourcesPerNet = 250
)

// A generator is the clients of one run.
type generator struct {
	// Set by newGenerator, then read-only.
	spec     Spec
	to       unix.Sockaddr
	poller   *socket.Poller
	interval time.Duration
	requests [][]byte // whole, or their heads
	upload   int64    // bytes of file that follow each
	file     int

	slowRequest []byte

	clients []*client
	idle    queue // open loop: clients without a request
	opened  int   // clients that were told to connect
	ready   int   // clients that have had their first answer
	next    int   // the request whose turn it is
	scratch [scratchBytes]byte

	start     time.Time // of the schedule; zero until all are ready
	countFrom time.Time
	ended     time.Time
	nextDrip  time.Time
	sent      int64 // requests of the schedule
	stop      bool

	answers, errors int64
	latency, late   *hdr.Histogram
}

func newGenerator(spec Spec) (*generator, error) {
	g := &generator{spec: spec, to: socket.Sockaddr(spec.To), latency: newHistogram(), late: newHistogram()}
	var err error
	if g.poller, err = socket.NewPoller(); err != nil {
		return nil, err
	}
	if spec.Rate > 0 {
		g.interval = time.Duration(float64(time.Second) / spec.Rate)
	}
	if spec.Post > inMemoryMax && !spec.Chunked {
		if g.file, err = contentFile(); err != nil {
			return nil, err
		}
		g.upload = spec.Post
	}
	g.slowRequest = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %v\r\n\r\n", spec.SlowPath, spec.To)
	for i := range max(spec.Paths, 1) {
		g.requests = append(g.requests, spec.request(i))
	}
	for i := range spec.Connections {
		g.clients = append(g.clients, &client{index: int32(i), fd: -1})
	}
	for i := range spec.Slow {
		g.clients = append(g.clients, &client{index: int32(spec.Connections + i), fd: -1, role: slow})
	}
	g.idle.clients = make([]*client, spec.Connections)
	return g, nil
}

func contentFile() (int, error) {
	fd, err := unix.MemfdCreate("content", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("can't make the content: %w", err)
	}
	if _, err := unix.Write(fd, bytes.Repeat([]byte("x"), contentBytes)); err != nil {
		return -1, fmt.Errorf("can't fill the content: %w", err)
	}
	return fd, nil
}

// request is the i-th of the requests that are sent in turn, with its body if
// that is kept in memory.
func (s Spec) request(i int) []byte {
	if s.Ping {
		return bytes.Repeat([]byte("p"), pingBytes)
	}
	var b bytes.Buffer
	method, path := "GET", s.Path
	if s.HasBody {
		method = "POST"
	}
	if s.Paths > 0 {
		path = fmt.Sprintf("/%d?key=%d", i, i)
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %v\r\n", method, path, s.To)
	if s.Paths > 0 {
		fmt.Fprintf(&b, "X-Key: %d\r\n", i)
	}
	if s.Close {
		b.WriteString("Connection: close\r\n")
	}
	switch {
	case s.HasBody && s.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for left := s.Post; left > 0; left -= chunkBytes {
			n := min(left, chunkBytes)
			fmt.Fprintf(&b, "%x\r\n%s\r\n", n, bytes.Repeat([]byte("x"), int(n)))
		}
		b.WriteString("0\r\n\r\n")
		return b.Bytes()
	case s.HasBody:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", s.Post)
	}
	b.WriteString("\r\n")
	if s.HasBody && s.Post <= inMemoryMax {
		b.Write(bytes.Repeat([]byte("x"), int(s.Post)))
	}
	return b.Bytes()
}

// run is the loop.
func (g *generator) run() error {
	if err := g.openMore(); err != nil {
		return err
	}
	for !g.stop {
		events := g.poller.Wait(g.timeout())
		for _, ev := range events {
			if ev.Tag.Kind == kindStop {
				g.stop = true
				continue
			}
			if err := g.clients[ev.Tag.Index].step(g, ev.Ended()); err != nil {
				return err
			}
		}
		now := time.Now()
		g.maybeBegin(now)
		if err := errors.Join(g.sendDue(now), g.drip(now)); err != nil {
			return err
		}
		if g.spec.Length > 0 && !g.countFrom.IsZero() && now.Sub(g.countFrom) > g.spec.Length {
			g.stop = true
		}
	}
	g.ended = time.Now()
	for _, c := range g.clients {
		if c.fd >= 0 {
			socket.Close(c.fd)
		}
	}
	return nil
}

// openMore keeps openingMax connections on their way, until all stand.
func (g *generator) openMore() error {
	for g.opened < len(g.clients) && g.opened-g.ready < openingMax {
		c := g.clients[g.opened]
		g.opened++
		if err := c.begin(g, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// maybeBegin starts the schedule when every client has had an answer.
func (g *generator) maybeBegin(now time.Time) {
	if g.start.IsZero() && g.ready == len(g.clients) {
		g.start, g.nextDrip = now, now
		g.countFrom = now.Add(g.spec.Warm)
	}
}

// timeout is until something is due.
func (g *generator) timeout() time.Duration {
	t := socket.Forever
	if g.start.IsZero() {
		return t
	}
	now := time.Now()
	if g.spec.Length > 0 {
		t = max(0, g.countFrom.Add(g.spec.Length).Sub(now))
	}
	if g.interval > 0 && g.idle.count > 0 {
		t = sooner(t, max(0, g.dueAt(g.sent).Sub(now)))
	}
	if g.spec.Drip > 0 {
		t = sooner(t, max(0, g.nextDrip.Sub(now)))
	}
	return t
}

func sooner(a, b time.Duration) time.Duration {
	if a < 0 {
		return b
	}
	return min(a, b)
}

// dueAt is when the n-th request of the schedule should be sent.
func (g *generator) dueAt(n int64) time.Time { return g.start.Add(time.Duration(n) * g.interval) }

// sendDue sends what the schedule wants, as far as connections are free. What has
// to wait for one keeps its time, so that the wait counts as latency.
func (g *generator) sendDue(now time.Time) error {
	if g.interval == 0 || g.start.IsZero() {
		return nil
	}
	for sent := 0; g.idle.count > 0; sent++ {
		due := g.dueAt(g.sent)
		if due.After(now) {
			return nil
		}
		c := g.idle.take()
		g.sent++
		if sent == 0 && c.since.Before(due) && !due.Before(g.countFrom) {
			record(g.late, now.Sub(due))
		}
		if err := c.begin(g, due); err != nil {
			return err
		}
	}
	return nil
}

// drip lets slow readers take their share.
func (g *generator) drip(now time.Time) error {
	if g.spec.Drip == 0 || g.start.IsZero() || now.Before(g.nextDrip) {
		return nil
	}
	g.nextDrip = g.nextDrip.Add(time.Second / dripsPerSec)
	for _, c := range g.clients {
		if c.role != slow || c.fd < 0 {
			continue
		}
		if err := c.take(g, int(g.spec.Drip/dripsPerSec)); err != nil {
			return err
		}
	}
	return nil
}

// A queue is of clients, the one that has waited longest first.
type queue struct {
	clients []*client // as many as there can be
	first   int
	count   int
}

func (q *queue) put(c *client) {
	q.clients[(q.first+q.count)%len(q.clients)] = c
	q.count++
}

func (q *queue) take() *client {
	c := q.clients[q.first]
	q.first = (q.first + 1) % len(q.clients)
	q.count--
	return c
}
