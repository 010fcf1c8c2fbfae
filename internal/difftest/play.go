package difftest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The proxies that a case can be played with.
const (
	ProxyHAProxy = "haproxy"
	ProxyWeir    = "weir"
)

const (
	// settleQuiet is how long nothing may happen before a result is recorded.
	settleQuiet = 200 * time.Millisecond
	// settleMax is how long a result may take to become the expected one.
	settleMax = 5 * time.Second
	// stopMax is how long a proxy may take to end after SIGTERM.
	stopMax = 10 * time.Second
)

// placeholder is a name in a configuration that the run fills in.
var placeholder = regexp.MustCompile(`\{(fe\d*|s\d+|closed\d*|full\d*|h\d+\.port|log|dir)\}`)

// Play runs the case with one proxy. want, when not empty, is what the run
// waits for after its last step; without it, for quiet. failed is the reason
// why the script could not be played to its end.
func Play(c *Case, binary, dir string, want *Result) (got Result, failed error) {
	w, err := newWorld(dir)
	if err != nil {
		return Result{}, err
	}
	defer w.close()
	text, fronts, err := w.config(c)
	if err != nil {
		return Result{}, err
	}
	process, err := w.start(binary, text, fronts)
	if err != nil {
		return Result{}, err
	}
	failed = w.playAll(c.Script)
	if failed == nil {
		w.settle(c, want)
	}
	got = w.result(c)
	stopped := process.stop()
	if err := w.finishLog(); err != nil && failed == nil {
		failed = err
	}
	atEnd := w.result(c)
	got.set("log", atEnd.get("log"))
	if failed == nil {
		failed = stopped
	}
	if failed != nil {
		failed = fmt.Errorf("%w\n%s", failed, process.output.String())
	}
	return got, failed
}

func (w *World) playAll(steps []Step) error {
	for i := range steps {
		if err := w.play(&steps[i]); err != nil {
			return fmt.Errorf("script line %d (%s %s): %w", steps[i].Line, steps[i].Actor, steps[i].Verb, err)
		}
	}
	return nil
}

// settle waits until the result is as wanted or, when it is being recorded,
// until nothing has happened for a while.
func (w *World) settle(c *Case, want *Result) {
	if want != nil && !want.Empty() {
		deadline := time.Now().Add(settleMax)
		for time.Now().Before(deadline) {
			w.mu.Lock()
			changed := w.changed
			w.mu.Unlock()
			if got := w.result(c); got.Equal(want) {
				return
			}
			w.waitChange(changed, time.Until(deadline))
		}
		return
	}
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if !w.waitChange(changed, settleQuiet) {
			return
		}
	}
}

// waitChange reports whether something happened within limit.
func (w *World) waitChange(changed <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-changed:
		return true
	case <-timer.C:
		return false
	}
}

// config writes the configuration of the case with this run's addresses, and
// opens the sockets that it names.
func (w *World) config(c *Case) (text string, fronts []string, err error) {
	for name, data := range c.Files {
		if err := os.WriteFile(filepath.Join(w.dir, name), data, 0o600); err != nil {
			return "", nil, err
		}
	}
	filled := map[string]string{"{log}": w.logTo.LocalAddr().String(), "{dir}": w.dir}
	template := c.config()
	for _, m := range placeholder.FindAllString(template, -1) {
		if filled[m] != "" {
			continue
		}
		name := m[1 : len(m)-1]
		switch {
		case strings.HasPrefix(name, "fe"):
			_, err = w.front(name)
			filled[m] = fmt.Sprintf("fd@%d", 3+len(fronts))
			fronts = append(fronts, name)
		case strings.HasPrefix(name, "closed"):
			filled[m], err = w.refuse(name)
		case strings.HasPrefix(name, "full"):
			filled[m], err = w.ignore(name)
		case strings.HasPrefix(name, "h"): // for health checks: accepted, not recorded
			filled[m], err = w.serve(name)
			_, filled[m], _ = strings.Cut(filled[m], ":")
		default:
			filled[m], err = w.serve(name)
		}
		if err != nil {
			return "", nil, err
		}
	}
	return placeholder.ReplaceAllStringFunc(template, func(m string) string { return filled[m] }), fronts, nil
}

// config returns the file of the case, with placeholders.
func (c *Case) config() string {
	var b strings.Builder
	b.WriteString("global\n\tlog {log} local0\n\tlog-tag lb\n\tnbthread 1\n" + c.Parts["global"])
	fmt.Fprintf(&b, "defaults\n\tmode %s\n\tlog global\n\toption %slog\n", c.Mode, c.Mode)
	b.WriteString("\ttimeout connect 5s\n\ttimeout client 10s\n\ttimeout server 10s\n" + c.Parts["defaults"])
	if full, ok := c.Parts["config"]; ok {
		return b.String() + full
	}
	b.WriteString("frontend fe\n")
	if !hasKeyword(c.Parts["frontend"], "bind") {
		b.WriteString("\tbind {fe}\n")
	}
	b.WriteString(c.Parts["frontend"])
	if !hasKeyword(c.Parts["frontend"], "default_backend") {
		b.WriteString("\tdefault_backend be\n")
	}
	b.WriteString("backend be\n" + c.Parts["backend"])
	if !hasKeyword(c.Parts["backend"], "server") {
		b.WriteString("\tserver s1 {s1}\n")
	}
	return b.String()
}

func hasKeyword(text, keyword string) bool {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == keyword {
			return true
		}
	}
	return false
}

// A process is a running proxy.
type process struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	exited chan struct{}
}

func (w *World) start(binary, text string, fronts []string) (*process, error) {
	path := filepath.Join(w.dir, "proxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	files, err := w.inherited(fronts)
	if err != nil {
		return nil, err
	}
	p := &process{output: &bytes.Buffer{}, exited: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), binary, "-db", "-f", path)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.ExtraFiles = files
	p.cmd.Dir = w.dir
	p.cmd.Env = slices.Clone(os.Environ())
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("can't start %s: %w", binary, err)
	}
	for _, f := range files {
		f.Close()
	}
	w.exited = p.exited
	go func() {
		p.cmd.Wait() // a death by signal is no error here
		close(p.exited)
	}()
	return p, nil
}

// stop ends the proxy at once; a proxy that has ended before is an error.
func (p *process) stop() error {
	select {
	case <-p.exited:
		return fmt.Errorf("the proxy ended by itself: %s", p.cmd.ProcessState)
	default:
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(stopMax)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
		p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("the proxy did not end within %v after SIGTERM", stopMax)
	}
}
