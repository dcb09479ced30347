package main

import (
	"slices"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// A verdict says what a string can be, or what is wrong with it.
type verdict struct {
	text     string // the string with its secrets hidden
	roles    []registry.Role
	layers   []*registry.Layer // of each role, the outermost
	warnings []*grammar.Error
	faults   []*grammar.Error
	findings []registry.Inspected // where files were looked at
}

// wrong says that the string can't be used, as far as it was looked at.
func (v *verdict) wrong() bool { return len(v.faults) > 0 || len(v.of(registry.LevelError)) > 0 }

// judge tells what s is in the given role, or in all roles that it can play where that is "".
func judge(r *registry.Registry, s string, only registry.Role) verdict {
	if only != "" {
		_, layer, err := r.Build(s, only)
		return newVerdict([]registry.Role{only}, []*registry.Layer{layer}, err)
	}
	d, err := grammar.Parse(s)
	if err != nil {
		_, err = r.Roles(s)
		return newVerdict(nil, nil, err)
	}
	var roles []registry.Role
	var layers []*registry.Layer
	for _, role := range candidates(r, d) {
		if _, layer, err := r.BuildDescription(d, role); err == nil {
			roles, layers = append(roles, role), append(layers, layer)
		}
	}
	if len(roles) == 0 {
		_, err = r.Roles(s)
	}
	return newVerdict(roles, layers, err)
}

func newVerdict(roles []registry.Role, layers []*registry.Layer, err error) verdict {
	if faults := grammar.All(err); len(faults) > 0 {
		return verdict{text: faults[0].Input, faults: faults}
	}
	v := verdict{text: layers[0].Description.Input, roles: roles, layers: layers}
	layers[0].Walk(func(l *registry.Layer, _ int) { v.warnings = append(v.warnings, l.Warnings...) })
	return v
}

// candidates returns the roles that d may have: those of its plugin, without those that d surely lacks parameters for,
// or has too many for. It saves the building of errors that nobody sees.
func candidates(r *registry.Registry, d *grammar.Description) []registry.Role {
	name := slices.IndexFunc(d.Fields, func(f grammar.Field) bool { return !f.Keyed })
	if name < 0 {
		return nil
	}
	p, ok := r.Lookup(d.Fields[name].Value)
	if !ok || d.Fields[name].Nested != nil {
		return nil
	}
	return slices.DeleteFunc(p.Roles(), func(role registry.Role) bool { return !fits(p.Params(role), d) })
}

func fits(params []registry.Param, d *grammar.Description) bool {
	if slices.ContainsFunc(params, func(p registry.Param) bool { return p.Rest || p.Map || p.List }) {
		return true // which fields are whose is more than a count can tell
	}
	positional, missing := -1, 0 // the name is no parameter
	for i := range d.Fields {
		f := &d.Fields[i]
		switch {
		case !f.Keyed:
			positional++
		case !slices.ContainsFunc(params, func(p registry.Param) bool { return p.Name == f.Key }):
			return false
		}
	}
	for i := range params {
		given := func(f grammar.Field) bool { return f.Keyed && f.Key == params[i].Name }
		if params[i].Required && !slices.ContainsFunc(d.Fields, given) {
			missing++
		}
	}
	return missing <= positional
}
