package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Place is where a process and its children run, and before whom.
type Place struct {
	CPUs     []int
	Nice     int
	Realtime bool // SCHED_RR, the lowest of its priorities
}

func cpuSet(cpus []int) (set unix.CPUSet) {
	for _, c := range cpus {
		set.Set(c)
	}
	return set
}

const realtimePriority = 1

// Take puts this process there. Its children inherit all of it, but for the
// processors that a Spec names.
func (p Place) Take() error {
	set := cpuSet(p.CPUs)
	// Go may start a thread meanwhile, from one that was not yet moved; nobody
	// starts one for the second look.
	for range 2 {
		tasks, _ := filepath.Glob("/proc/self/task/*")
		for _, task := range tasks {
			tid, _ := strconv.Atoi(filepath.Base(task)) // the kernel's names are numbers
			if err := unix.SchedSetaffinity(tid, &set); err != nil {
				return fmt.Errorf("can't move to processors %v: %w", p.CPUs, err)
			}
			if err := p.prefer(tid); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p Place) prefer(tid int) error {
	if p.Nice != 0 {
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, p.Nice); err != nil {
			return fmt.Errorf("can't take priority %d: %w", p.Nice, err)
		}
	}
	if p.Realtime {
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: realtimePriority}
		if err := unix.SchedSetAttr(tid, &attr, 0); err != nil {
			return fmt.Errorf("can't take a realtime priority: %w", err)
		}
	}
	return nil
}

// PreferSession gives our session the priority that its programs have, where the
// kernel shares processors between sessions first (sched_autogroup). The returned
// function takes that back.
func PreferSession(nice int) (back func(), err error) {
	const group = "/proc/self/autogroup"
	if _, err := os.Stat(group); nice == 0 || err != nil {
		return func() {}, nil
	}
	if err := os.WriteFile(group, []byte(strconv.Itoa(nice)), 0); err != nil {
		return nil, fmt.Errorf("can't set the priority of the session: %w", err)
	}
	return func() { os.WriteFile(group, []byte("0"), 0) }, nil // who could lower it can raise it
}
