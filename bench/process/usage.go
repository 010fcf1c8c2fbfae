package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Usage is what the kernel has counted for a process and its children.
type Usage struct {
	At          time.Time
	CPU         time.Duration // user and system, to the nanosecond
	User        time.Duration // in clock ticks of 10 ms: good for shares only
	System      time.Duration
	Voluntary   int64 // context switches: it waited
	Involuntary int64 // context switches: another had its turn
	Resident    int64 // bytes
	Threads     int
}

// Sub is what happened since an earlier look; Resident and Threads stay as
// they are.
func (u Usage) Sub(before Usage) Usage {
	u.CPU -= before.CPU
	u.User -= before.User
	u.System -= before.System
	u.Voluntary -= before.Voluntary
	u.Involuntary -= before.Involuntary
	return u
}

// Tree lists the process and all that descend from it.
func (p *Process) Tree() []int {
	pids := []int{p.PID}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children(pids[i])...)
	}
	return pids
}

func children(pid int) (pids []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread that ended has no children
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// Look reads the usage of the given processes, added up.
func Look(pids []int) (Usage, error) {
	u := Usage{At: time.Now()}
	for _, pid := range pids {
		cpu, err := clock(pid)
		if err != nil {
			return Usage{}, fmt.Errorf("can't read the CPU clock of process %d: %w", pid, err)
		}
		u.CPU += cpu
	}
	for _, pid := range pids {
		if err := u.addStat(pid); err != nil {
			return Usage{}, fmt.Errorf("can't read what process %d has used: %w", pid, err)
		}
		u.addSwitches(pid)
	}
	return u, nil
}

// cpuClockScheduler is CPUCLOCK_SCHED of the kernel's posix-timers.h: the clock
// counts user and system time as the scheduler does, without ticks.
const cpuClockScheduler = 2

// clock reads clock_getcpuclockid(3) of another process.
func clock(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClockScheduler), &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// Places in /proc/pid/stat behind the name in brackets (proc(5) counts from 1
// and the name is the second).
const (
	statUser     = 14 - 3
	statSystem   = 15 - 3
	statThreads  = 20 - 3
	statResident = 24 - 3
)

const tick = 10 * time.Millisecond // USER_HZ is 100 on every architecture of ours

func (u *Usage) addStat(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= statResident {
		return fmt.Errorf("%d fields", len(fields))
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64) // the kernel writes numbers
		return n
	}
	u.User += time.Duration(number(statUser)) * tick
	u.System += time.Duration(number(statSystem)) * tick
	u.Threads += int(number(statThreads))
	u.Resident += number(statResident) * int64(os.Getpagesize())
	return nil
}

// addSwitches adds the context switches of every thread that is still there.
func (u *Usage) addSwitches(pid int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, task := range tasks {
		f, err := os.Open(task)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ":")
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			switch name {
			case "voluntary_ctxt_switches":
				u.Voluntary += n
			case "nonvoluntary_ctxt_switches":
				u.Involuntary += n
			}
		}
		f.Close()
	}
}
