//go:build !race && !weirdebug

package proxy

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/listener"
)

// The hot paths allocate nothing once free lists are filled. The kernel under
// them is a nullKernel, which does not allocate either.

func TestKeepAliveRequestsDoNotAllocate(t *testing.T) {
	small := "HTTP/1.1 200 OK\r\ncontent-length: 128\r\n\r\n" + strings.Repeat("x", 128)
	big := "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + strings.Repeat("x", 100_000)
	chunks := "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(text(40_000), 3000)
	browser := "GET /index.html?a=b HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: test\r\nAccept: text/html,*/*;q=0.8\r\n" +
		"Accept-Encoding: gzip, br\r\nCookie: a=b; c=d\r\nConnection: keep-alive\r\n\r\n"
	for _, tc := range []struct {
		name, request, response string
		change                  func(cfg *Config)
	}{
		{"small", getA, small, func(*Config) {}},
		{"of a browser", browser, small, func(cfg *Config) { cfg.Frontends[0].ForwardFor = &ForwardFor{} }},
		{"big", getA, big, func(*Config) {}},
		{"chunked", getA, chunks, func(*Config) {}},
		{"posted", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n" + text(5000), small, func(*Config) {}},
		{"posted in chunks", postChunked + chunked(text(5000), 700), small, func(*Config) {}},
		{"with interim answers", getA, "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + small, func(*Config) {}},
		{"HEAD", "HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", func(*Config) {}},
		{"pinned", getA, small, func(cfg *Config) { cfg.Backends[0].Reuse = ReuseNever }},
		{"with a slot", getA, small, func(cfg *Config) { cfg.limited(1) }},
		{"least loaded", getA, small, func(cfg *Config) { cfg.Backends[0].Balance.Algorithm = 2 }},
		{"logged", getA, small, func(cfg *Config) { logged(t, cfg) }},
		{"logged with captures", browser, small, func(cfg *Config) {
			logged(t, cfg)
			log := &cfg.Frontends[0].Log
			log.CaptureRequest = []Capture{{Name: "user-agent", Len: 3}, {Name: "accept", Len: 40}}
			log.CaptureResponse = []Capture{{Name: "content-length", Len: 10}}
			log.CaptureCookie = &Capture{Name: "a", Len: 5}
		}},
		{"logged with structured data", browser, small, func(cfg *Config) {
			logged(t, cfg)
			cfg.Frontends[0].Log.CustomSD, cfg.Frontends[0].Logs[0].Format = `[x@1 from="%bi"]`, "rfc5424"
		}},
		{"with rules", browser, small, func(cfg *Config) {
			cfg.Frontends[0].HTTPRules.Request = []Rule{
				{Name: "deny", Cond: Cond{Words: []string{"{", "path_beg", "/admin", "}"}}},
				{Name: "set-header", Args: []string{"x-proto", "http"}},
				{Name: "del-header", Args: []string{"cookie"}},
			}
			cfg.Backends[0].HTTPRules.Response = []Rule{{Name: "set-header", Args: []string{"x-served", "%s"}}}
		}},
		{"with a cookie", browser, small, func(cfg *Config) {
			cfg.Backends[0].Cookie = &Cookie{Name: "SRV", Insert: true, Indirect: true}
			cfg.Backends[0].Servers[0].Cookie = "one"
		}},
		{"each on a connection of its own", "GET /a HTTP/1.1\r\nhost: x\r\n\r\n", small, func(cfg *Config) {
			cfg.Backends[0].ConnMode = ConnServerClose
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Frontends[0].Log.Custom = ""
			tc.change(cfg)
			k := newNullKernel(t, cfg)
			k.response = []byte(tc.response)
			request := []byte(tc.request)
			client := k.connect()
			exchange := func() {
				k.arrive(client, request)
				k.settle()
			}
			exchange()
			if got := k.socks[client].written; got < len(tc.response)-200 {
				t.Fatalf("the client got %d bytes of %d", got, len(tc.response))
			}
			wantNoAllocs(t, "a request", exchange)
		})
	}
}

// Nobody asks the kernel for the address that servers see but formats with %bi
// or %bp, and they only once per connection.
func TestServersSourceIsAskedForOncePerConnection(t *testing.T) {
	for format, want := range map[string]int{"": 0, "%ci": 0, "%bi:%bp": 1} {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].Log.Custom = ""
		cfg.Frontends[0].HTTPRules.Response = []Rule{{Name: "set-header", Args: []string{"x-from", format}}}
		k := newNullKernel(t, cfg)
		k.response = []byte("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
		client := k.connect()
		for range 10 {
			k.arrive(client, []byte(getA))
			k.settle()
		}
		if k.asked != want {
			t.Errorf("%q: asked %d times, want %d", format, k.asked, want)
		}
	}
}

// Who is denied or redirected asks again and again.
func TestAnswersOfRulesDoNotAllocate(t *testing.T) {
	for name, r := range map[string]Rule{
		"deny":               {Name: "deny"},
		"deny with a header": {Name: "deny", Args: []string{"hdr", "x-path", "%[path]"}},
		"return":             {Name: "return", Args: []string{"status", "200", "content-type", "text/html", "string", "hi"}},
		"return a format":    {Name: "return", Args: []string{"status", "200", "lf-string", "%[path] and more"}},
		"redirect location":  {Name: "redirect", Args: []string{"location", "http://a%[path]"}},
		"redirect prefix":    {Name: "redirect", Args: []string{"prefix", "http://a", "set-cookie", "a=b"}},
		"redirect scheme":    {Name: "redirect", Args: []string{"scheme", "https", "code", "301"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Frontends[0].Log.Custom = ""
			cfg.Frontends[0].HTTPRules.Request = []Rule{r}
			k := newNullKernel(t, cfg)
			request := []byte(getA)
			client := k.connect()
			wantNoAllocs(t, "a request", func() {
				k.arrive(client, request)
				k.settle()
			})
			if k.socks[client].written < 500*len("HTTP/1.1 200 OK") {
				t.Errorf("the client got %d bytes", k.socks[client].written)
			}
		})
	}
}

// The same over HTTP/2, one stream after the other.
func TestH2RequestsDoNotAllocate(t *testing.T) {
	small := "HTTP/1.1 200 OK\r\ncontent-length: 128\r\nserver: x\r\n\r\n" + strings.Repeat("x", 128)
	get := func(id uint32) string { return h2Request(id, true, "GET", "/a", "user-agent", "test", "cookie", "a=b") }
	for _, tc := range []struct {
		name     string
		request  func(id uint32) string
		response string
		change   func(cfg *Config)
	}{
		{"small", get, small, func(*Config) {}},
		{"big", get, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + strings.Repeat("x", 100_000), func(*Config) {}},
		{"chunked", get, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(text(5_000), 3000), func(*Config) {}},
		{"posted", func(id uint32) string {
			return h2Request(id, false, "POST", "/a", "content-length", "500") + h2Data(id, true, text(500))
		}, small, func(*Config) {}},
		{"posted without a length", func(id uint32) string {
			return h2Request(id, false, "POST", "/a") + h2Data(id, true, text(500))
		}, small, func(*Config) {}},
		{"logged", get, small, func(cfg *Config) { logged(t, cfg) }},
		{"denied", get, small, func(cfg *Config) { cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "deny"}} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			cfg.Frontends[0].Log.Custom = ""
			tc.change(cfg)
			k := newNullKernel(t, cfg)
			k.response = []byte(tc.response)
			client := k.connect()
			k.arrive(client, []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+h2Frame(4, 0, 0, "\x00\x04\x00\x0f\x00\x00")+
				h2Frame(4, 1, 0, "")+h2Word(8, 0, 1<<31-1-65535)))
			k.settle()
			var requests [][]byte
			for id := uint32(1); id < 1400; id += 2 {
				requests = append(requests, []byte(tc.request(id)))
			}
			wantNoAllocs(t, "a request", func() {
				k.arrive(client, requests[0])
				requests = requests[1:]
				k.settle()
			})
			if got := k.socks[client].written; got < 600*100 {
				t.Errorf("the client got %d bytes", got)
			}
		})
	}
}

// logged gives the frontend a log that goes nowhere.
func logged(t *testing.T, cfg *Config) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { null.Close() })
	cfg.Frontends[0].Log.Format = LogHTTP
	cfg.Frontends[0].Logs = []LogTarget{{Address: fmt.Sprintf("fd@%d", null.Fd()), Facility: "local0"}}
}

func wantNoAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	for range 100 {
		f() // fill the free lists, grow what grows once
	}
	if got := testing.AllocsPerRun(500, f); got != 0 {
		t.Errorf("%s allocates %v times, want 0", what, got)
	}
}

func TestRequestsInTheQueueDoNotAllocate(t *testing.T) {
	cfg := site(ModeHTTP, 1).limited(1)
	cfg.Frontends[0].Log.Custom = ""
	k := newNullKernel(t, cfg)
	a, b := k.connect(), k.connect()
	request, response := []byte(getA), []byte(ok)
	wantNoAllocs(t, "a request that waits for a slot", func() {
		k.response = nil
		k.arrive(a, request)
		k.arrive(b, request)
		k.settle()
		k.response = response
		k.answer()
		k.settle() // the other one is granted the slot and answered
	})
	if k.socks[b].written == 0 {
		t.Error("the second client got nothing")
	}
}

func TestClientsThatComeAndGoDoNotAllocate(t *testing.T) {
	for _, mode := range []Mode{ModeHTTP, ModeTCP} {
		cfg := site(mode, 1)
		cfg.Frontends[0].Log.Custom = ""
		k := newNullKernel(t, cfg)
		k.response = []byte(okClose)
		request := []byte(getA)
		wantNoAllocs(t, "a client", func() {
			client := k.connect()
			k.arrive(client, request)
			k.settle()
			k.end(client)
			k.endServers()
			k.settle()
		})
		if n := k.p.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	}
}

func TestRelayedPiecesDoNotAllocate(t *testing.T) {
	for name, piece := range map[string]int{"small": 100, "a read": 16384, "spliced": 300_000} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeTCP, 1)
			cfg.Frontends[0].Log.Custom = ""
			k := newNullKernel(t, cfg)
			k.response = []byte(text(piece))
			client := k.connect()
			k.settle()
			up := []byte(text(piece))
			wantNoAllocs(t, "a piece each way", func() {
				k.arrive(client, up)
				k.settle()
			})
			if got := k.socks[client].written; got < 500*piece {
				t.Errorf("the client got %d bytes", got)
			}
		})
	}
}

func TestTunnelledPiecesDoNotAllocate(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].Log.Custom = ""
	k := newNullKernel(t, cfg)
	k.response = []byte(switched)
	client := k.connect()
	k.arrive(client, []byte(upgrade))
	k.settle()
	k.response = []byte("pong")
	ping := []byte("ping")
	wantNoAllocs(t, "a piece each way", func() {
		k.arrive(client, ping)
		k.settle()
	})
	if k.socks[client].written < 500*len("pong") {
		t.Errorf("the client got %d bytes", k.socks[client].written)
	}
}

// A nullKernel has sockets that swallow what is written; each write to a server
// is answered with response. It is edge-triggered.
type nullKernel struct {
	evloop.Kernel // nil: what is not here is not called
	t             *testing.T
	p             *Proxy
	loop          *evloop.Loop
	now           evloop.Time
	socks         []nullSock
	events        []evloop.Event
	waiting       []int // to be accepted
	response      []byte
	pipe          int // bytes in the pipe
	asked         int // getsockname(2)
}

type nullSock struct {
	open, server bool
	watched      bool // by epoll, with tag
	tag          uint64
	in           []byte
	eof          bool
	written      int
}

const nullListener = 2

func newNullKernel(t *testing.T, cfg *Config) *nullKernel {
	k := &nullKernel{t: t, now: evloop.Time(time.Hour), socks: make([]nullSock, 3, 64), events: make([]evloop.Event, 0, 64), waiting: make([]int, 0, 8)}
	cfg.Global.Loops = 1
	cfg.Frontends[0].Binds = nil
	p, err := New(*cfg, Options{Kernel: func(int) evloop.Kernel { return k }, Now: func() time.Time { return time.Unix(1e9, int64(k.now)) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.logs.close)
	k.p, k.loop = p, p.workers[0].loop
	p.addDoor(0, p.plan.Load().frontends[0], listener.Spec{Address: "127.0.0.1:80"}, &listener.Socket{FD: nullListener})
	if err := p.workers[0].watchDoors(); err != nil {
		t.Fatal(err)
	}
	return k
}

// connect makes a client and returns its descriptor.
func (k *nullKernel) connect() int {
	fd := k.socket()
	k.waiting = append(k.waiting, fd)
	k.report(nullListener, evloop.ReadyIn)
	k.settle()
	return fd
}

func (k *nullKernel) socket() int {
	for fd := nullListener + 1; fd < len(k.socks); fd++ {
		if !k.socks[fd].open {
			k.socks[fd] = nullSock{open: true}
			return fd
		}
	}
	k.socks = append(k.socks, nullSock{open: true})
	return len(k.socks) - 1
}

// arrive lets bytes come to a socket of the proxy.
func (k *nullKernel) arrive(fd int, p []byte) {
	k.socks[fd].in = p
	k.report(fd, evloop.ReadyIn)
}

func (k *nullKernel) end(fd int) {
	k.socks[fd].eof = true
	k.report(fd, evloop.ReadyIn|evloop.ReadyHup)
}

// answer has every server send the response.
func (k *nullKernel) answer() {
	for fd := range k.socks {
		if k.socks[fd].open && k.socks[fd].server {
			k.arrive(fd, k.response)
		}
	}
}

func (k *nullKernel) endServers() {
	for fd := range k.socks {
		if k.socks[fd].open && k.socks[fd].server {
			k.end(fd)
		}
	}
}

func (k *nullKernel) report(fd int, r evloop.Ready) {
	if k.socks[fd].watched {
		k.events = append(k.events, evloop.Event{Tag: k.socks[fd].tag, Ready: r})
	}
}

func (k *nullKernel) settle() {
	for k.loop.Turn(0) > 0 {
	}
}

func (k *nullKernel) Now() evloop.Time { k.now += evloop.Time(20 * time.Microsecond); return k.now }

func (k *nullKernel) Wait(_ int, events []evloop.Event, _ time.Duration) (int, syscall.Errno) {
	n := copy(events, k.events)
	k.events = k.events[:copy(k.events, k.events[n:])]
	return n, 0
}

func (k *nullKernel) EpollCreate() (int, syscall.Errno) { return 0, 0 }
func (k *nullKernel) WakeCreate() (int, syscall.Errno)  { return 1, 0 }
func (k *nullKernel) Wake(int)                          {}

func (k *nullKernel) EpollAdd(_, fd int, tag uint64, _ bool) syscall.Errno {
	k.socks[fd].tag, k.socks[fd].watched = tag, true
	if fd > nullListener {
		k.report(fd, evloop.ReadyOut)
	}
	return 0
}

func (k *nullKernel) EpollDel(_, fd int) syscall.Errno { k.socks[fd].watched = false; return 0 }

func (k *nullKernel) Accept(int) (int, netip.AddrPort, syscall.Errno) {
	if len(k.waiting) == 0 {
		return -1, netip.AddrPort{}, syscall.EAGAIN
	}
	fd := k.waiting[len(k.waiting)-1]
	k.waiting = k.waiting[:len(k.waiting)-1]
	return fd, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 1111), 0
}

func (k *nullKernel) Read(fd int, p []byte) (int, syscall.Errno) {
	s := &k.socks[fd]
	switch {
	case len(s.in) > 0:
		n := copy(p, s.in)
		s.in = s.in[n:]
		return n, 0
	case s.eof:
		return 0, 0
	}
	return 0, syscall.EAGAIN
}

func (k *nullKernel) Peek(fd int, p []byte) (int, syscall.Errno) { return copy(p, k.socks[fd].in), 0 }

func (k *nullKernel) Write(fd int, p []byte) (int, syscall.Errno) {
	k.wrote(fd, len(p))
	return len(p), 0
}

func (k *nullKernel) Writev(fd int, a, b, c []byte) (int, syscall.Errno) {
	n := len(a) + len(b) + len(c)
	k.wrote(fd, n)
	return n, 0
}

func (k *nullKernel) WriteMore(fd int, a, b []byte) (int, syscall.Errno) {
	return k.Writev(fd, a, b, nil)
}

// wrote: a server that has nothing under way answers.
func (k *nullKernel) wrote(fd, n int) {
	s := &k.socks[fd]
	s.written += n
	if s.server && len(s.in) == 0 && len(k.response) > 0 {
		k.arrive(fd, k.response)
	}
}

func (k *nullKernel) Pipe(int) (r, w int, errno syscall.Errno) { return k.socket(), k.socket(), 0 }

func (k *nullKernel) Splice(from, to, most int) (int, syscall.Errno) {
	if k.socks[from].watched {
		n := min(most, len(k.socks[from].in))
		if n == 0 {
			return 0, syscall.EAGAIN
		}
		k.socks[from].in = k.socks[from].in[n:]
		k.pipe += n
		return n, 0
	}
	n := min(most, k.pipe)
	k.pipe -= n
	k.wrote(to, n)
	return n, 0
}

func (k *nullKernel) Socket(int, int, int) (int, syscall.Errno) {
	fd := k.socket()
	k.socks[fd].server = true
	return fd, 0
}

func (k *nullKernel) Bind(int, evloop.Addr) syscall.Errno    { return 0 }
func (k *nullKernel) Connect(int, evloop.Addr) syscall.Errno { return syscall.EINPROGRESS }
func (k *nullKernel) SocketError(int) syscall.Errno          { return 0 }
func (k *nullKernel) LocalAddr(int) netip.AddrPort {
	k.asked++
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 9}), 80)
}
func (k *nullKernel) SetInt(int, int, int, int) syscall.Errno       { return 0 }
func (k *nullKernel) SetString(int, int, int, string) syscall.Errno { return 0 }
func (k *nullKernel) Shutdown(int) syscall.Errno                    { return 0 }
func (k *nullKernel) Close(fd int)                                  { k.socks[fd] = nullSock{} }
func (k *nullKernel) Reset(fd int)                                  { k.socks[fd] = nullSock{} }
