package process

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Busy is the time that processors have not been idle, by number.
func Busy() map[int]time.Duration {
	text, _ := os.ReadFile("/proc/stat") // a kernel without it tells nothing, and nothing is shown
	busy := map[int]time.Duration{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 9 {
			continue
		}
		number, ok := strings.CutPrefix(fields[0], "cpu")
		cpu, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		var ticks int64
		for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq
			n, _ := strconv.ParseInt(fields[i], 10, 64)
			ticks += n
		}
		busy[cpu] = time.Duration(ticks) * tick
	}
	return busy
}

// A Machine is what a reader has to know about where a run was made.
type Machine struct {
	CPU      string   `json:"cpu"`
	CPUs     int      `json:"cpus"`
	Kernel   string   `json:"kernel"`
	Arch     string   `json:"arch"`
	MemoryMB int64    `json:"memory_mb"`
	Load     string   `json:"load_average"` // before the run
	Settings []string `json:"settings"`     // of the kernel, that bear on the result
}

var settings = []string{
	"net/core/somaxconn", "net/ipv4/ip_local_port_range", "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem",
	"net/ipv4/tcp_congestion_control", "kernel/sched_rt_runtime_us",
}

// ThisMachine describes where we run.
func ThisMachine() Machine {
	m := Machine{
		CPU: field("/proc/cpuinfo", "model name"), CPUs: len(Busy()),
		Kernel: line("/proc/sys/kernel/osrelease"), Arch: runtime.GOARCH,
		Load: line("/proc/loadavg"),
	}
	kb, _ := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	m.MemoryMB = kb >> 10
	for _, name := range settings {
		if value := line("/proc/sys/" + name); value != "" {
			m.Settings = append(m.Settings, strings.ReplaceAll(name, "/", ".")+" = "+strings.Join(strings.Fields(value), " "))
		}
	}
	return m
}

func line(path string) string {
	text, _ := os.ReadFile(path) // what this kernel does not have stays empty
	first, _, _ := strings.Cut(string(text), "\n")
	return first
}

func field(path, name string) string {
	text, _ := os.ReadFile(path)
	for l := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(l, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
