package registry

import (
	"maps"
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// decode turns the fields of each parameter into its value, and builds the endpoints that are values.
func (c *compiler) decode(layer *Layer, a *assignment, depth int) {
	layer.Args = make([]LayerArg, len(a.params))
	for i := range a.params {
		p, arg := &a.params[i], &layer.Args[i]
		arg.Param, arg.Fields, arg.Given = *p, a.fields[i], len(a.fields[i]) > 0
		switch {
		case !arg.Given:
			arg.Value = p.defaultValue()
			continue
		case p.OS != nil && !slices.Contains(p.OS, c.registry.system()):
			c.fault(arg.Fields[0].Span, "%s works on %s only, and this is %s", p.Name, strings.Join(p.OS, ", "), c.registry.system())
			a.fields[i], a.blamed[i] = nil, true
			continue
		}
		if p.Kind.Role() != "" {
			c.decodeInner(layer, arg, a, depth)
			continue
		}
		arg.Value = a.decodeFields(i, arg)
		c.warn(layer, arg)
	}
	a.checkMissing()
}

// decodeFields decodes a parameter that is no endpoint.
func (a *assignment) decodeFields(param int, arg *LayerArg) any {
	if arg.Param.Map {
		return a.decodeMap(param, arg)
	}
	f := arg.Fields[0]
	if arg.Text = f.Value; arg.Param.Secret() && f.Value != "" {
		arg.Text = redacted
	}
	return a.decodeField(param, f)
}

func (a *assignment) decodeMap(param int, arg *LayerArg) any {
	values := make(map[string]any, len(arg.Fields))
	var texts []string
	for _, f := range arg.Fields {
		if _, ok := values[f.Key]; ok {
			first := slices.IndexFunc(arg.Fields, func(g *grammar.Field) bool { return g.Key == f.Key })
			a.fault(f.Span, "%s is given twice", quoted(f.Key)).Also = []grammar.Span{arg.Fields[first].Span}
			continue
		}
		if !validName(f.Key) {
			a.equalsInValue(f)
			continue
		}
		values[f.Key] = a.decodeField(param, f)
		texts = append(texts, f.Key+"="+f.Value)
	}
	if arg.Text = strings.Join(texts, " "); arg.Param.Secret() {
		arg.Text = redacted
	}
	return values
}

// decodeField decodes one value; what is wrong with it becomes a fault, and the result means nothing then.
func (a *assignment) decodeField(param int, f *grammar.Field) any {
	p := &a.params[param]
	if p.Secret() {
		a.hide(f)
	}
	if f.Nested != nil {
		a.fault(f.ValueSpan, "%s takes %s, not a description in braces", p.Name, p.wants())
		return nil
	}
	if a.hostAndPort(param, f) {
		return nil
	}
	value, bad := p.decode(f.Value)
	if bad == nil {
		return value
	}
	if a.nameForAddress(p, f) {
		return nil
	}
	message := bad.message
	if f.Value == "" {
		message = p.Name + " " + message
	}
	e := a.fault(f.ValueSpan, "%s", message)
	e.Err = bad.cause
	if bad.fix != "" {
		e.Fix = fixValue(f, bad.fix)
	}
	if bad.part {
		e.Start, e.End = f.At(bad.start), f.At(bad.end)
		e.Fix = fixWithin(f, bad.fix)
	}
	return nil
}

// fixValue returns what to write in place of the value of f so that it is text; "" where there is no way.
func fixValue(f *grammar.Field, text string) string { return fixWithMore(f, text, "") }

// fixWithMore is fixValue with further fields behind the value.
func fixWithMore(f *grammar.Field, text, more string) string {
	escaped := grammar.QuoteKey(text)
	if escaped != text && !strings.Contains(text, "]") {
		if fix := f.Fix("[" + text + "]" + more); fix != "" {
			return fix // is easier to read
		}
	}
	return f.Fix(escaped + more)
}

// fixWithin returns what to write in place of a part of the value of f so that the value gets text there.
func fixWithin(f *grammar.Field, text string) string {
	bracketed := f.At(0) > f.ValueSpan.Start
	switch {
	case !bracketed:
		return f.Fix(grammar.QuoteKey(text))
	case strings.Contains(text, "]"):
		return ""
	}
	return f.Fix(text)
}

// decodeInner builds the endpoint, or the list of endpoints, that is the value of a parameter.
func (c *compiler) decodeInner(layer *Layer, arg *LayerArg, a *assignment, depth int) {
	if arg.Param.Rest && a.rest != nil {
		arg.Value = c.inner(layer, arg, a.rest, depth)
		return
	}
	values := make([]any, 0, len(arg.Fields))
	for _, f := range arg.Fields {
		if f.Nested == nil && f.Value == "" {
			c.fault(f.Span, "%s is empty: it takes %s", arg.Param.Name, arg.Param.wants())
			continue
		}
		d, err := f.Description()
		c.syntax = append(c.syntax, grammar.All(err)...)
		if d == nil {
			c.hide(f)
			continue
		}
		values = append(values, c.inner(layer, arg, d, depth))
	}
	switch {
	case arg.Param.List:
		arg.Value = values
	case len(values) > 0:
		arg.Value = values[0]
	}
}

func (c *compiler) inner(layer *Layer, arg *LayerArg, d *grammar.Description, depth int) any {
	endpoint, inner := c.compile(d, arg.Param.Kind.Role(), layer.Plugin.Name, depth+1)
	if inner != nil {
		arg.Inner = append(arg.Inner, inner)
	}
	return endpoint
}

// warn tells of secrets that stand in the string itself.
func (c *compiler) warn(layer *Layer, arg *LayerArg) {
	if !arg.Param.Secret() || !inline(arg.Value) {
		return
	}
	f := arg.Fields[0]
	layer.Warnings = append(layer.Warnings, &grammar.Error{
		Start: f.ValueSpan.Start, End: f.ValueSpan.End, Fix: f.Fix("[env:NAME]"),
		Message: arg.Param.Name + " stands in the string for all to read: name a variable or a file that holds it",
	})
}

// inline reports whether a value is, or holds, a secret that stands in the string.
func inline(value any) bool {
	switch v := value.(type) {
	case Secret:
		return v.Inline()
	case []any:
		return slices.ContainsFunc(v, inline)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), inline)
	}
	return false
}
