package registry

import (
	"slices"

	"github.com/epctl/endpoint/grammar"
)

// An assignment gives the fields of a description to the parameters of its plugin.
type assignment struct {
	*compiler
	plugin Plugin
	role   Role
	params []Param
	d      *grammar.Description
	name   *grammar.Field
	fields [][]*grammar.Field // of each parameter
	taken  []bool             // of each field of d: it has found its place, or its fault
	blamed []bool             // of each parameter: a fault of its has been told, so that it is not missing
	rest   *grammar.Description
}

func (c *compiler) assign(layer *Layer, params []Param, name int) *assignment {
	d := layer.Description
	a := &assignment{
		compiler: c, plugin: layer.Plugin, role: layer.Role, params: params, d: d, name: &d.Fields[name],
		fields: make([][]*grammar.Field, len(params)),
		taken:  make([]bool, len(d.Fields)),
		blamed: make([]bool, len(params)),
	}
	a.taken[name] = true
	a.takeRest()
	a.takeTraps()
	a.takeKeyed()
	a.takePositional()
	return a
}

// untaken calls f for each field that has no place yet.
func (a *assignment) untaken(f func(i int, field *grammar.Field)) {
	for i := range a.d.Fields {
		if !a.taken[i] {
			f(i, &a.d.Fields[i])
		}
	}
}

func (a *assignment) index(name string) int {
	return slices.IndexFunc(a.params, func(p Param) bool { return p.Name == name && !p.Map })
}

// slots returns the parameters that values without a key fill, in order.
func (a *assignment) slots() []int {
	var slots []int
	for i, p := range a.params {
		if p.Positional {
			slots = append(slots, i)
		}
	}
	return slots
}

// takeRest finds the parameter that takes all remaining fields, if a value without a key gets that far.
func (a *assignment) takeRest() {
	slots := a.slots()
	n := slices.IndexFunc(slots, func(i int) bool { return a.params[i].Rest })
	if n < 0 || a.givenByKey(slots[n]) {
		return
	}
	param := slots[n]
	for i := range a.d.Fields {
		f := &a.d.Fields[i]
		if a.taken[i] || f.Keyed {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		if f.Nested != nil {
			return // a field like any other
		}
		for j := i; j < len(a.d.Fields); j++ {
			a.taken[j] = true
			a.fields[param] = append(a.fields[param], &a.d.Fields[j])
		}
		if a.rest = a.d.Rest(i); i+1 == len(a.d.Fields) {
			a.rest = nil // one value: it may be a description as text
		}
		return
	}
}

func (a *assignment) givenByKey(param int) bool {
	return slices.ContainsFunc(a.d.Fields, func(f grammar.Field) bool { return f.Keyed && f.Key == a.params[param].Name })
}

func (a *assignment) takeKeyed() {
	free := slices.IndexFunc(a.params, func(p Param) bool { return p.Map })
	a.untaken(func(i int, f *grammar.Field) {
		if !f.Keyed {
			return
		}
		a.taken[i] = true
		param := a.index(f.Key)
		switch {
		case param < 0 && free >= 0:
			a.give(free, f)
		case param < 0:
			a.unknownKey(f)
		case len(a.fields[param]) > 0:
			a.duplicate(param, f)
		default:
			a.give(param, f)
		}
	})
}

func (a *assignment) give(param int, f *grammar.Field) { a.fields[param] = append(a.fields[param], f) }

func (a *assignment) takePositional() {
	slots := slices.DeleteFunc(a.slots(), func(i int) bool { return a.blamed[i] })
	a.untaken(func(i int, f *grammar.Field) {
		a.taken[i] = true
		if len(slots) == 0 {
			a.surplus(f)
			return
		}
		param := slots[0]
		if len(a.fields[param]) > 0 && !a.takesMore(param) {
			other := a.firstMissing(slots)
			if other < 0 {
				slots = slots[1:]
				a.duplicate(param, f)
				return
			}
			param = other
		}
		a.give(param, f)
		if !a.takesMore(param) {
			slots = slices.DeleteFunc(slices.Clone(slots), func(s int) bool { return s == param })
		}
	})
}

// takesMore reports whether a parameter takes all remaining values without a key.
func (a *assignment) takesMore(param int) bool {
	p := a.params[param]
	return p.List && p.Kind.Role() != ""
}

// firstMissing returns the first parameter among slots that is required and not given: `tcp:80:host=example.com` gives
// the port, as in Twisted.
func (a *assignment) firstMissing(slots []int) int {
	for _, i := range slots {
		if a.params[i].Required && len(a.fields[i]) == 0 && !a.blamed[i] {
			return i
		}
	}
	return -1
}

func (a *assignment) duplicate(param int, f *grammar.Field) {
	first := a.fields[param][0]
	e := a.fault(f.Span, "%s is given twice", a.params[param].Name)
	e.Also = []grammar.Span{first.Span}
}

func (a *assignment) surplus(f *grammar.Field) {
	a.misfits++
	switch most := len(a.slots()); most {
	case 0:
		a.fault(f.Span, "%s takes no values without a key", a.plugin.Name)
	case 1:
		a.fault(f.Span, "%s takes at most one value without a key", a.plugin.Name)
	default:
		a.fault(f.Span, "%s takes at most %d values without a key", a.plugin.Name, most)
	}
}

func (a *assignment) unknownKey(f *grammar.Field) {
	a.misfits++
	names := a.names()
	switch near := nearest(f.Key, names); {
	case near != "":
		a.blamed[a.index(near)] = true
		a.fault(f.KeySpan, "%s has no parameter %s, did you mean %s?", a.plugin.Name, quoted(f.Key), near).Fix = f.Fix(near)
	case !validName(f.Key) && f.Nested == nil:
		a.equalsInValue(f)
	case len(names) == 0:
		a.fault(f.KeySpan, "%s has no parameters", a.plugin.Name)
	default:
		a.fault(f.KeySpan, "%s has no parameter %s; it has %s", a.plugin.Name, quoted(f.Key), listed(names))
	}
}

func (a *assignment) names() []string {
	names := make([]string, len(a.params))
	for i, p := range a.params {
		names[i] = p.Name
	}
	return names
}

func (a *assignment) checkMissing() {
	for i, p := range a.params {
		if !p.Required || len(a.fields[i]) > 0 || a.blamed[i] {
			continue
		}
		a.misfits++
		end := grammar.Span{Start: a.d.Span.End, End: a.d.Span.End}
		if p.Kind == KindText && p.Enum == nil || p.Map {
			a.fault(end, "%s is missing: %s", p.Name, p.Doc)
			continue
		}
		a.fault(end, "%s is missing: %s needs %s", p.Name, a.plugin.Name, p.wants())
	}
}
