package process

import (
	"os"
	"strings"
	"testing"
	"time"
)

// dd makes two system calls for each block; a few more at its start and end.
func TestSystemCallsAreCounted(t *testing.T) {
	for name, count := range map[string]func([]int) (*SyscallCounter, error){
		"tracepoint": countByTracepoint,
		"strace":     func(pids []int) (*SyscallCounter, error) { return countByStrace(pids, t.TempDir()+"/strace") },
	} {
		if strings.Contains(os.Getenv("WEIR_WITHOUT"), name) {
			continue // who runs the tests knows that it is not allowed here
		}
		t.Run(name, func(t *testing.T) {
			p, err := NewStarter().Start(Spec{Args: []string{"sh", "-c", "read line; exec dd if=/dev/zero of=/dev/null bs=1 count=1000 status=none"}, Input: true})
			if err != nil {
				t.Fatal(err)
			}
			c, err := count([]int{p.PID})
			if err != nil {
				t.Fatal(err)
			}
			p.Input.Write([]byte("go\n"))
			select {
			case <-p.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("dd does not end")
			}
			if n, err := c.Stop(); err != nil || n < 2000 || n > 2500 {
				t.Errorf("%s counted %d calls (%v), want 2000 and a few", c.How, n, err)
			}
		})
	}
}

func TestTotalOfStrace(t *testing.T) {
	const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           3       200        12 read
 40.00    0.000400           4       100           write
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           3       300        12 total
`
	if n, err := straceTotal(table); err != nil || n != 300 {
		t.Errorf("%d, %v, want 300", n, err)
	}
	if _, err := straceTotal(""); err == nil {
		t.Error("an empty table has a total")
	}
}
