package main

import (
	"fmt"
	"net"
	"os"
)

// notifier speaks the datagram protocol of sd_notify(3). The socket is opened
// before a chroot hides its path. A nil notifier says nothing.
type notifier struct{ conn *net.UnixConn }

// openNotifier connects to $NOTIFY_SOCKET; nil when there is none.
func openNotifier() (*notifier, error) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("can't reach $NOTIFY_SOCKET: %w", err)
	}
	return &notifier{conn}, nil
}

func (n *notifier) ready() {
	n.send(fmt.Sprintf("READY=1\nMAINPID=%d\nSTATUS=Ready.\n", os.Getpid()))
}

func (n *notifier) stopping() { n.send("STOPPING=1\nSTATUS=Stopping.\n") }

// send drops what a full or vanished supervisor does not take: serving goes on.
func (n *notifier) send(text string) {
	if n != nil {
		_, _ = n.conn.Write([]byte(text))
	}
}
