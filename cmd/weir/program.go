package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"go.uber.org/automaxprocs/maxprocs"

	"github.com/weir-lb/weir/config"
	"github.com/weir-lb/weir/proxy"
)

// A program is one run of the command, from the files to the last connection.
type program struct {
	name string // argv[0] without its folder; the log tag
	opt  options
	say  *messages
	back *background // not nil: started by a first process that waits for us

	startDir string         // where we were before -C
	conf     *config.Result // what the files say
	demand   demand         // what that needs

	proxy  server
	notify *notifier
}

// run reads the configuration and does with it what the command line says.
func (p *program) run() int {
	if len(p.opt.files) == 0 {
		printVersionLine(os.Stdout)
		printUsage(os.Stderr, p.name)
		return exitFailed
	}
	// The parent of a background process only looks after the child, which
	// reads the files itself.
	if p.opt.daemon && p.mayDetach() {
		return p.detach("")
	}
	if code := p.load(); code != exitOK {
		return code
	}
	if p.opt.check {
		return p.check()
	}
	if p.conf.Process.Daemon && !p.conf.Process.Debug && p.mayDetach() {
		return p.detach(p.startDir)
	}
	return p.serve()
}

func (p *program) mayDetach() bool {
	return p.back == nil && !p.opt.foreground && !p.opt.check
}

func (p *program) detach(dir string) int {
	code, err := startInBackground(dir)
	if err != nil {
		p.say.alert("%v", err)
	}
	return code
}

// load reads all files and reports all that is wrong with them.
func (p *program) load() int {
	if err := p.enterFolder(); err != nil {
		p.say.alert("%v", err)
		return exitFailed
	}
	var err error
	p.conf, err = config.Load(p.opt.files, p.environment())
	if err != nil {
		p.tellErrors(err)
		return exitFailed
	}
	p.overrule(p.conf)
	p.demand = demandOf(p.conf)
	p.say.quiet = p.opt.quiet || p.conf.Process.Quiet && !p.opt.verbose
	return p.tellNotices()
}

// tellErrors prints what is wrong with the files, each error with its place.
func (p *program) tellErrors(err error) {
	var all config.Errors
	if !errors.As(err, &all) {
		p.say.alert("config : %v", err)
	}
	for _, e := range all {
		p.say.alert("config : %s", parsing(e.File, e.Line, e.What()))
	}
	p.say.alert("config : Fatal errors found in configuration.")
}

// parsing is a message about a line as HAProxy prints it; there are tools that
// look for the brackets.
func parsing(file string, line int, text string) string {
	if line == 0 {
		return file + " : " + text
	}
	return fmt.Sprintf("parsing [%s:%d] : %s", file, line, text)
}

func (p *program) enterFolder() error {
	var err error
	if p.startDir, err = os.Getwd(); err != nil {
		p.startDir = ""
	}
	if p.opt.dir == "" {
		return nil
	}
	if err := os.Chdir(p.opt.dir); err != nil {
		return fmt.Errorf("could not change to directory %s : %w", p.opt.dir, err)
	}
	return nil
}

// tellNotices prints what is unusual in the files. A background process has
// nothing to add where its parent has read them too.
func (p *program) tellNotices() int {
	if p.back != nil && p.conf.Process.Daemon && !p.opt.daemon {
		return exitOK
	}
	for i := range p.conf.Notices {
		n := &p.conf.Notices[i]
		text := parsing(n.File, n.Line, n.What())
		switch n.Level {
		case config.LevelWarning:
			p.say.warning("config : %s", text)
		case config.LevelDiag:
			p.say.print("DIAG", "config : %s", text)
		default:
			p.say.notice("config : %s", text)
		}
	}
	if p.conf.Warned() && (p.opt.fatal || p.conf.Process.ZeroWarning) {
		p.say.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.")
		return exitFailed
	}
	return exitOK
}

// tellUnused says which options had no effect.
func (p *program) tellUnused() {
	if p.opt.masterCLI != "" {
		p.say.notice("-S %s: weir has no master CLI yet; nothing listens there", p.opt.masterCLI)
	}
	if p.opt.transfer != "" {
		p.say.notice("-x %s: weir cannot take sockets from another process yet; ports are shared instead", p.opt.transfer)
	}
	if len(p.opt.unused) > 0 && p.opt.verbose {
		p.say.notice("without effect here: %s", strings.Join(p.opt.unused, " "))
	}
}

// check is -c: all that can be said without opening a socket.
func (p *program) check() int {
	if err := proxy.Check(*p.conf.Config, proxy.Options{}); err != nil {
		p.tellErrors(p.conf.Place(err))
		return exitFailed
	}
	if p.demand.sockets == 0 {
		if !p.say.quiet {
			fmt.Println("Configuration file has no error but will not start (no listener) => exit(2).")
		}
		return exitNoListener
	}
	if p.opt.verbose {
		if p.conf.Warned() {
			fmt.Println("Warnings were found.")
		}
		fmt.Println("Configuration file is valid")
	}
	return exitOK
}

// spareProcessors are those of the Go scheduler beyond one for each loop. While one
// of them is idle the runtime's monitor leaves a loop that sleeps in epoll_wait(2)
// alone, instead of taking its processor away each time (docs/decisions/0016).
const spareProcessors = 1

// takeResources settles processors, memory and descriptors, before anything
// is opened.
func (p *program) takeResources() error {
	loops := p.conf.Process.Loops
	if loops == 0 {
		// Rounds a cgroup's share of processors down, which the runtime's own
		// reading does not.
		if _, err := maxprocs.Set(); err != nil {
			p.say.warning("can't read the processor share: %v", err)
		}
		loops = runtime.GOMAXPROCS(0)
	}
	runtime.GOMAXPROCS(loops + spareProcessors)
	p.demand.loops = loops

	s, err := descriptorSupply(p.demand.wanted())
	if err != nil {
		return err
	}
	s.memoryBytes = cgroupMemory()
	if p.opt.megabytes > 0 {
		s.memoryBytes = lower(s.memoryBytes, uint64(p.opt.megabytes)<<20)
	}
	if s.memoryBytes > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(s.memoryBytes / 100 * memoryShare))
	}
	l, err := p.settle(s)
	if err != nil {
		return err
	}
	if l.descriptors != s.soft {
		if err := setDescriptors(l.descriptors, s); err != nil {
			return err
		}
	}
	g := &p.conf.Config.Global
	g.Loops, g.MaxConn, g.UlimitN = loops, l.maxConn, int(l.descriptors)
	if g.Tune.MaxPipes == 0 {
		g.Tune.MaxPipes = max(l.maxPipes, 1)
	}
	p.say.notice("%s; nbthread %d", l.formula, loops)
	return nil
}

// settle computes the limits. "no strict-limits" makes do with what there is.
func (p *program) settle(s supply) (limits, error) {
	l, err := computeLimits(s, p.demand)
	if err == nil || p.conf.Process.StrictLimits {
		return l, err
	}
	p.say.warning("%v", err)
	d := p.demand
	d.maxConn = 0
	return computeLimits(s, d)
}
