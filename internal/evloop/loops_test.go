package evloop_test

import (
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

// A door accepts on one loop from a listening socket that all loops share, and
// echoes.
type door struct {
	handler
	loop     *evloop.Loop
	listener evloop.FD
	open     map[*guest]bool
	accepted int
}

type guest struct {
	handler
	door  *door
	fd    evloop.FD
	timer evloop.Timer
	buf   [512]byte
	r, w  int
	eof   bool
}

func (d *door) HandleReady(now evloop.Time, fd *evloop.FD) {
	for range 2 {
		num, _, res := fd.Accept()
		if res != evloop.Done {
			return
		}
		d.accepted++
		g := &guest{door: d}
		if errno := d.loop.Open(&g.fd, num, g, 0); errno != 0 {
			panic(errno)
		}
		g.fd.Assume(evloop.ReadyIn | evloop.ReadyOut)
		d.open[g] = true
		g.HandleReady(now, &g.fd)
	}
}

// HandleReady moves at most one buffer per call: Again has its day.
func (g *guest) HandleReady(now evloop.Time, fd *evloop.FD) {
	l := g.door.loop
	l.SetTimer(&g.timer, g, 0, now.Add(time.Minute))
	if g.r == g.w && fd.Ready()&evloop.ReadyIn != 0 {
		n, res := fd.Read(g.buf[:])
		g.r, g.w = 0, n
		g.eof = res == evloop.EOF || res == evloop.Failed
	}
	if g.r < g.w && fd.Ready()&evloop.ReadyOut != 0 {
		n, res := fd.Write(g.buf[g.r:g.w])
		g.r += n
		g.eof = g.eof || res == evloop.Failed
	}
	if g.eof {
		l.StopTimer(&g.timer)
		l.Close(fd)
		delete(g.door.open, g)
		return
	}
	if g.r == g.w && fd.Ready()&evloop.ReadyIn != 0 {
		l.Again(fd)
	}
}

func TestLoopsShareAListener(t *testing.T) {
	const clients, rounds = 40, 20
	num, addr := listen(t, evloop.System())
	doors := make([]*door, 2)
	var running sync.WaitGroup
	for i := range doors {
		l, err := evloop.New(evloop.Config{ID: i, Kernel: newKernel()})
		if err != nil {
			t.Fatal(err)
		}
		dup, err := unix.FcntlInt(uintptr(num), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		d := &door{loop: l, open: map[*guest]bool{}}
		if errno := l.OpenListener(&d.listener, dup, d, 0); errno != 0 {
			t.Fatal(errno)
		}
		doors[i] = d
		running.Go(l.Run)
	}
	var talking sync.WaitGroup
	for range clients {
		talking.Go(func() {
			for range rounds {
				if err := echoOnce(addr.IP.String()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	talking.Wait()
	accepted := 0
	for _, d := range doors {
		emptied := make(chan struct{})
		var wait func()
		wait = func() { // until the loop has seen the last FIN
			if len(d.open) == 0 {
				close(emptied)
				return
			}
			d.loop.Do(wait)
		}
		d.loop.Do(wait)
		<-emptied
		d.loop.Stop()
	}
	running.Wait()
	for _, d := range doors {
		accepted += d.accepted
		d.loop.Close(&d.listener)
		if s := d.loop.Stats(); s.Open != 1 || s.Timers != 0 {
			t.Errorf("left over on loop %d: %+v", d.loop.ID(), s)
		}
		d.loop.Free()
	}
	if accepted != clients*rounds {
		t.Errorf("%d connections accepted, want %d", accepted, clients*rounds)
	}
}

func echoOnce(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	data := make([]byte, 5000)
	if _, err := c.Write(data); err != nil {
		return err
	}
	_, err = io.ReadFull(c, data)
	return err
}

func TestStatsCountWhatHappened(t *testing.T) {
	l := newLoop(t)
	var f evloop.FD
	var timer evloop.Timer
	theirs := openPair(t, l, &f, &handler{})
	l.SetTimer(&timer, &handler{}, 0, l.Now().Add(time.Hour))
	send(t, theirs, "x")
	settle(l)
	var m evloop.Letter
	posted := make(chan struct{})
	go func() {
		l.Post(&m, &handler{})
		close(posted)
	}()
	for l.Turn(time.Minute) == 0 {
	}
	<-posted
	l.Turn(time.Nanosecond) // publishes before it sleeps
	s := l.Stats()
	if s.Open != 1 || s.Timers != 1 || s.Events == 0 || s.Turns < 3 || s.Busy <= 0 || s.Sleeps == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestAcceptTellsWhatTheSystemLacks(t *testing.T) {
	l := newLoop(t)
	ours, _ := socketPair(t)
	var f evloop.FD
	if errno := l.OpenListener(&f, ours, &handler{}, 0); errno != 0 {
		t.Fatal(errno)
	}
	if _, _, res := f.Accept(); res != evloop.Failed || f.Errno() != syscall.EINVAL {
		t.Errorf("accept from no listener: %v, %v", res, f.Errno())
	}
	l.Close(&f)
}

func TestListenerPausedInTheSameBatch(t *testing.T) {
	// Two listeners are ready in one turn; whoever is called first pauses the
	// other, whose event must then be dropped.
	l := newLoop(t)
	k := l.Kernel()
	var fds [2]evloop.FD
	calls := 0
	h := &handler{ready: func(_ evloop.Time, f *evloop.FD) {
		calls++
		l.PauseListener(&fds[1-f.Which()])
		conn, _, res := f.Accept()
		if res != evloop.Done {
			t.Errorf("accept: %v", res)
		}
		k.Close(conn)
	}}
	for i := range fds {
		num, addr := listen(t, k)
		c, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		defer unix.Close(c)
		k.Connect(c, addr)
		if errno := l.OpenListener(&fds[i], num, h, uint8(i)); errno != 0 {
			t.Fatal(errno)
		}
	}
	settle(l)
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
	for i := range fds {
		l.Detach(&fds[i]) // listen closes them
	}
}
