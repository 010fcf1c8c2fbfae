package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// readyVariable tells a process that it is the background one: it holds the
// number of the descriptor on which its parent waits for readyByte.
const readyVariable = "WEIR_READY_FD"

const readyByte = 'R'

// A Go program cannot fork, so "-D" starts the program again in a session of
// its own and waits until that one is ready. Until then the child's messages
// appear on our terminal. Inherited descriptors (bind fd@N) keep their
// numbers: they are not close-on-exec, and neither is the pipe, so no number
// is ever moved.
//
// It returns the exit code for the parent.
func startInBackground(dir string) (code int, err error) {
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], 0); err != nil {
		return 1, fmt.Errorf("can't start in the background: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("can't start in the background: %w", err)
	}
	cmd := exec.Cmd{
		Path: self, Args: os.Args, Dir: dir,
		Env:    append(os.Environ(), readyVariable+"="+strconv.Itoa(pipe[1])),
		Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	unix.CloseOnExec(pipe[0])
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("can't start in the background: %w", err)
	}
	syscall.Close(pipe[1])
	ready := os.NewFile(uintptr(pipe[0]), "ready")
	defer ready.Close()
	answer := make([]byte, 1)
	if n, _ := ready.Read(answer); n == 1 && answer[0] == readyByte {
		return 0, nil
	}
	_ = cmd.Wait() // it has said why on our terminal
	return max(cmd.ProcessState.ExitCode(), 1), nil
}

// background is the child's end of startInBackground; nil in a process that
// was not started by it.
type background struct {
	ready *os.File
	null  *os.File // opened before a chroot hides it
}

// inBackground takes the variable out of the environment, so that nothing that
// we start or read sees it.
func inBackground() *background {
	text := os.Getenv(readyVariable)
	os.Unsetenv(readyVariable)
	num, err := strconv.Atoi(text)
	if err != nil || num < 0 {
		return nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	unix.CloseOnExec(num)
	return &background{ready: os.NewFile(uintptr(num), "ready"), null: null}
}

// leaveTerminal closes the standard descriptors and lets the parent go.
func (b *background) leaveTerminal() error {
	defer b.null.Close()
	for num := range 3 {
		if err := unix.Dup3(int(b.null.Fd()), num, 0); err != nil {
			return fmt.Errorf("can't leave the terminal: %w", err)
		}
	}
	if _, err := b.ready.Write([]byte{readyByte}); err != nil {
		return fmt.Errorf("can't tell the first process: %w", err)
	}
	return b.ready.Close()
}
