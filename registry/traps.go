package registry

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/epctl/endpoint/grammar"
)

// takeTraps finds the mistakes that people make because a colon, a backslash and an equals sign mean something here,
// before their pieces are taken for fields that they were never meant to be.
func (a *assignment) takeTraps() {
	position := 0
	a.untaken(func(i int, f *grammar.Field) {
		param := a.index(f.Key)
		if !f.Keyed {
			param = -1
			if slots := a.slots(); position < len(slots) {
				param = slots[position]
			}
			position++
		}
		if a.taken[i] || f.Nested != nil || a.keyForValue(i, param) || param < 0 {
			return
		}
		switch p := a.params[param]; {
		case p.Kind == KindAddress || isHost(p):
			a.addressInPieces(i, param)
		case p.Kind == KindText:
			a.pathInPieces(i, param)
		}
	})
}

// keyForValue finds the name of a parameter where a value is expected: port:80 for port=80, or a bare v6only.
func (a *assignment) keyForValue(i, param int) bool {
	f := &a.d.Fields[i]
	named := a.index(f.Value)
	if f.Keyed || named < 0 || a.params[named].Secret() || param >= 0 && a.params[param].takes(f.Value) {
		return false
	}
	a.taken[i], a.blamed[named] = true, true
	span, value := f.Span, ""
	if a.params[named].Kind == KindBool {
		value = "yes"
	} else if i+1 < len(a.d.Fields) && !a.d.Fields[i+1].Keyed && a.d.Fields[i+1].Nested == nil {
		next := &a.d.Fields[i+1]
		a.taken[i+1] = true
		span.End, value = next.Span.End, next.Value
	}
	e := a.fault(span, "%s is the name of a parameter: its value follows an equals sign", f.Value)
	if value != "" {
		e.Fix = f.Fix(f.Value + "=" + grammar.Quote(value))
	}
	return true
}

// takes reports whether text is a right value, or the name of an endpoint.
func (p *Param) takes(text string) bool {
	if p.Kind.Role() != "" {
		return true
	}
	_, bad := p.decode(text)
	return bad == nil
}

// isHost says that a text is the name or the address of a host.
func isHost(p Param) bool { return p.Kind == KindText && p.Name == "host" }

// addressInPieces finds an IPv6 address whose colons were not escaped: interface=::1 reads as three fields.
func (a *assignment) addressInPieces(i, param int) {
	last := a.addressEnd(i)
	if last < 0 || !a.d.Fields[i].Keyed && !startsAddress(a.d.Fields[i].Value) {
		return
	}
	f, g := &a.d.Fields[i], &a.d.Fields[last]
	for j := i; j <= last; j++ {
		a.taken[j] = true
	}
	a.blamed[param] = true
	address := "[" + a.joined(i, last) + "]"
	e := a.fault(grammar.Span{Start: f.ValueSpan.Start, End: g.Span.End},
		`an address with colons is written %s or %s`, address, strings.ReplaceAll(a.joined(i, last), ":", `\:`))
	e.Fix = fixValue(f, a.joined(i, last))
}

// startsAddress reports whether the first group of an address is one that addresses have: what a value without a key
// begins with may as well be a port, as in tcp6:80:50:::1.
func startsAddress(group string) bool { return group == "" || len(group) >= 3 }

// addressPieces is how many pieces the colons of an address make at most: of seven groups and a double colon at an end.
const addressPieces = 9

// addressEnd returns the last field of the address that starts in field i, -1 where none does.
func (a *assignment) addressEnd(i int) int {
	end := -1
	for j := i; j < min(i+addressPieces, len(a.d.Fields)); j++ {
		f := &a.d.Fields[j]
		if j > i && (f.Keyed || f.Nested != nil) || strings.Contains(f.Value, ":") {
			break
		}
		if addr, err := netip.ParseAddr(a.joined(i, j)); err == nil && addr.Is6() && j > i {
			// ::1:80 is an address, and ::1 with a port: the port decides where one is needed.
			if end == j-1 && a.needsPort() && f.Value != "" {
				break
			}
			end = j
		}
	}
	return end
}

// needsPort reports whether a port has to follow the address.
func (a *assignment) needsPort() bool {
	slots := a.slots()
	for i, p := range a.params {
		if p.Kind == KindPort && p.Required && !a.givenByKey(i) && len(slots) > 0 && slots[0] != i {
			return true
		}
	}
	return false
}

// joined is the value of fields i to j as it stood before it was split.
func (a *assignment) joined(i, j int) string {
	values := make([]string, 0, j-i+1)
	for ; i <= j; i++ {
		values = append(values, a.d.Fields[i].Value)
	}
	return strings.Join(values, ":")
}

// pathInPieces finds a path of Windows whose colon and backslashes were taken for syntax.
func (a *assignment) pathInPieces(i, param int) {
	f := &a.d.Fields[i]
	if i+1 == len(a.d.Fields) || len(f.Value) != 1 || !isLetter(f.Value[0]) {
		return
	}
	next := &a.d.Fields[i+1]
	source := a.input[next.Span.Start:next.Span.End]
	if next.Keyed || next.Nested != nil || !startsPath(source) {
		return
	}
	a.taken[i], a.taken[i+1], a.blamed[param] = true, true, true
	e := a.fault(grammar.Span{Start: f.ValueSpan.Start, End: next.Span.End},
		"a colon and backslashes are syntax here: put the path in brackets")
	path := f.Value + ":" + next.Value
	if !strings.HasPrefix(source, `\\`) {
		path = f.Value + ":" + source
	}
	if isPlain := f.Fix(":") == ":"; isPlain && !strings.Contains(path, "]") {
		e.Fix = f.Fix("[" + path + "]")
	}
}

// startsPath reports whether a text starts with the backslash of a path: one, which escapes nothing that needs it, or two
// of somebody who knew of escapes, but not of the colon.
func startsPath(source string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(source, `\`), `\`)
	return len(rest) < len(source) && rest != "" && !strings.ContainsAny(rest[:1], `\:=[]{}`)
}

func isLetter(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }

// equalsInValue tells that what stands before the equals sign can't be a key, so that it was meant as a value.
func (a *assignment) equalsInValue(f *grammar.Field) {
	for i, p := range a.params {
		a.blamed[i] = a.blamed[i] || p.Positional && (p.Kind == KindText || p.Kind.Role() != "")
	}
	e := a.fault(f.Span, `a key has only letters, digits, '-', '_' and '.'; in a value without a key the equals sign is written \=`)
	e.Fix = f.Fix(grammar.Quote(f.Key + "=" + f.Value))
}

// hostAndPort finds a host and a port in one value, where each is a parameter of its own.
func (a *assignment) hostAndPort(param int, f *grammar.Field) bool {
	p := a.params[param]
	if p.Kind != KindAddress && !isHost(p) {
		return false
	}
	port := -1
	for i, other := range a.params {
		if other.Kind == KindPort && other.Required {
			port = i
		}
	}
	host, number, err := net.SplitHostPort(f.Value)
	if err != nil || port < 0 || host == "" {
		return false
	}
	if _, err := strconv.ParseUint(number, 10, 16); err != nil {
		return false
	}
	e := a.fault(f.ValueSpan, "%s takes a host without a port: the port is a parameter of its own", p.Name)
	more := ""
	if len(a.fields[port]) == 0 {
		a.blamed[port] = true
		more = ":" + a.params[port].Name + "=" + number
	}
	e.Fix = fixWithMore(f, host, more)
	return true
}

// nameForAddress finds the name of a host where only an address is allowed, and tells the plugin that takes names.
func (a *assignment) nameForAddress(p *Param, f *grammar.Field) bool {
	const resolves = "hostname"
	plugin, ok := a.registry.Lookup(resolves)
	if !ok || plugin.factory(a.role) == nil || p.Kind != KindAddress || p.Name != "host" || !looksLikeName(f.Value) {
		return false
	}
	if a.namesParam(f.Value) {
		a.misfits++
		return false
	}
	e := a.fault(a.name.ValueSpan, "%s takes addresses only, and %s is a name: use %s:", a.plugin.Name, quoted(f.Value), resolves)
	e.Fix, e.Also = a.name.Fix(resolves), []grammar.Span{f.ValueSpan}
	return true
}

func looksLikeName(text string) bool {
	letters := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) })
	odd := strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '-' && r != '.' && r != '_'
	})
	return letters && !odd
}

// namesParam reports whether the plugin has a parameter called name, in any role.
func (a *assignment) namesParam(name string) bool {
	return slices.ContainsFunc(a.plugin.Roles(), func(role Role) bool {
		return slices.ContainsFunc(a.plugin.Params(role), func(p Param) bool { return p.Name == name })
	})
}
