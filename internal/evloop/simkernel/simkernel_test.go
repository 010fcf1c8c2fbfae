package simkernel_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/evloop/simkernel"
	"golang.org/x/sys/unix"
)

var (
	front = evloop.Addr{IP: addrPort("127.0.0.1:80")}
	back  = evloop.Addr{IP: addrPort("127.0.0.1:8080")}
)

// An acceptor echoes what comes to a listener; a small program against which the
// simulated kernel is tried.
type acceptor struct {
	t        testing.TB
	loop     *evloop.Loop
	listener evloop.FD
	open     int
	failed   syscall.Errno // of the last Accept that failed
}

// An echo is one connection: what is read is written back, with a bounded buffer.
type echo struct {
	acceptor *acceptor
	fd       evloop.FD
	buf      [1000]byte
	r, w     int
	eof      bool
}

func newAcceptor(t testing.TB, sk *simkernel.Kernel) *acceptor {
	loop, err := evloop.New(evloop.Config{Kernel: sk, EventsMax: 4})
	if err != nil {
		t.Fatal(err)
	}
	a := &acceptor{t: t, loop: loop}
	if errno := loop.OpenListener(&a.listener, sk.Listen(front), a, 0); errno != 0 {
		t.Fatal(errno)
	}
	return a
}

func (a *acceptor) HandleReady(now evloop.Time, fd *evloop.FD) {
	num, _, res := fd.Accept()
	if res == evloop.Failed {
		a.failed = fd.Errno()
		a.loop.PauseListener(fd)
	}
	if res != evloop.Done {
		return
	}
	e := &echo{acceptor: a}
	if errno := a.loop.Open(&e.fd, num, e, 0); errno != 0 {
		a.t.Fatal(errno)
	}
	e.fd.Assume(evloop.ReadyIn | evloop.ReadyOut)
	a.open++
	e.HandleReady(now, &e.fd)
}

func (a *acceptor) HandleTimeout(evloop.Time, *evloop.Timer) {}
func (a *acceptor) HandleLetter(evloop.Time, *evloop.Letter) {}
func (e *echo) HandleTimeout(evloop.Time, *evloop.Timer)     {}
func (e *echo) HandleLetter(evloop.Time, *evloop.Letter)     {}

func (e *echo) HandleReady(evloop.Time, *evloop.FD) {
	for turns := 0; ; turns++ {
		moved := false
		if e.r == e.w && !e.eof && e.fd.Ready()&evloop.ReadyIn != 0 {
			n, res := e.fd.Read(e.buf[:])
			e.r, e.w = 0, n
			e.eof = res == evloop.EOF
			moved = res == evloop.Done
			if res == evloop.Failed {
				e.end()
				return
			}
		}
		if e.r < e.w && e.fd.Ready()&evloop.ReadyOut != 0 {
			n, res := e.fd.Write(e.buf[e.r:e.w])
			e.r += n
			moved = moved || res == evloop.Done
			if res == evloop.Failed {
				e.end()
				return
			}
		}
		if e.eof && e.r == e.w {
			e.end()
			return
		}
		if !moved {
			return
		}
		if turns == 3 {
			e.acceptor.loop.Again(&e.fd)
			return
		}
	}
}

func (e *echo) end() {
	e.acceptor.loop.Close(&e.fd)
	e.acceptor.open--
}

// checkNothingLeft closes the listener and looks for leaks.
func (a *acceptor) checkNothingLeft(sk *simkernel.Kernel) {
	a.t.Helper()
	a.loop.Close(&a.listener)
	if sk.OpenDescriptors() != 0 || a.open != 0 {
		a.t.Fatalf("seed %d: %d connections, descriptors open:\n%s", sk.Seed(), a.open, sk.Descriptors())
	}
}

func TestClientTalksToALoop(t *testing.T) {
	sk := simkernel.New(1)
	a := newAcceptor(t, sk)
	c := sk.ClientFrom(addrPort("192.0.2.1:1234"), front)
	c.Send([]byte("hello"))
	sk.Settle(a.loop)
	if string(c.Recv()) != "hello" || !c.Open() || c.EOF() {
		t.Fatalf("got %q back", c.Recv())
	}
	c.Send([]byte(" world"))
	c.CloseWrite()
	sk.Settle(a.loop)
	if string(c.Take()) != "hello world" || c.Take() != nil && len(c.Take()) > 0 || !c.EOF() || c.WasReset() {
		t.Fatalf("got %q back, EOF %v", c.Recv(), c.EOF())
	}
	if c.LocalAddr() != addrPort("192.0.2.1:1234") || c.FarAddr() != front.IP {
		t.Errorf("addresses %v, %v", c.LocalAddr(), c.FarAddr())
	}
	c.Close()
	a.checkNothingLeft(sk)
}

func TestSlowReaderStopsTheEcho(t *testing.T) {
	sk := simkernel.New(1)
	sk.SendBuffer, sk.ReceiveBuffer = 3000, 2000
	a := newAcceptor(t, sk)
	c := sk.Client(front)
	c.Pause()
	data := bytes.Repeat([]byte("0123456789"), 10000)
	c.Send(data)
	sk.Settle(a.loop)
	// The client's socket, the echo's two and its buffer are full.
	if c.Unread() != 2000 || c.Unsent() < len(data)-2000-3000-1000-2000 {
		t.Fatalf("%d unread, %d of %d unsent", c.Unread(), c.Unsent(), len(data))
	}
	if got := c.Read(100); len(got) != 100 || c.Unread() != 2000 {
		t.Fatalf("read %d, %d unread: what waits should have moved up", len(got), c.Unread())
	}
	c.Resume()
	c.CloseWrite()
	sk.Settle(a.loop)
	if !bytes.Equal(c.Recv(), data) || !c.EOF() {
		t.Fatalf("%d bytes came back, want %d", len(c.Recv()), len(data))
	}
	a.checkNothingLeft(sk)
}

func TestNothingIsLostUnderFaults(t *testing.T) {
	for seed := uint64(1); seed <= 200; seed++ {
		playFaults(t, seed, true)
	}
}

func TestFaultsRepeatWithTheSeed(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		if a, b := playFaults(t, seed, false), playFaults(t, seed, false); a != b {
			t.Fatalf("seed %d: two runs differ:\n%s\n%s", seed, a, b)
		}
	}
}

// playFaults lets some clients send through an echo under all faults (without
// breaks if whole), checks what comes back and gives an account of the run.
func playFaults(t *testing.T, seed uint64, whole bool) string {
	sk := simkernel.New(seed)
	sk.SendBuffer, sk.ReceiveBuffer = 1500, 900
	sk.Faults = simkernel.Faults{ShortRead: 0.3, ShortWrite: 0.3, Again: 0.2, Abort: 0.1, Slow: 0.3, Spurious: 0.1}
	if !whole {
		sk.Faults.Reset, sk.Faults.Refuse = 0.01, 0.1
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	a := newAcceptor(t, sk)
	clients := make([]*simkernel.End, 10)
	sent := make([][]byte, len(clients))
	for i := range clients {
		clients[i] = sk.Client(front)
	}
	for range 100 {
		i := rng.IntN(len(clients))
		b := bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(1000))
		clients[i].Send(b)
		sent[i] = append(sent[i], b...)
		for range rng.IntN(3) {
			a.loop.Turn(0)
		}
	}
	for _, c := range clients {
		c.CloseWrite()
	}
	sk.RunFor(time.Minute, a.loop)
	account := ""
	for i, c := range clients {
		switch {
		case c.WasReset() && !whole:
		case !c.EOF() || !bytes.Equal(c.Recv(), sent[i]):
			t.Fatalf("seed %d: client %d sent %d bytes, %d came back, EOF %v", seed, i, len(sent[i]), len(c.Recv()), c.EOF())
		}
		account += fmt.Sprintf("%d bytes, reset %v\n", len(c.Recv()), c.WasReset())
		c.Close()
	}
	sk.Settle(a.loop)
	account += fmt.Sprint(sk.Now(), a.loop.Stats())
	a.checkNothingLeft(sk)
	return account
}

func TestCertainFaultsStillLetTheLoopFinish(t *testing.T) {
	sk := simkernel.New(1)
	sk.Faults = simkernel.Faults{ShortRead: 1, ShortWrite: 1, Again: 1, Slow: 1}
	a := newAcceptor(t, sk)
	c := sk.Client(front)
	c.Send([]byte("hello"))
	c.CloseWrite()
	sk.RunFor(time.Minute, a.loop)
	if string(c.Recv()) != "hello" || !c.EOF() {
		t.Fatalf("got %q, EOF %v", c.Recv(), c.EOF())
	}
	c.Close()
	a.checkNothingLeft(sk)
}

// A dialer connects to a server and notes how that ends.
type dialer struct {
	loop   *evloop.Loop
	fd     evloop.FD
	result []string
}

func (d *dialer) HandleReady(now evloop.Time, fd *evloop.FD) {
	outcome := "connected"
	if errno := fd.SocketError(); errno != 0 {
		outcome = errno.Error()
	}
	d.result = append(d.result, fmt.Sprintf("%s at %v", outcome, time.Duration(now)-1000*time.Second))
}
func (d *dialer) HandleTimeout(evloop.Time, *evloop.Timer) {}
func (d *dialer) HandleLetter(evloop.Time, *evloop.Letter) {}

func dial(t *testing.T, sk *simkernel.Kernel, l *evloop.Loop, to evloop.Addr) *dialer {
	d := &dialer{loop: l}
	num, errno := sk.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, "socket", errno)
	if errno := sk.Connect(num, to); errno != syscall.EINPROGRESS {
		t.Fatal(errno)
	}
	must(t, "open", l.Open(&d.fd, num, d, 0))
	return d
}

func newSimLoop(t *testing.T, sk *simkernel.Kernel) *evloop.Loop {
	l, err := evloop.New(evloop.Config{Kernel: sk})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServersAnswerAsTheScriptSays(t *testing.T) {
	for _, tc := range []struct {
		name   string
		script func(srv *simkernel.Server)
		want   string
	}{
		{"accepts", func(*simkernel.Server) {}, "connected at 0s"},
		{"refuses", func(srv *simkernel.Server) { srv.Refuse(true) }, "connection refused at 0s"},
		{"has gone", func(srv *simkernel.Server) { srv.Close() }, "connection refused at 0s"},
		{"is slow", func(srv *simkernel.Server) { srv.Delay(3 * time.Second) }, "connected at 3s"},
		{"is slow and refuses", func(srv *simkernel.Server) { srv.Delay(time.Second); srv.Refuse(true) }, "connection refused at 1s"},
		{"swallows", func(srv *simkernel.Server) { srv.Swallow(true) }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sk := simkernel.New(1)
			l := newSimLoop(t, sk)
			srv := sk.Server(back)
			tc.script(srv)
			d := dial(t, sk, l, back)
			sk.RunFor(time.Hour, l)
			if got := strings.Join(d.result, ", "); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			l.Close(&d.fd)
			if sk.OpenDescriptors() != 0 {
				t.Error(sk.Descriptors())
			}
		})
	}
}

func TestServerTalks(t *testing.T) {
	sk := simkernel.New(1)
	l := newSimLoop(t, sk)
	srv := sk.Server(back)
	if srv.Accept() != nil {
		t.Error("a connection out of nothing")
	}
	d := dial(t, sk, l, back)
	d.fd.Write([]byte("too early"))
	sk.Settle(l)
	e := srv.Accept()
	e.Send([]byte("hello"))
	e.Close()
	sk.Settle(l)
	p := make([]byte, 10)
	if n, res := d.fd.Read(p); string(p[:n]) != "hello" || res != evloop.Done {
		t.Errorf("read %q, %v", p[:n], res)
	}
	if _, res := d.fd.Read(p); res != evloop.EOF {
		t.Errorf("read %v", res)
	}
	if string(e.Recv()) != "too early" || e.FarAddr() != sk.LocalAddr(d.fd.Num()) {
		t.Errorf("the server got %q from %v", e.Recv(), e.FarAddr())
	}
	if _, res := d.fd.Write([]byte("x")); res != evloop.Done {
		t.Errorf("first write after FIN: %v", res)
	}
	if _, res := d.fd.Write([]byte("x")); res != evloop.Failed || d.fd.Errno() != syscall.EPIPE {
		t.Errorf("write after RST: %v, %v", res, d.fd.Errno())
	}
	l.Close(&d.fd)
}

func TestFullBacklogMakesTheClientTryAgain(t *testing.T) {
	sk := simkernel.New(1)
	sk.Backlog = 1
	fd := sk.Listen(front)
	var clients []*simkernel.End
	for range 4 {
		clients = append(clients, sk.Client(front))
	}
	for i, want := range []bool{true, true, false, false} { // backlog + 1, as on Linux
		if clients[i].Open() != want {
			t.Errorf("client %d connected: %v", i, !want)
		}
	}
	for range 2 {
		conn, _, errno := sk.Accept(fd)
		must(t, "accept", errno)
		sk.Close(conn)
	}
	sk.Advance(time.Second)
	if !clients[2].Open() || !clients[3].Open() {
		t.Error("the others did not get in after a second")
	}
	sk.Close(fd)
	if !clients[3].WasReset() {
		t.Error("a listener that closes resets who waits")
	}
}

func TestDescriptorsRunOut(t *testing.T) {
	sk := simkernel.New(1)
	a := newAcceptor(t, sk)
	sk.DescriptorsMax = 5 // epoll, wake, listener and two connections
	var clients []*simkernel.End
	for range 3 {
		clients = append(clients, sk.Client(front))
	}
	sk.Settle(a.loop)
	if a.failed != syscall.EMFILE || a.open != 2 {
		t.Fatalf("accept failed with %v, %d open", a.failed, a.open)
	}
	if _, errno := sk.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); errno != syscall.EMFILE {
		t.Errorf("socket: %v", errno)
	}
	if _, _, errno := sk.Pipe(0); errno != syscall.EMFILE {
		t.Errorf("pipe: %v", errno)
	}
	clients[0].Close()
	sk.Settle(a.loop)
	a.loop.ResumeListener(&a.listener)
	sk.Settle(a.loop)
	if a.open != 2 {
		t.Errorf("%d open after one left and one more was accepted", a.open)
	}
	for _, c := range clients {
		c.Close()
	}
	sk.Settle(a.loop)
	a.checkNothingLeft(sk)
}

func TestUseAfterCloseIsFound(t *testing.T) {
	sk := simkernel.New(42)
	fd, _ := sk.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	sk.Close(fd)
	defer func() {
		msg, _ := recover().(string)
		if !strings.Contains(msg, "close of closed descriptor") || !strings.Contains(msg, "seed 42") {
			t.Errorf("panic %q", msg)
		}
	}()
	sk.Close(fd)
}

func TestLoopThatSpinsIsFound(t *testing.T) {
	sk := simkernel.New(1)
	l := newSimLoop(t, sk)
	var f evloop.FD
	must(t, "open", l.OpenListener(&f, sk.Listen(front), &dialerThatIgnores{}, 0))
	sk.Client(front)
	defer func() {
		if msg, _ := recover().(string); !strings.Contains(msg, "did not come to rest") {
			t.Errorf("panic %q", msg)
		}
	}()
	sk.Settle(l)
}

type dialerThatIgnores struct{ dialer }

func (*dialerThatIgnores) HandleReady(evloop.Time, *evloop.FD) {}

func TestTimePassesOnlyByAdvance(t *testing.T) {
	sk := simkernel.New(1)
	l := newSimLoop(t, sk)
	start := sk.Now()
	var timer evloop.Timer
	ticks := &ticker{loop: l, every: 100 * time.Millisecond}
	l.SetTimer(&timer, ticks, 0, start.Add(100*time.Millisecond))
	sk.RunFor(time.Second, l)
	if sk.Now() != start.Add(time.Second) || len(ticks.at) != 10 {
		t.Fatalf("%v passed, %d ticks", sk.Now().Sub(start), len(ticks.at))
	}
	for i, at := range ticks.at {
		if want := start.Add(time.Duration(i+1) * 100 * time.Millisecond); at != want {
			t.Errorf("tick %d at %v, want %v", i, at.Sub(start), want.Sub(start))
		}
	}
}

type ticker struct {
	dialer
	loop  *evloop.Loop
	every time.Duration
	at    []evloop.Time
}

func (h *ticker) HandleTimeout(now evloop.Time, t *evloop.Timer) {
	h.at = append(h.at, now)
	h.loop.SetTimer(t, h, 0, now.Add(h.every))
}

func TestLoopsInGoroutinesSleepAndWake(t *testing.T) {
	// Blocking waits end by bytes, by letters, by time.
	sk := simkernel.New(1)
	a := newAcceptor(t, sk)
	var running sync.WaitGroup
	running.Go(a.loop.Run)
	c := sk.Client(front)
	c.Send([]byte("hello"))
	for string(c.Recv()) != "hello" {
		sk.Advance(time.Millisecond)
	}
	ticked := make(chan struct{})
	var timer evloop.Timer
	a.loop.Do(func() { a.loop.SetTimer(&timer, &closer{ticked: ticked}, 0, a.loop.Now().Add(time.Hour)) })
	for done := false; !done; {
		sk.Advance(time.Minute)
		select {
		case <-ticked:
			done = true
		default:
		}
	}
	c.Close()
	for sk.OpenDescriptors() > 1 {
		sk.Advance(time.Millisecond)
	}
	a.loop.Stop()
	running.Wait()
	a.checkNothingLeft(sk)
}

type closer struct {
	dialer
	ticked chan struct{}
}

func (h *closer) HandleTimeout(evloop.Time, *evloop.Timer) { close(h.ticked) }

func TestOptionsAreRecorded(t *testing.T) {
	sk := simkernel.New(1)
	fd, _ := sk.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if _, ok := sk.Option(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); ok {
		t.Error("an option that nobody set")
	}
	sk.SetInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if v, ok := sk.Option(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); !ok || v != 1 {
		t.Errorf("option %d, %v", v, ok)
	}
	sk.Close(fd)
}
