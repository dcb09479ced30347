package registry

import (
	"errors"
	"fmt"
	"slices"

	"github.com/epctl/endpoint/grammar"
)

// A compiler builds the endpoint that a description stands for, and those inside it, and collects all faults on the way.
type compiler struct {
	veil
	registry *Registry
	input    string
	syntax   []*grammar.Error // where there are any, fields may not be what they were meant to be
	faults   []*grammar.Error // all others
	warnings []*grammar.Error // of plugins
	misfits  int              // of the faults, those that say that other parameters were expected
	layers   []*assignment
	unknown  []*grammar.Description // what could not be a layer
}

// err returns all faults. What a fault of the syntax makes unclear is not held against the string a second time.
func (c *compiler) err(masked string) error {
	faults := slices.Clone(c.syntax)
	for _, e := range c.faults {
		unclear := len(c.syntax) > 0 && e.Start == e.End
		for _, s := range c.syntax {
			unclear = unclear || e.Start < s.End && s.Start < e.End
		}
		if !unclear {
			faults = append(faults, e)
		}
	}
	c.clean(faults, masked)
	return firstFaults(grammar.Join(faults...))
}

// mostFaults is how many faults of a string are told, as many as those of the syntax.
const mostFaults = 16

func firstFaults(err error) error {
	if faults := grammar.All(err); len(faults) > mostFaults {
		return grammar.Join(faults[:mostFaults]...)
	}
	return err
}

// finish takes the secrets out of all that is told of the string.
func (c *compiler) finish(layer *Layer) error {
	faulty := len(c.faults)+len(c.syntax) > 0
	if faulty {
		c.hideSuspects()
	}
	masked := c.mask(c.input)
	if layer != nil {
		c.seal(layer, masked, faulty)
		c.clean(c.warnings, masked)
	}
	return c.err(masked)
}

func (c *compiler) fault(span grammar.Span, format string, args ...any) *grammar.Error {
	e := &grammar.Error{Start: span.Start, End: span.End, Message: fmt.Sprintf(format, args...)}
	c.faults = append(c.faults, e)
	return e
}

// compile builds the endpoint of one layer. User is the name of the plugin that needs it, "" at the outermost. The
// endpoint is nil where anything in the layer is at fault, the layer where its plugin is not known.
func (c *compiler) compile(d *grammar.Description, role Role, user string, depth int) (any, *Layer) {
	if depth > grammar.MaxDepth {
		c.fault(d.Span, "descriptions are nested deeper than the limit of %d levels", grammar.MaxDepth)
		c.spans = append(c.spans, d.Span)
		return nil, nil
	}
	name := nameField(d)
	plugin, ok := c.plugin(d, name)
	if !ok {
		c.unknown = append(c.unknown, d)
		return nil, nil
	}
	factory := plugin.factory(role)
	if factory == nil {
		c.wrongRole(plugin, d.Fields[name].ValueSpan, role, user)
		c.unknown = append(c.unknown, d)
		return nil, nil
	}
	before := len(c.faults)
	layer := &Layer{Plugin: plugin, Role: role, Description: d}
	assignment := c.assign(layer, factory.Params(), name)
	c.layers = append(c.layers, assignment)
	c.decode(layer, assignment, depth)
	if len(c.faults) > before {
		return nil, layer
	}
	return c.build(layer, factory, assignment), layer
}

// build calls the plugin, and places what it finds wrong or not wise.
func (c *compiler) build(layer *Layer, factory factory, a *assignment) any {
	args := make([]Arg, len(layer.Args))
	for i, a := range layer.Args {
		args[i] = a.Arg
	}
	endpoint, warnings, err := buildSafely(layer.Plugin.Name, factory, Args{args})
	faults, others := faultsIn(err)
	for _, f := range faults {
		c.faults = append(c.faults, a.place(f))
	}
	for _, err := range others {
		e := c.fault(layer.Description.Span, "%s: %v", layer.Plugin.Name, err)
		if e.Err = err; errors.As(err, new(*PanicError)) {
			e.Message = err.Error() // names it
		}
	}
	if err != nil {
		return nil
	}
	for _, w := range warnings {
		e := a.place(w)
		c.warnings, layer.Warnings = append(c.warnings, e), append(layer.Warnings, e)
	}
	layer.inspect = a.inspection(endpoint)
	return endpoint
}

// buildSafely makes a panic of the plugin an error: the string can't be used, and that is all that the caller cares for.
func buildSafely(plugin string, f factory, args Args) (endpoint any, warnings []*Fault, err error) {
	defer compiled{&Layer{Plugin: Plugin{Name: plugin}}}.guard(&err)
	endpoint, err = f.build(args)
	switch {
	case err != nil:
	case endpoint == nil:
		err = errors.New("no endpoint was built (a bug of the plugin)")
	default:
		warnings = f.warnings(args)
	}
	return endpoint, warnings, err
}

// place gives what a plugin has to say a place: the parameter where it is given, or else the name.
func (a *assignment) place(f *Fault) *grammar.Error {
	at := a.first(f.Param)
	e := &grammar.Error{Start: a.name.ValueSpan.Start, End: a.name.ValueSpan.End, Message: f.Message, Err: f.Err}
	switch {
	case at != nil:
		e.Start, e.End = at.ValueSpan.Start, at.ValueSpan.End
		if f.Fix != "" {
			e.Fix = fixValue(at, f.Fix)
		}
	case f.Param != "":
		e.Message = f.Param + ": " + f.Message
	}
	for _, param := range f.Also {
		if other := a.first(param); other != nil {
			e.Also = append(e.Also, other.ValueSpan)
		}
	}
	if f.Use == "" {
		return e
	}
	if at != nil {
		e.Also = append(e.Also, at.ValueSpan)
	}
	e.Start, e.End, e.Fix = a.name.ValueSpan.Start, a.name.ValueSpan.End, a.name.Fix(f.Use)
	return e
}

// first returns the first field of the parameter called name, nil where it is not given.
func (a *assignment) first(name string) *grammar.Field {
	i := slices.IndexFunc(a.params, func(p Param) bool { return p.Name == name })
	if i < 0 || len(a.fields[i]) == 0 {
		return nil
	}
	return a.fields[i][0]
}
