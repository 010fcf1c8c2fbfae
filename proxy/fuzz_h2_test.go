package proxy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// HTTP/2 sessions under chance: clients that mix requests, bodies, resets, windows
// and nonsense, servers that answer in pieces, late, or not at all, on a network
// that does whatever Linux may. The properties: nothing panics, nothing is left
// over, and an answer that a client takes for whole is what its server sent.

// FuzzH2Session's input is a seed.
func FuzzH2Session(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { playH2(t, seed) })
}

// TestH2SessionsUnderChance plays a fixed number of seeds, or the one of WEIR_SEED.
func TestH2SessionsUnderChance(t *testing.T) {
	if os.Getenv("WEIR_SEED") != "" {
		playH2(t, seedOf(t, 0))
		return
	}
	whole := 0
	for seed := uint64(1000); seed < chaosSeedsEnd(); seed++ {
		whole += playH2(t, seed)
	}
	if seeds := int(chaosSeedsEnd() - 1000); whole < seeds {
		t.Errorf("%d answers came whole in %d runs: that shows little", whole, seeds)
	}
}

// An h2Chaos is one run.
type h2Chaos struct {
	chaos
	h2 []*h2Player
	up map[*peer]*string // what servers got and have not answered
}

// An h2Player is a client of the run.
type h2Player struct {
	*peer
	id      uint32 // the next stream
	open    []uint32
	body    map[uint32]*strings.Builder // DATA that came
	whole   map[uint32]bool             // with END_STREAM
	status  map[uint32]string
	want    map[uint32]int  // bytes that a server sends
	close   map[uint32]bool // its end is the server's, who may leave before all is sent
	pending string
	lawful  bool // sends no nonsense
}

func playH2(t *testing.T, seed uint64) (whole int) {
	t.Helper()
	replay := fmt.Sprintf("replay: WEIR_SEED=%d go test -run TestH2SessionsUnderChance ./proxy", seed)
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: %v\n%s", replay, p, debug.Stack())
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 2))
	ch := &h2Chaos{chaos: chaos{rng: rng, calm: rng.Float64()}, up: map[*peer]*string{}}
	cfg := site(ModeHTTP, 1).loops(1 + rng.IntN(2)).limited(rng.IntN(4))
	cfg.Frontends[0].HTTPBufferRequest = ch.chance(0.2)
	cfg.Global.Tune.H2.FrontStreams = 1 + rng.IntN(20)
	cfg.Global.Tune.H2.FrontWindow = 1 + rng.IntN(100_000)
	cfg.Backends[0].Reuse = []Reuse{ReuseSafe, ReuseAlways, ReuseNever}[rng.IntN(3)]
	ch.sc = newSeededScript(t, cfg, seed)
	go io.Copy(io.Discard, ch.sc.logs)
	if ch.chance(0.6) {
		ch.sc.sk.SendBuffer, ch.sc.sk.ReceiveBuffer = 1+rng.IntN(9000), 1+rng.IntN(9000)
	}
	if ch.chance(1.1 - ch.calm) {
		ch.sc.sk.Faults = ch.faults()
	}
	for range chaosSteps {
		ch.act()
	}
	ch.sc.sk.Faults = simkernel.Faults{}
	ch.sc.settle()
	for _, p := range ch.h2 {
		p.end.Resume()
		ch.sc.settle()
		p.look()
		p.check(t)
		whole += len(p.whole)
	}
	ch.sc.finish()
	if t.Failed() {
		t.Fatal(replay)
	}
	return whole
}

// act lets one thing happen.
func (ch *h2Chaos) act() {
	switch n := ch.rng.IntN(100); {
	case n < 10 && len(ch.h2) < 5:
		p := &h2Player{
			peer: ch.sc.Client(len(ch.h2)), id: 1, body: map[uint32]*strings.Builder{}, whole: map[uint32]bool{},
			status: map[uint32]string{}, want: map[uint32]int{}, close: map[uint32]bool{}, lawful: ch.chance(0.7),
		}
		ch.h2 = append(ch.h2, p)
		window := string(binary.BigEndian.AppendUint32([]byte{0, 4}, uint32(ch.rng.IntN(70_000))))
		p.end.Send([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2Frame(4, 0, 0, window)))
	case n < 50 && len(ch.h2) > 0:
		ch.clientDoes(ch.h2[ch.rng.IntN(len(ch.h2))])
	case n < 80:
		ch.serversDo()
	case n < 92:
		ch.sc.settle()
	case n < 96:
		ch.sc.Advance(time.Duration(ch.rng.Int64N(int64(12 * time.Second))))
	default:
		ch.sc.loops[ch.rng.IntN(len(ch.sc.loops))].Turn(0)
	}
}

func (ch *h2Chaos) clientDoes(p *h2Player) {
	p.look()
	send := func(s string) { p.end.Send([]byte(s)) }
	switch n := ch.rng.IntN(20); {
	case n < 8:
		ch.ask(p)
	case n < 11 && len(p.open) > 0:
		i := ch.rng.IntN(len(p.open))
		end := ch.chance(0.4)
		send(h2Data(p.open[i], end, text(ch.rng.IntN(min(16000, int(ch.sc.p.tune.H2.FrontWindow))))))
		if end {
			p.open = append(p.open[:i], p.open[i+1:]...)
		}
	case n < 14:
		send(h2Word(8, 0, uint32(1+ch.rng.IntN(60_000))))
	case n < 16 && p.id > 1:
		send(h2Word(8, uint32(ch.rng.IntN(int(p.id)))|1, uint32(1+ch.rng.IntN(30_000))))
	case n == 16 && p.id > 1:
		send(h2Word(3, uint32(ch.rng.IntN(int(p.id)))|1, 8))
	case n == 17 && !p.lawful:
		b := make([]byte, ch.rng.IntN(40))
		for i := range b {
			b[i] = byte(ch.rng.Uint32())
		}
		send(h2Frame(byte(ch.rng.IntN(12)), byte(ch.rng.Uint32()), uint32(ch.rng.IntN(20)), string(b)))
	case n == 18:
		p.end.Pause()
	case n == 19 && ch.chance(0.2):
		p.Close()
	case n == 19 && ch.chance(0.2):
		p.CloseWrite()
	default:
		p.end.Resume()
	}
}

// ask sends a request whose path tells what is to come back.
func (ch *h2Chaos) ask(p *h2Player) {
	size := ch.rng.IntN(40_000)
	if ch.chance(0.5) {
		size = ch.rng.IntN(50)
	}
	kind := []string{"length", "chunked", "close", "cut"}[ch.rng.IntN(4)]
	p.want[p.id], p.close[p.id] = size, kind == "close"
	method, end := "GET", true
	if ch.chance(0.3) {
		method, end = "POST", false
		p.open = append(p.open, p.id)
	}
	p.end.Send([]byte(h2Request(p.id, end, method, "/"+kind+"/"+strconv.Itoa(size))))
	p.id += 2
}

// serversDo has a server look at what came and answer, in pieces or whole.
func (ch *h2Chaos) serversDo() {
	s := ch.sc.order[0]
	for end := s.srv.Accept(); end != nil; end = s.srv.Accept() {
		s.conns = append(s.conns, &peer{sc: ch.sc, name: "server", end: end})
	}
	for _, c := range s.conns {
		if ch.up[c] == nil {
			ch.up[c] = new(string)
		}
		got := ch.up[c]
		*got += string(c.end.Take())
		head := strings.Index(*got, "\r\n\r\n")
		if head < 0 || c.ended || ch.chance(0.3) {
			continue
		}
		done := !strings.Contains((*got)[:head], "transfer-encoding: chunked") || strings.Contains((*got)[head:], "0\r\n\r\n")
		if !done && ch.chance(0.9) {
			continue
		}
		path := strings.Split(strings.Fields((*got)[:head])[1], "/")
		size, _ := strconv.Atoi(path[2])
		*got = ""
		ch.reply(c, path[1], text(size))
		if !done {
			c.Close() // it has not read all: the connection is of no further use
		}
	}
}

func (ch *h2Chaos) reply(c *peer, kind, body string) {
	if ch.chance(0.2) {
		c.end.Send([]byte("HTTP/1.1 103 Early Hints\r\n\r\n"))
	}
	switch kind {
	case "length":
		c.end.Send([]byte(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body), body)))
	case "chunked":
		c.end.Send([]byte("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(body, 1+ch.rng.IntN(5000))))
	case "close":
		c.end.Send([]byte("HTTP/1.1 200 OK\r\n\r\n" + body))
		c.Close()
	case "cut":
		c.end.Send([]byte(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body)+1, body)))
		c.Close()
	}
}

// look reads what came.
func (p *h2Player) look() {
	p.pending += string(p.end.Take())
	for len(p.pending) >= 9 {
		b := []byte(p.pending)
		n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if len(b) < 9+n {
			return
		}
		id, kind, flags, payload := binary.BigEndian.Uint32(b[5:]), b[3], b[4], p.pending[9:9+n]
		p.pending = p.pending[9+n:]
		if kind == 1 && p.status[id] < "2" {
			p.status[id] = strings.Fields(fieldText([]byte(payload)) + " -")[0]
		}
		if kind == 0 {
			if p.body[id] == nil {
				p.body[id] = new(strings.Builder)
			}
			p.body[id].WriteString(payload)
		}
		if kind <= 1 && flags&1 != 0 {
			p.whole[id] = true
		}
	}
}

// check: what looks whole is whole.
func (p *h2Player) check(t *testing.T) {
	for id, status := range p.status {
		got := ""
		if p.body[id] != nil {
			got = p.body[id].String()
		}
		switch want := text(p.want[id]); {
		case status != "200":
		case p.whole[id] && got != want && !p.close[id], !strings.HasPrefix(want, got):
			t.Errorf("%s: stream %d: %d bytes, whole %v, want %d", p.name, id, len(got), p.whole[id], len(want))
		}
	}
}
