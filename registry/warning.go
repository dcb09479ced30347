package registry

import (
	"fmt"
	"reflect"
)

// A Warner is a struct of options that may be right and still not wise, as verify=none is. [For] finds the method on O
// or *O. It is asked after an endpoint was built from the options, says what its user should know, and is as pure as
// building: the same options give the same warnings. They are placed as faults are, with their Fix and Also, stand in
// Layer.Warnings, and are told to a tracer each time that the endpoint is used: by the message alone, which should
// therefore be understood without the place.
//
// The method of an embedded struct counts for the struct around it, as always in Go; where two embedded ones have it, the
// outer struct needs one of its own, and For panics where it has none.
type Warner interface{ Warnings() []*Fault }

// An ArgsWarner is a [Factory] that has warnings about arguments that it builds an endpoint from. What [For] returns is
// one; package external makes others.
type ArgsWarner interface{ Warnings(Args) []*Fault }

// Warnings returns what the plugin says about arguments that are right but not wise, in a role; none where it does not
// play the role, or can't build an endpoint from them.
func (p Plugin) Warnings(role Role, args Args) []*Fault {
	if f := p.factory(role); f != nil {
		return f.warnings(args)
	}
	return nil
}

func (e erased[E]) warnings(args Args) []*Fault {
	if w, ok := e.Factory.(ArgsWarner); ok {
		return w.Warnings(args)
	}
	return nil
}

// Warnings asks the options, if they are a Warner.
func (f *structFactory[O, E]) Warnings(args Args) []*Fault {
	if !f.warns {
		return nil
	}
	options, err := f.options(args)
	if err != nil {
		return nil
	}
	return any(&options).(Warner).Warnings()
}

// isWarner reports whether t or a pointer to it is a Warner. It panics where embedded structs are, and t is not.
func isWarner(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[Warner]()) {
		return true
	}
	for i := range t.NumField() {
		if sf := t.Field(i); sf.Anonymous && sf.Type.Kind() == reflect.Struct && isWarner(sf.Type) {
			panic(fmt.Sprintf("registry.For: %v has no method Warnings, and Go forwards none of those that are embedded in it", t))
		}
	}
	return false
}
