package listener_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/listener"
)

// inherited names the descriptors that a process found open when it started:
// "key=3;key=4". A file descriptor number is stable over exec.
const inherited = "WEIR_EXAMPLE_SOCKETS"

// This program can be replaced by a new version of itself without refusing a
// connection: SIGUSR2 starts the executable again with the listening sockets.
// The new process listens on the same queues, so nothing that waits in them is
// reset, and the old one accepts until the new one says that it is ready by
// sending SIGUSR1.
func Example_upgrade() {
	sockets, err := openAll([]listener.Spec{
		{Address: "127.0.0.1:8080", Name: "web"},
		{Address: "/run/example.sock", Mode: 0o660},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if parent := os.Getppid(); os.Getenv(inherited) != "" {
		syscall.Kill(parent, syscall.SIGUSR1) // we accept from now on
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
	for sig := range signals {
		switch sig {
		case syscall.SIGUSR2:
			if err := startSuccessor(sockets); err != nil {
				fmt.Fprintln(os.Stderr, "can't upgrade:", err) // go on as before
			}
		case syscall.SIGUSR1:
			for _, s := range sockets {
				s.Keep() // the files belong to the successor
				s.Close()
			}
			return
		case syscall.SIGTERM:
			for _, s := range sockets {
				s.Close()
			}
			return
		}
	}
}

func openAll(specs []listener.Spec) ([]*listener.Socket, error) {
	handed := map[string]int{}
	for entry := range strings.SplitSeq(os.Getenv(inherited), ";") {
		if key, num, ok := strings.Cut(entry, "="); ok {
			if fd, err := strconv.Atoi(num); err == nil {
				handed[key] = fd
			}
		}
	}
	opt := listener.OpenOptions{Adopt: func(key string) (int, bool) {
		fd, ok := handed[key]
		delete(handed, key)
		return fd, ok
	}}
	var all []*listener.Socket
	for _, spec := range specs {
		sockets, err := listener.Open(spec, opt)
		if err != nil {
			return nil, err
		}
		all = append(all, sockets...)
	}
	for _, fd := range handed {
		unix.Close(fd) // no bind line wants it any more
	}
	return all, nil
}

func startSuccessor(sockets []*listener.Socket) error {
	const first = 3 // exec.Cmd puts ExtraFiles behind standard error
	var files []*os.File
	var names []string
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for i, s := range sockets {
		fd, err := unix.FcntlInt(uintptr(s.FD), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err
		}
		files = append(files, os.NewFile(uintptr(fd), s.Key()))
		names = append(names, s.Key()+"="+strconv.Itoa(first+i))
	}
	self, err := os.Executable()
	if err != nil {
		return errors.Join(errors.New("no executable"), err)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inherited+"="+strings.Join(names, ";"))
	cmd.ExtraFiles = files
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Start()
}
