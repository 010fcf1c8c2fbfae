package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A SyscallCounter counts the system calls of processes from its start until
// Stop.
type SyscallCounter struct {
	How string // for the report

	events []int // descriptors of the kernel's counters
	strace *exec.Cmd
	output string
}

// CountSyscalls begins to count: with the kernel's tracepoint where that is
// allowed, else with strace, which slows the processes down but counts as well.
func CountSyscalls(pids []int, dir string) (*SyscallCounter, error) {
	c, err := countByTracepoint(pids)
	if err == nil {
		return c, nil
	}
	traced, straceErr := countByStrace(pids, filepath.Join(dir, "strace"))
	if straceErr != nil {
		return nil, fmt.Errorf("can't count system calls: %w; %w", err, straceErr)
	}
	return traced, nil
}

func countByTracepoint(pids []int) (*SyscallCounter, error) {
	id, err := tracepoint("raw_syscalls/sys_enter")
	if err != nil {
		return nil, err
	}
	c := &SyscallCounter{How: "tracepoint raw_syscalls:sys_enter"}
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		for _, task := range tasks {
			tid, _ := strconv.Atoi(filepath.Base(task)) // the kernel's names are numbers
			attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitInherit}
			attr.Size = unix.PERF_ATTR_SIZE_VER0
			fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
			if errors.Is(err, unix.ESRCH) {
				continue // the thread has ended
			}
			if err != nil {
				c.Stop()
				return nil, fmt.Errorf("perf_event_open: %w", err)
			}
			c.events = append(c.events, fd)
		}
	}
	return c, nil
}

func tracepoint(name string) (uint64, error) {
	var err error
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		var text []byte
		if text, err = os.ReadFile(filepath.Join(dir, "events", name, "id")); err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		}
	}
	return 0, err
}

func countByStrace(pids []int, output string) (*SyscallCounter, error) {
	args := []string{"-c", "-f", "-o", output}
	for _, pid := range pids {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	c := &SyscallCounter{How: "strace -c -f", strace: exec.Command("strace", args...), output: output}
	if err := c.strace.Start(); err != nil {
		return nil, err
	}
	late := time.Now().Add(straceMax)
	for field(fmt.Sprintf("/proc/%d/status", pids[0]), "TracerPid") == "0" {
		if time.Now().After(late) {
			c.strace.Process.Kill()
			return nil, errors.New("strace does not attach")
		}
	}
	return c, nil
}

const straceMax = 5 * time.Second

// Stop ends the counting and says what it came to.
func (c *SyscallCounter) Stop() (int64, error) {
	if c.strace != nil {
		return c.stopStrace()
	}
	var sum int64
	var failed error
	for _, fd := range c.events {
		var count [8]byte
		if _, err := unix.Read(fd, count[:]); err != nil {
			failed = fmt.Errorf("can't read the count of system calls: %w", err)
		}
		sum += int64(binary.NativeEndian.Uint64(count[:]))
		unix.Close(fd)
	}
	return sum, failed
}

func (c *SyscallCounter) stopStrace() (int64, error) {
	c.strace.Process.Signal(syscall.SIGINT) // who is gone already has written its table
	c.strace.Wait()                         // it ends with the signal's code
	text, err := os.ReadFile(c.output)
	if err != nil {
		return 0, fmt.Errorf("can't read what strace counted: %w", err)
	}
	return straceTotal(string(text))
}

// straceTotal is the calls in the last line of strace's table: per cent, seconds,
// microseconds per call, calls, errors if any, "total".
func straceTotal(table string) (int64, error) {
	for line := range strings.Lines(table) {
		if words := strings.Fields(line); len(words) >= 5 && words[len(words)-1] == "total" {
			return strconv.ParseInt(words[3], 10, 64)
		}
	}
	return 0, errors.New("strace has written no total")
}
