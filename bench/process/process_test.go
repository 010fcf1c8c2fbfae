package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProcessRunsWhereItIsToldTo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p, err := NewStarter().Start(Spec{Args: []string{"sh", "-c", "echo $WORD; grep Cpus_allowed_list /proc/self/status"}, Env: []string{"WORD=here"}, CPUs: []int{0}, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	text, _ := os.ReadFile(out)
	if got := strings.Join(strings.Fields(string(text)), " "); got != "here Cpus_allowed_list: 0" {
		t.Errorf("the process says %q", got)
	}
}

// A shell that works in a child: both are seen, and both are gone after Stop.
func TestUsageCoversChildrenAndStopEndsThem(t *testing.T) {
	p, err := NewStarter().Start(Spec{Args: []string{"sh", "-c", "sh -c 'while :; do :; done' & wait"}})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	var u Usage
	for len(p.Tree()) < 2 || u.CPU < 50*time.Millisecond {
		if time.Now().After(deadline) {
			t.Fatalf("tree %v used %v", p.Tree(), u.CPU)
		}
		u, _ = Look(p.Tree()) // the child may end its start between the two calls
	}
	if u.Threads != 2 || u.Resident == 0 || u.Voluntary+u.Involuntary == 0 {
		t.Errorf("usage %+v: want two threads, memory and context switches", u)
	}
	pids := p.Tree()
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		for state(pid) != "" && state(pid) != "Z" {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there: %s", pid, state(pid))
			}
		}
	}
}

func state(pid int) string {
	s, _, _ := strings.Cut(field(fmt.Sprintf("/proc/%d/status", pid), "State"), " ")
	return s
}

func TestEndWithAnErrorNamesTheCommand(t *testing.T) {
	p, err := NewStarter().Start(Spec{Args: []string{"sh", "-c", "exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() == nil || !strings.Contains(p.Err().Error(), "exit status 3") {
		t.Errorf("error %v", p.Err())
	}
}

func TestMachineIsDescribed(t *testing.T) {
	m := ThisMachine()
	if m.CPUs == 0 || m.Kernel == "" || m.MemoryMB == 0 || len(m.Settings) == 0 {
		t.Errorf("machine %+v", m)
	}
}

// What a Place does to a process can only be seen in one of its own.
func TestPlaceIsInherited(t *testing.T) {
	if os.Getenv("BENCH_TEST_PLACE") != "" {
		if err := (Place{CPUs: []int{0}, Nice: 3}).Take(); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", "-c", "grep Cpus_allowed_list /proc/self/status; nice").Output()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != "Cpus_allowed_list: 0 3" {
			t.Errorf("the child says %q, %v", got, err)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestPlaceIsInherited$")
	cmd.Env = append(os.Environ(), "BENCH_TEST_PLACE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
