package main

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

type explainCmd struct {
	String  string   `arg:"" name:"string" help:"Endpoint string."`
	Role    roleFlag `placeholder:"ROLE" help:"Explain it in this role; otherwise in each that it can play."`
	NoFiles bool     `name:"no-files" help:"Leave the files alone that it names; otherwise what is in them, such as certificates, is shown below their parameters."`
	JSON    bool     `name:"json" help:"Write JSON."`
}

func (c *explainCmd) Help() string {
	return "Each parameter is shown with its value, whether that was given or is the default, and what it is for. Secrets are asterisks. Files that are missing or wrong are told, and are no failure."
}

// Where the value of a parameter comes from.
const (
	given   = "given"
	byLack  = "default"
	nothing = "unset" // an optional parameter without a default
)

// An explained is the JSON form of a string with its layers.
type explained struct {
	Input     string           `json:"input"`
	Endpoints []explainedLayer `json:"endpoints"` // one a role
}

type explainedLayer struct {
	Role       registry.Role    `json:"role"`
	Name       string           `json:"name"`
	Doc        string           `json:"doc"`
	Text       string           `json:"text"`
	Parameters []explainedParam `json:"parameters"`
	Warnings   []*grammar.Error `json:"warnings,omitempty"`
	Findings   []finding        `json:"findings,omitempty"` // about the endpoint as a whole
}

type explainedParam struct {
	Name  string           `json:"name"`
	Value string           `json:"value"`
	From  string           `json:"from"`
	Kind  registry.Kind    `json:"kind"`
	Doc   string           `json:"doc"`
	Inner []explainedLayer `json:"inner,omitempty"`

	Findings []finding `json:"findings,omitempty"`
}

// Run explains the string in each of its roles.
func (c *explainCmd) Run(ctx context.Context, a *app) error {
	v := judge(a.registry, c.String, registry.Role(c.Role))
	if len(v.faults) > 0 {
		return grammar.Join(v.faults...)
	}
	e := explained{Input: v.text}
	for _, l := range v.layers {
		e.Endpoints = append(e.Endpoints, explain(l, c.looker(ctx)))
	}
	if c.JSON {
		return a.out.json(e)
	}
	var b strings.Builder
	for i, l := range e.Endpoints {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(l.text(a.out, "", ""))
	}
	if err := a.out.print(b.String()); err != nil {
		return err
	}
	for _, w := range v.warnings {
		_ = a.err.print(a.err.warn(w))
	}
	return nil
}

// A looker finds out about one layer, without those inside it.
type looker func(*registry.Layer) []finding

// looker is how this command looks at files.
func (c *explainCmd) looker(ctx context.Context) looker {
	if c.NoFiles {
		return func(*registry.Layer) []finding { return nil }
	}
	return func(l *registry.Layer) []finding {
		ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
		defer cancel()
		alone := *l
		alone.Args = nil
		return newFindings(alone.Inspect(ctx))
	}
}

func explain(l *registry.Layer, look looker) explainedLayer {
	e := explainedLayer{
		Role: l.Role, Name: l.Plugin.Name, Doc: l.Plugin.Doc, Text: l.Text(),
		Parameters: make([]explainedParam, len(l.Args)), Warnings: l.Warnings,
	}
	found := look(l)
	for i, arg := range l.Args {
		p := explainedParam{Name: arg.Param.Name, Value: arg.Shown(), From: from(arg), Kind: arg.Param.Kind, Doc: arg.Param.Doc}
		for _, inner := range arg.Inner {
			p.Inner = append(p.Inner, explain(inner, look))
			p.Value = inner.Text()
		}
		p.Findings, found = split(found, func(f finding) bool { return f.Param == p.Name })
		e.Parameters[i] = p
	}
	e.Findings = found
	return e
}

func split(all []finding, is func(finding) bool) (these, others []finding) {
	for _, f := range all {
		if is(f) {
			these = append(these, f)
		} else {
			others = append(others, f)
		}
	}
	return these, others
}

func from(arg registry.LayerArg) string {
	switch {
	case arg.Given:
		return given
	case arg.Param.Optional || arg.Param.Map:
		return nothing
	}
	return byLack
}

// text shows a layer, and below each parameter that holds endpoints those.
func (e explainedLayer) text(o *output, indent, branch string) string {
	rows := table{indent: indent + "  "}
	for _, p := range e.Parameters {
		rows.add(p.cells(o)...)
		rows.below(findingsText(o, indent+"    ", p.Findings))
		for _, inner := range p.Inner {
			rows.below(inner.text(o, indent+"       ", indent+"    └─ "))
		}
	}
	head := e.Name + ", a " + e.Role.Noun() + ": " + e.Doc
	lines := wrap(head, o.width-utf8.RuneCountInString(branch))
	lines[0] = strings.Replace(lines[0], e.Name, o.strong(e.Name), 1)
	return branch + strings.Join(lines, "\n"+indent) + "\n" + findingsText(o, indent+"  ", e.Findings) + rows.text(o.width)
}

// findingsText shows what was found, with a mark before each, and a word before what is not as it should be.
func findingsText(o *output, indent string, found []finding) string {
	var b strings.Builder
	for _, f := range found {
		text, paint := printable(f.Message), o.faint
		switch f.Level {
		case registry.LevelError:
			text, paint = "error: "+text, o.bad
		case registry.LevelWarning:
			text, paint = "warning: "+text, o.warning
		}
		for i, line := range chop(text, max(leastLast, o.width-utf8.RuneCountInString(indent)-2)) {
			mark := "· "
			if i > 0 {
				mark = "  "
			}
			b.WriteString(indent + mark + paint(line) + "\n")
		}
	}
	return b.String()
}

func (p explainedParam) cells(o *output) []cell {
	value, paint := p.Value, o.faint
	switch {
	case len(p.Inner) > 0:
		value = ""
		for _, inner := range p.Inner {
			value += "{" + inner.Name + "}"
		}
	case p.From == nothing:
		value = "-"
	case value == "":
		value = `""`
	}
	if p.From == given {
		paint = o.strong
	}
	return []cell{{p.Name, paint}, {printable(value), paint}, {p.From, paint}, {p.Doc, nil}}
}
