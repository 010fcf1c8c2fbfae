package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestFlagsComeInAnyOrder(t *testing.T) {
	for name, row := range map[string]struct {
		line string
		want options
	}{
		"systemd unit":       {"-Ws -f /etc/h.cfg -p /run/h.pid -S /run/m.sock", options{master: true, notify: true, files: []string{"/etc/h.cfg"}, pidFile: "/run/h.pid", masterCLI: "/run/m.sock"}},
		"init script":        {"-f a.cfg -D -p h.pid -sf 12 13", options{files: []string{"a.cfg"}, daemon: true, pidFile: "h.pid", finish: []int{12, 13}}},
		"reload first":       {"-sf -D -f a.cfg", options{daemon: true, files: []string{"a.cfg"}}},
		"pids then files":    {"-st 7 -f a -- b c", options{terminate: []int{7}, files: []string{"a", "b", "c"}}},
		"bare files":         {"-c a.cfg b.cfg", options{check: true, files: []string{"a.cfg", "b.cfg"}}},
		"dashes after --":    {"-- -f", options{files: []string{"-f"}}},
		"verbose over quiet": {"-q -V -c -f a", options{verbose: true, check: true, files: []string{"a"}}},
		"quiet after V":      {"-V -q -f a", options{verbose: true, files: []string{"a"}}},
		"numbers":            {"-n 100 -m 256 -N 50", options{maxConn: 100, megabytes: 256, frontConn: 50}},
		"debug":              {"-d", options{debug: true, foreground: true, verbose: true}},
		"foreground":         {"-db -dW", options{foreground: true, fatal: true}},
		"without io_uring":   {"-dU -f a", options{noIOUring: true, files: []string{"a"}}},
		"HAProxy's own":      {"-dM -dr -ds -de -dG -dI -dMno-merge,tag", options{unused: []string{"-dM", "-dr", "-ds", "-de", "-dG", "-dI", "-dMno-merge,tag"}}},
		"condition":          {"-cc version_atleast(2.4)", options{evaluate: true, condition: "version_atleast(2.4)"}},
		"version":            {"-vv", options{version: versionLong}},
		"folder and name":    {"-C /etc -L node1 -x /run/h.sock", options{dir: "/etc", localName: "node1", transfer: "/run/h.sock"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := scanFlags(strings.Fields(row.line))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("%s\n got %+v\nwant %+v", row.line, got, row.want)
			}
		})
	}
}

func TestPidsMayStandInOneWord(t *testing.T) {
	got, err := scanFlags([]string{"-sf", "12\n13\n", "-c"})
	if err != nil || !reflect.DeepEqual(got.finish, []int{12, 13}) || !got.check {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for line, usage := range map[string]bool{
		"-Z":       true,
		"--help":   true,
		"-f":       true,
		"-n":       true,
		"-n many":  true,
		"-cc":      true,
		"-sf abc":  false, // HAProxy gives the message without the usage text
		"-st 1 -2": true,
		"-sf 0":    false,
	} {
		_, err := scanFlags(strings.Fields(line))
		if err == nil {
			t.Errorf("%q was accepted", line)
			continue
		}
		if got := errors.As(err, new(usageError)); got != usage {
			t.Errorf("%q: usage %v, want %v (%v)", line, got, usage, err)
		}
	}
}
