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
	return c.build(layer, factory, &d.Fields[name]), layer
}

// build calls the plugin, and places what it finds wrong.
func (c *compiler) build(layer *Layer, factory factory, name *grammar.Field) any {
	args := make([]Arg, len(layer.Args))
	for i, a := range layer.Args {
		args[i] = a.Arg
	}
	endpoint, err := buildSafely(layer.Plugin.Name, factory, Args{args})
	faults, others := faultsIn(err)
	for _, f := range faults {
		c.place(f, layer, name)
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
	return endpoint
}

// buildSafely makes a panic of the plugin an error: the string can't be used, and that is all that the caller cares for.
func buildSafely(plugin string, f factory, args Args) (endpoint any, err error) {
	defer compiled{&Layer{Plugin: Plugin{Name: plugin}}}.guard(&err)
	endpoint, err = f.build(args)
	if err == nil && endpoint == nil {
		err = errors.New("no endpoint was built (a bug of the plugin)")
	}
	return endpoint, err
}

// place turns what a plugin found wrong into an error with a place: the parameter where it is given, or else the name.
func (c *compiler) place(f *Fault, layer *Layer, name *grammar.Field) {
	at, message := layer.field(f.Param), f.Message
	e := c.fault(name.ValueSpan, "%s", message)
	e.Err = f.Err
	switch {
	case at != nil:
		e.Start, e.End = at.ValueSpan.Start, at.ValueSpan.End
		if f.Fix != "" {
			e.Fix = fixValue(at, f.Fix)
		}
	case f.Param != "":
		e.Message = f.Param + ": " + message
	}
	for _, param := range f.Also {
		if other := layer.field(param); other != nil {
			e.Also = append(e.Also, other.ValueSpan)
		}
	}
	if f.Use == "" {
		return
	}
	if at != nil {
		e.Also = append(e.Also, at.ValueSpan)
	}
	e.Start, e.End, e.Fix = name.ValueSpan.Start, name.ValueSpan.End, name.Fix(f.Use)
}

// field returns the first field of the parameter called name, nil where it is not given.
func (l *Layer) field(name string) *grammar.Field {
	i := slices.IndexFunc(l.Args, func(a LayerArg) bool { return a.Param.Name == name })
	if i < 0 || len(l.Args[i].Fields) == 0 {
		return nil
	}
	return l.Args[i].Fields[0]
}
