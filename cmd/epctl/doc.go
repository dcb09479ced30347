package main

import (
	"strings"

	"github.com/epctl/endpoint/registry"
)

type docCmd struct {
	Name     string `arg:"" help:"Name of an endpoint, as epctl list shows it."`
	Markdown bool   `help:"Write the tables of its README."`
}

// Run tells the parameters of each role.
func (c *docCmd) Run(a *app) error {
	p, ok := a.registry.Lookup(c.Name)
	if !ok {
		return a.registry.Check(c.Name) // tells near names
	}
	if c.Markdown {
		return a.out.print(p.Markdown())
	}
	var b strings.Builder
	b.WriteString(a.out.strong(p.Name) + ": " + p.Doc + "\n")
	for _, role := range p.Roles() {
		b.WriteString("\n" + a.out.strong("As a "+role.Noun()) + "\n")
		b.WriteString(orderText(p.Params(role), a.out.width) + docTable(p.Params(role), a.out))
	}
	return a.out.print(b.String())
}

// orderText says which parameters values without a key fill.
func orderText(params []registry.Param, width int) string {
	var names []string
	for _, p := range params {
		if p.Positional {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "Without a key, in this order: " + strings.Join(names, ", ") + "."
	return "  " + strings.Join(wrap(text, width-2), "\n  ") + "\n"
}

func docTable(params []registry.Param, o *output) string {
	rows := table{indent: "  "}
	for _, p := range params {
		rows.add(cell{p.Name, o.strong}, cell{text: valueText(p)}, cell{text: docText(p)})
	}
	return rows.text(o.width)
}

// valueText says what a value is and what it is where none is given.
func valueText(p registry.Param) string {
	what := string(p.Kind)
	switch {
	case p.Enum != nil:
		what = strings.Join(p.Enum, "|")
	case p.Kind.Role() != "":
		what = "{" + what + "}"
	}
	if p.List {
		what += "…"
	}
	switch {
	case p.Map:
		what = "KEY=" + what
	case p.Required:
		what += ", required"
	case !p.Optional && p.Default != "":
		what += " = " + p.Default
	}
	return what
}

func docText(p registry.Param) string {
	if len(p.OS) == 0 {
		return p.Doc
	}
	return p.Doc + " (" + strings.Join(p.OS, ", ") + " only)"
}
