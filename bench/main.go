package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/weir-lb/weir/bench/floor"
	"github.com/weir-lb/weir/bench/load"
	"github.com/weir-lb/weir/bench/server"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the benchmark, or one of the programs that it starts.
func run(args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case "server":
			return runServer(args[1])
		case "load":
			return runLoad(args[1])
		case "floor":
			return runFloor(args[1])
		}
	}
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return runBench(ctx, o)
}

func runServer(file string) error {
	var spec server.Spec
	if err := readJSON(file, &spec); err != nil {
		return err
	}
	s, err := server.Open(spec)
	if err != nil {
		return err
	}
	s.Run()
	return errors.New("the server has ended")
}

func runLoad(file string) error {
	var spec load.Spec
	if err := readJSON(file, &spec); err != nil {
		return err
	}
	outcome, err := load.Run(spec)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

func runFloor(file string) error {
	var spec floor.Spec
	if err := readJSON(file, &spec); err != nil {
		return err
	}
	r, err := floor.Open(spec)
	if err != nil {
		return err
	}
	r.Run()
	return errors.New("the floor has ended")
}

func readJSON(file string, v any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("can't read what to do: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("can't read what to do: %s: %w", file, err)
	}
	return nil
}
