package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	good := pingText("127.0.0.1:8080") // never bound
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ok := file("ok.cfg", good)
	bad := file("bad.cfg", strings.Replace(good, "mode http", "mode htp", 1)+"    maxcon 5\n")
	twice := file("twice.cfg", good+"    acl a path_begg /x\n    maxcon 5\n    use_backend none if a\n    log-format %zz\n")
	compiled := file("compiled.cfg", good+"    acl a path_begg /x\n    log-format %zz\n")
	warn := file("warn.cfg", strings.ReplaceAll(good, "timeout", "# timeout"))
	file("d/10.cfg", "global\n    nbthread 1\n")
	file("d/20.cfg", good)
	file("d/.hidden.cfg", "wrong\n")
	file("d/notes.txt", "wrong\n")
	for name, row := range map[string]struct {
		args   []string
		end    string
		stdout string
		stderr []string
	}{
		"valid":              {[]string{"-c", "-f", ok}, "exit 0", "", nil},
		"valid and verbose":  {[]string{"-c", "-V", "-f", ok}, "exit 0", "Configuration file is valid\n", nil},
		"after two dashes":   {[]string{"-c", "--", ok}, "exit 0", "", nil},
		"a folder":           {[]string{"-c", "-f", filepath.Join(dir, "d")}, "exit 0", "", nil},
		"relative to -C":     {[]string{"-c", "-C", dir, "-f", "ok.cfg"}, "exit 0", "", nil},
		"two files":          {[]string{"-c", "-f", filepath.Join(dir, "d/10.cfg"), "-f", ok}, "exit 0", "", nil},
		"all errors at once": {[]string{"-c", "-f", bad}, "exit 1", "", []string{"[ALERT]", "bad.cfg:5]", "bad.cfg:12]", "Fatal errors found in configuration."}},
		"errors of all stages": {[]string{"-c", "-f", twice}, "exit 1", "", []string{
			"config : parsing [" + twice + ":12] : ", "config : parsing [" + twice + ":13] : ", "config : parsing [" + twice + ":14] : ",
			"config : parsing [" + twice + ":15] : ", "log-format: there is no variable %zz"}},
		"errors of the last stage": {[]string{"-c", "-f", compiled}, "exit 1", "", []string{
			"config : parsing [" + compiled + ":12] : ", "config : parsing [" + compiled + ":13] : ", "Fatal errors"}},
		"they stop a start as well": {[]string{"-f", compiled}, "exit 1", "", []string{
			"config : parsing [" + compiled + ":12] : ", "config : parsing [" + compiled + ":13] : ", "Fatal errors"}},
		"quiet":                 {[]string{"-c", "-q", "-f", bad}, "exit 1", "", nil},
		"a warning":             {[]string{"-c", "-f", warn}, "exit 0", "", []string{"[WARNING]"}},
		"a warning with -dW":    {[]string{"-c", "-dW", "-f", warn}, "exit 1", "", []string{"zero-warning"}},
		"no warning with -dW":   {[]string{"-c", "-dW", "-f", ok}, "exit 0", "", nil},
		"missing file":          {[]string{"-c", "-f", dir + "/none"}, "exit 1", "", []string{dir + "/none"}},
		"missing folder":        {[]string{"-C", dir + "/none", "-f", ok}, "exit 1", "", []string{"could not change to directory"}},
		"nothing to serve":      {[]string{"-c", "-f", "/dev/null"}, "exit 2", "", nil},
		"no file":               {[]string{"-c"}, "exit 1", "", []string{"Usage"}},
		"unknown option":        {[]string{"-Z"}, "exit 1", "", []string{"Usage"}},
		"bad pid list":          {[]string{"-sf", "abc", "-f", ok}, "exit 1", "", []string{"-sf"}},
		"HAProxy's debug flags": {[]string{"-c", "-dM", "-dI", "-dr", "-ds", "-de", "-dG", "-f", ok}, "exit 0", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, row.args...)
			p.wantEnd(row.end)
			if row.stdout != "" && p.out.String() != row.stdout {
				t.Errorf("stdout %q, want %q", p.out.String(), row.stdout)
			}
			for _, want := range row.stderr {
				if !strings.Contains(p.err.String(), want) {
					t.Errorf("stderr lacks %q:\n%s", want, p.err.String())
				}
			}
			if row.stderr == nil && p.err.String() != "" && row.end != "exit 2" {
				t.Errorf("unexpected messages:\n%s", p.err.String())
			}
		})
	}
}

func TestConditionsGiveExitCodes(t *testing.T) {
	t.Setenv("WEIR_TEST_VARIABLE", "x")
	for expr, want := range map[string]string{
		"1":                              "exit 0",
		"0":                              "exit 1",
		"version_atleast(2.4)":           "exit 0",
		"version_before(2.4)":            "exit 1",
		"feature(EPOLL)":                 "exit 0",
		"feature(NOSUCH)":                "exit 1",
		"defined(WEIR_TEST_VARIABLE)":    "exit 0",
		"streq(a,b) || strneq(a,b)":      "exit 0",
		`streq("$WEIR_TEST_VARIABLE",x)`: "exit 0",
		"!(1 && 0)":                      "exit 0",
		"streq(a":                        "exit 2",
		"nosuch(1)":                      "exit 2",
	} {
		t.Run(expr, func(t *testing.T) { start(t, "-cc", expr).wantEnd(want) })
	}
}

func TestVersionHasTheLinesThatToolsLookFor(t *testing.T) {
	p := start(t, "-vv")
	p.wantEnd("exit 0")
	for _, want := range []string{"HAProxy version 3.", "TARGET  = linux-glibc", "Feature list :"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("-vv lacks %q:\n%s", want, p.out.String())
		}
	}
	if p := start(t, "-v"); p.wait() != "exit 0" || !strings.HasPrefix(p.out.String(), "HAProxy version ") {
		t.Errorf("-v printed %q", p.out.String())
	}
}

func TestSignalsEndTheProcess(t *testing.T) {
	for _, row := range []struct {
		mode string
		sig  syscall.Signal
		want string
	}{
		{"-db", syscall.SIGTERM, "signal terminated"},
		{"-db", syscall.SIGINT, "signal interrupt"},
		{"-db", syscall.SIGUSR1, "exit 0"},
		{"-W", syscall.SIGTERM, "exit 143"},
		{"-W", syscall.SIGINT, "exit 130"},
		{"-W", syscall.SIGUSR1, "exit 0"},
		{"-Ws", syscall.SIGTERM, "exit 143"},
	} {
		t.Run(row.mode+" "+row.sig.String(), func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			p := start(t, row.mode, "-f", pingConfig(t, port))
			p.wantAnswers(port)
			p.signal(row.sig)
			p.wantEnd(row.want)
		})
	}
}

// A shell that runs a script starts its background jobs with SIGINT ignored.
func TestSIGINTEndsTheProcessThatWasStartedWithItIgnored(t *testing.T) {
	port := freePort(t)
	p := prepare(t, "-db", "-f", pingConfig(t, port))
	p.cmd.Args = append([]string{"sh", "-c", `trap "" INT; exec "$@"`, "sh"}, append([]string{p.cmd.Path}, p.cmd.Args[1:]...)...)
	p.cmd.Path = "/bin/sh"
	p.launch()
	p.wantAnswers(port)
	p.signal(syscall.SIGINT)
	p.wantEnd("exit 130")
}

func TestReloadSignalsAreToldAndSurvived(t *testing.T) {
	for _, mode := range []string{"-db", "-W"} {
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGTTOU, syscall.SIGTTIN} {
			t.Run(mode+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				port := freePort(t)
				p := start(t, mode, "-f", pingConfig(t, port))
				p.wantAnswers(port)
				p.signal(sig)
				if sig == syscall.SIGHUP || sig == syscall.SIGUSR2 {
					eventually(t, "a line about it", func() bool {
						return strings.Contains(p.err.String(), signalName(sig)+": weir cannot reload")
					})
				}
				p.wantAnswers(port)
				p.signal(syscall.SIGUSR1)
				p.wantEnd("exit 0")
			})
		}
	}
}

func TestSIGQUITTellsMemoryAndGoesOn(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", pingConfig(t, port))
	p.wantAnswers(port)
	p.signal(syscall.SIGQUIT)
	eventually(t, "a line about memory", func() bool { return strings.Contains(p.err.String(), " KiB in use") })
	p.wantAnswers(port)
}

// relayConfig is a TCP relay to a server that echoes.
func relayConfig(t *testing.T, port int, global ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return write(t, "relay.cfg", fmt.Sprintf(`global
    maxconn 100
    %s
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen echo
    bind 127.0.0.1:%d
    server s %s
`, strings.Join(global, "\n    "), port, l.Addr()))
}

// dialEcho connects through the relay and sees that it works.
func dialEcho(t *testing.T, port int) net.Conn {
	t.Helper()
	var conn net.Conn
	eventually(t, "a connection", func() (ok bool) {
		var err error
		conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	wantEcho(t, conn, "hello")
	return conn
}

func wantEcho(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("echo of %q: %q, %v", text, got, err)
	}
}

func refused(port int) bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func TestSoftStopLetsConnectionsFinish(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", relayConfig(t, port))
	conn := dialEcho(t, port)
	p.signal(syscall.SIGUSR1)
	eventually(t, "the port closed", func() bool { return refused(port) })
	wantEcho(t, conn, "still here")
	if p.hasEnded() {
		t.Fatal("it ended with a connection open")
	}
	conn.Close()
	p.wantEnd("exit 0")
}

func TestHardStopAfterEndsADrain(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", relayConfig(t, port, "hard-stop-after 50ms"))
	conn := dialEcho(t, port)
	p.signal(syscall.SIGUSR1)
	p.wantEnd("exit 0")
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

func TestTerminationEndsADrainAtOnce(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", relayConfig(t, port))
	dialEcho(t, port)
	p.signal(syscall.SIGUSR1)
	eventually(t, "the port closed", func() bool { return refused(port) })
	p.signal(syscall.SIGTERM)
	p.wantEnd("signal terminated")
}

func TestTerminationCutsConnections(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", relayConfig(t, port))
	conn := dialEcho(t, port)
	p.signal(syscall.SIGTERM)
	p.wantEnd("signal terminated")
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

func TestBusyPortIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for _, mode := range []string{"-db", "-D", "-W"} {
		p := start(t, mode, "-f", pingConfig(t, port))
		p.wantEnd("exit 1")
		if want := "127.0.0.1:" + strconv.Itoa(port); !strings.Contains(p.err.String(), want) || !strings.Contains(p.err.String(), "[ALERT]") {
			t.Errorf("%s: stderr does not name %s:\n%s", mode, want, p.err.String())
		}
	}
}

func TestClosedStandardInputIsNoEndOfService(t *testing.T) {
	port := freePort(t)
	p := prepare(t, "-f", pingConfig(t, port))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdin = r
	p.launch()
	r.Close()
	w.Close()
	p.wantAnswers(port)
}

func TestStartTellsHowLimitsWereComputed(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-n", "50", "-S", "/tmp/master.sock", "-f", pingConfig(t, port))
	p.wantAnswers(port)
	for _, want := range []string{"maxconn 50 as configured: ", "nbthread", "-S /tmp/master.sock: weir has no master CLI"} {
		if !strings.Contains(p.err.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, p.err.String())
		}
	}
	p = start(t, "-db", "-q", "-f", pingConfig(t, freePort(t)))
	p.signal(syscall.SIGTERM)
	p.wait()
	if got := p.err.String(); got != "" {
		t.Errorf("with -q it printed %q", got)
	}
}

func TestLoopsAndDescriptorsOfTheGlobalSection(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", pingConfig(t, port, "nbthread 1", "ulimit-n 400"))
	p.wantAnswers(port)
	if !strings.Contains(p.err.String(), "; nbthread 1") {
		t.Errorf("stderr:\n%s", p.err.String())
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "Max open files") && len(f) > 3 {
			if n, _ := strconv.Atoi(f[3]); n != 400 {
				t.Errorf("descriptor limit %s, want 400", f[3])
			}
		}
	}
}
