package main

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

type checkCmd struct {
	Strings []string `arg:"" name:"string" help:"Endpoint string; - reads one a line from stdin."`
	Role    roleFlag `placeholder:"ROLE" help:"Accept this role only: client, server, packet-client, packet-server or resolver."`
	Deep    bool     `help:"Also read the files that the strings name: whether certificates and keys fit, are complete and have not expired, and trust roots can be read."`
	Verbose bool     `short:"v" help:"With --deep, also tell what was found to be right."`
	JSON    bool     `name:"json" help:"Write a JSON array, an element a string."`
}

func (c *checkCmd) Help() string {
	return "Nothing is opened, looked up or connected to; with --deep files are read. What is right goes to stdout, what is wrong to stderr with its place. Warnings do not make a string wrong."
}

// Validate is called by kong.
func (c *checkCmd) Validate() error {
	if c.Verbose && !c.Deep {
		return errors.New("--verbose is for --deep")
	}
	return nil
}

// checked is the JSON form of a verdict.
type checked struct {
	Input    string           `json:"input"`
	OK       bool             `json:"ok"`
	Roles    []registry.Role  `json:"roles"`
	Errors   []*grammar.Error `json:"errors"`
	Warnings []*grammar.Error `json:"warnings,omitempty"`
	Findings []finding        `json:"findings,omitempty"` // of --deep; one of the level error makes the string wrong
}

// Run judges on all processors, since a file may have very many strings.
func (c *checkCmd) Run(ctx context.Context, a *app) error {
	p := newCheckPrinter(a, c.JSON)
	p.notes = c.Verbose
	known := &answers{ask: func(s string) answer {
		v := judge(a.registry, s, registry.Role(c.Role))
		if c.Deep {
			v.inspect(ctx)
		}
		return p.answer(v)
	}}
	workers, size := runtime.GOMAXPROCS(0), batchTexts
	if c.Deep {
		workers, size = inspectors(), 1
	}
	in, failure := batches(a.texts(c.Strings), size)
	err := mapOrdered(in, workers, func(batch []text) checkedBatch { return p.render(batch, known) }, p.emit)
	return errors.Join(err, failure(), p.end())
}

// An answer is what is written about a string, wherever it stands.
type answer struct {
	out, err string
	failed   bool
}

// answers remembers those about short strings, of which a large file has many again and again.
type answers struct {
	ask func(string) answer

	mu    sync.Mutex
	known map[string]answer
}

const (
	shortString = 256  // bytes
	mostAnswers = 4096 // to remember
)

func (as *answers) get(s string) answer {
	if len(s) > shortString {
		return as.ask(s)
	}
	as.mu.Lock()
	a, ok := as.known[s]
	as.mu.Unlock()
	if ok {
		return a
	}
	a = as.ask(s)
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.known == nil || len(as.known) == mostAnswers {
		as.known = make(map[string]answer)
	}
	as.known[s] = a
	return a
}
