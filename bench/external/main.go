// Command external measures what it costs that a plugin is a program of its own: endpoints of such a plugin beside the
// same endpoints in this process, and beside the same plugin as it would be over go-plugin alone. All goes over loopback,
// in one run, by turns. It needs the go command, which builds the programs, and Linux for counting descriptors.
//
//	go run ./external -out external
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
)

func main() {
	out := flag.String("out", "", "directory for report.txt and report.json; none where not given")
	effort := flag.Float64("effort", 1, "multiple of the usual number of measurements")
	only := flag.String("only", "", "regular expression: measure the cases with such names, and nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *out, *effort, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "external:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, effort float64, only string) error {
	which, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	r := newReport()
	l, err := newLab(ctx, usual())
	if err != nil {
		return err
	}
	defer l.close()
	contests := slices.DeleteFunc(l.contests(), func(c contest) bool { return !which.MatchString(c.name) })
	if r.Results, err = measureAll(ctx, contests, effort, os.Stderr); err != nil {
		return err
	}
	if only == "" {
		if r.Leaks, err = l.leaks(ctx, max(20, int(effort*10_000))); err != nil {
			return err
		}
	}
	r.LoadAfter = loadAverage()
	if _, err := io.WriteString(os.Stdout, r.text()); err != nil || out == "" {
		return err
	}
	return r.write(out)
}
