package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/config"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/proxy"
)

// A server is the part of proxy.Proxy that the command needs.
type server interface {
	Run(ctx context.Context) error      // serves until ctx ends; stops at once then
	Shutdown(ctx context.Context) error // stops accepting, returns when drained
	Ready() <-chan struct{}
}

// environment is what the command line adds to what a file may see.
func (p *program) environment() config.Env {
	return config.Env{LocalName: p.opt.localName, Master: p.opt.master, Diagnose: p.opt.diagnose}
}

// overrule puts the command line above the files (management.txt chapter 3).
func (p *program) overrule(r *config.Result) {
	if p.opt.maxConn > 0 {
		r.Process.MaxConn = p.opt.maxConn
	}
	if p.opt.pidFile != "" {
		r.Process.PIDFile = p.opt.pidFile
	}
	if r.Config.Global.LogTag == "" {
		r.Config.Global.LogTag = p.name
	}
	for i := range r.Config.Frontends {
		if fe := &r.Config.Frontends[i]; fe.MaxConn == 0 {
			fe.MaxConn = p.opt.frontConn
		}
	}
}

// demandOf counts what the configuration will open.
func demandOf(r *config.Result) demand {
	g, ps := &r.Config.Global, &r.Process
	d := demand{
		maxConn: ps.MaxConn, ulimitN: ps.UlimitN, hardLimit: ps.FDHardLimit,
		bufferBytes: g.Tune.BufSize, logs: len(g.Logs),
	}
	if d.bufferBytes == 0 {
		d.bufferBytes = bufferBytesDefault
	}
	for i := range r.Config.Frontends {
		fe := &r.Config.Frontends[i]
		d.logs += len(fe.Logs)
		for _, bind := range fe.Binds {
			d.sockets += socketsOf(bind)
		}
	}
	for i := range r.Config.Backends {
		for _, s := range r.Config.Backends[i].Servers {
			if s.Check.Enabled {
				d.checks++
			}
		}
	}
	return d
}

const bufferBytesDefault = 16 << 10 // tune.bufsize

// socketsOf counts the sockets of one bind: a port range opens many.
func socketsOf(bind listener.Spec) int {
	n := max(bind.Shards, 1)
	ports := bind.Address[strings.LastIndexByte(bind.Address, ':')+1:]
	first, last, isRange := strings.Cut(ports, "-")
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if isRange && err1 == nil && err2 == nil && to > from {
		n *= to - from + 1
	}
	return n
}

// identityOf is who the process shall be.
func identityOf(ps *config.Process) identity {
	return identity{chroot: ps.Chroot, uid: ps.UID, gid: ps.GID, dumpable: ps.Dumpable}
}

// openProxy compiles the plan and opens every bind.
func (p *program) openProxy() (server, error) {
	p.conf.Config.Global.Tune.NoIOUring = p.opt.noIOUring
	return proxy.New(*p.conf.Config, proxy.Options{Logf: p.say.warning})
}
