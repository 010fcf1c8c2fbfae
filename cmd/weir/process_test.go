package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests; a condition that holds is seen
// at once.
const patience = 20 * time.Second

const pollInterval = 5 * time.Millisecond

// binary is the program under test, built once: weir, or what WEIR_BIN names
// (with HAProxy's there, the tests show which of our claims hold for it).
var binary = sync.OnceValues(func() (string, error) {
	if name := os.Getenv("WEIR_BIN"); name != "" {
		return name, nil
	}
	dir, err := os.MkdirTemp("", "weir-process-")
	if err != nil {
		return "", err
	}
	// Tests that give privileges away run it as nobody.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-o", name, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if os.Getenv("WEIR_RACE") == "1" { // make race
		build = exec.Command("go", "build", "-race", "-o", name, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("can't build weir: %v\n%s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := binary(); err == nil && os.Getenv("WEIR_BIN") == "" {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// A process is one run of the binary.
type started struct {
	t   *testing.T
	cmd *exec.Cmd

	out, err output
	ended    chan struct{} // closed when it has been waited for
}

// output may be read while a process writes to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// prepare makes a run that launch starts, so that a test can change it.
func prepare(t *testing.T, args ...string) *started {
	t.Helper()
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &started{t: t, cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = patience
	return p
}

func (p *started) launch() *started {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	p.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
		if p.t.Failed() {
			p.t.Logf("%s\n%s%s", strings.Join(p.cmd.Args, " "), p.out.String(), p.err.String())
		}
	})
	return p
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	return prepare(t, args...).launch()
}

func (p *started) pid() int { return p.cmd.Process.Pid }

func (p *started) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("%v: %v", sig, err)
	}
}

func (p *started) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// wait returns how the process ended: "exit 1" or "signal terminated".
func (p *started) wait() string {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("still running: %v\n%s", p.cmd.Args, p.err.String())
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return "signal " + status.Signal().String()
	}
	return "exit " + strconv.Itoa(status.ExitStatus())
}

func (p *started) wantEnd(want string) {
	p.t.Helper()
	if got := p.wait(); got != want {
		p.t.Errorf("%s: %s, want %s\n%s", strings.Join(p.cmd.Args[1:], " "), got, want, p.err.String())
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
		<-time.After(pollInterval)
	}
}

// freePort is a port that was free a moment ago, below those that the kernel
// gives to connections (ip_local_port_range): the tests of other packages, which
// run at the same time, will not have it by chance.
func freePort(t *testing.T) int {
	t.Helper()
	const first, end, tries = 12_000, 32_000, 100
	for range tries {
		port := first + rand.IntN(end-first)
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatalf("no free port among %d from %d to %d", tries, first, end)
	return 0
}

// write makes a file in the test's folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // for the tests that run as nobody
	}
	return path
}

// pingConfig serves /ping by itself on the port. global are further lines of
// the global section.
func pingConfig(t *testing.T, port int, global ...string) string {
	t.Helper()
	return write(t, "haproxy.cfg", pingText(fmt.Sprintf("127.0.0.1:%d", port), global...))
}

func pingText(bind string, global ...string) string {
	return fmt.Sprintf(`global
    maxconn 100
    %s
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend ping
    bind %s
    monitor-uri /ping
`, strings.Join(global, "\n    "), bind)
}

// answers reports whether somebody answers /ping on the port.
func answers(port int) bool {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/ping", port))
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK
}

func (p *started) wantAnswers(port int) {
	p.t.Helper()
	eventually(p.t, "an answer on port "+strconv.Itoa(port), func() bool {
		if p.hasEnded() {
			p.t.Fatalf("it ended (%s) before it answered\n%s", p.wait(), p.err.String())
		}
		return answers(port)
	})
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// endOf waits until a process that is not our child has gone.
func endOf(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) || isZombie(pid) })
}

// isZombie: a detached process whose new parent does not wait for it.
func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.HasPrefix(rest, "Z")
}

// needsRoot fails a test that only root can run, unless the caller of the
// tests said that it knows: WEIR_WITHOUT=root.
func needsRoot(t *testing.T) (can bool) {
	t.Helper()
	if os.Geteuid() == 0 {
		return true
	}
	if !strings.Contains(os.Getenv("WEIR_WITHOUT"), "root") {
		t.Fatal("this test needs root; to go without it, set WEIR_WITHOUT=root")
	}
	t.Log("not run: WEIR_WITHOUT=root")
	return false
}
