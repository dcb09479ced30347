package main

import (
	"context"
	"errors"
	"io"

	"github.com/epctl/endpoint/registry"
)

// A process is what a run of epctl has from the world around it.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string // as os.Getenv
}

// An app is one run of epctl, and what its verbs work with.
type app struct {
	registry *registry.Registry
	stdin    io.Reader
	out, err *output
	env      func(string) string
	dirs     []string // of plugins
}

// run does what args, without the program's name, ask for, and returns the exit status.
func run(ctx context.Context, r *registry.Registry, args []string, p process) int {
	a := &app{registry: r, stdin: p.stdin, out: newOutput(p.stdout, p.env), err: newOutput(p.stderr, p.env), env: p.env}
	err := a.command(ctx, args)
	a.report(err)
	return exitStatus(err)
}

// errTold is the error of a verb that has told already what is wrong.
var errTold = errors.New("told already")

// A usageError says that the command line is wrong.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

func exitStatus(err error) int {
	var usage *usageError
	var signal interrupted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &signal):
		return 128 + int(signal.Signal)
	}
	return 1
}

func told(failed bool) error {
	if failed {
		return errTold
	}
	return nil
}
