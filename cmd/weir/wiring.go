package main

import (
	"context"
	"errors"
	"time"
)

// A server is the part of proxy.Proxy that the command needs.
type server interface {
	Run(ctx context.Context) error      // serves until ctx ends; stops at once then
	Shutdown(ctx context.Context) error // stops accepting, returns when drained
	Ready() <-chan struct{}
}

// configuration is what the files say, for the command's use.
type configuration struct {
	process process
	notices []notice
	demand  demand
}

// process is what the global section says about the process.
type process struct {
	daemon, master, quiet, zeroWarning, strictLimits bool

	pidFile     string
	identity    identity
	hardStop    time.Duration
	drainOnTerm bool
}

// level of a notice.
type level uint8

const (
	levelNotice  level = iota // worth knowing when one looks
	levelSaid                 // .notice in the file: always printed
	levelWarning              // counts for -dW
)

type notice struct {
	level level
	text  string
}

var errNotLinked = errors.New("not linked")

func loadConfiguration(files []string) (*configuration, error) { return nil, errNotLinked }
func evaluate(text string) (bool, error)                       { return false, errNotLinked }
func checkProxy(c *configuration) error                        { return errNotLinked }
func openProxy(c *configuration) (server, error)               { return nil, errNotLinked }

func (c *configuration) apply(opt options, name string) {}
func (c *configuration) loops() int                     { return 0 }
func (c *configuration) setLimits(loops int, l limits)  {}
