package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

// Whole sessions under chance: clients and servers that do anything at all, on a
// network and a machine that do whatever Linux may. The properties:
//
//   - nothing panics, no loop spins, and at the end nothing is left over
//   - a client gets the answers to its own requests, in order, unchanged as far
//     as they go
//   - a server gets one request at a time on a connection, and never more than
//     maxconn at once
//   - the bytes of a relay are a prefix of what the other side sent

// FuzzSession's input is a seed.
func FuzzSession(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { playSession(t, seed) })
}

// TestSessionsUnderChance plays a fixed number of seeds, or the one of WEIR_SEED.
func TestSessionsUnderChance(t *testing.T) {
	if os.Getenv("WEIR_SEED") != "" {
		playSession(t, seedOf(t, 0))
		return
	}
	for seed := uint64(1000); seed < chaosSeedsEnd(); seed++ {
		playSession(t, seed)
	}
}

// chaosSeedsEnd is where TestSessionsUnderChance stops; WEIR_SEEDS says how many
// it plays.
func chaosSeedsEnd() uint64 {
	n, err := strconv.ParseUint(os.Getenv("WEIR_SEEDS"), 10, 32)
	switch {
	case err == nil:
	case testing.Short():
		n = 20
	default:
		n = 150
	}
	return 1000 + n
}

const (
	chaosSteps      = 250
	chaosClientsMax = 12
	chaosProxied    = "PROXY TCP4 192.0.2.7 192.0.2.9 1111 80\r\n"
)

// A chaos is one run.
type chaos struct {
	sc      *script
	rng     *rand.Rand
	mode    Mode
	calm    float64 // how often all goes well, from 0 to 1
	maxConn int
	proxied bool // clients send a PROXY header
	clients []*chaosClient
	servers map[*peer]*chaosServer
	stopped bool
}

// A chaosClient is a client and what it has asked for.
type chaosClient struct {
	*peer
	id      int
	asked   []asking
	rest    string // still to be sent
	fin     bool   // it has sent FIN: half a head is answered by 400
	garbled bool   // it has sent what is no request, or made a tunnel: nothing more is known
}

type asking struct{ method, path string }

// A chaosServer is one connection to a server, and what it has answered.
type chaosServer struct {
	*peer
	server   *scriptServer
	asked    []string // methods and paths
	seen     int      // bytes looked at
	marked   int      // where the last request found ends
	answered int
	rest     string // of the answer
	tunnel   bool   // it has offered one
}

func playSession(t *testing.T, seed uint64) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("seed %d (replay: WEIR_SEED=%d go test -run TestSessionsUnderChance ./proxy): %v\n%s", seed, seed, p, debug.Stack())
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 99))
	ch := &chaos{rng: rng, calm: rng.Float64(), servers: map[*peer]*chaosServer{}}
	ch.sc = newSeededScript(t, ch.config(), seed)
	if ch.sc.logs != nil {
		go io.Copy(io.Discard, ch.sc.logs) // until the script closes it
	}
	if ch.chance(0.6) {
		ch.sc.sk.SendBuffer, ch.sc.sk.ReceiveBuffer = 1+rng.IntN(9000), 1+rng.IntN(9000)
	}
	if ch.chance(1.1 - ch.calm) {
		ch.sc.sk.Faults = ch.faults()
	}
	for range chaosSteps {
		ch.step()
		ch.check()
	}
	ch.sc.sk.DescriptorsMax = 1 << 16
	ch.sc.sk.Faults = simkernel.Faults{}
	for _, c := range ch.clients {
		c.end.Resume()
	}
	ch.sc.settle()
	for _, c := range ch.clients {
		ch.checkAnswers(c)
	}
	ch.sc.finish()
	if t.Failed() {
		t.Fatalf("replay: WEIR_SEED=%d go test -run TestSessionsUnderChance ./proxy", seed)
	}
}

func (ch *chaos) chance(p float64) bool { return ch.rng.Float64() < p }

func (ch *chaos) config() *Config {
	rng := ch.rng
	if ch.chance(0.3) {
		ch.mode = ModeTCP
	} else {
		ch.mode = ModeHTTP
	}
	cfg := site(ch.mode, 1+rng.IntN(3)).loops(1 + rng.IntN(3))
	fe, be := &cfg.Frontends[0], &cfg.Backends[0]
	if ch.chance(0.5) {
		fe.Log.Custom = ""
	}
	if ch.chance(0.5) {
		ch.maxConn = 1 + rng.IntN(3)
		cfg.limited(ch.maxConn)
	}
	be.Reuse = Reuse(rng.IntN(4))
	be.Redispatch = rng.IntN(3) - 1
	be.AbortOnClose = ch.chance(0.5)
	be.Balance.Algorithm = balancer.Algorithm(rng.IntN(4))
	be.HTTPBufferRequest = ch.chance(0.2)
	fe.ConnMode, be.ConnMode = ConnMode(rng.IntN(3)), ConnMode(rng.IntN(3))
	if ch.chance(0.2) {
		ch.proxied, fe.Binds[0].AcceptProxy = true, true
	}
	if ch.chance(0.3) {
		ch.rules(fe, be)
	}
	if ch.chance(0.2) {
		cfg.Global.MaxConn = 1 + rng.IntN(6)
	}
	if ch.chance(0.2) {
		be.Servers[0].SendProxy = ProxyV1
	}
	if ch.chance(0.2) {
		be.Balance.QueueMax = 1 + rng.IntN(2)
	}
	if ch.chance(0.2) {
		be.RetryOn = []string{"all-retryable-errors"}
	}
	if ch.chance(0.3) {
		cfg.Global.Tune.BufSize = 2048 + rng.IntN(4000)
	}
	return cfg
}

// rules that change heads, and answer some requests.
func (ch *chaos) rules(fe *Frontend, be *Backend) {
	fe.ForwardFor = &ForwardFor{}
	if ch.mode == ModeTCP {
		fe.TCPRules.InspectDelay = 3 * time.Second
		fe.TCPRules.Content = []Rule{{Name: "reject", Cond: Cond{Words: []string{"{", "req.payload(0,2)", "-m", "str", "c3", "}"}}}}
		return
	}
	path := func(end string) Cond { return Cond{Words: []string{"{", "path_end", "--", end, "}"}} }
	fe.HTTPRules.Request = []Rule{
		{Name: "deny", Cond: path("-3")},
		{Name: "tarpit", Cond: path("-4")},
		{Name: "redirect", Args: []string{"location", "/elsewhere"}, Cond: path("-5")},
		{Name: "set-header", Args: []string{"x-set", "%[path]"}},
	}
	be.HTTPRules.Response = []Rule{{Name: "set-header", Args: []string{"x-more", text(200)}}}
	be.Cookie = &Cookie{Name: "SRV", Insert: true, Indirect: true}
	for i := range be.Servers {
		be.Servers[i].Cookie = be.Servers[i].Name
	}
	fe.Log.CaptureRequest = []Capture{{Name: "host", Len: 20}}
}

func (ch *chaos) faults() simkernel.Faults {
	some := func(p float64) float64 {
		if ch.chance(0.5) {
			return 0
		}
		return p * ch.rng.Float64()
	}
	return simkernel.Faults{
		ShortRead: some(0.6), ShortWrite: some(0.6), Again: some(0.4), Reset: some(0.02),
		Refuse: some(0.4), Slow: some(0.4), Abort: some(0.3), Spurious: some(0.1),
	}
}

// step lets one thing happen.
func (ch *chaos) step() {
	sc := ch.sc
	switch n := ch.rng.IntN(100); {
	case n < 15 && len(ch.clients) < chaosClientsMax:
		id := len(ch.clients)
		end := sc.sk.Client(sc.doors[0])
		ch.clients = append(ch.clients, &chaosClient{peer: sc.addClient(id, end), id: id})
	case n < 45:
		ch.clientActs()
	case n < 75:
		ch.serverActs()
	case n < 85:
		sc.loops[ch.rng.IntN(len(sc.loops))].Turn(0)
	case n < 92:
		sc.settle()
		if ch.chance(ch.calm) {
			ch.everybodyActs()
		}
	case n < 96:
		sc.Advance(time.Duration(ch.rng.Int64N(int64(20 * time.Second))))
	default:
		ch.machineActs()
	}
}

// machineActs changes what servers and the system do.
func (ch *chaos) machineActs() {
	sc := ch.sc
	s := sc.order[ch.rng.IntN(len(sc.order))]
	be := sc.p.plan.Load().backends[0]
	srv := be.servers[ch.rng.IntN(len(be.servers))]
	switch ch.rng.IntN(8) {
	case 0:
		s.srv.Refuse(ch.chance(0.5))
	case 1:
		s.srv.Swallow(ch.chance(0.3))
	case 2:
		s.srv.Delay(time.Duration(ch.rng.IntN(5)) * time.Second)
	case 3:
		sc.sk.DescriptorsMax = 6 + ch.rng.IntN(20)
	case 4:
		sc.sk.DescriptorsMax = 1 << 16
	case 5:
		sc.p.checked(sc.p.workers[0], srv, health.Report{Changed: true, Up: ch.chance(0.6), ShutdownSessions: ch.chance(0.5)})
	case 6:
		be.live.bal.SetWeight(srv.bal, ch.rng.IntN(3))
	case 7:
		if !ch.stopped && ch.chance(0.1) {
			ch.stopped = true
			sc.p.beginShutdown()
		}
	}
}

// clientActs has some client do something.
func (ch *chaos) clientActs() {
	if len(ch.clients) == 0 {
		return
	}
	c := ch.clients[ch.rng.IntN(len(ch.clients))]
	switch n := ch.rng.IntN(100); {
	case n < 75 || ch.chance(ch.calm):
		if c.rest == "" && len(c.asked) < 20 {
			c.rest = ch.request(c)
			if len(c.asked) == 1 && ch.proxied {
				c.rest = chaosProxied + c.rest
			}
		}
		k := len(c.rest)
		if k > 0 && ch.chance(0.5*(1-ch.calm)) {
			k = 1 + ch.rng.IntN(k)
		}
		c.end.Send([]byte(c.rest[:k]))
		c.rest = c.rest[k:]
	case n < 80:
		c.end.Pause()
	case n < 92:
		c.end.Resume()
	case n < 94:
		c.fin = true
		c.end.CloseWrite()
	case n < 96:
		c.fin = true
		c.end.Close()
	case n < 97:
		c.end.Reset()
	default:
		c.end.Read(ch.rng.IntN(3000))
	}
}

// request is the next thing that a client sends.
func (ch *chaos) request(c *chaosClient) string {
	if ch.mode == ModeTCP {
		if len(c.asked) > 0 {
			return ""
		}
		c.asked = append(c.asked, asking{})
		return fmt.Sprintf("c%d:", c.id) + text(ch.rng.IntN(100_000))
	}
	path := fmt.Sprintf("/c%d-%d", c.id, len(c.asked))
	line := func(method string) string {
		c.asked = append(c.asked, asking{method, path})
		return method + " " + path + " HTTP/1.1\r\nhost: x\r\n"
	}
	body := text(ch.rng.IntN(1 << ch.rng.IntN(17)))
	switch n := ch.rng.IntN(100 - int(10*ch.calm)); {
	case n < 50:
		return line("GET") + "\r\n"
	case n < 55:
		return line("HEAD") + "\r\n"
	case n < 70:
		return line("POST") + fmt.Sprintf("content-length: %d\r\n\r\n%s", len(body), body)
	case n < 85:
		return line("POST") + "transfer-encoding: chunked\r\n\r\n" + ch.chunks(body)
	case n < 90:
		return line("GET") + "connection: close\r\n\r\n"
	case n < 93:
		c.garbled = true
		return line("POST") + "transfer-encoding: chunked\r\n\r\nxyz\r\n"
	case n < 96:
		c.garbled = true
		return line("GET") + "connection: upgrade\r\nupgrade: y\r\n\r\n" + body
	case n < 98:
		c.garbled = true
		return "\x00\x01garbage\r\n\r\n"
	}
	c.garbled = true
	return line("GET") + "x: " + text(40_000) + "\r\n\r\n"
}

// everybodyActs lets what is under way come to its end.
func (ch *chaos) everybodyActs() {
	for _, c := range ch.clients {
		c.end.Resume()
		c.end.Send([]byte(c.rest))
		c.rest = ""
	}
	for range 3 {
		ch.sc.settle()
		for _, p := range ch.accepted() {
			p.end.Resume()
			ch.sc.settle()
			calm := ch.calm
			ch.calm = 1
			ch.answer(ch.servers[p])
			ch.calm = calm
		}
	}
}

// accepted are all connections to servers, oldest first in each.
func (ch *chaos) accepted() []*peer {
	var all []*peer
	for _, s := range ch.sc.order {
		for end := s.srv.Accept(); end != nil; end = s.srv.Accept() {
			p := &peer{sc: ch.sc, name: "server " + s.name, end: end}
			s.conns = append(s.conns, p)
			ch.servers[p] = &chaosServer{peer: p, server: s}
		}
		all = append(all, s.conns...)
	}
	return all
}

// chunks is a chunked body, now and then with trailers.
func (ch *chaos) chunks(body string) string {
	s := chunked(body, 1+ch.rng.IntN(5000))
	if ch.chance(0.3) {
		s = s[:len(s)-2] + "x-sum: " + text(ch.rng.IntN(300)) + "\r\nx-b: c\r\n\r\n"
	}
	return s
}

// serverActs has some server do something.
func (ch *chaos) serverActs() {
	all := ch.accepted()
	if len(all) == 0 {
		return
	}
	s := ch.servers[all[len(all)-1-ch.rng.IntN(min(len(all), 6))]]
	switch n := ch.rng.IntN(100); {
	case n < 80 || ch.chance(ch.calm):
		ch.answer(s)
	case n < 84:
		s.end.Pause()
	case n < 92:
		s.end.Resume()
	case n < 94:
		s.end.CloseWrite()
	case n < 96:
		s.end.Close()
	case n < 97:
		s.end.Reset()
	default:
		s.end.Read(ch.rng.IntN(3000))
	}
}

// answer sends the next piece of what a server has to say.
func (ch *chaos) answer(s *chaosServer) {
	ch.look(s)
	if s.rest == "" {
		switch {
		case ch.mode == ModeTCP && s.answered == 0:
			s.answered++
			s.rest = "s:" + text(ch.rng.IntN(100_000))
		case ch.mode == ModeHTTP && s.answered < len(s.asked):
			s.rest = ch.response(s.asked[s.answered])
			s.tunnel = s.tunnel || strings.HasPrefix(s.rest, "HTTP/1.1 101")
		default:
			return
		}
	}
	k := len(s.rest)
	if ch.chance(0.5 * (1 - ch.calm)) {
		k = 1 + ch.rng.IntN(k)
	}
	piece := s.rest[:k]
	if s.rest = s.rest[k:]; s.rest == "" && ch.mode == ModeHTTP {
		s.answered++
	}
	s.end.Send([]byte(piece))
}

var pathMark = regexp.MustCompile(`[A-Z]+ /c\d+-\d+ HTTP`)

// look finds the requests that came.
func (ch *chaos) look(s *chaosServer) {
	if ch.mode == ModeTCP {
		return
	}
	got := s.end.Recv()
	if len(got) == s.seen {
		return
	}
	s.seen = len(got)
	for _, m := range pathMark.FindAllIndex(got[s.marked:], -1) {
		s.asked = append(s.asked, string(got[s.marked+m[0]:s.marked+m[1]-len(" HTTP")]))
	}
	if n := bytes.LastIndex(got, []byte("HTTP")); n >= 0 {
		s.marked = n
	}
}

// bodyOf is what servers answer to a request.
func bodyOf(path string) string {
	n := 0
	for _, c := range path {
		n = n*31 + int(c)
	}
	limit := 20_000
	if n%8 == 0 { // long enough for splice
		limit = 90_000
	}
	return path + ":" + text(n%limit)
}

// response makes an answer.
func (ch *chaos) response(asked string) string {
	method, path, _ := strings.Cut(asked, " ")
	body := bodyOf(path)
	head := "HTTP/1.1 200 OK\r\nx-id: " + path + "\r\n"
	switch n := ch.rng.IntN(100 - int(25*ch.calm)); {
	case method == "HEAD":
		return head + fmt.Sprintf("content-length: %d\r\n\r\n", len(body))
	case n < 40:
		return head + fmt.Sprintf("content-length: %d\r\n\r\n%s", len(body), body)
	case n < 65:
		return head + "transfer-encoding: chunked\r\n\r\n" + ch.chunks(body)
	case n < 70:
		return "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + head + fmt.Sprintf("content-length: %d\r\n\r\n%s", len(body), body)
	case n < 75:
		return "HTTP/1.1 204 No Content\r\nx-id: " + path + "\r\n\r\n"
	case n < 80:
		return head + fmt.Sprintf("connection: close\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
	case n < 85:
		return head + "\r\n" + body
	case n < 88:
		return "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: y\r\n\r\n" + body
	case n < 92:
		return "HTTP/1.1 503 Busy\r\nx-id: " + path + "\r\ncontent-length: 0\r\n\r\n"
	case n < 96:
		return head + "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzzz\r\n"
	}
	return "garbage\r\n\r\n"
}

// check looks at what must hold at any time.
func (ch *chaos) check() {
	if ch.mode == ModeTCP {
		return
	}
	t := ch.sc.t
	for _, s := range ch.sc.order {
		busy := 0
		for _, p := range s.conns {
			c := ch.servers[p]
			ch.look(c)
			if c.tunnel {
				continue
			}
			if n := len(c.asked); n > c.answered+1 {
				t.Fatalf("seed %d: %d requests on a connection with %d answers: %v", ch.sc.sk.Seed(), n, c.answered, c.asked)
			} else if n > c.answered && p.end.Open() && !p.end.EOF() {
				busy++
			}
		}
		if ch.maxConn > 0 && busy > ch.maxConn {
			t.Fatalf("seed %d: server %s has %d requests at once, maxconn %d", ch.sc.sk.Seed(), s.name, busy, ch.maxConn)
		}
	}
}

// checkAnswers looks at all that a client got.
func (ch *chaos) checkAnswers(c *chaosClient) {
	t, got := ch.sc.t, c.end.Recv()
	if ch.mode == ModeTCP {
		if want := "s:" + text(100_000); !strings.HasPrefix(want, string(got)) {
			t.Fatalf("seed %d: client %d got %s", ch.sc.sk.Seed(), c.id, brief(string(got)))
		}
		return
	}
	if c.garbled {
		return
	}
	r := bufio.NewReaderSize(bytes.NewReader(got), len(got)+16) // all can be peeked at
	for i := 0; i < len(c.asked); i++ {
		if whole, wrong := readAnswer(r, c.asked[i]); wrong != "" {
			t.Fatalf("seed %d: client %d, request %d: %s\nof %s", ch.sc.sk.Seed(), c.id, i, wrong, brief(string(got)))
		} else if !whole {
			return
		}
	}
	rest, _ := io.ReadAll(r)
	if allowed := bytes.HasPrefix(rest, []byte(sorryEarly408)) || c.fin && bytes.HasPrefix(rest, []byte(sorryEarly400)); len(rest) > 0 && !allowed {
		t.Fatalf("seed %d: client %d got more answers than it has asked for: %s\nafter %s", ch.sc.sk.Seed(), c.id, brief(string(rest)), brief(string(got)))
	}
}

// readAnswer reads the answer to a request. whole is false when nothing, or only
// a part of it, is there.
func readAnswer(r *bufio.Reader, to asking) (whole bool, wrong string) {
	var resp *http.Response
	for resp == nil || resp.StatusCode < 200 {
		r.Peek(1)
		if rest, _ := r.Peek(r.Buffered()); !bytes.Contains(rest, []byte("\r\n\r\n")) {
			return false, ""
		}
		var err error
		if resp, err = http.ReadResponse(r, &http.Request{Method: to.method}); err != nil {
			return false, err.Error()
		}
	}
	body, err := io.ReadAll(resp.Body)
	id := resp.Header.Get("x-id")
	switch {
	case id == "": // an answer of the proxy's own, or broken
		if resp.StatusCode < 300 {
			return false, "an answer from nowhere: " + resp.Status
		}
	case id != to.path:
		return false, "asked for " + to.path + ", got " + id
	case to.method != "HEAD" && resp.StatusCode == 200 && !strings.HasPrefix(bodyOf(id), string(body)) && !strings.HasPrefix("hello", string(body)):
		return false, "the body is another: " + brief(string(body))
	case err == nil && to.method != "HEAD" && resp.StatusCode == 200 && resp.ContentLength >= 0 && len(body) != len(bodyOf(id)):
		return false, "the body is cut: " + strconv.Itoa(len(body))
	}
	return err == nil && !resp.Close, ""
}
