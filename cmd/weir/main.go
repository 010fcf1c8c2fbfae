package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/weir-lb/weir/config"
)

// Exit codes (management.txt chapter 3; those of signals are a shell's).
const (
	exitOK         = 0
	exitFailed     = 1
	exitFalse      = 1 // -cc
	exitWrong      = 2 // -cc: not a condition
	exitNoListener = 2 // a valid file that would not serve anything
	exitSIGINT     = 130
	exitSIGTERM    = 143
)

func main() {
	// A closed terminal or log pipe must not end a load balancer.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args))
}

func run(args []string) int {
	name := "weir"
	if len(args) > 0 {
		name = filepath.Base(args[0])
		args = args[1:]
	}
	opt, err := scanFlags(args)
	say := &messages{out: os.Stderr, quiet: opt.quiet}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		printVersionLine(os.Stdout)
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		printUsage(os.Stderr, name)
		return exitFailed
	case err != nil:
		say.alert("%v", err)
		return exitFailed
	case opt.version != versionNone:
		printVersion(os.Stdout, opt.version)
		return exitOK
	case opt.evaluate:
		return evaluateCondition(opt, say)
	}
	p := &program{name: name, opt: opt, say: say, back: inBackground()}
	return p.run()
}

// evaluateCondition is -cc.
func evaluateCondition(opt options, say *messages) int {
	holds, err := config.EvalCondition(opt.condition, config.Env{LocalName: opt.localName, Master: opt.master})
	switch {
	case err != nil:
		say.alert("config : Failed to evaluate condition: %v", err)
		return exitWrong
	case holds:
		return exitOK
	}
	return exitFalse
}
