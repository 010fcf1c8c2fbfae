package evloop_test

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

// A handler whose three methods are functions; nil ones do nothing.
type handler struct {
	ready   func(now evloop.Time, fd *evloop.FD)
	timeout func(now evloop.Time, t *evloop.Timer)
	letter  func(now evloop.Time, m *evloop.Letter)
}

func (h *handler) HandleReady(now evloop.Time, fd *evloop.FD) {
	if h.ready != nil {
		h.ready(now, fd)
	}
}

func (h *handler) HandleTimeout(now evloop.Time, t *evloop.Timer) {
	if h.timeout != nil {
		h.timeout(now, t)
	}
}

func (h *handler) HandleLetter(now evloop.Time, m *evloop.Letter) {
	if h.letter != nil {
		h.letter(now, m)
	}
}

func newLoop(t testing.TB) *evloop.Loop {
	t.Helper()
	l, err := evloop.New(evloop.Config{Kernel: newKernel()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Free)
	return l
}

// socketPair gives a descriptor for the loop and one for the test, both
// non-blocking. The test's is closed at its end.
func socketPair(t testing.TB) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// openPair is a socketPair whose first half l watches for h.
func openPair(t testing.TB, l *evloop.Loop, f *evloop.FD, h evloop.Handler) (theirs int) {
	t.Helper()
	ours, theirs := socketPair(t)
	if errno := l.Open(f, ours, h, 0); errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { l.Close(f) })
	return theirs
}

func send(t testing.TB, fd int, s string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(s)); err != nil || n != len(s) {
		t.Fatalf("writing %q to %d: %d, %v", s, fd, n, err)
	}
}

// settle turns until nothing happens.
func settle(l *evloop.Loop) (called int) {
	for {
		n := l.Turn(0)
		if n == 0 {
			return called
		}
		called += n
	}
}

func TestDescriptorIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(evloop.FD{}); size > 40 {
		t.Errorf("an FD has %d bytes, want at most 40", size)
	}
	if size := unsafe.Sizeof(evloop.Letter{}); size > 56 {
		t.Errorf("a Letter has %d bytes, want at most 56", size)
	}
}

func TestZeroDescriptorIsClosed(t *testing.T) {
	var f evloop.FD
	if f.IsOpen() || f.Num() != -1 || f.Ready() != 0 {
		t.Errorf("open %v, number %d, ready %v", f.IsOpen(), f.Num(), f.Ready())
	}
	l := newLoop(t)
	l.Close(&f)
	l.Reset(&f)
	l.Again(&f)
	if l.Detach(&f) != -1 || l.Turn(0) != 0 {
		t.Error("a closed descriptor must be left alone")
	}
}

func TestReadinessIsRememberedUntilUsedUp(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	var seen []evloop.Ready
	h := &handler{ready: func(_ evloop.Time, f *evloop.FD) { seen = append(seen, f.Ready()) }}
	theirs := openPair(t, l, &f, h)
	settle(l)
	send(t, theirs, "hello")
	settle(l)
	send(t, theirs, " world")
	settle(l) // nothing that was not known before: no call
	if want := []evloop.Ready{evloop.ReadyOut, evloop.ReadyOut | evloop.ReadyIn}; !slices.Equal(seen, want) {
		t.Fatalf("called with %v, want %v", seen, want)
	}
	p := make([]byte, 5)
	if n, res := f.Read(p); n != 5 || res != evloop.Done || f.Ready()&evloop.ReadyIn == 0 {
		t.Fatalf("a full read gave %d, %v and left %v; want ReadyIn kept", n, res, f.Ready())
	}
	p = make([]byte, 100)
	if n, res := f.Read(p); string(p[:n]) != " world" || res != evloop.Done || f.Ready()&evloop.ReadyIn != 0 {
		t.Fatalf("a short read gave %q, %v and left %v; want ReadyIn cleared", p[:n], res, f.Ready())
	}
	if n, res := f.Read(p); n != 0 || res != evloop.Again {
		t.Fatalf("a drained socket gave %d, %v, want again", n, res)
	}
	send(t, theirs, "!")
	if settle(l); len(seen) != 3 || f.Ready()&evloop.ReadyIn == 0 {
		t.Fatalf("called with %v after new bytes, want a third call", seen)
	}
}

func TestHandlersSeeWhatTheWholeBatchReports(t *testing.T) {
	l := newLoop(t)
	var first, second evloop.FD
	var seen []evloop.Ready
	calls := 0
	a := openPair(t, l, &first, &handler{ready: func(evloop.Time, *evloop.FD) {
		seen = append(seen, second.Ready())
		second.Read(make([]byte, 100))
	}})
	b := openPair(t, l, &second, &handler{ready: func(evloop.Time, *evloop.FD) { calls++ }})
	settle(l)
	seen, calls = nil, 0
	send(t, a, "x") // the first event of the batch
	send(t, b, "y")
	l.Turn(0)
	if want := []evloop.Ready{evloop.ReadyOut | evloop.ReadyIn}; !slices.Equal(seen, want) {
		t.Errorf("the handler of the first event saw %v of the second descriptor, want %v", seen, want)
	}
	if calls != 0 {
		t.Errorf("%d calls for what the first handler has used up", calls)
	}
	send(t, b, "z")
	if l.Turn(0); calls != 1 {
		t.Errorf("%d calls for what came later, want 1", calls)
	}
}

// A slowKernel has a clock that the test moves.
type slowKernel struct {
	evloop.Kernel
	now evloop.Time
}

func (k *slowKernel) Now() evloop.Time { return k.now }

// Those who always have more to do are many and slow: who comes anew does not
// wait for all of them, and they have their turns in order.
func TestThoseWhoComeAgainLeaveTimeToOthers(t *testing.T) {
	const busy, slow = 50, time.Millisecond
	k := &slowKernel{Kernel: evloop.System(), now: 1}
	l, err := evloop.New(evloop.Config{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Free)
	var fds [busy]evloop.FD
	var calls [busy]int
	total, due := 0, 0
	for i := range fds {
		openPair(t, l, &fds[i], &handler{ready: func(_ evloop.Time, f *evloop.FD) {
			calls[i]++
			total++
			due = l.Due()
			k.now = k.now.Add(slow)
			l.Again(f)
		}})
	}
	news := 0
	var other evloop.FD
	theirs := openPair(t, l, &other, &handler{ready: func(_ evloop.Time, f *evloop.FD) {
		news++
		f.Read(make([]byte, 10))
	}})
	l.Turn(0)
	total, news = 0, 0
	for range 3 * busy {
		send(t, theirs, "x")
		if l.Turn(0); due < busy {
			t.Fatalf("%d were said to be due, at least %d are", due, busy)
		}
	}
	if news != 3*busy {
		t.Errorf("%d of %d messages were told in the turn after they came", news, 3*busy)
	}
	if total > 3*busy*3 {
		t.Errorf("%d slow calls in %d turns, want about two in each", total, 3*busy)
	}
	if least, most := slices.Min(calls[:]), slices.Max(calls[:]); most-least > 1 || least < 3 {
		t.Errorf("slow handlers were called from %d to %d times", least, most)
	}
}

func TestEmptyReadsAndWritesChangeNothing(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	theirs := openPair(t, l, &f, &handler{})
	send(t, theirs, "x")
	settle(l)
	before := f.Ready()
	if _, res := f.Read(nil); res != evloop.Again {
		t.Errorf("empty read: %v", res)
	}
	if _, res := f.Peek(nil); res != evloop.Again {
		t.Errorf("empty peek: %v", res)
	}
	if _, res := f.Write(nil); res != evloop.Done {
		t.Errorf("empty write: %v", res)
	}
	if _, res := f.Writev(nil, nil, nil); res != evloop.Done {
		t.Errorf("empty writev: %v", res)
	}
	if f.Ready() != before {
		t.Errorf("ready went from %v to %v", before, f.Ready())
	}
}

func TestWritevSendsThePartsInOrder(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	theirs := openPair(t, l, &f, &handler{})
	for _, parts := range [][3]string{{"a", "b", "c"}, {"", "b", ""}, {"a", "", "c"}, {"", "", "c"}} {
		want := strings.Join(parts[:], "")
		n, res := f.Writev([]byte(parts[0]), []byte(parts[1]), []byte(parts[2]))
		p := make([]byte, 10)
		settle(l) // short writes may wait for the end of the turn
		m, _ := unix.Read(theirs, p)
		if n != len(want) || res != evloop.Done || string(p[:m]) != want {
			t.Errorf("%q: %d, %v, arrived %q", parts, n, res, p[:m])
		}
	}
}

func TestCloseInABatchDropsTheEventsOfThatBatch(t *testing.T) {
	// Both sockets are ready in one turn. The first that is called closes the
	// other, and at once opens a new one in the same FD, which gets the same
	// number and slot. The stale event must not reach it.
	l := newLoop(t)
	var fds [2]evloop.FD
	var calls []int
	h := &handler{}
	h.ready = func(_ evloop.Time, f *evloop.FD) {
		calls = append(calls, int(f.Which()))
		if len(calls) > 1 {
			return
		}
		other := &fds[1-f.Which()]
		number := other.Num()
		l.Close(other)
		ours, _ := socketPair(t)
		if ours != number {
			t.Errorf("the new socket has number %d, want the closed one's, %d", ours, number)
		}
		if errno := l.Open(other, ours, h, 9); errno != 0 {
			t.Error(errno)
		}
	}
	for i := range fds {
		ours, theirs := socketPair(t)
		if errno := l.Open(&fds[i], ours, h, uint8(i)); errno != 0 {
			t.Fatal(errno)
		}
		send(t, theirs, "x")
	}
	l.Turn(0)
	if len(calls) != 1 {
		t.Fatalf("calls %v in the first turn, want one: the other's event is stale", calls)
	}
	if l.Turn(0); !slices.Equal(calls[1:], []int{9}) {
		t.Errorf("calls %v in the second turn, want the new socket's", calls[1:])
	}
	l.Close(&fds[0])
	l.Close(&fds[1])
}

func TestAgainCallsOncePerTurnAfterAllEvents(t *testing.T) {
	l := newLoop(t)
	var fds [3]evloop.FD
	var calls []uint8
	h := &handler{}
	h.ready = func(_ evloop.Time, f *evloop.FD) {
		calls = append(calls, f.Which())
		if len(calls) <= 3 { // the events
			l.Again(f)
			l.Again(f)
		}
		if len(calls) == 3 {
			l.Close(&fds[calls[0]]) // asked for more, and is gone
		}
		if len(calls) == 4 {
			l.Again(f) // next turn
		}
	}
	for i := range fds {
		ours, _ := socketPair(t)
		l.Open(&fds[i], ours, h, uint8(i))
	}
	l.Turn(0)
	if want := []uint8{calls[0], calls[1], calls[2], calls[1], calls[2]}; !slices.Equal(calls, want) {
		t.Fatalf("calls %v, want %v", calls, want)
	}
	if l.Turn(-1); len(calls) != 6 || calls[5] != calls[3] { // does not sleep
		t.Fatalf("calls %v, want one more of %d in the second turn", calls, calls[3])
	}
	for i := range fds {
		l.Close(&fds[i])
	}
}

func TestAgainOfAnFDOpenedAnew(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	calls := 0
	h := &handler{ready: func(evloop.Time, *evloop.FD) { calls++ }}
	openPair(t, l, &f, h)
	settle(l)
	calls = 0
	l.Again(&f)
	l.Close(&f)
	openPair(t, l, &f, h)
	l.Again(&f)
	if l.Turn(0); calls != 2 { // its first event and its own Again
		t.Errorf("%d calls, want 2", calls)
	}
}

func TestDetachGivesTheDescriptorAway(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	h := &handler{ready: func(evloop.Time, *evloop.FD) { t.Error("called after Detach") }}
	theirs := openPair(t, l, &f, h)
	num := l.Detach(&f)
	defer unix.Close(num)
	send(t, theirs, "x")
	settle(l)
	p := make([]byte, 4)
	if n, err := unix.Read(num, p); n != 1 || err != nil || f.IsOpen() {
		t.Errorf("the detached descriptor reads %d, %v", n, err)
	}
}

func TestOpenOfABadDescriptorFails(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	if errno := l.Open(&f, 1<<20, &handler{}, 0); errno != syscall.EBADF || f.IsOpen() {
		t.Errorf("errno %v, open %v", errno, f.IsOpen())
	}
}

func TestManyDescriptorsReuseSlots(t *testing.T) {
	l := newLoop(t)
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		t.Fatal(err)
	}
	n := int(min(lim.Cur/2-64, 3000)) // several chunks where allowed
	for range 2 {
		fds := make([]evloop.FD, n)
		h := &handler{}
		for i := range fds {
			ours, theirs := socketPair(t)
			unix.Close(theirs)
			if errno := l.Open(&fds[i], ours, h, 0); errno != 0 {
				t.Fatal(errno)
			}
		}
		if called := settle(l); called != n {
			t.Fatalf("%d calls for %d descriptors", called, n)
		}
		for i := range fds {
			l.Close(&fds[i])
		}
	}
}

func TestRunStopsOnRequest(t *testing.T) {
	l := newLoop(t)
	done := make(chan struct{})
	go func() {
		l.Run()
		close(done)
	}()
	ran := make(chan struct{})
	if !l.Do(func() { close(ran) }) {
		t.Fatal("Do refused")
	}
	<-ran
	l.Stop()
	l.Stop()
	<-done
	if s := l.Stats(); s.Turns == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestDoIsBounded(t *testing.T) {
	l := newLoop(t)
	ran, taken := 0, 0
	for l.Do(func() { ran++ }) {
		taken++
	}
	if taken != 1024 {
		t.Errorf("%d functions taken, want 1024", taken)
	}
	if settle(l); ran != taken {
		t.Errorf("%d of %d functions ran", ran, taken)
	}
	if !l.Do(func() {}) {
		t.Error("refused though all have run")
	}
}

func TestLettersArriveInOrderAndOnce(t *testing.T) {
	l := newLoop(t)
	var got []uint64
	h := &handler{}
	letters := make([]evloop.Letter, 10)
	h.letter = func(_ evloop.Time, m *evloop.Letter) {
		got = append(got, m.Arg)
		if m.Posted() {
			t.Error("still under way when handed over")
		}
		if len(got) == 1 {
			m.Arg = 100
			l.Post(m, h) // next turn
		}
	}
	for i := range letters {
		letters[i].Arg = uint64(i)
		if !l.Post(&letters[i], h) || l.Post(&letters[i], h) || !letters[i].Posted() {
			t.Fatal("a letter can be posted once, and not again while under way")
		}
	}
	if l.Turn(0); !slices.Equal(got, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("got %v", got)
	}
	if l.Turn(-1); got[len(got)-1] != 100 { // does not sleep
		t.Errorf("got %v", got)
	}
}

func TestNoWakeIsLost(t *testing.T) {
	// Ping-pong between two sleeping loops, and letters from several goroutines
	// at once: if one wake were lost, this would hang.
	const rounds = 2000
	a, b := newLoop(t), newLoop(t)
	var ping, pong evloop.Letter
	finished := make(chan struct{})
	ha, hb := &handler{}, &handler{}
	hb.letter = func(evloop.Time, *evloop.Letter) { a.Post(&pong, ha) }
	count := 0
	ha.letter = func(evloop.Time, *evloop.Letter) {
		if count++; count == rounds {
			close(finished)
			return
		}
		b.Post(&ping, hb)
	}
	var running sync.WaitGroup
	for _, l := range []*evloop.Loop{a, b} {
		running.Go(l.Run)
	}
	b.Post(&ping, hb)
	<-finished

	var posters sync.WaitGroup
	for range 4 {
		posters.Go(func() {
			var m evloop.Letter
			arrived := make(chan struct{}, 1)
			h := &handler{letter: func(evloop.Time, *evloop.Letter) { arrived <- struct{}{} }}
			for range rounds {
				a.Post(&m, h)
				<-arrived
			}
		})
	}
	posters.Wait()
	a.Stop()
	b.Stop()
	running.Wait()
}

func TestListenerIsSharedAndPaused(t *testing.T) {
	k := newKernel()
	num, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if errno := k.Bind(num, evloop.Addr{IP: netip.MustParseAddrPort("127.0.0.1:0")}); errno != 0 {
		t.Fatal(errno)
	}
	if err := unix.Listen(num, 16); err != nil {
		t.Fatal(err)
	}
	l := newLoop(t)
	var f evloop.FD
	var from []netip.AddrPort
	h := &handler{ready: func(_ evloop.Time, f *evloop.FD) {
		conn, addr, res := f.Accept() // one per turn: level-triggered
		if res == evloop.Done {
			from = append(from, addr)
			k.Close(conn)
		}
	}}
	if errno := l.OpenListener(&f, num, h, 0); errno != 0 {
		t.Fatal(errno)
	}
	defer l.Close(&f)
	addr := evloop.Addr{IP: k.LocalAddr(num)}
	var clients []netip.AddrPort
	connect := func() {
		c, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		t.Cleanup(func() { k.Close(c) })
		if errno := k.Connect(c, addr); errno != syscall.EINPROGRESS {
			t.Fatal(errno)
		}
		clients = append(clients, k.LocalAddr(c))
	}
	for range 3 {
		connect()
	}
	for len(from) < 3 {
		l.Turn(time.Second)
	}
	l.PauseListener(&f)
	l.PauseListener(&f)
	connect()
	if settle(l); len(from) != 3 {
		t.Error("accepted while paused")
	}
	l.ResumeListener(&f)
	l.ResumeListener(&f)
	for len(from) < 4 {
		l.Turn(time.Second)
	}
	if !slices.Equal(from, clients) {
		t.Errorf("accepted from %v, want %v", from, clients)
	}
	if _, _, res := f.Accept(); res != evloop.Again {
		t.Errorf("accept from an empty backlog: %v", res)
	}
}
