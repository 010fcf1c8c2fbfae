package proxy

import (
	"fmt"
	"strings"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/expr"
)

// logSinks holds one sink for each distinct list of log targets.
type logSinks struct {
	byKey map[string]*accesslog.Sink
	all   []*accesslog.Sink
}

// openLogs opens the targets of every section and joins frontends to them.
func (p *Proxy) openLogs() error {
	p.logs = &logSinks{byKey: make(map[string]*accesslog.Sink)}
	var errs Errors
	pl := p.plan.Load()
	for _, fe := range pl.frontends {
		sink, err := p.sinkFor(&fe.spec.Common)
		if err != nil {
			errs.add(fe.spec.Origin, "frontend "+fe.name, "%v", err)
		}
		fe.logs.sink = sink
	}
	for _, be := range pl.backends {
		sink, err := p.sinkFor(&be.spec.Common)
		if err != nil {
			errs.add(be.spec.Origin, "backend "+be.name, "%v", err)
		}
		be.sink = sink
	}
	return errs.orNil()
}

// sinkFor resolves "log global" and opens what is not open yet; nil: no
// targets.
func (p *Proxy) sinkFor(spec *Common) (*accesslog.Sink, error) {
	targets := make([]LogTarget, 0, len(spec.Logs))
	for _, t := range spec.Logs {
		if t.Global {
			targets = append(targets, p.cfg.Global.Logs...)
		} else {
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		return nil, nil
	}
	tag := spec.LogTag
	if tag == "" {
		tag = p.cfg.Global.LogTag
	}
	key := tag + fmt.Sprintf("%+v", targets)
	if s := p.logs.byKey[key]; s != nil {
		return s, nil
	}
	specs := make([]accesslog.TargetSpec, len(targets))
	for i, t := range targets {
		specs[i] = accesslog.TargetSpec{
			Address: t.Address, Len: t.Len, Format: t.Format, Facility: t.Facility, Level: t.Level,
			MinLevel: t.MinLevel, SampleRanges: t.SampleRanges, SampleSize: t.SampleSize, Origin: t.Origin,
		}
	}
	s, err := accesslog.New(specs, accesslog.Options{Tag: tag, Host: p.cfg.Global.LogHost, Loops: p.reg.loops})
	if err != nil {
		return nil, err
	}
	p.logs.byKey[key] = s
	p.logs.all = append(p.logs.all, s)
	return s, nil
}

func (l *logSinks) close() {
	for _, s := range l.all {
		s.Close()
	}
}

// logPlan compiles the line formats of a frontend.
func (c *compiler) logPlan(spec *Frontend) *logPlan {
	ph, text := expr.PhaseTCPLog, accesslog.FormatDefault
	if spec.Mode == ModeHTTP {
		ph = expr.PhaseHTTPLog
	}
	switch spec.Log.Format {
	case LogTCP:
		text = accesslog.FormatTCP
	case LogHTTP:
		text = accesslog.FormatHTTP
	case LogCLF:
		text = accesslog.FormatCLF
	case LogHTTPS:
		text = accesslog.FormatHTTPS
	}
	if spec.Log.CustomSD != "" {
		c.errs.add(orOrigin(spec.Log.SDOrigin, spec.Origin), c.section, "log-format-sd: weir does not write structured data yet")
	}
	if spec.Log.Custom != "" {
		text = spec.Log.Custom
	}
	return &logPlan{
		format: c.format(orOrigin(spec.Log.Origin, spec.Origin), "log-format", text, ph),
		failed: c.format(orOrigin(spec.Log.ErrorOrigin, spec.Origin), "error-log-format", spec.Log.ErrorFormat, ph),
	}
}

// tell logs a message about be to its targets, and to the embedding program.
func (p *Proxy) tell(be *backend, level accesslog.Level, line string) {
	if be.sink != nil {
		be.sink.Message(level, line)
	}
	if p.opt.Logf != nil {
		p.opt.Logf("%s", line)
	}
}

// notify logs a message about the process to every target.
func (p *Proxy) notify(level accesslog.Level, line string) {
	for _, s := range p.logs.all {
		s.Message(level, line)
	}
	if p.opt.Logf != nil {
		p.opt.Logf("%s", line)
	}
}

// mentionsDst reports whether a rule or format of spec may look at the address
// that the client connected to, which costs a system call to learn.
func mentionsDst(spec *Frontend, backends []Backend) bool {
	found := false
	look := func(words ...string) {
		for _, w := range words {
			found = found || strings.Contains(w, "dst") || strings.Contains(w, "%f") || strings.Contains(w, "hdr_ip")
		}
	}
	lookCommon := func(c *Common) {
		for _, a := range c.ACLs {
			look(a.Words...)
		}
		for _, list := range [][]Rule{
			c.HTTPRules.Request, c.HTTPRules.Response, c.HTTPRules.AfterResponse,
			c.TCPRules.Connection, c.TCPRules.Session, c.TCPRules.Content, c.TCPRules.Response,
		} {
			for _, r := range list {
				look(r.Args...)
				look(r.Cond.Words...)
			}
		}
	}
	lookCommon(&spec.Common)
	for _, u := range spec.UseBackend {
		look(u.Backend)
		look(u.Cond.Words...)
	}
	if spec.Log.Format == LogDefault {
		return true
	}
	look(spec.Log.Custom, spec.Log.ErrorFormat, spec.UniqueIDFormat)
	for i := range backends {
		lookCommon(&backends[i].Common)
		look(backends[i].HashOn.Arg)
	}
	return found
}
