package main

import (
	"bufio"
	"errors"

	"github.com/epctl/endpoint/grammar"
)

type fmtCmd struct {
	Strings  []string `arg:"" name:"string" help:"Endpoint string; - reads one a line from stdin."`
	Brackets bool     `help:"Put special characters in brackets wherever that is possible, not only where it is shorter."`
}

func (c *fmtCmd) Help() string {
	return "Only the writing changes: fields keep their order, and names need not be known. A string that can't be read is told on stderr."
}

// Run writes a line for each string that can be read.
func (c *fmtCmd) Run(a *app) error {
	style := grammar.Canonical
	if c.Brackets {
		style = grammar.Brackets
	}
	out := bufio.NewWriter(a.out)
	failed := false
	for t, err := range a.texts(c.Strings) {
		if err != nil {
			return errors.Join(out.Flush(), err)
		}
		d, err := grammar.Parse(t.string)
		if err != nil {
			failed = true
			err = errors.Join(out.Flush(), err)
			a.report(err)
			continue
		}
		out.WriteString(d.Text(style) + "\n")
		if t.waits {
			out.Flush()
		}
	}
	return errors.Join(out.Flush(), told(failed))
}
