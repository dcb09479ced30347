package main

import (
	"slices"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// hide overwrites the values of a layer's secrets in input by asterisks, byte for byte, as package registry does in
// the input of an error.
func hide(input string, layers ...*registry.Layer) string {
	masked := []byte(nil)
	cover := func(l *registry.Layer, _ int) {
		for _, arg := range l.Args {
			if !arg.Param.Secret() {
				continue
			}
			for _, f := range arg.Fields {
				if masked == nil {
					masked = []byte(input)
				}
				for i := f.ValueSpan.Start; i < f.ValueSpan.End; i++ {
					masked[i] = '*'
				}
			}
		}
	}
	for _, l := range layers {
		l.Walk(cover)
	}
	if masked == nil {
		return input
	}
	return string(masked)
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
