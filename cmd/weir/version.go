package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/weir-lb/weir/config"
	"github.com/weir-lb/weir/proxy"
)

// weirVersion is the module's version, with the commit it was built from when
// it has no version of its own.
func weirVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	version, commit := info.Main.Version, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			commit = s.Value[:12]
		}
	}
	version = strings.Trim(version, "()")
	if version == "" || version == "devel" {
		version = "devel"
		if commit != "" {
			version += "-" + commit
		}
	}
	return version
}

func printVersion(out io.Writer, wanted versionWanted) {
	switch wanted {
	case versionNumber:
		fmt.Fprintln(out, config.LanguageVersion)
	case versionBranch:
		fmt.Fprintln(out, config.LanguageVersion[:strings.LastIndexByte(config.LanguageVersion, '.')])
	case versionShort:
		printVersionLine(out)
	case versionLong:
		printVersionLine(out)
		printBuild(out)
	}
}

func printVersionLine(out io.Writer) {
	fmt.Fprintf(out, "HAProxy version %s weir/%s - https://github.com/weir-lb/weir\n", config.LanguageVersion, weirVersion())
	fmt.Fprintf(out, "Status: weir, an independent load balancer that speaks HAProxy's configuration language.\n")
	fmt.Fprintf(out, "Running on: %s\n", kernelName())
}

// printBuild has the lines that tools look for in haproxy -vv.
func printBuild(out io.Writer) {
	features := config.Features()
	fmt.Fprintf(out, `Build options :
  TARGET  = linux-glibc
  CPU     = %s
  CC      = %s
  OPTIONS = USE_%s=1

Feature list : +%s

Default settings :
  bufsize = 16384, maxrewrite = 1024, maxpollevents = 512

Built with multi-threading support (default=%d).
Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT IP_FREEBIND

Available polling systems :
      epoll : pref=300,  test result OK
Total: 1 (1 usable), will use epoll.
Batches of system calls : io_uring, %s.

Modules :
`, runtime.GOARCH, runtime.Version(), strings.Join(features, "=1 USE_"), strings.Join(features, " +"), runtime.NumCPU(), ringResult())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			fmt.Fprintf(out, "  %s %s\n", dep.Path, dep.Version)
		}
	}
}

func ringResult() string {
	if err := proxy.IOUringError(); err != nil {
		return err.Error()
	}
	return "test result OK"
}

func printUsage(out io.Writer, name string) {
	fmt.Fprintf(out, `Usage : %s [options] [-f FILE|DIR]... [--] [FILE]...
        -f FILE|DIR   configuration; a folder means its *.cfg files in order
        -C DIR        change to DIR before anything is read
        -c            check the configuration and exit (with -V: say so when it is valid)
        -cc EXPR      evaluate a condition; exit 0 if true, 1 if false, 2 if wrong
        -v, -vv       version; version and build
        -D            go to the background
        -W, -Ws       master-worker mode; with notification of systemd
        -d, -db       stay in the foreground; -d is also verbose
        -dU           do without io_uring
        -V, -q        verbose; quiet
        -p FILE       write the process id to FILE (-D, -W, -Ws)
        -n N          at most N client connections
        -N N          at most N for a frontend that gives no number
        -m MB         use at most this much memory
        -L NAME       name of this node
        -dW           warnings are errors
        -sf [PID]...  ask these processes to finish once we serve
        -st [PID]...  stop these processes once we serve
        -S ADDR, -x SOCK, other -d options: accepted, without effect
`, name)
}
