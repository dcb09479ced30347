package registry

import (
	"slices"
)

// A Kind is the form of a parameter's value.
type Kind string

// The kinds of values, beside the five roles, which stand for inner endpoints.
const (
	KindText     Kind = "text"
	KindBool     Kind = "bool"     // yes, no, true, false, on, off, 1, 0
	KindInt      Kind = "int"      // decimal
	KindUint     Kind = "uint"     // decimal
	KindPort     Kind = "port"     // 0 to 65535, or the name of a service
	KindDuration Kind = "duration" // seconds, or with a unit: 1.5s, 250ms
	KindSize     Kind = "size"     // bytes, or with K, M, G
	KindMode     Kind = "mode"     // octal file mode
	KindAddress  Kind = "address"  // IP address, IPv6 with an optional zone
	KindPrefix   Kind = "prefix"   // IP prefix, as 192.0.2.0/24
	KindSecret   Kind = "secret"   // text, or where to read it: env:NAME, file:PATH, fd:N
)

// Role returns the role of an inner endpoint, or "" where the value is none.
func (k Kind) Role() Role {
	if slices.Contains(Roles(), Role(k)) {
		return Role(k)
	}
	return ""
}

// A Param is one declared parameter of a plugin in a role.
type Param struct {
	Name       string
	Doc        string // a phrase: no capital, no full stop
	Kind       Kind
	Bits       int      // size of KindInt and KindUint
	List       bool     // several values: comma-separated, or for inner endpoints all remaining values without a key
	Map        bool     // every key that no other parameter has, with its value
	Rest       bool     // may be given as all remaining fields, as in haproxy:tcp:8080
	Positional bool     // may be given without its key
	Required   bool     // has to be given
	Optional   bool     // may be left out and has no default
	Default    string   // text of the value where none is given; meaningless if Required or Optional
	Enum       []string // the values that are allowed, nil for all
	OS         []string // the systems where it works, as in runtime.GOOS; nil for all

	check func(text string) error // of a type that unmarshals itself, nil elsewhere
	value any                     // the default, decoded; nil where the parameter does not come from For
}

// Secret reports whether the value must not be shown.
func (p Param) Secret() bool { return p.Kind == KindSecret }

// defaultValue is what the parameter is where it is not given, nil if it is required or optional.
func (p *Param) defaultValue() any {
	if p.Required || p.Optional {
		return nil
	}
	if p.value != nil {
		return p.value
	}
	value, _ := p.decode(p.Default)
	return value
}

// An Args holds the decoded value of each parameter of one endpoint.
type Args struct{ values []Arg }

// An Arg is the decoded value of one parameter.
type Arg struct {
	Param Param
	Given bool   // false for a default
	Text  string // the value as it was given, without escapes; "***" for a secret, "" for an inner endpoint
	// Value is nil where an optional parameter is not given, and else by kind: string, bool, int64, uint64, uint16
	// (port), time.Duration, int64 (size), fs.FileMode, netip.Addr, netip.Prefix, Secret, Client and so on; []any of
	// these for a list, map[string]any for a map.
	Value any
}

// All returns the arguments in the order of the parameters.
func (a Args) All() []Arg { return a.values }

// Get returns the argument of the parameter called name.
func (a Args) Get(name string) (Arg, bool) {
	i := slices.IndexFunc(a.values, func(v Arg) bool { return v.Param.Name == name })
	if i < 0 {
		return Arg{}, false
	}
	return a.values[i], true
}

// value returns the value of the parameter called name, which is the i-th where the arguments are those of one's own
// parameters; nil where there is none.
func (a Args) value(i int, name string) any {
	if i < len(a.values) && a.values[i].Param.Name == name {
		return a.values[i].Value
	}
	arg, _ := a.Get(name)
	return arg.Value
}

// NewArgs makes arguments from decoded values, for a program that hosts plugins for others.
func NewArgs(values []Arg) Args { return Args{values} }
