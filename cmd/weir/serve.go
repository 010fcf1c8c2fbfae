package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/weir-lb/weir/config"
)

// serve opens everything, becomes who it shall be, and serves until told to
// stop. The order is HAProxy's: what needs privileges comes before they go.
func (p *program) serve() int {
	if p.demand.sockets == 0 {
		p.say.alert("config : no listener: nothing to serve")
		return exitNoListener
	}
	p.tellUnused()
	// Signals count from here on, so that none is lost while we start.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGQUIT)
	signal.Ignore(syscall.SIGTTOU, syscall.SIGTTIN) // our ports can be shared (SO_REUSEPORT): no need to let go
	if err := p.start(); err != nil {
		p.tellFailure(err)
		return exitFailed
	}
	return p.end(p.watch(signals))
}

// tellFailure says why nothing is served: something is wrong with the files, or
// with the system.
func (p *program) tellFailure(err error) {
	var wrong config.Errors
	if err = p.conf.Place(err); errors.As(err, &wrong) {
		p.tellErrors(err)
		return
	}
	for line := range strings.Lines(err.Error()) {
		p.say.alert("%s", line)
	}
}

// start does all that can fail.
func (p *program) start() error {
	if err := p.takeResources(); err != nil {
		return err
	}
	old := append(append([]int(nil), p.opt.finish...), p.opt.terminate...)
	err := takePorts(old, func() (err error) {
		p.proxy, err = p.openProxy()
		return err
	})
	if err != nil {
		return err
	}
	if err := p.writePidFile(); err != nil {
		return err
	}
	if p.opt.notify {
		if p.notify, err = openNotifier(); err != nil {
			p.say.warning("%v", err)
		}
	}
	return identityOf(&p.conf.Process).assume()
}

// writePidFile is for processes that somebody else looks after: foreground
// ones write none.
func (p *program) writePidFile() error {
	name := p.conf.Process.PIDFile
	if name == "" || p.back == nil && !p.master() {
		return nil
	}
	text := fmt.Sprintf("%d\n", os.Getpid())
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return fmt.Errorf("cannot create pidfile %s: %w", name, err)
	}
	return nil
}

func (p *program) master() bool { return p.opt.master || p.conf.Process.MasterWorker }

// An ending says how a run came to its end.
type ending struct {
	signal syscall.Signal // that asked for it; 0: none did
	err    error          // the proxy gave up
}

// A watch carries out signals while the proxy runs.
type watch struct {
	*program
	stop    context.CancelFunc // at once
	ctx     context.Context    // ends with stop
	drained chan error
	end     ending
}

// watch runs the proxy until it has ended.
func (p *program) watch(signals <-chan os.Signal) ending {
	w := watch{program: p, drained: make(chan error, 1)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	defer w.stop()
	ended := make(chan error, 1)
	go func() { ended <- p.proxy.Run(w.ctx) }()

	readiness := p.proxy.Ready()
	for {
		select {
		case <-readiness:
			readiness = nil
			w.ready()
		case sig := <-signals:
			w.handle(sig.(syscall.Signal))
		case err := <-w.drained:
			if errors.Is(err, context.DeadlineExceeded) {
				p.say.warning("soft-stop running for too long, performing a hard-stop.")
			}
			w.stop()
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				w.end.err = err
			}
			return w.end
		}
	}
}

// ready tells everybody who waits for us.
func (w *watch) ready() {
	signalAll(w.opt.finish, syscall.SIGUSR1)
	signalAll(w.opt.terminate, syscall.SIGTERM)
	w.notify.ready()
	if w.back == nil {
		return
	}
	if err := w.back.leaveTerminal(); err != nil {
		w.say.warning("%v", err)
	}
}

func (w *watch) handle(sig syscall.Signal) {
	switch {
	case sig == syscall.SIGHUP || sig == syscall.SIGUSR2:
		w.say.warning("%s: weir cannot reload its configuration or upgrade itself yet; it goes on as it is", signalName(sig))
	case sig == syscall.SIGQUIT:
		w.tellMemory()
	case sig == syscall.SIGUSR1 && w.end.signal == 0:
		w.drain(sig)
	case sig == syscall.SIGUSR1:
		// It drains already.
	default:
		w.end.signal = sig
		w.notify.stopping()
		w.stop()
	}
}

// tellMemory is what HAProxy's SIGQUIT is for: how much memory is in use, and
// what is free goes back to the system (management.txt chapter 6).
func (w *watch) tellMemory() {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.say.notice("memory: %d KiB in use, %d KiB from the system, %d collections", m.HeapInuse>>10, (m.Sys-m.HeapReleased)>>10, m.NumGC)
}

// drain is the soft stop: no new connections, and the end when the last one
// has gone or hard-stop-after has passed.
func (w *watch) drain(sig syscall.Signal) {
	w.end.signal = sig
	w.say.notice("%s: stopping: no new connections", signalName(sig))
	w.notify.stopping()
	go func() {
		ctx := w.ctx
		if d := w.conf.Config.Global.HardStop; d > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d)
			defer cancel()
		}
		w.drained <- w.proxy.Shutdown(ctx)
	}()
}

// end returns the exit code, or dies by the signal that asked for the end.
func (p *program) end(how ending) int {
	switch {
	case how.err != nil:
		p.say.alert("%v", how.err)
		return exitFailed
	case how.signal == syscall.SIGTERM && p.master():
		return exitSIGTERM
	case how.signal == syscall.SIGINT && p.master():
		return exitSIGINT
	case how.signal == syscall.SIGTERM, how.signal == syscall.SIGINT:
		dieBySignal(how.signal)
	}
	return exitOK
}

// dieBySignal lets the parent see which signal it was. The first process of a
// container cannot die that way; it returns.
func dieBySignal(sig syscall.Signal) {
	if os.Getpid() == 1 {
		return
	}
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), sig)
	// A parent that ignored the signal, such as a shell with a job in the
	// background, has us ignore it too: then the exit code has to tell.
	time.Sleep(deathWait)
	os.Exit(128 + int(sig))
}

const deathWait = 100 * time.Millisecond // for a signal of our own to arrive

func signalName(sig syscall.Signal) string {
	switch sig {
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGUSR1:
		return "SIGUSR1"
	case syscall.SIGUSR2:
		return "SIGUSR2"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGINT:
		return "SIGINT"
	}
	return sig.String()
}
