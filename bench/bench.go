package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/contender"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/report"
	"github.com/weir-lb/weir/bench/result"
	"github.com/weir-lb/weir/bench/rounds"
	"github.com/weir-lb/weir/bench/scenario"
)

// runBench carries out what the options say and writes the report.
func runBench(ctx context.Context, o options) error {
	if o.list {
		list(o)
		return nil
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	if o.keep {
		say("configurations and logs: " + dir)
	} else {
		defer os.RemoveAll(dir)
	}
	// Programs that lower their rights (nginx) have to get in.
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("can't make room: %w", err)
	}
	if err := raiseFiles(); err != nil {
		return err
	}
	if err := prepare(&o, dir); err != nil {
		return err
	}
	back, err := process.PreferSession(o.nice)
	if err != nil {
		return err
	}
	defer back()
	if err := (process.Place{CPUs: o.loadCPUs, Nice: o.nice, Realtime: o.realtime}).Take(); err != nil {
		return err
	}
	run := describe(o)
	began := time.Now()
	own, err := os.Executable()
	if err != nil {
		return fmt.Errorf("can't find this program: %w", err)
	}
	b := &rounds.Bench{
		Starter: process.NewStarter(), Contenders: o.contenders, Rounds: o.rounds, Length: o.length,
		ProxyCPUs: o.proxyCPUs, LoadCPUs: o.loadCPUs, Own: own, Dir: dir, Say: say,
	}
	failed := runAll(ctx, o, b, run)
	run.Took = time.Since(began)
	results := filepath.Join("bench", "results")
	if o.out == "" {
		o.out = filepath.Join(results, run.Date.Format(time.DateOnly)+"-"+run.Commit)
	}
	if err := report.Write(o.out, run); err != nil {
		return err
	}
	if o.publish && failed == nil {
		if err := report.Publish(filepath.Join(results, "latest"), run); err != nil {
			return err
		}
	}
	say(fmt.Sprintf("%v: %s", run.Took.Round(time.Second), filepath.Join(o.out, "report.md")))
	return failed
}

// runAll runs the scenarios one after the other. After a failure there is a
// report of what came before it.
func runAll(ctx context.Context, o options, b *rounds.Bench, run *result.Run) error {
	for i, s := range o.scenarios {
		say(fmt.Sprintf("%d/%d %s: %s", i+1, len(o.scenarios), s.Name, s.Title))
		unlock, err := lock(o.lock)
		if err != nil {
			return err
		}
		got, err := b.Run(ctx, s)
		unlock()
		if err != nil {
			return err
		}
		run.Scenarios = append(run.Scenarios, got)
	}
	return nil
}

func say(msg string) { fmt.Fprintln(os.Stderr, msg) }

func list(o options) {
	all, _ := scenario.Select("", true) // everything matches
	for _, s := range all {
		mark := " "
		if s.Main {
			mark = "*"
		}
		fmt.Printf("%s %-18s %s\n", mark, s.Name, s.Title)
	}
	fmt.Println("\n* main table (make bench)\n\ncontenders:")
	for _, c := range o.contenders {
		version, err := c.Version()
		if err != nil {
			version = err.Error()
		}
		fmt.Printf("  %-10s %s\n", c.Name, version)
	}
}

// lock waits until no other benchmark measures.
func lock(path string) (unlock func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("can't open the lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("can't lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// filesWanted is enough for the scenario with the most connections.
const filesWanted = 40000

// raiseFiles allows as many descriptors as the system does. Programs that we
// start inherit that.
func raiseFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("can't read the limit of descriptors: %w", err)
	}
	wanted := limit
	wanted.Cur, wanted.Max = max(limit.Max, filesWanted), max(limit.Max, filesWanted)
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wanted) == nil {
		return nil
	}
	limit.Cur = limit.Max // only some may raise that
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("can't raise the limit of descriptors: %w", err)
	}
	return nil
}

// prepare builds weir and finds every program.
func prepare(o *options, dir string) error {
	if err := o.findPackages(); err != nil {
		return err
	}
	own, err := os.Executable()
	if err != nil {
		return fmt.Errorf("can't find this program: %w", err)
	}
	for i, c := range o.contenders {
		switch {
		case c.Name == contender.Floor:
			c = c.With(own)
		case c.Name == contender.Weir && c.Program == "weir":
			if c, err = buildWeir(c, dir); err != nil {
				return err
			}
		}
		path, err := c.Locate()
		if err != nil {
			return err
		}
		o.contenders[i] = c.With(path)
	}
	return nil
}

func buildWeir(c contender.Contender, dir string) (contender.Contender, error) {
	path := filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/weir-lb/weir/cmd/weir")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return c, fmt.Errorf("can't build weir: %w\n%s", err, out)
	}
	return c.With(path), nil
}

// findPackages sees that every program is there that Debian has a package of, or
// installs it when told to.
func (o *options) findPackages() error {
	var missing []string
	for _, c := range o.contenders {
		if _, err := c.Locate(); err != nil && c.Package != "" {
			missing = append(missing, strings.Fields(c.Package)...)
		}
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing = append(missing, tool.packet)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	args := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, missing...)
	if !o.install {
		return fmt.Errorf("programs are missing; -install gets them, or leave contenders out with -contender:\n\t%s", strings.Join(args, " "))
	}
	for _, cmd := range [][]string{{"apt-get", "update", "-q"}, args} {
		say(strings.Join(cmd, " "))
		c := exec.Command(cmd[0], cmd[1:]...)
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("can't install packages: %w", err)
		}
	}
	say("Debian starts what it installs: stop haproxy, nginx and caddy if you do not want them")
	return nil
}

// tools are programs that make load.
var tools = []struct{ name, version, packet string }{
	{"wrk", "-v", "wrk"},
	{"h2load", "--version", "nghttp2-client"},
}

// command is what a reader has to type for the same run. Where the report goes and
// who waits for whom changes no figure.
func (o options) command() []string {
	out := []string{"bench"}
	for i := 0; i < len(o.args); i++ {
		switch strings.TrimLeft(o.args[i], "-") {
		case "out", "lock":
			i++
		case "publish", "keep", "install":
		default:
			out = append(out, o.args[i])
		}
	}
	return out
}

// describe is the run before its first scenario.
func describe(o options) *result.Run {
	run := &result.Run{
		Date: time.Now().UTC(), Command: o.command(), Machine: process.ThisMachine(), Versions: map[string]string{},
		Rounds: o.rounds, Seconds: o.length.Seconds(), ProxyCPUs: o.proxyCPUs, LoadCPUs: o.loadCPUs, Commit: commit(),
	}
	if o.realtime {
		run.Notes = append(run.Notes, "All programs had realtime priority, because the machine had other work: CPU figures hold, but the kernel "+
			"takes 50 ms in a second for that work, which is in every tail.")
	}
	for _, c := range o.contenders {
		run.Contenders = append(run.Contenders, c.Name)
		run.Versions[c.Name], _ = c.Version() // what does not say its version has none in the report
	}
	for _, tool := range tools {
		// wrk says its version and how it is used, and fails.
		out, _ := exec.Command(tool.name, tool.version).CombinedOutput()
		run.Versions[tool.name], _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	}
	return run
}

// commit is the tree's, with a mark if files have been changed since.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude", "*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
