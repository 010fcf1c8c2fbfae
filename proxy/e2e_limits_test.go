package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	idleClientsMax      = 10_000
	idleWarmUp          = 200 // clients before the first look: free lists, stacks, scratch memory
	idleResidentMax     = 700 // bytes per idle client (issue: speed and memory)
	descriptorsForOther = 300 // of each process, besides the clients
)

// Each process of this test, the Proxy's and the clients', has one descriptor
// per connection.
func TestE2EIdleClients(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	count := min(idleClientsMax, int(limit.Max)-descriptorsForOther)
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	proxy := startChild(t, "proxy "+server.addr+" 0")
	r.addr = proxy.line("its address")
	start := proxy.report()

	few := startChild(t, fmt.Sprintf("clients %s %d", r.addr, idleWarmUp))
	few.want("the first clients", "open")
	before := proxy.tidyReport()
	many := startChild(t, fmt.Sprintf("clients %s %d", r.addr, count-idleWarmUp))
	many.want("all clients", "open")
	var full childReport
	r.until("clients are all that is held", func() bool { // the last answer arrives before its slot is free
		full = proxy.report()
		return full.Held == holdings{Clients: count, H1: full.Held.H1, Connections: count}
	})
	full = proxy.tidyReport()
	each := (full.Resident - before.Resident) / (count - idleWarmUp)
	t.Logf("%d idle clients: %d resident bytes each, %d in all", count, each, full.Resident)
	if each > idleResidentMax && !raceDetector {
		t.Errorf("%d resident bytes per idle client, want at most %d", each, idleResidentMax)
	}
	probe := r.dial()
	for range 50 {
		probe.get("/")
		probe.wantAnswer("the others are idle", 200)
	}
	probe.close()
	few.kill()
	many.kill()
	r.until("all have gone", func() bool { return proxy.report().Held == holdings{} })
	if end := proxy.report(); end.Files-end.Idle != start.Files {
		t.Errorf("%d descriptors are open, %d of them idle server connections; %d were before", end.Files, end.Idle, start.Files)
	}
}

const (
	fewDescriptors   = 64
	manyClients      = 100 // more than there are descriptors for
	failuresObserved = 10
)

// Descriptors run out: accept pauses, says so once, costs nothing meanwhile,
// and goes on by itself.
func TestE2EDescriptorsRunOut(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	proxy := startChild(t, fmt.Sprintf("proxy %s %d", server.addr, fewDescriptors))
	r.addr = proxy.line("its address")
	before := proxy.report() // the directory of descriptors is read for the first time
	started := time.Now()
	var clients []*wire
	for range manyClients {
		clients = append(clients, r.dial())
	}
	var after childReport
	r.until("accept fails, and is tried again", func() bool {
		after = proxy.report()
		return after.Failures >= failuresObserved
	})
	r.checkPause(&before, &after, time.Since(started))
	if n := after.Held.Connections; n >= fewDescriptors || n < fewDescriptors/3 {
		t.Errorf("%d clients were accepted within %d descriptors", n, fewDescriptors)
	}
	for _, c := range clients[:manyClients*2/3] {
		c.close()
	}
	stay := clients[manyClients*2/3:]
	r.until("those who waited are let in", func() bool {
		h := proxy.report().Held
		return h.Connections == len(stay) && h.Paused == 0
	})
	for _, c := range stay {
		c.get("/")
		c.wantAnswer("descriptors have returned", 200)
		c.close()
	}
	r.until("all have gone", func() bool { return proxy.report().Held == holdings{} })
}

// checkPause looks at what trying again has cost since before the first client
// came. All bounds hold on a busy machine, too: only a loop that spins breaks them.
func (r *rig) checkPause(before, after *childReport, took time.Duration) {
	r.t.Helper()
	loops := 2
	if most := loops * (1 + int(took/acceptRetry)); int(after.Failures) > most {
		r.t.Errorf("%d attempts in %v: they must be %v apart on each loop", after.Failures, took, acceptRetry)
	}
	if used := after.CPU - before.CPU; used > took/2 {
		r.t.Errorf("waiting for descriptors took %v of CPU time in %v", used, took)
	}
	alerts := 0
	for _, line := range after.Notes {
		if strings.HasPrefix(line, "can't accept connections") {
			alerts++
		}
	}
	if most := 1 + int(took/resourceWarnInterval); alerts < 1 || alerts > most {
		r.t.Errorf("%d alerts in %v, want one per second at most: %q", alerts, took, after.Notes)
	}
}

// A load is clients that ask all the time, each on a connection of its own.
type load struct {
	asked, answered, cut, refused atomic.Int64
	stop                          atomic.Bool
	clients                       sync.WaitGroup
}

func (l *load) start(addr string, clients int) {
	for range clients {
		l.clients.Go(func() {
			for !l.stop.Load() && l.ask(addr) {
			}
		})
	}
}

// ask has requests answered on one connection until the proxy closes it. It
// reports whether connections are still taken.
func (l *load) ask(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		l.refused.Add(1)
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(e2ePatience))
	w := bufio.NewReader(conn)
	for first := true; !l.stop.Load(); first = false {
		if _, err := io.WriteString(conn, "GET /load HTTP/1.1\r\nhost: x\r\n\r\n"); err != nil {
			return true // it was closed while idle
		}
		if _, err := w.Peek(1); err != nil {
			if first {
				l.cut.Add(1) // accepted, and never answered
			}
			return true
		}
		l.asked.Add(1)
		res, err := http.ReadResponse(w, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		if err != nil || res.StatusCode != 200 {
			l.cut.Add(1)
			return true
		}
		l.answered.Add(1)
		if res.Close {
			return true
		}
	}
	return true
}

func TestE2ESoftStopUnderLoad(t *testing.T) {
	const clients, held = 8, 4
	r := newRig(t)
	server := newWireServer(t)
	release, holding := make(chan struct{}), make(chan struct{}, held)
	server.respond(func(conn *net.TCPConn, path string) error {
		if path == "/held" {
			holding <- struct{}{}
			<-release
		}
		return respondOK(conn, path)
	})
	cfg := e2eSite(ModeHTTP, server.addr)
	cfg.Frontends[0].Log.DontLogNormal = true
	r.start(cfg)
	var busy []*wire
	for range held {
		busy = append(busy, r.get("/held"))
		<-holding
	}
	var l load
	l.start(r.addr, clients)
	r.until("there is load", func() bool { return l.answered.Load() > 500 })
	ctx, cancel := context.WithTimeout(context.Background(), e2ePatience)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- r.p.Shutdown(ctx) }()
	l.clients.Wait() // each ends when it is refused
	select {
	case err := <-stopped:
		t.Fatalf("Shutdown returned %v while requests are under way", err)
	default:
	}
	close(release)
	for _, c := range busy {
		res, err := http.ReadResponse(c.in, nil)
		if err != nil || res.StatusCode != 200 || !res.Close {
			t.Fatalf("a request under way got %v and error %v, want 200 and connection: close", res, err)
		}
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if l.cut.Load() != 0 || l.asked.Load() != l.answered.Load() {
		t.Errorf("%d answers were begun, %d ended, %d requests were cut", l.asked.Load(), l.answered.Load(), l.cut.Load())
	}
	if l.refused.Load() != clients {
		t.Errorf("%d of %d clients were refused in the end", l.refused.Load(), clients)
	}
	if n := r.tally(); n.answers2 != uint64(l.answered.Load())+held || n.answers5 != 0 {
		t.Errorf("counters: %+v; %d were answered", n, l.answered.Load()+held)
	}
}

// A Shutdown that may wait no longer cuts what is left.
func TestE2ESoftStopThatRunsOutOfTime(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	r.start(e2eSite(ModeHTTP, server.addr))
	client := r.get("/never")
	server.accept("").request("it is under way")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := r.p.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: got %v, want that its time was over", err)
	}
	client.wantEnd("it is cut")
	r.wantLogs("", "-1 KH-- be/s1 0 0/0")
}
