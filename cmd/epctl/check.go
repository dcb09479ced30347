package main

import (
	"bytes"
	"errors"
	"runtime"
	"strconv"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

type checkCmd struct {
	Strings []string `arg:"" name:"string" help:"Endpoint string; - reads one a line from stdin."`
	Role    roleFlag `placeholder:"ROLE" help:"Accept this role only: client, server, packet-client, packet-server or resolver."`
	JSON    bool     `name:"json" help:"Write a JSON array, an element a string."`
}

func (c *checkCmd) Help() string {
	return "Nothing is opened, looked up or connected to. What is right goes to stdout, what is wrong to stderr with its place."
}

// checked is the JSON form of a verdict.
type checked struct {
	Input    string           `json:"input"`
	OK       bool             `json:"ok"`
	Roles    []registry.Role  `json:"roles"`
	Errors   []*grammar.Error `json:"errors"`
	Warnings []*grammar.Error `json:"warnings,omitempty"`
}

// Run judges on all processors, since a file may have very many strings.
func (c *checkCmd) Run(a *app) error {
	p := newCheckPrinter(a, c.JSON)
	judgeBatch := func(batch []text) checkedBatch {
		return p.render(batch, func(s string) verdict { return judge(a.registry, s, registry.Role(c.Role)) })
	}
	in, failure := batches(a.texts(c.Strings))
	err := mapOrdered(in, runtime.GOMAXPROCS(0), judgeBatch, p.emit)
	return errors.Join(err, failure(), p.end())
}

// A checkPrinter renders verdicts, and writes them in their order.
type checkPrinter struct {
	a       *app
	json    bool
	shared  bool // stdout and stderr are one file
	started bool // something is on stdout
	drawn   bool // something is on stderr
	failed  bool
}

// A checkedBatch is what is to be written about a batch of strings.
type checkedBatch struct {
	out, err bytes.Buffer
	failed   bool
}

func newCheckPrinter(a *app, json bool) *checkPrinter {
	return &checkPrinter{a: a, json: json, shared: sameFile(a.out, a.err)}
}

func (p *checkPrinter) render(batch []text, judge func(string) verdict) (out checkedBatch) {
	known := make(map[string]verdict) // strings repeat in a large file
	for _, t := range batch {
		v, ok := known[t.string]
		if !ok {
			v = judge(t.string)
			known[t.string] = v
		}
		out.failed = out.failed || len(v.faults) > 0
		if p.json {
			out.json(v)
			continue
		}
		p.text(&out, t, v)
	}
	return out
}

func (b *checkedBatch) json(v verdict) {
	c := checked{v.text, len(v.faults) == 0, v.roles, v.faults, v.warnings}
	if c.OK {
		c.Errors = []*grammar.Error{}
	} else {
		c.Roles = []registry.Role{}
	}
	b.out.WriteString(",\n")
	_ = newJSON(&b.out).Encode(c) // to memory
	b.out.Truncate(b.out.Len() - len("\n"))
}

func (p *checkPrinter) text(b *checkedBatch, t text, v verdict) {
	bad := &b.err
	if p.shared {
		bad = &b.out
	}
	if len(v.faults) > 0 {
		bad.WriteString("\n" + p.where(t) + p.a.err.drawAll(v.faults))
		return
	}
	b.out.WriteString(p.a.out.good("ok") + "  " + rolesText(v.roles) + "  " + printable(v.text) + "\n")
	for _, w := range v.warnings {
		bad.WriteString("\n" + p.where(t) + p.a.err.warn(w))
	}
}

// where says which line of stdin a drawing is about.
func (p *checkPrinter) where(t text) string {
	if t.line == 0 {
		return ""
	}
	return p.a.err.faint("line "+strconv.Itoa(t.line)+":") + "\n"
}

// emit writes a batch. In JSON each element is made with a comma before it, and each drawing with an empty line, which
// the first one has no use for.
func (p *checkPrinter) emit(b checkedBatch) error {
	p.failed = p.failed || b.failed
	out, bad := b.out.Bytes(), b.err.Bytes()
	if p.json && !p.started && len(out) > 0 {
		out[0] = '['
	} else if !p.started {
		out = bytes.TrimPrefix(out, []byte("\n"))
	}
	if !p.drawn {
		bad = bytes.TrimPrefix(bad, []byte("\n"))
	}
	p.started, p.drawn = p.started || len(out) > 0, p.drawn || len(bad) > 0
	_, err := p.a.out.Write(out)
	if err == nil && len(bad) > 0 {
		_, err = p.a.err.Write(bad)
	}
	return err
}

func (p *checkPrinter) end() error {
	if p.json {
		end := "\n]\n"
		if !p.started {
			end = "[]\n"
		}
		if err := p.a.out.print(end); err != nil {
			return err
		}
	}
	return told(p.failed)
}
