package difftest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// drainPoll is how often the kernel's socket table is read.
const drainPoll = 2 * time.Millisecond

// drained waits until the proxy has read everything that was sent to it on
// conn: then the next segment is a read of its own. The kernel has no event
// for this, so its table of sockets is polled.
func (w *World) drained(conn *net.TCPConn) error {
	ours := conn.LocalAddr().(*net.TCPAddr).Port
	theirs := conn.RemoteAddr().(*net.TCPAddr).Port
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	deadline := time.NewTimer(stepTimeout)
	defer deadline.Stop()
	for {
		waiting, err := receiveQueue(theirs, ours)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-w.exited:
			return fmt.Errorf("the proxy has ended")
		case <-deadline.C:
			return fmt.Errorf("the proxy does not read: %d bytes wait", waiting)
		}
	}
}

// receiveQueue returns the number of unread bytes of the socket that is bound
// to one port and connected to the other; 0 also when there is none (any more).
func receiveQueue(bound, connected int) (int, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, fmt.Errorf("can't read socket table: %w", err)
	}
	defer f.Close()
	from, to := fmt.Sprintf(":%04X", bound), fmt.Sprintf(":%04X", connected)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.HasSuffix(fields[1], from) || !strings.HasSuffix(fields[2], to) {
			continue
		}
		var sending, waiting int
		_, err := fmt.Sscanf(fields[4], "%x:%x", &sending, &waiting)
		return waiting, err
	}
	return 0, lines.Err()
}
