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
	local := conn.LocalAddr().(*net.TCPAddr).Port
	remote := conn.RemoteAddr().(*net.TCPAddr).Port
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	deadline := time.NewTimer(stepTimeout)
	defer deadline.Stop()
	for {
		waiting, err := receiveQueue(remote, local)
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

// receiveQueue returns the number of unread bytes of the socket with these
// ports; 0 also when there is no such socket (any more).
func receiveQueue(localPort, remotePort int) (int, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, fmt.Errorf("can't read socket table: %w", err)
	}
	defer f.Close()
	local, remote := fmt.Sprintf(":%04X", localPort), fmt.Sprintf(":%04X", remotePort)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.HasSuffix(fields[1], local) || !strings.HasSuffix(fields[2], remote) {
			continue
		}
		var sending, waiting int
		_, err := fmt.Sscanf(fields[4], "%x:%x", &sending, &waiting)
		return waiting, err
	}
	return 0, lines.Err()
}
