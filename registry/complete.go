package registry

import (
	"slices"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// A Candidate is one way to go on with a string.
type Candidate struct {
	Text string // the whole string so far, with the completion in it
	Doc  string // what was completed: a phrase, "" where there is nothing to tell
}

// Complete returns the ways to go on with a string that is being typed: names of endpoints, also after a brace; keys of
// parameters that are not given yet, for any role in which what stands before is right; and values where it is known what
// they can be: of enums and booleans, names of services, names of inner endpoints. Without roles, the endpoint may be of
// any.
//
// A candidate holds the whole string, as zsh and fish replace a whole word; bash takes colons and equals signs for ends
// of words, and wants what follows the last one. None ends in a space: the string may go on.
func (r *Registry) Complete(partial string, roles ...Role) []Candidate {
	d, _ := grammar.Parse(partial)
	if d == nil || strings.HasSuffix(partial, `\`) {
		return nil
	}
	if len(roles) == 0 {
		roles = Roles()
	}
	c := completer{registry: r, partial: partial}
	c.complete(d, roles, 0)
	return c.candidates
}

type completer struct {
	registry   *Registry
	partial    string
	candidates []Candidate
}

// add offers the string up to a place and text behind it.
func (c *completer) add(upTo int, text, doc string) {
	candidate := Candidate{c.partial[:upTo] + text, doc}
	known := slices.ContainsFunc(c.candidates, func(o Candidate) bool { return o.Text == candidate.Text })
	if !known {
		c.candidates = append(c.candidates, candidate)
	}
}

// complete goes on with the last field of d, which ends where the string does.
func (c *completer) complete(d *grammar.Description, roles []Role, depth int) {
	last := &d.Fields[len(d.Fields)-1]
	name := nameField(d)
	switch {
	case name == len(d.Fields)-1:
		if last.Nested == nil && c.plain(last) {
			c.names(roles, last.ValueSpan.Start, "", last.Value)
		}
		return
	case name < 0 || depth > grammar.MaxDepth:
		return
	}
	plugin, ok := c.registry.Lookup(d.Fields[name].Value)
	if !ok {
		return
	}
	for _, role := range roles {
		if plugin.factory(role) != nil {
			c.field(d, plugin, role, name, depth)
		}
	}
}

// plain reports whether the value of f is written without brackets or escapes, so that it can be cut and replaced.
func (c *completer) plain(f *grammar.Field) bool {
	return c.partial[f.ValueSpan.Start:] == f.Value
}

// names offers the endpoints that can be one of the roles, with text before the name.
func (c *completer) names(roles []Role, at int, before, typed string) {
	for _, p := range c.registry.Plugins() {
		plays := slices.ContainsFunc(roles, func(r Role) bool { return p.factory(r) != nil })
		if !plays || !strings.HasPrefix(p.Name, lowerASCII(typed)) {
			continue
		}
		text := before + p.Name
		if p.needsMore(roles) {
			text += ":"
		}
		c.add(at, text, p.Doc)
	}
}

// needsMore reports whether the name alone is not a description, in any of the roles that p plays.
func (p Plugin) needsMore(roles []Role) bool {
	for _, role := range roles {
		if p.factory(role) != nil && !slices.ContainsFunc(p.Params(role), func(q Param) bool { return q.Required }) {
			return false
		}
	}
	return true
}

// field goes on with the last field of d, a parameter of the plugin.
func (c *completer) field(d *grammar.Description, plugin Plugin, role Role, name, depth int) {
	n := len(d.Fields) - 1
	last := &d.Fields[n]
	params := plugin.Params(role)
	before := c.assign(&grammar.Description{Fields: d.Fields[:n], Input: d.Input, Span: d.Span}, plugin, role, params, name)
	if len(before.faults) > 0 {
		return
	}
	with := c.assign(d, plugin, role, params, name)
	if with.rest != nil {
		c.rest(with, depth)
		return
	}
	param := slices.IndexFunc(with.fields, func(fields []*grammar.Field) bool { return slices.Contains(fields, last) })
	if !last.Keyed && last.Nested == nil && c.plain(last) {
		c.keys(before, last)
	}
	if param >= 0 && (last.Keyed || len(before.fields[param]) == 0 || with.takesMore(param)) {
		c.value(params[param], last, depth)
	}
}

func (c *completer) assign(d *grammar.Description, plugin Plugin, role Role, params []Param, name int) *assignment {
	return c.registry.compiler(d, nil).assign(&Layer{Plugin: plugin, Role: role, Description: d}, params, name)
}

// rest goes on with the endpoint that the remaining fields describe.
func (c *completer) rest(a *assignment, depth int) {
	i := slices.IndexFunc(a.params, func(p Param) bool { return p.Rest })
	c.complete(a.rest, []Role{a.params[i].Kind.Role()}, depth+1)
}

// keys offers the parameters that are not given before the last field.
func (c *completer) keys(before *assignment, last *grammar.Field) {
	for i, p := range before.params {
		given := len(before.fields[i]) > 0
		works := p.OS == nil || slices.Contains(p.OS, c.registry.system())
		if given || !works || p.Map || !strings.HasPrefix(p.Name, last.Value) {
			continue
		}
		doc := p.Doc
		if p.Required {
			doc += " (required)"
		}
		c.add(last.Span.Start, p.Name+"=", doc)
	}
}

// value goes on with the value of a parameter.
func (c *completer) value(p Param, f *grammar.Field, depth int) {
	if role := p.Kind.Role(); role != "" {
		c.endpoint(p, f, []Role{role}, depth)
		return
	}
	if f.Nested != nil || !c.plain(f) {
		return
	}
	typed, at := f.Value, f.ValueSpan.Start
	if i := strings.LastIndexByte(typed, ','); p.List && i >= 0 {
		typed, at = typed[i+1:], at+i+1
	}
	values, docs := p.knownValues(typed)
	for i, v := range values {
		if strings.HasPrefix(v, typed) {
			c.add(at, grammar.QuoteKey(v), docs[i])
		}
	}
}

// endpoint goes on with an inner endpoint.
func (c *completer) endpoint(p Param, f *grammar.Field, roles []Role, depth int) {
	switch {
	case f.Nested != nil && f.Nested.Span.End == len(c.partial):
		c.complete(f.Nested, roles, depth+1)
	case f.Nested != nil || !c.plain(f):
	case p.Rest && !f.Keyed:
		c.names(roles, f.ValueSpan.Start, "", f.Value)
	case f.Value == "":
		c.names(roles, len(c.partial), "{", "")
	}
}

// knownValues returns the values that a parameter can have, as far as they can be listed, and what each means.
func (p *Param) knownValues(typed string) (values, docs []string) {
	switch {
	case p.Enum != nil:
		values = p.Enum
	case p.Kind == KindBool:
		values = []string{"yes", "no"}
	case p.Kind == KindPort && typed != "":
		for _, name := range serviceNames() {
			port, _ := servicePort(name)
			values, docs = append(values, name), append(docs, "port "+strconv.Itoa(int(port)))
		}
		return values, docs
	}
	return values, make([]string, len(values))
}
