package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	startTimeout  = 10 * time.Second // until weir answers
	probeInterval = 10 * time.Millisecond
)

func main() {
	weir := flag.String("weir", "bin/weir", "the weir binary to run")
	config := flag.String("f", "examples/demo/haproxy.cfg", "its configuration")
	webPort := flag.Int("web", 8080, "port of the web frontend; another one is taken when it is busy")
	echoPort := flag.Int("echo", 8081, "port of the TCP frontend; another one is taken when it is busy")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	d := demo{weir: *weir, config: *config}
	if err := d.run(ctx, *webPort, *echoPort); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// A demo is the servers' addresses and the ports that weir listens on.
type demo struct {
	weir, config string

	blue, green, echo net.Addr
	webPort, tcpPort  int
}

func (d *demo) run(ctx context.Context, webPort, echoPort int) (err error) {
	if d.blue, err = startWeb("blue"); err != nil {
		return err
	}
	if d.green, err = startWeb("green"); err != nil {
		return err
	}
	if d.echo, err = startEcho(); err != nil {
		return err
	}
	if d.webPort, err = freePort(webPort); err != nil {
		return err
	}
	if d.tcpPort, err = freePort(echoPort); err != nil {
		return err
	}
	ended, err := d.startWeir(ctx)
	if err != nil {
		return err
	}
	if err := d.waitUntilItAnswers(ended); err != nil {
		return err
	}
	d.printAddresses()
	err = <-ended
	if ctx.Err() != nil { // it was told to
		return nil
	}
	return err
}

// startWeir runs weir until ctx ends; what it gave up with arrives in ended.
func (d *demo) startWeir(ctx context.Context) (ended chan error, err error) {
	cmd := exec.CommandContext(ctx, d.weir, "-db", "-f", d.config)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(),
		"DEMO_BLUE="+d.blue.String(), "DEMO_GREEN="+d.green.String(), "DEMO_ECHO="+d.echo.String(),
		"DEMO_WEB_PORT="+strconv.Itoa(d.webPort), "DEMO_TCP_PORT="+strconv.Itoa(d.tcpPort))
	// Not left behind, even when this program is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("can't start weir (make build): %w", err)
	}
	ended = make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return ended, nil
}

func (d *demo) waitUntilItAnswers(ended <-chan error) error {
	deadline := time.After(startTimeout)
	for {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health", d.webPort))
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			return fmt.Errorf("weir ended: %v", err)
		case <-deadline:
			return errors.New("weir does not answer")
		case <-time.After(probeInterval):
		}
	}
}

func (d *demo) printAddresses() {
	web := fmt.Sprintf("http://127.0.0.1:%d", d.webPort)
	fmt.Printf("\nweir serves %s. Open, or try:\n\n", d.config)
	for _, row := range [][2]string{
		{web + "/", "two servers in turn; a browser stays with one (cookie)"},
		{"curl " + web + "/echo", "the request as the server saw it"},
		{"curl '" + web + "/slow?ms=500'", "that server takes one at a time, the others queue"},
		{"curl '" + web + "/large?bytes=100000000' -o /dev/null", "100 MB"},
		{fmt.Sprintf("curl -N telnet://127.0.0.1:%d", d.tcpPort), "TCP: what you type comes back"},
	} {
		fmt.Printf("  %-66s %s\n", row[0], row[1])
	}
	fmt.Printf("\nAccess log lines follow. Ctrl-C stops everything.\n\n")
}

// freePort returns wanted, or a port of the kernel's choice when it is busy.
func freePort(wanted int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
