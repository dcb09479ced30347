package main

import (
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// valuesOf returns the values in d by their places, also those in descriptions that are values as text. The layers of
// package registry do not have those that are secret.
func valuesOf(d *grammar.Description) map[grammar.Span]string {
	values := make(map[grammar.Span]string)
	collectValues(d, values, 0)
	return values
}

func collectValues(d *grammar.Description, values map[grammar.Span]string, depth int) {
	if d == nil || depth > grammar.MaxDepth {
		return
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Nested == nil {
			values[f.ValueSpan] = f.Value
		}
		if f.Nested != nil || strings.Contains(f.Value, ":") {
			inner, _ := f.Description()
			collectValues(inner, values, depth+1)
		}
	}
}

// takesSecrets reports whether any endpoint has a parameter that must not be shown.
func takesSecrets(r *registry.Registry) bool {
	return slices.ContainsFunc(r.Plugins(), func(p registry.Plugin) bool {
		return slices.ContainsFunc(p.Roles(), func(role registry.Role) bool {
			return slices.ContainsFunc(p.Params(role), registry.Param.Secret)
		})
	})
}

// shownValue is the value of f with asterisks where masked, the input with its secrets hidden, has them.
func shownValue(f *grammar.Field, input, masked string) string {
	span := f.ValueSpan
	if masked[span.Start:span.End] == input[span.Start:span.End] {
		return f.Value
	}
	value := []byte(f.Value)
	for i := range value {
		if at := f.At(i); masked[at] != input[at] {
			value[i] = '*'
		}
	}
	return string(value)
}
