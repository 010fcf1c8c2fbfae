package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// pidIn reads a pid file: one decimal pid and one newline, exactly.
func pidIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSuffix(string(text), "\n"))
	if err != nil || string(text) != fmt.Sprintf("%d\n", pid) {
		t.Fatalf("pid file holds %q", text)
	}
	return pid
}

// stopDaemon ends what a test has left in the background.
func stopDaemon(t *testing.T, pid int) {
	t.Cleanup(func() {
		if alive(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

func TestDaemonServesBeforeItsParentEnds(t *testing.T) {
	for name, row := range map[string]struct {
		args    []string
		keyword string
	}{
		"flag":            {[]string{"-D"}, ""},
		"keyword":         {nil, "daemon"},
		"flag and master": {[]string{"-D", "-W"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			pidFile := filepath.Join(t.TempDir(), "pid")
			p := start(t, append(row.args, "-p", pidFile, "-f", pingConfig(t, port, row.keyword))...)
			p.wantEnd("exit 0") // and standard error is closed, or this would wait
			pid := pidIn(t, pidFile)
			stopDaemon(t, pid)
			if pid == p.pid() {
				t.Error("the pid file names the first process")
			}
			if !answers(port) {
				t.Error("the first process ended before the second one served")
			}
			if sid, err := getsid(pid); err != nil || sid == sessionOf(t, os.Getpid()) {
				t.Errorf("it is still in our session (%v)", err)
			}
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			endOf(t, pid)
		})
	}
}

func getsid(pid int) (int, error) {
	sid, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(sid), nil
}

func sessionOf(t *testing.T, pid int) int {
	t.Helper()
	sid, err := getsid(pid)
	if err != nil {
		t.Fatal(err)
	}
	return sid
}

func TestDaemonThatCannotStartTellsItsParent(t *testing.T) {
	bad := write(t, "bad.cfg", "frontend f\n    nonsense\n")
	p := start(t, "-D", "-f", bad)
	p.wantEnd("exit 1")
	if !strings.Contains(p.err.String(), "bad.cfg:2") {
		t.Errorf("stderr does not say why:\n%s", p.err.String())
	}
}

func TestRelativeFolderCountsOnceInTheBackground(t *testing.T) {
	port := freePort(t)
	path := pingConfig(t, port, "daemon")
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := prepare(t, "-C", filepath.Base(filepath.Dir(path)), "-f", filepath.Base(path), "-p", pidFile)
	p.cmd.Dir = filepath.Dir(filepath.Dir(path))
	p.launch().wantEnd("exit 0")
	pid := pidIn(t, pidFile)
	stopDaemon(t, pid)
	syscall.Kill(pid, syscall.SIGTERM)
	endOf(t, pid)
}

func TestMasterWritesItsOwnPid(t *testing.T) {
	port := freePort(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := start(t, "-W", "-p", pidFile, "-f", pingConfig(t, port))
	p.wantAnswers(port)
	if pid := pidIn(t, pidFile); pid != p.pid() {
		t.Errorf("the pid file names %d, the started process is %d", pid, p.pid())
	}
}

func TestForegroundWritesNoPidFile(t *testing.T) {
	port := freePort(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := start(t, "-db", "-p", pidFile, "-f", pingConfig(t, port))
	p.wantAnswers(port)
	if _, err := os.Stat(pidFile); err == nil {
		t.Error("there is a pid file")
	}
}

func TestPidFileOfTheGlobalSection(t *testing.T) {
	port := freePort(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := start(t, "-W", "-f", pingConfig(t, port, "pidfile "+pidFile))
	p.wantAnswers(port)
	if pid := pidIn(t, pidFile); pid != p.pid() {
		t.Errorf("the pid file names %d, the started process is %d", pid, p.pid())
	}
}

func TestReadinessIsTheFirstNotification(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@weir-test-%d", os.Getpid())} {
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		port := freePort(t)
		p := prepare(t, "-Ws", "-f", pingConfig(t, port))
		p.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+name)
		p.launch()
		datagram := make([]byte, 4096)
		n, err := socket.Read(datagram)
		if err != nil {
			t.Fatal(err)
		}
		text := string(datagram[:n])
		if !strings.HasPrefix(text, "READY=1\n") || !strings.Contains(text, fmt.Sprintf("MAINPID=%d\n", p.pid())) {
			t.Errorf("first datagram: %q", text)
		}
		if !answers(port) {
			t.Error("ready, but nobody answers")
		}
		p.signal(syscall.SIGTERM)
		p.wantEnd("exit 143")
	}
}

func TestInheritedSocketIsUsedUnderItsNumber(t *testing.T) {
	for name, row := range map[string]struct {
		bind string
		args []string
	}{
		"number":               {"fd@3", []string{"-db"}},
		"from the environment": {`"fd@${WEIR_TEST_FD}"`, []string{"-W"}},
		"stream":               {"stream+fd@3", []string{"-db"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, file := listenFile(t)
			p := prepare(t, append(row.args, "-f", write(t, "fd.cfg", pingText(row.bind)))...)
			p.cmd.ExtraFiles = []*os.File{file}
			p.cmd.Env = append(os.Environ(), "WEIR_TEST_FD=3")
			p.launch()
			p.wantAnswers(l.Addr().(*net.TCPAddr).Port)
		})
	}
}

// listenFile opens a listening socket that a child can inherit.
func listenFile(t *testing.T) (*net.TCPListener, *os.File) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return l, file
}

func TestInheritedSocketReachesTheBackground(t *testing.T) {
	l, file := listenFile(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := prepare(t, "-D", "-p", pidFile, "-f", write(t, "fd.cfg", pingText("fd@3")))
	p.cmd.ExtraFiles = []*os.File{file}
	p.launch().wantEnd("exit 0")
	pid := pidIn(t, pidFile)
	stopDaemon(t, pid)
	if !answers(l.Addr().(*net.TCPAddr).Port) {
		t.Error("nobody answers on the inherited socket")
	}
	syscall.Kill(pid, syscall.SIGTERM)
	endOf(t, pid)
}

func TestOldProcessesGoWhenTheNewOneServes(t *testing.T) {
	for flag, want := range map[string]string{"-sf": "exit 0", "-st": "signal terminated"} {
		t.Run(flag, func(t *testing.T) {
			port := freePort(t)
			path := pingConfig(t, port)
			old := start(t, "-db", "-f", path)
			old.wantAnswers(port)
			next := start(t, "-db", "-f", path, flag, strconv.Itoa(old.pid()))
			old.wantEnd(want)
			next.wantAnswers(port)
		})
	}
}

func TestPrivilegesAreGivenAway(t *testing.T) {
	if !needsRoot(t) {
		return
	}
	for name, keywords := range map[string][]string{
		"names":   {"user nobody", "group nogroup"},
		"numbers": {"uid 65534", "gid 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			jail := t.TempDir()
			p := start(t, "-db", "-f", pingConfig(t, port, append(keywords, "chroot "+jail)...))
			p.wantAnswers(port)
			if root, err := os.Readlink(fmt.Sprintf("/proc/%d/root", p.pid())); err != nil || root != jail {
				t.Errorf("root is %s (%v), want %s", root, err, jail)
			}
			tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.pid()))
			if err != nil || len(tasks) == 0 {
				t.Fatal("no tasks", err)
			}
			for _, task := range tasks {
				text, err := os.ReadFile(task)
				if err != nil {
					continue // the thread has ended
				}
				for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t \n"} {
					if !strings.Contains(string(text), want) {
						t.Errorf("%s lacks %q:\n%s", task, want, text)
					}
				}
			}
		})
	}
}

func TestPrivilegesThatCannotBeGivenAwayAreAnError(t *testing.T) {
	port := freePort(t)
	p := start(t, "-db", "-f", pingConfig(t, port, "chroot /nonexistent"))
	p.wantEnd("exit 1")
	if !strings.Contains(strings.ToLower(p.err.String()), "cannot chroot(/nonexistent)") {
		t.Errorf("stderr:\n%s", p.err.String())
	}
	p = start(t, "-c", "-f", pingConfig(t, port, "user no-such-user"))
	p.wantEnd("exit 1")
	if !strings.Contains(p.err.String(), "no-such-user") {
		t.Errorf("stderr:\n%s", p.err.String())
	}
}

// asNobody runs p without root's right to raise limits.
func asNobody(p *started) *started {
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return p
}

func TestMaxconnBeyondTheDescriptorsIsAnError(t *testing.T) {
	if !needsRoot(t) {
		return
	}
	port := freePort(t)
	text := strings.Replace(pingText(fmt.Sprintf("127.0.0.1:%d", port)), "maxconn 100", "maxconn 5000", 1)
	limited := func(config string) *started {
		name, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t)
		p.cmd.Path, p.cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -n 1000; exec "$@"`, "sh", name, "-V", "-db", "-f", config}
		return asNobody(p).launch()
	}
	p := limited(write(t, "strict.cfg", text))
	p.wantEnd("exit 1")
	if !strings.Contains(p.err.String(), "limit is 1000") {
		t.Errorf("stderr:\n%s", p.err.String())
	}
	p = limited(write(t, "lax.cfg", strings.Replace(text, "maxconn 5000", "maxconn 5000\n    no strict-limits", 1)))
	p.wantAnswers(port)
}

func TestNameComesFromTheCommandLine(t *testing.T) {
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "haproxy")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	p := prepare(t)
	p.cmd.Path, p.cmd.Args = link, []string{link}
	p.launch().wantEnd("exit 1")
	if !strings.Contains(p.err.String(), "Usage : haproxy") {
		t.Errorf("stderr:\n%s", p.err.String())
	}
}

// A process that holds a port for itself alone, as some do, lets go of it when
// it is told to pause (SIGTTOU).
func TestOldProcessesAreAskedForTheirPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	p := prepare(t, "-db", "-f", pingConfig(t, port))
	p.cmd.Args = append(p.cmd.Args, "-sf", startPauser(t, l))
	p.launch()
	p.wantAnswers(port)
}

// startPauser runs a shell that tells us of SIGTTOU by ending; then the port
// is set free. It returns its pid.
func startPauser(t *testing.T, l net.Listener) string {
	t.Helper()
	shell := exec.Command("/bin/sh", "-c", `trap 'exit 0' TTOU USR1; echo ready; while :; do read line || exit; done`)
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		shell.Wait()
		l.Close()
		close(ended)
	}()
	t.Cleanup(func() {
		in.Close()
		<-ended
	})
	return strconv.Itoa(shell.Process.Pid)
}

func TestLogTagIsTheNameOfTheCommand(t *testing.T) {
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "haproxy")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10)
	port := freePort(t)
	text := pingText(fmt.Sprintf("127.0.0.1:%d", port), "log "+logTarget(t, lines)+" local0")
	config := write(t, "log.cfg", strings.Replace(text, "mode http\n", "mode http\n    log global\n    option httplog\n", 1))
	p := prepare(t, "-db", "-f", config)
	p.cmd.Path, p.cmd.Args[0] = link, link
	p.launch().wantAnswers(port)
	ask(t, "GET", fmt.Sprintf("http://127.0.0.1:%d/nowhere", port))
	wantLogLine(t, lines, fmt.Sprintf(" haproxy[%d]: ", p.pid()), "ping/<NOSRV> ", `"GET /nowhere HTTP/1.1"`)
}
