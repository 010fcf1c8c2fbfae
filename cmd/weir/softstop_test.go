package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process in the background has no other place to say that it takes nothing
// more.
func TestSoftStopOfADaemonIsToldInTheLog(t *testing.T) {
	logTo, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer logTo.Close()
	logTo.SetReadDeadline(time.Now().Add(patience))
	port := freePort(t)
	text := pingText(fmt.Sprintf("127.0.0.1:%d", port), "log "+logTo.LocalAddr().String()+" format short local0")
	text = strings.Replace(text, "defaults\n", "defaults\n    log global\n    option httplog\n", 1)
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := start(t, "-D", "-p", pidFile, "-f", write(t, "haproxy.cfg", text))
	p.wantEnd("exit 0")
	pid := pidIn(t, pidFile)
	stopDaemon(t, pid)
	if !answers(port) {
		t.Fatal("it does not answer")
	}
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1000)
	n, _, err := logTo.ReadFrom(b)
	const want = "<4>Proxy ping stopped (cumulated conns: FE: 1, BE: 0)."
	if got := strings.TrimSpace(string(b[:n])); err != nil || got != want {
		t.Errorf("log: got %q and error %v, want %q", got, err, want)
	}
	endOf(t, pid)
}
