package main

import (
	"errors"
	"strings"
	"syscall"
	"time"
)

const (
	bindAttempts = 100                   // while the old processes let go of their ports
	bindPause    = 10 * time.Millisecond // between attempts
)

// takePorts runs open, and while it fails because a port is taken, asks the
// old processes (-sf, -st) to let go of theirs (SIGTTOU; management.txt
// chapter 4). If that does not help, they are asked to go on (SIGTTIN).
func takePorts(old []int, open func() error) error {
	err := open()
	if len(old) == 0 || !portTaken(err) {
		return err
	}
	signalAll(old, syscall.SIGTTOU)
	for range bindAttempts {
		time.Sleep(bindPause)
		if err = open(); !portTaken(err) {
			break
		}
	}
	if err != nil {
		signalAll(old, syscall.SIGTTIN)
	}
	return err
}

// portTaken looks for the words as well: proxy.Errors holds text, since it
// reports all that is wrong with a configuration, not one cause.
func portTaken(err error) bool {
	return err != nil && (errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), syscall.EADDRINUSE.Error()))
}

// signalAll ignores processes that have gone: that is what was wanted of them.
func signalAll(pids []int, sig syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig)
	}
}
