package config

import (
	"cmp"
	"math/bits"
	"time"
)

// Process is what only a command uses: what the file asks of the process
// itself.
type Process struct {
	Daemon          bool
	MasterWorker    bool
	NoExitOnFailure bool // master-worker no-exit-on-failure
	MaxReloads      int  // mworker-max-reloads
	PIDFile         string
	Quiet           bool
	ZeroWarning     bool // any notice of LevelWarning is fatal: see Result.Warned
	Debug           bool // "debug" of old files: -d

	User, Group string // as written; empty: not asked for
	UID, GID    int    // resolved; -1: unchanged
	Chroot      string

	Loops        int // nbthread; 0: automatic
	MaxConn      int // global maxconn; 0: automatic
	UlimitN      int // 0: automatic
	FDHardLimit  int // 0: none
	StrictLimits bool
	Dumpable     bool // set-dumpable

	Node        string
	Description string
	LocalName   string // localpeer

	StatsSockets []StatsSocket // accepted; weir serves no run-time commands yet
	StatsTimeout time.Duration // 0: 10 s
	StatsMaxConn int           // 0: 10

	DefaultPath       string // policy: current, config, parent or origin
	DefaultPathOrigin string

	SetEnv   map[string]string // what setenv and presetenv changed
	UnsetEnv []string          // what unsetenv and resetenv took away
}

// A StatsSocket is one "stats socket" line.
type StatsSocket struct {
	Address     string
	Level       string // user, operator (default) or admin
	Mode        uint32
	User, Group string
	ExposeFD    bool
	Origin      string
}

// globalDraft is what finishGlobal needs to see together.
type globalDraft struct {
	userLine  *line // the line that said user or uid first
	groupLine *line
	pidLine   *line
	unixBind  unixBind
	cookieLen int // tune.http.cookielen
	tls       tlsDefaults
}

// loopsMax is the highest nbthread that HAProxy takes.
const loopsMax = bits.UintSize

func (c *compiler) user(l *line) {
	p := &c.out.Process
	if c.global.userLine != nil {
		c.note(LevelWarning, l, "ignored: user or uid was given before, at %s", c.global.userLine.origin())
		return
	}
	c.global.userLine = l
	if l.name == "uid" {
		p.UID = c.ownerNumber(l)
		return
	}
	uid, err := c.env.LookupUser(l.args[0])
	if err != nil {
		c.fail(l, "no such user %s; a number is given with uid", quote(l.args[0]))
	}
	p.User, p.UID = l.args[0], uid
}

func (c *compiler) groupOf(l *line) {
	p := &c.out.Process
	if c.global.groupLine != nil {
		c.note(LevelWarning, l, "ignored: group or gid was given before, at %s", c.global.groupLine.origin())
		return
	}
	c.global.groupLine = l
	if l.name == "gid" {
		p.GID = c.ownerNumber(l)
		return
	}
	gid, err := c.env.LookupGroup(l.args[0])
	if err != nil {
		c.fail(l, "no such group %s; a number is given with gid", quote(l.args[0]))
	}
	p.Group, p.GID = l.args[0], gid
}

func (c *compiler) ownerNumber(l *line) int {
	n, err := parseInteger(l.args[0], 0, intMax)
	c.check(l, err)
	return n
}

func (c *compiler) pidFile(l *line) {
	if c.global.pidLine != nil {
		c.note(LevelWarning, l, "ignored: pidfile was given before, at %s", c.global.pidLine.origin())
		return
	}
	c.global.pidLine = l
	c.out.Process.PIDFile = l.args[0]
}

func (c *compiler) masterWorker(l *line) {
	c.out.Process.MasterWorker = true
	if len(l.args) > 0 && c.check(l, oneOf(l.args[0], "no-exit-on-failure")) {
		c.out.Process.NoExitOnFailure = true
	}
}

// finishGlobal copies what both the command and the proxy need.
func (c *compiler) finishGlobal() {
	p, g := &c.out.Process, &c.out.Config.Global
	g.Loops, g.MaxConn, g.UlimitN, g.Node = p.Loops, p.MaxConn, p.UlimitN, p.Node
	size := cmp.Or(g.Tune.BufSize, bufSizeDefault)
	g.Tune.MaxRewrite = min(g.Tune.MaxRewrite, size/2) // manual "tune.maxrewrite"
	if c.global.userLine == nil {
		p.UID = -1
	}
	if c.global.groupLine == nil {
		p.GID = -1
	}
	p.DefaultPath, p.DefaultPathOrigin = c.files.policy, c.files.origin
	if c.env.LocalName != "" {
		p.LocalName = c.env.LocalName
	}
}
