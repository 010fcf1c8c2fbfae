package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// childRole names, in the environment, what this binary is when a test starts
// it again: a server to be killed or stopped, a crowd of clients, or a Proxy
// whose memory, descriptors and CPU time are its own.
const childRole = "WEIR_E2E_ROLE"

func TestMain(m *testing.M) {
	words := strings.Fields(os.Getenv(childRole))
	if len(words) == 0 {
		os.Exit(m.Run())
	}
	var err error
	switch words[0] {
	case "server":
		err = childServer()
	case "clients":
		err = childClients(words[1:])
	case "proxy":
		err = childProxy(words[1:])
	case "flooded":
		err = runChildProxy(floodedSite(words[1], words[2], words[3], words[4]))
	case "attack":
		err = childAttack()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child "+words[0]+":", err)
		os.Exit(1)
	}
}

// A child is this binary in one of those roles. What it says comes line by
// line; the end of its input ends it.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(t *testing.T, role string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childRole+"="+role, "GORACE=halt_on_error=1") // a race ends the child, so that it fails the test
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err = c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

// line is the next line that the child says.
func (c *child) line(why string) string {
	c.t.Helper()
	text, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("child: %s: %v", why, err)
	}
	return strings.TrimSpace(text)
}

func (c *child) want(why, text string) {
	c.t.Helper()
	if got := c.line(why); got != text {
		c.t.Fatalf("child: %s: it said %q, want %q", why, got, text)
	}
}

// kill is kill -9; it returns when the kernel has closed all that the child
// had.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// childServer is an HTTP server. It says its address, and which of its slow
// answers it has begun.
func childServer() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go endWithInput(os.Stdin)
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/hang":
			fmt.Println("hangs")
			<-q.Context().Done()
		case "/half":
			w.Header().Set("Content-Length", "1000")
			w.Write(make([]byte, 500))
			w.(http.Flusher).Flush()
			fmt.Println("half is sent")
			<-q.Context().Done()
		case "/big":
			w.Write(make([]byte, 256<<10))
		case "/stop":
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			<-q.Context().Done() // not before SIGCONT
		default:
			io.Copy(io.Discard, q.Body)
		}
	}))
}

// endWithInput ends the process when its parent has gone.
func endWithInput(in io.Reader) {
	io.Copy(io.Discard, in)
	os.Exit(0)
}

const crowdDialers = 4 // goroutines that connect clients

// childClients opens count connections to addr, has one request answered on
// each, says so, and keeps them.
func childClients(args []string) error {
	addr := args[0]
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	conns := make([]net.Conn, count)
	var next atomic.Int64
	var dialers sync.WaitGroup
	failed := make(chan error, crowdDialers)
	for range crowdDialers {
		dialers.Go(func() {
			for i := int(next.Add(1)); i <= count; i = int(next.Add(1)) {
				var err error
				if conns[i-1], err = askOnce(addr); err != nil {
					failed <- fmt.Errorf("client %d: %w", i, err)
					return
				}
			}
		})
	}
	dialers.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Println("open")
	endWithInput(os.Stdin)
	return nil
}

// askOnce connects and has one request answered.
func askOnce(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(e2ePatience))
	if _, err = io.WriteString(conn, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"); err != nil {
		return nil, err
	}
	b := make([]byte, 512)
	for n := 0; !strings.HasSuffix(string(b[:n]), "\r\n\r\nok"); {
		m, err := conn.Read(b[n:])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", b[:n], err)
		}
		n += m
	}
	return conn, nil
}

// A childReport is what a Proxy in a process of its own says of itself.
type childReport struct {
	Held     holdings
	Idle     int // server connections
	Files    int
	Resident int           // bytes
	Peak     int           // bytes that were resident at most since the last mark
	CPU      time.Duration // of the whole process so far
	Failures uint64        // accepts that failed
	Loops    []evloop.LoopStats
	Notes    []string
}

// childProxy runs a site of one server, within a number of descriptors if that
// is not 0. It says its address, and a report for each line of input.
func childProxy(args []string) error {
	if files, err := strconv.Atoi(args[1]); err != nil {
		return err
	} else if files > 0 {
		limit := syscall.Rlimit{Cur: uint64(files), Max: uint64(files)}
		if err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
	}
	return runChildProxy(e2eSite(ModeHTTP, args[0]))
}

func runChildProxy(cfg *Config) error {
	var r rig // for its notes
	p, err := New(*cfg, Options{Logf: r.note})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	<-p.Ready()
	probe, err := os.Open("/proc/self/statm") // while there are descriptors
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(p.Addrs(), " "))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() != "report" {
			debug.FreeOSMemory() // the reports themselves leave garbage
		}
		if in.Text() == "mark" {
			if err = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // proc(5): the peak is what is resident now
				return err
			}
		}
		if err = json.NewEncoder(os.Stdout).Encode(r.report(p, probe)); err != nil {
			return err
		}
	}
	cancel()
	return <-ended
}

func (r *rig) report(p *Proxy, statm *os.File) childReport {
	out := childReport{Held: holdingsOf(p), Files: openFiles(), Failures: p.acceptFailures.Load()}
	for _, w := range p.workers {
		done := make(chan struct{})
		w.loop.Do(func() { out.Idle += w.idle; close(done) })
		<-done
		out.Loops = append(out.Loops, w.loop.Stats())
	}
	b := make([]byte, 128)
	n, _ := statm.ReadAt(b, 0)
	if f := strings.Fields(string(b[:n])); len(f) > 1 {
		pages, _ := strconv.Atoi(f[1])
		out.Resident = pages * os.Getpagesize()
	}
	out.Peak, out.CPU = peakResident(), cpuOfProcess()
	r.mu.Lock()
	out.Notes = r.notes
	r.mu.Unlock()
	return out
}

// peakResident is VmHWM of proc(5), in bytes; 0 when it can't be read.
func peakResident() int {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if f := strings.Fields(rest); len(f) > 0 {
		kib, _ := strconv.Atoi(f[0])
		return kib << 10
	}
	return 0
}

// report asks a child that is a Proxy.
func (c *child) report() childReport { return c.ask("report") }

// tidyReport is a report without what earlier reports have left in memory.
func (c *child) tidyReport() childReport { return c.ask("tidy") }

func (c *child) ask(what string) (out childReport) {
	c.t.Helper()
	c.askFor(what, &out)
	return out
}

func (c *child) askFor(what string, out any) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, what+"\n"); err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(c.line("report")), out); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}
