package main

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/epctl/endpoint/grammar"
)

type parseCmd struct {
	Strings []string `arg:"" optional:"" name:"string" help:"Endpoint string; - reads one a line from stdin."`
	NUL     bool     `short:"0" name:"null" help:"Read strings from stdin, with a NUL byte behind each, and write a line for each."`
	Secrets bool     `name:"show-secrets" help:"Show the values of secret parameters, which are asterisks else."`
}

func (c *parseCmd) Help() string {
	return "The syntax alone matters: names and parameters need not be known. Places are in bytes of the whole input."
}

// Validate is called by kong.
func (c *parseCmd) Validate() error {
	switch {
	case c.NUL && len(c.Strings) > 0:
		return errors.New("with -0 the strings come from stdin: no argument is taken")
	case !c.NUL && len(c.Strings) == 0:
		return errors.New("expected \"<string> ...\" or -0")
	}
	return nil
}

// A parsed is the JSON form of a string that can be read.
type parsed struct {
	Input string `json:"input"`
	parsedTree
}

type parsedTree struct {
	Name   string        `json:"name"`
	Fields []parsedField `json:"fields"`
}

type parsedField struct {
	Key    *string     `json:"key,omitempty"`   // nil where there is none
	Value  *string     `json:"value,omitempty"` // nil where it is nested
	Nested *parsedTree `json:"nested,omitempty"`
	Start  int         `json:"start"`
	End    int         `json:"end"`
}

// An unparsed is the JSON form of a string that can't be read.
type unparsed struct {
	Input  string           `json:"input"`
	Errors []*grammar.Error `json:"errors"`
}

// Run writes an object for each string.
func (c *parseCmd) Run(a *app) error {
	p := parsePrinter{a: a, masks: !c.Secrets && takesSecrets(a.registry)}
	out := bufio.NewWriter(a.out)
	err := p.texts(c.Strings, out)
	if c.NUL {
		err = p.records(out)
	}
	return errors.Join(err, out.Flush(), told(p.failed))
}

type parsePrinter struct {
	a      *app
	masks  bool // some parameter is secret
	failed bool
}

func (p *parsePrinter) texts(args []string, out *bufio.Writer) error {
	encoder := newJSON(out)
	if p.a.out.terminal {
		encoder.SetIndent("", "  ")
	}
	for t, err := range p.a.texts(args) {
		if err == nil {
			err = encoder.Encode(p.object(t.string))
		}
		if err == nil && t.waits {
			err = out.Flush()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// records answers each string at once, so that another program can ask for one after the other.
func (p *parsePrinter) records(out *bufio.Writer) error {
	encoder := newJSON(out)
	for in := newRecords(p.a.stdin, 0); ; {
		s, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = encoder.Encode(p.object(s))
		}
		if err == nil && !in.ready() {
			err = out.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func (p *parsePrinter) object(s string) any {
	masked := s
	if p.masks {
		masked = judge(p.a.registry, s, "").text
	}
	d, err := grammar.Parse(s)
	if err != nil {
		p.failed = true
		return unparsed{masked, grammar.All(err)}
	}
	return parsed{masked, *treeOf(d, masked)}
}

func treeOf(d *grammar.Description, masked string) *parsedTree {
	tree := &parsedTree{Fields: make([]parsedField, len(d.Fields))}
	if i := slices.IndexFunc(d.Fields, func(f grammar.Field) bool { return !f.Keyed }); i >= 0 {
		tree.Name = d.Fields[i].Value
	}
	for i := range d.Fields {
		f, out := &d.Fields[i], &tree.Fields[i]
		out.Start, out.End = f.Span.Start, f.Span.End
		if f.Keyed {
			out.Key = &f.Key
		}
		if f.Nested != nil {
			out.Nested = treeOf(f.Nested, masked)
			continue
		}
		value := shownValue(f, d.Input, masked)
		out.Value = &value
	}
	return tree
}
