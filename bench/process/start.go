package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Spec is one program to run.
type Spec struct {
	Args   []string // program and arguments
	Env    []string // added to ours
	Dir    string
	CPUs   []int  // nil: all
	Output string // file for standard output and error; empty: none
	Input  bool   // a pipe to standard input
}

// A Starter starts programs.
type Starter struct {
	jobs chan func()
}

// NewStarter makes the thread whose children all programs will be.
func NewStarter() *Starter {
	s := &Starter{jobs: make(chan func())}
	go func() {
		// The kernel kills the children when the thread that started them ends
		// (PR_SET_PDEATHSIG), so this one stays, locked.
		runtime.LockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// A Process is a program that runs.
type Process struct {
	PID   int
	Input io.WriteCloser // if the Spec asked for it

	args []string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; valid once done is closed
}

// Start runs a program.
func (s *Starter) Start(spec Spec) (*Process, error) {
	cmd := exec.Command(spec.Args[0], spec.Args[1:]...)
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Dir = spec.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if spec.Output != "" {
		f, err := os.OpenFile(spec.Output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("can't keep the output of %s: %w", spec.Args[0], err)
		}
		defer f.Close()
		cmd.Stdout, cmd.Stderr = f, f
	}
	var input io.WriteCloser
	if spec.Input {
		var err error
		if input, err = cmd.StdinPipe(); err != nil {
			return nil, fmt.Errorf("can't feed %s: %w", spec.Args[0], err)
		}
	}
	p, err := s.start(cmd, spec)
	if err != nil {
		return nil, err
	}
	p.Input = input
	return p, nil
}

func (s *Starter) start(cmd *exec.Cmd, spec Spec) (*Process, error) {
	started := make(chan error)
	s.jobs <- func() { started <- startOn(cmd, spec.CPUs) }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("can't start %s: %w", spec.Args[0], err)
	}
	p := &Process{PID: cmd.Process.Pid, args: spec.Args, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// startOn starts cmd with the calling thread's affinity set to cpus: a child
// inherits it.
func startOn(cmd *exec.Cmd, cpus []int) error {
	if len(cpus) == 0 {
		return cmd.Start()
	}
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	set := cpuSet(cpus)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("processors %v: %w", cpus, err)
	}
	defer unix.SchedSetaffinity(0, &before) // what was allowed is allowed
	return cmd.Start()
}

// Done is closed once the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the process ended; nil is exit code 0. Only after Done.
func (p *Process) Err() error {
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", strings.Join(p.args, " "), p.err)
}

const stopMax = 3 * time.Second

// Stop ends the process and its children.
func (p *Process) Stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM) // who is gone already needs no signal
	late := time.NewTimer(stopMax)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		p.cmd.Process.Kill()
		<-p.done
	}
	// Workers whose master was killed stay behind; the process leads their group.
	if err := syscall.Kill(-p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("can't end the children of %s: %w", p.args[0], err)
	}
	return nil
}

// Signal sends a signal.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }
