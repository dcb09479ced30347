package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// nameField returns the index of the field that names the endpoint, the first one without a key, or -1.
func nameField(d *grammar.Description) int {
	return slices.IndexFunc(d.Fields, func(f grammar.Field) bool { return !f.Keyed })
}

// lowerASCII is s with its ASCII letters in lower case. Letters of other scripts stay what they are: lower case of the
// Kelvin sign is a plain k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// plugin finds the plugin that d names.
func (c *compiler) plugin(d *grammar.Description, name int) (Plugin, bool) {
	if name < 0 {
		c.fault(d.Span, "no endpoint is named: the first field without a key does that")
		return Plugin{}, false
	}
	f := &d.Fields[name]
	if f.Nested != nil {
		c.fault(f.Span, "the first field without a key names the endpoint: it can't be in braces")
		return Plugin{}, false
	}
	p, ok := c.registry.Lookup(f.Value)
	if !ok {
		c.unknownName(d, name)
	}
	return p, ok
}

func (c *compiler) unknownName(d *grammar.Description, i int) {
	f := &d.Fields[i]
	names := c.registry.names()
	near := nearest(strings.TrimSpace(f.Value), names)
	switch odd := oddCharacters(f.Value); {
	case f.Value == "":
		c.fault(f.Span, "the name of the endpoint is empty").Fix = c.missingName(d, i)
	case odd != "":
		c.fault(f.ValueSpan, "a name has only ASCII letters, digits and '-', this one has %s", odd).Fix = f.Fix(near)
	case near != "":
		c.fault(f.ValueSpan, "no endpoint is called %s, did you mean %s?", quoted(f.Value), near).Fix = f.Fix(near)
	default:
		e := c.fault(f.ValueSpan, "no endpoint is called %s; there are %s", quoted(f.Value), listed(names))
		if e.Fix = c.missingName(d, i); e.Fix != "" {
			e.Message = fmt.Sprintf("no endpoint is called %s: the name comes first", quoted(f.Value))
		}
	}
}

// missingName returns the fix for what is written as package net would have it: host:port, :port or a bare port.
func (c *compiler) missingName(d *grammar.Description, i int) string {
	const name = "tcp"
	if _, ok := c.registry.Lookup(name); !ok {
		return ""
	}
	f := &d.Fields[i]
	portFollows := i+1 < len(d.Fields) && isPort(&d.Fields[i+1])
	switch {
	case f.Value == "" && portFollows:
		return f.Fix(name)
	case portFollows || isPort(f) && len(d.Fields) == 1:
		return f.Fix(name + ":" + grammar.Quote(f.Value))
	}
	return ""
}

func isPort(f *grammar.Field) bool {
	if f.Keyed || f.Nested != nil || f.Value == "" {
		return false
	}
	_, bad := decodePort(f.Value)
	return bad == nil
}

// oddCharacters lists the characters of a name that no name has, with their code points, "" where there are none.
func oddCharacters(name string) string {
	var odd []string
	for _, r := range name {
		if r < 0x80 && (keyByte(byte(r))) {
			continue
		}
		shown := fmt.Sprintf("%q (%U)", r, r)
		if r == ' ' {
			shown = "a space (U+0020)"
		}
		if !slices.Contains(odd, shown) {
			odd = append(odd, shown)
		}
		if len(odd) == 4 {
			break
		}
	}
	return strings.Join(odd, ", ")
}

// wrongRole tells that p is not what is needed where it stands.
func (c *compiler) wrongRole(p Plugin, at grammar.Span, role Role, user string) {
	needs := "a " + role.Noun() + " is needed here"
	if user != "" {
		needs = user + " needs a " + role.Noun()
	}
	var is []string
	same := false
	for _, r := range p.Roles() {
		same = same || r.medium() == role.medium()
		if !slices.Contains(is, r.medium()) {
			is = append(is, r.medium())
		}
	}
	switch {
	case !same && len(is) > 0:
		c.fault(at, "%s is %s; %s", p.Name, strings.Join(is, " and "), needs)
	case user == "":
		c.fault(at, "%s can't be a %s", p.Name, role.Noun())
	default:
		c.fault(at, "%s can't be a %s; %s", p.Name, role.Noun(), needs)
	}
}

// listed is names as a message lists them: all of them, or the first of many.
func listed(names []string) string {
	const most = 16
	switch {
	case len(names) == 0:
		return "none"
	case len(names) <= most:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
