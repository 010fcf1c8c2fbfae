package proxy

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An idleRecord is one line of testdata/idle: what HAProxy did.
type idleRecord struct {
	line  string
	burst int
	value string // the field before burst
	conns []int
}

func readIdleRecords(t *testing.T, name string) []idleRecord {
	t.Helper()
	text, err := os.ReadFile("testdata/idle/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all []idleRecord
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		head, tail, _ := strings.Cut(line, ":")
		words := strings.Fields(head)
		if len(words) != 3 {
			t.Fatalf("%s: %q has not three fields before the colon", name, line)
		}
		r := idleRecord{line: line, value: words[1], burst: atoi(t, words[2])}
		for _, word := range strings.Fields(tail) {
			r.conns = append(r.conns, atoi(t, word))
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no records", name)
	}
	return all
}

func atoi(t *testing.T, word string) int {
	t.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A burster sends bursts of requests, each from a client of its own, to the one
// server of a site.
type burster struct {
	sc      *script
	s       *scriptServer
	clients int // so far
	opened  int // server connections, by the last burst
}

func newBurster(t *testing.T, cfg *Config) *burster {
	sc := newScript(t, cfg)
	return &burster{sc: sc, s: sc.Server("s1")}
}

// burst has n requests under way at once, then answered; then the clients leave.
func (b *burster) burst(n int) {
	b.sc.t.Helper()
	first := b.clients
	b.clients += n
	for i := range n {
		b.sc.Client(first + i).Send(getA)
	}
	b.opened = b.acceptAll()
	answered := 0
	for _, c := range b.s.conns {
		if string(c.end.Take()) == getA {
			c.end.Send([]byte(ok))
			answered++
		}
	}
	if answered != n {
		b.sc.t.Fatalf("%d of %d requests came to the server", answered, n)
	}
	for i := range n {
		c := b.sc.Client(first + i)
		c.Want("the burst is answered", ok)
		c.ended = true
		c.end.Close()
	}
	b.sc.settle()
}

func (b *burster) acceptAll() (n int) {
	for {
		end := b.s.srv.Accept()
		if end == nil {
			return n
		}
		n++
		b.s.conns = append(b.s.conns, &peer{sc: b.sc, name: fmt.Sprintf("server connection %d", len(b.s.conns)), end: end})
	}
}

// open is how many server connections stand.
func (b *burster) open() (n int) {
	b.sc.settle()
	for _, c := range b.s.conns {
		if c.end.WasReset() || c.end.EOF() {
			c.ended = true
			continue
		}
		n++
	}
	return n
}

func TestIdleConnectionsLeaveMuchAsHAProxysDo(t *testing.T) {
	for _, r := range readIdleRecords(t, "after-burst.txt") {
		t.Run(r.line, func(t *testing.T) {
			delay, err := time.ParseDuration(r.value)
			if err != nil {
				t.Fatal(err)
			}
			cfg := site(ModeHTTP, 1)
			cfg.Backends[0].Servers[0].PoolPurgeDelay = delay
			b := newBurster(t, cfg)
			b.burst(r.burst)
			b.sc.Advance(delay / 2)
			for i, theirs := range r.conns {
				if got := b.open(); theirs == r.burst && got != r.burst {
					t.Fatalf("%d.5 delays after the burst: %d connections, HAProxy has all %d", i, got, theirs)
				}
				b.sc.Advance(delay)
			}
			b.sc.Advance(delay)
			if got := b.open(); got != 0 {
				t.Errorf("%d connections are open two delays after HAProxy had none", got)
			}
		})
	}
}

func TestIdleConnectionsLeaveByHalvesFromTheFourthDelayOn(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	b := newBurster(t, cfg)
	b.burst(21)
	const delay = 5 * time.Second // the default
	b.sc.Advance(4*delay - 10*time.Millisecond)
	for _, want := range []int{21, 10, 5, 2, 1, 0} {
		if got := b.open(); got != want {
			t.Fatalf("%d connections are open, want %d", got, want)
		}
		b.sc.Advance(delay)
	}
}

func TestPeriodicBurstsWithinThreeDelaysOpenNoNewConnections(t *testing.T) {
	const delay = 500 * time.Millisecond
	for _, r := range readIdleRecords(t, "periodic.txt") {
		t.Run(r.line, func(t *testing.T) {
			delays, err := strconv.ParseFloat(r.value, 64)
			if err != nil {
				t.Fatal(err)
			}
			cfg := site(ModeHTTP, 1)
			cfg.Backends[0].Reuse = ReuseAlways
			cfg.Backends[0].Servers[0].PoolPurgeDelay = delay
			b := newBurster(t, cfg)
			for i, theirs := range r.conns {
				b.burst(r.burst)
				switch {
				case i == 0 && b.opened != r.burst:
					t.Fatalf("the first burst opened %d connections, want %d", b.opened, r.burst)
				case i > 0 && delays <= 3 && b.opened != 0:
					t.Fatalf("burst %d opened %d connections; HAProxy opened %d", i, b.opened, theirs)
				}
				b.sc.Advance(time.Duration(delays * float64(delay)))
			}
		})
	}
}

func TestSteadyTrafficKeepsWhatItUsesAndNoMore(t *testing.T) {
	const delay = 500 * time.Millisecond
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].Reuse = ReuseAlways
	cfg.Backends[0].Servers[0].PoolPurgeDelay = delay
	b := newBurster(t, cfg)
	b.burst(16)
	for range 100 {
		b.burst(4)
		if b.opened != 0 {
			t.Fatalf("%d connections were opened beside idle ones", b.opened)
		}
		b.sc.Advance(delay / 10)
	}
	if got := b.open(); got != 4 {
		t.Errorf("%d connections are open after ten delays with four in use at once, want 4", got)
	}
}

// HAProxy: 8, 8, 8, 8 connections stay after bursts of 8, 2, 2, 2 fresh clients,
// which may not use idle ones with http-reuse safe.
func TestIdleConnectionsDoNotOutnumberThoseUsedAtOnce(t *testing.T) {
	b := newBurster(t, site(ModeHTTP, 1))
	for _, step := range []struct{ burst, open int }{{1, 1}, {3, 3}, {8, 8}, {2, 8}, {2, 8}, {1, 8}, {1, 8}} {
		b.burst(step.burst)
		if b.opened != step.burst {
			t.Fatalf("%d fresh clients opened %d connections", step.burst, b.opened)
		}
		if got := b.open(); got != step.open {
			t.Fatalf("%d connections are open after a burst of %d, want %d", got, step.burst, step.open)
		}
	}
}

func TestPoolMaxConnBoundsIdleConnectionsOfAllLoops(t *testing.T) {
	for _, bound := range []int{1, 2, 4, 8} {
		for loops := 1; loops <= 2; loops++ {
			cfg := site(ModeHTTP, 1).loops(loops)
			cfg.Backends[0].Servers[0].PoolMaxConn = bound
			b := newBurster(t, cfg)
			for range 3 {
				b.burst(16)
				if got := b.open(); got != bound {
					t.Fatalf("%d loops: %d connections are idle, pool-max-conn is %d", loops, got, bound)
				}
			}
			b.sc.Advance(time.Minute)
			if got := b.open(); got != 0 {
				t.Errorf("%d connections are open after a minute", got)
			}
			b.burst(16)
			if got := b.open(); got != bound {
				t.Errorf("%d loops: %d connections are idle after a purge, pool-max-conn is %d", loops, got, bound)
			}
		}
	}
}

func TestNoIdleConnectionIsKeptWhenThePoolIsOff(t *testing.T) {
	for name, off := range map[string]func(s *Server){
		"pool-max-conn 0":    func(s *Server) { s.PoolNone = true },
		"pool-purge-delay 0": func(s *Server) { s.PoolPurgeDelay = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			off(&cfg.Backends[0].Servers[0])
			b := newBurster(t, cfg)
			b.burst(8)
			if got := b.open(); got != 0 {
				t.Errorf("%d connections are open", got)
			}
		})
	}
}

func TestAPurgeOfManyConnectionsTakesSeveralTurns(t *testing.T) {
	b := newBurster(t, site(ModeHTTP, 1))
	const many = 2*purgeBatchMax + 100
	b.burst(many)
	b.sc.Advance(4*5*time.Second - 10*time.Millisecond)
	if got := b.open(); got != many {
		t.Fatalf("%d connections are open before the first purge, want %d", got, many)
	}
	before := many
	for range 50 {
		b.sc.Advance(time.Millisecond)
		got := b.open()
		if before-got > purgeBatchMax {
			t.Fatalf("%d connections were closed at once", before-got)
		}
		before = got
	}
	if before != many/2 {
		t.Errorf("%d connections are open after the first purge, want %d", before, many/2)
	}
}
