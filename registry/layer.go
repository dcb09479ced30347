package registry

import (
	"context"

	"github.com/epctl/endpoint/grammar"
)

// A Layer is one endpoint of a description, with its parameters as they were decoded. Secrets are in it as values of type
// [Secret] only; all texts have "***" in their place.
type Layer struct {
	Plugin      Plugin
	Role        Role
	Description *grammar.Description
	Args        []LayerArg
	Warnings    []*grammar.Error // what is right but not wise

	inspect func(context.Context) []Inspected // nil where there is nothing to ask; it knows what must not be printed
}

// A LayerArg is one parameter of a layer.
type LayerArg struct {
	Arg
	Fields []*grammar.Field // where it is given; none for a default
	Inner  []*Layer         // the endpoints that it holds
}

// Shown is the value as text that may be shown: a secret is "***".
func (a LayerArg) Shown() string {
	switch {
	case a.Given && a.Param.Secret() && a.Text != "":
		return redacted
	case a.Given:
		return a.Text
	}
	return a.Param.Default
}

// Text is the layer's description in canonical form, without secrets. Only what was given is in it.
func (l *Layer) Text() string { return l.Description.String() }

// Walk calls f for l and then for each layer inside it, outermost first, with its depth.
func (l *Layer) Walk(f func(l *Layer, depth int)) { l.walk(f, 0) }

func (l *Layer) walk(f func(*Layer, int), depth int) {
	f(l, depth)
	for _, arg := range l.Args {
		for _, inner := range arg.Inner {
			inner.walk(f, depth+1)
		}
	}
}
