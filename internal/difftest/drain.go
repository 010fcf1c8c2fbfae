package difftest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// drainPoll is how often the kernel's socket table is read.
const drainPoll = 2 * time.Millisecond

// drained waits until the proxy has read everything that was sent to it on
// conn: then the next segment is a read of its own.
func (w *World) drained(conn *net.TCPConn) error {
	return w.pollSocket(conn, func(_ bool, unread int) bool { return unread == 0 })
}

// gone waits until the proxy's side of a connection that the harness has
// ended is no more.
func (w *World) gone(conn *net.TCPConn) error {
	return w.pollSocket(conn, func(open bool, _ int) bool { return !open })
}

// pollSocket reads the kernel's table of sockets, for which there are no
// events, until the proxy's side of conn is as wanted.
func (w *World) pollSocket(conn *net.TCPConn, wanted func(open bool, unread int) bool) error {
	ours := conn.LocalAddr().(*net.TCPAddr).Port
	theirs := conn.RemoteAddr().(*net.TCPAddr).Port
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	deadline := time.NewTimer(stepTimeout)
	defer deadline.Stop()
	for {
		open, unread, err := findSocket(theirs, ours)
		if err != nil || wanted(open, unread) {
			return err
		}
		select {
		case <-tick.C:
		case <-w.exited:
			return errors.New("the proxy has ended")
		case <-deadline.C:
			return fmt.Errorf("the proxy's socket is open: %v, %d bytes are unread", open, unread)
		}
	}
}

// States of a socket in which its process has let go of it, from include/net/tcp_states.h.
var letGo = map[string]bool{"04": true, "05": true, "06": true, "07": true, "09": true, "0B": true}

// findSocket looks up the socket that is bound to one port and connected to
// the other.
func findSocket(bound, connected int) (open bool, unread int, err error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return false, 0, fmt.Errorf("can't read socket table: %w", err)
	}
	defer f.Close()
	from, to := fmt.Sprintf(":%04X", bound), fmt.Sprintf(":%04X", connected)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.HasSuffix(fields[1], from) || !strings.HasSuffix(fields[2], to) {
			continue
		}
		var sending int
		_, err := fmt.Sscanf(fields[4], "%x:%x", &sending, &unread)
		return !letGo[fields[3]], unread, err
	}
	return false, 0, lines.Err()
}
