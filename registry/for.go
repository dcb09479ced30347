package registry

import (
	"fmt"
	"reflect"
	"slices"
)

// For makes a factory from a struct of options and the function that builds an endpoint from it. The function does no
// I/O and returns faults made by [Bad].
//
// Each exported field of O is a parameter, in the order of the struct. Its tags are
//
//	ep:"name[,word…]"  the parameter's name, and words: required; rest (may be given as all remaining fields); port (a
//	                   uint16 that also takes a service name); size (an integer that also takes the suffixes K, M, G)
//	doc:"…"            what it is for; must be there
//	default:"…"        the value where none is given
//	enum:"a,b,c"       the values that are allowed
//	os:"linux,…"       the systems where it works, as in runtime.GOOS; it is refused on others
//
// The type of the field decides what values it takes: string, bool, integers, [time.Duration], [fs.FileMode],
// [netip.Addr], [netip.Prefix], [Secret], the role interfaces for inner endpoints, whatever has an UnmarshalText; a
// slice of any of these for a list, and a map from string for free keys. A pointer is nil where the parameter is not
// given; a field that is none and has neither a default nor is required keeps its zero value.
//
// The fields of an embedded struct are parameters too; those of an exported one, which several plugins share, are given
// by key only. Fields without an ep tag are left alone. A wrong tag panics.
//
// Options that are a [Warner] say what is right but not wise; an endpoint that is an [Inspector] looks at what it names.
func For[O, E any](build func(O) (E, error)) Factory[E] {
	t := reflect.TypeFor[O]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("registry.For: options must be a struct, not %v", t))
	}
	f := &structFactory[O, E]{make: build, warns: isWarner(t)}
	f.fields = structFields(t, nil, true)
	for _, field := range f.fields {
		f.params = append(f.params, field.param)
	}
	checkParams(t, f.params)
	return f
}

// checkParams panics where the parameters of one struct do not go together.
func checkParams(t reflect.Type, params []Param) {
	for i, p := range params {
		for _, q := range params[:i] {
			switch {
			case p.Name == q.Name:
				panic(fmt.Sprintf("registry.For: %v has two parameters called %q", t, p.Name))
			case p.Map && q.Map:
				panic(fmt.Sprintf("registry.For: %v has two parameters with free keys, %q and %q", t, q.Name, p.Name))
			case p.Rest && q.Rest:
				panic(fmt.Sprintf("registry.For: %v has two parameters that take the rest, %q and %q", t, q.Name, p.Name))
			}
		}
	}
}

type structFactory[O, E any] struct {
	fields []structField
	params []Param
	make   func(O) (E, error)
	warns  bool // *O is a Warner
}

func (f *structFactory[O, E]) Params() []Param { return f.params }

func (f *structFactory[O, E]) Build(args Args) (E, error) {
	options, err := f.options(args)
	if err != nil {
		var none E
		return none, err
	}
	return f.make(options)
}

func (f *structFactory[O, E]) options(args Args) (options O, err error) {
	v := reflect.ValueOf(&options).Elem()
	for i := range f.fields {
		field := &f.fields[i]
		value := args.value(i, field.param.Name)
		if value == nil {
			continue
		}
		if err := set(v.FieldByIndex(field.index), value); err != nil {
			return options, Bad(field.param.Name, "%w", err)
		}
	}
	return options, nil
}

// A structField is a parameter and the field of the options struct that takes it.
type structField struct {
	param Param
	index []int
}

func structFields(t reflect.Type, prefix []int, positional bool) []structField {
	var fields []structField
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(prefix), i)
		tag, tagged := sf.Tag.Lookup("ep")
		switch {
		case sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct:
			fields = append(fields, structFields(sf.Type, index, positional && !sf.IsExported())...)
		case tagged:
			p := paramOf(sf, tag)
			p.Positional = positional && !p.Map
			fields = append(fields, structField{p, index})
		}
	}
	return fields
}
