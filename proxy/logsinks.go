package proxy

import (
	"errors"
	"fmt"
	"slices"

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
		errs.addTargets("frontend "+fe.name, err)
		fe.logs.sink = sink
		if !slices.ContainsFunc(p.targetsOf(&fe.spec.Common), func(t LogTarget) bool { return t.Format == "rfc5424" }) {
			fe.logs.data = nil // nobody would send it
		}
	}
	for _, be := range pl.backends {
		sink, err := p.sinkFor(&be.spec.Common)
		errs.addTargets("backend "+be.name, err)
		be.sink = sink
	}
	return errs.orNil()
}

// addTargets notes what accesslog.New found wrong, each target at its line.
func (es *Errors) addTargets(section string, err error) {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return
	}
	for _, one := range list.Unwrap() {
		var wrong *accesslog.TargetError
		if errors.As(one, &wrong) {
			es.add(wrong.Origin, section, "log %s: %v", wrong.Address, wrong.Err)
		}
	}
}

// targetsOf resolves "log global".
func (p *Proxy) targetsOf(spec *Common) []LogTarget {
	targets := make([]LogTarget, 0, len(spec.Logs))
	for _, t := range spec.Logs {
		if t.Global {
			targets = append(targets, p.cfg.Global.Logs...)
		} else {
			targets = append(targets, t)
		}
	}
	return targets
}

// sinkFor opens what is not open yet; nil: no targets.
func (p *Proxy) sinkFor(spec *Common) (*accesslog.Sink, error) {
	targets := p.targetsOf(spec)
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
	if spec.Log.Custom != "" {
		text = spec.Log.Custom
	}
	if len(spec.Logs) == 0 {
		defer func(before expr.Look) { c.looks = before }(c.looks) // nobody reads the lines
	}
	l := &logPlan{
		format: c.format(orOrigin(spec.Log.Origin, spec.Origin), "log-format", text, ph),
		data:   c.format(orOrigin(spec.Log.SDOrigin, spec.Origin), "log-format-sd", spec.Log.CustomSD, ph),
		failed: c.format(orOrigin(spec.Log.ErrorOrigin, spec.Origin), "error-log-format", spec.Log.ErrorFormat, ph),
	}
	if l.refused = l.failed; l.failed == nil {
		l.failed, l.refused = l.format, c.format(spec.Origin, "log", accesslog.FormatConnError, ph)
	}
	return l
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
