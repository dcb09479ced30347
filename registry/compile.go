package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// A compiler builds the endpoint that a description stands for, and those inside it, and collects all faults on the way.
type compiler struct {
	registry *Registry
	input    string
	faults   []*grammar.Error
	secrets  []grammar.Span // values that no error may show
	texts    []string       // the same values as texts
}

// err returns the faults, with those of the syntax, and with the secrets masked. What a fault of the syntax makes
// unclear is not held against the string a second time.
func (c *compiler) err(syntax []*grammar.Error) error {
	faults := slices.Clone(syntax)
	for _, e := range c.faults {
		unclear := len(syntax) > 0 && e.Start == e.End
		for _, s := range syntax {
			unclear = unclear || e.Start < s.End && s.Start < e.End
		}
		if !unclear {
			faults = append(faults, e)
		}
	}
	masked := mask(c.input, c.secrets)
	for _, e := range faults {
		e.Input = masked
		for _, text := range c.texts {
			e.Message = strings.ReplaceAll(e.Message, text, redacted)
		}
	}
	return grammar.Join(faults...)
}

func (c *compiler) fault(span grammar.Span, format string, args ...any) *grammar.Error {
	e := &grammar.Error{Start: span.Start, End: span.End, Message: fmt.Sprintf(format, args...)}
	c.faults = append(c.faults, e)
	return e
}

// shortestSecret is the length from which on a secret is looked for in the messages of plugins; a shorter one guards
// nothing, and would hit other words.
const shortestSecret = 4

func (c *compiler) hide(f *grammar.Field) {
	c.secrets = append(c.secrets, f.ValueSpan)
	if len(f.Value) >= shortestSecret {
		c.texts = append(c.texts, f.Value)
	}
}

// compile builds the endpoint of one layer. User is the name of the plugin that needs it, "" at the outermost. The
// endpoint is nil where anything in the layer is at fault, the layer where its plugin is not known.
func (c *compiler) compile(d *grammar.Description, role Role, user string, depth int) (any, *Layer) {
	if depth > grammar.MaxDepth {
		c.fault(d.Span, "descriptions are nested deeper than the limit of %d levels", grammar.MaxDepth)
		c.secrets = append(c.secrets, d.Span)
		return nil, nil
	}
	name := nameField(d)
	plugin, ok := c.plugin(d, name)
	if !ok {
		c.hideLikelySecrets(d, depth)
		return nil, nil
	}
	factory := plugin.factory(role)
	if factory == nil {
		c.wrongRole(plugin, d.Fields[name].ValueSpan, role, user)
		c.hideLikelySecrets(d, depth)
		return nil, nil
	}
	before := len(c.faults)
	layer := &Layer{Plugin: plugin, Role: role, Description: d}
	c.decode(layer, c.assign(layer, factory.Params(), name), depth)
	layer.secrets = c.secrets
	if len(c.faults) > before {
		return nil, layer
	}
	return c.build(layer, factory, d.Fields[name].Span), layer
}

// build calls the plugin. A panic there is a fault of the string's as far as the caller is concerned: the string can't
// be used.
func (c *compiler) build(layer *Layer, factory factory, name grammar.Span) (endpoint any) {
	defer func() {
		if p := recover(); p != nil {
			endpoint = nil
			c.fault(layer.Description.Span, "the plugin %s panicked: %v", layer.Plugin.Name, p)
		}
	}()
	args := make([]Arg, len(layer.Args))
	for i, a := range layer.Args {
		args[i] = a.Arg
	}
	endpoint, err := factory.build(Args{args})
	if err == nil {
		return endpoint
	}
	faults, others := faultsIn(err)
	for _, f := range faults {
		c.place(f, layer, name)
	}
	for _, err := range others {
		c.fault(layer.Description.Span, "%s: %v", layer.Plugin.Name, err).Err = err
	}
	return nil
}

// place turns what a plugin found wrong into an error with a place.
func (c *compiler) place(f *Fault, layer *Layer, name grammar.Span) {
	span, given := layer.valueSpan(f.Param)
	message := f.Message
	if !given {
		span = name
		if f.Param != "" {
			message = f.Param + ": " + message
		}
	}
	e := c.fault(span, "%s", message)
	e.Err = f.Err
	for _, param := range f.Also {
		if s, ok := layer.valueSpan(param); ok {
			e.Also = append(e.Also, s)
		}
	}
	switch {
	case f.Use != "":
		e.Start, e.End, e.Fix = name.Start, name.End, f.Use
		if given {
			e.Also = append(e.Also, span)
		}
	case f.Fix != "" && given:
		e.Fix = grammar.Quote(f.Fix)
	}
}

// valueSpan returns the place of the first value of the parameter called name.
func (l *Layer) valueSpan(name string) (grammar.Span, bool) {
	i := slices.IndexFunc(l.Args, func(a LayerArg) bool { return a.Param.Name == name })
	if i < 0 || len(l.Args[i].Fields) == 0 {
		return grammar.Span{}, false
	}
	return l.Args[i].Fields[0].ValueSpan, true
}

// hideLikelySecrets masks the values of keys that look like a secret parameter of any plugin, where the plugin that
// would know is not found.
func (c *compiler) hideLikelySecrets(d *grammar.Description, depth int) {
	if depth > grammar.MaxDepth {
		c.secrets = append(c.secrets, d.Span)
		return
	}
	names := c.registry.secretNames()
	for i := range d.Fields {
		f := &d.Fields[i]
		switch inner, _ := f.Description(); {
		case f.Keyed && f.Nested == nil && nearest(f.Key, names) != "":
			c.hide(f)
		case inner != nil && (f.Nested != nil || strings.Contains(f.Value, "=")):
			c.hideLikelySecrets(inner, depth+1)
		}
	}
}

// secretNames returns the names of all parameters of all plugins that are secret.
func (r *Registry) secretNames() []string {
	var names []string
	for _, p := range r.plugins {
		for _, role := range Roles() {
			for _, param := range p.Params(role) {
				if param.Secret() {
					names = append(names, param.Name)
				}
			}
		}
	}
	return names
}
