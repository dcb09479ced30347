package registry

import (
	"encoding"
	"fmt"
	"io/fs"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"
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
func For[O, E any](build func(O) (E, error)) Factory[E] {
	t := reflect.TypeFor[O]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("registry.For: options must be a struct, not %v", t))
	}
	f := &structFactory[O, E]{make: build}
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
}

func (f *structFactory[O, E]) Params() []Param { return f.params }

func (f *structFactory[O, E]) Build(args Args) (E, error) {
	var options O
	v := reflect.ValueOf(&options).Elem()
	for _, field := range f.fields {
		arg, ok := args.Get(field.param.Name)
		if !ok || arg.Value == nil {
			continue
		}
		if err := set(v.FieldByIndex(field.index), arg.Value); err != nil {
			var none E
			return none, Bad(field.param.Name, "%w", err)
		}
	}
	return f.make(options)
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

// paramOf reads the tags of one field; it panics where they are wrong, which any test of the plugin finds.
func paramOf(sf reflect.StructField, tag string) Param {
	name, words, _ := strings.Cut(tag, ",")
	p := Param{Name: name, Doc: sf.Tag.Get("doc")}
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("registry.For: field %s: %s", sf.Name, fmt.Sprintf(format, args...)))
	}
	switch {
	case !sf.IsExported():
		fail("has an ep tag and is not exported")
	case !validName(name):
		fail("%q is no name for a parameter", name)
	case p.Doc == "":
		fail("has no doc tag")
	}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t, p.Optional = t.Elem(), true
	}
	p.setType(t, fail)
	for word := range strings.SplitSeq(words, ",") {
		p.setWord(word, t, fail)
	}
	p.setEnum(sf, fail)
	p.setSystems(sf, fail)
	p.setDefault(sf, fail)
	return p
}

func (p *Param) setEnum(sf reflect.StructField, fail func(string, ...any)) {
	enum, ok := sf.Tag.Lookup("enum")
	if !ok {
		return
	}
	if p.Secret() || p.Kind.Role() != "" {
		fail("a %s can't have an enum", p.Kind)
	}
	values := strings.Split(enum, ",")
	for _, v := range values {
		if _, bad := p.decodeOne(v); bad != nil || v == "" {
			fail("the enum's %q is no %s", v, p.Kind)
		}
	}
	p.Enum = values
}

func (p *Param) setSystems(sf reflect.StructField, fail func(string, ...any)) {
	systems, ok := sf.Tag.Lookup("os")
	if !ok {
		return
	}
	known := []string{"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd",
		"plan9", "solaris", "wasip1", "windows"}
	p.OS = strings.Split(systems, ",")
	for _, goos := range p.OS {
		if !slices.Contains(known, goos) {
			fail("%q is no system (see runtime.GOOS)", goos)
		}
	}
}

func (p *Param) setType(t reflect.Type, fail func(string, ...any)) {
	if p.Kind = kindOf(t); p.Kind != "" {
		if p.Kind == KindInt || p.Kind == KindUint {
			p.Bits = t.Bits()
		}
		if p.Kind == KindText && t.Kind() != reflect.String {
			p.check = func(text string) error { return unmarshal(reflect.New(t), text) }
		}
		return
	}
	switch t.Kind() {
	case reflect.Slice:
		p.List = true
	case reflect.Map:
		p.Map = true
		if t.Key().Kind() != reflect.String {
			fail("a map must have strings as keys")
		}
	default:
		fail("a parameter can't be a %v", t)
	}
	element := *p
	if t.Elem().Kind() == reflect.Slice && p.Map {
		p.List, t = true, t.Elem()
	}
	element.List, element.Map = false, false
	element.setType(t.Elem(), fail)
	if element.List || element.Map {
		fail("a parameter can't be a %v", t)
	}
	p.Kind, p.Bits, p.check = element.Kind, element.Bits, element.check
}

func (p *Param) setWord(word string, t reflect.Type, fail func(string, ...any)) {
	integer := p.Kind == KindInt || p.Kind == KindUint
	switch {
	case word == "":
	case word == "required":
		p.Required = true
	case word == "rest" && p.Kind.Role() != "" && !p.List && !p.Map:
		p.Rest = true
	case word == "port" && p.Kind == KindUint && p.Bits == 16:
		p.Kind = KindPort
	case word == "size" && integer:
		p.Kind = KindSize
	default:
		fail("the word %q does not fit a %v", word, t)
	}
}

func (p *Param) setDefault(sf reflect.StructField, fail func(string, ...any)) {
	text, given := sf.Tag.Lookup("default")
	switch {
	case given && (p.Required || p.Optional || p.Map || p.Kind.Role() != ""):
		fail("can't have a default")
	case given && p.Secret() && NewSecret(text).Inline():
		fail("a secret can't stand in the program")
	case p.Required && p.Optional:
		fail("a pointer can't be required")
	case !given:
		p.Optional = !p.Required
		return
	}
	p.Default = text
	if text == "" && p.Kind == KindText && !p.List {
		return
	}
	if _, bad := p.decode(text); bad != nil {
		fail("the default %q: %s", text, bad.message)
	}
}

func validName(name string) bool {
	for i := range len(name) {
		if !keyByte(name[i]) {
			return false
		}
	}
	return name != ""
}

// keyByte says what a key may consist of.
func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// kindOf returns the kind of a single value of type t, "" where t is none.
func kindOf(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return KindDuration
	case reflect.TypeFor[fs.FileMode]():
		return KindMode
	case reflect.TypeFor[netip.Addr]():
		return KindAddress
	case reflect.TypeFor[netip.Prefix]():
		return KindPrefix
	case reflect.TypeFor[Secret]():
		return KindSecret
	case reflect.TypeFor[Client]():
		return Kind(RoleClient)
	case reflect.TypeFor[Server]():
		return Kind(RoleServer)
	case reflect.TypeFor[PacketClient]():
		return Kind(RolePacketClient)
	case reflect.TypeFor[PacketServer]():
		return Kind(RolePacketServer)
	case reflect.TypeFor[Resolver]():
		return Kind(RoleResolver)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return KindText
	}
	switch t.Kind() {
	case reflect.String:
		return KindText
	case reflect.Bool:
		return KindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return KindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return KindUint
	}
	return ""
}

func unmarshal(v reflect.Value, text string) error {
	return v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

// set puts a decoded value into a field of an options struct.
func set(v reflect.Value, value any) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return set(v.Elem(), value)
	}
	switch value := value.(type) {
	case []any:
		v.Set(reflect.MakeSlice(v.Type(), len(value), len(value)))
		for i, element := range value {
			if err := set(v.Index(i), element); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		v.Set(reflect.MakeMapWithSize(v.Type(), len(value)))
		for key, element := range value {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := set(e, element); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
		}
		return nil
	}
	given := reflect.ValueOf(value)
	switch {
	case given.Type().AssignableTo(v.Type()):
		v.Set(given)
	case given.Kind() == reflect.String && v.Kind() != reflect.String,
		given.Kind() == reflect.String && v.CanAddr() && v.Addr().Type().Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return unmarshal(v.Addr(), given.String())
	case v.CanInt():
		return setInt(v, given)
	case v.CanUint():
		return setUint(v, given)
	default:
		v.Set(given.Convert(v.Type()))
	}
	return nil
}

func setInt(v, given reflect.Value) error {
	n := given.Convert(reflect.TypeFor[int64]()).Int()
	if v.OverflowInt(n) {
		return fmt.Errorf("%d is too large", n)
	}
	v.SetInt(n)
	return nil
}

func setUint(v, given reflect.Value) error {
	n := given.Convert(reflect.TypeFor[uint64]()).Uint()
	if v.OverflowUint(n) {
		return fmt.Errorf("%d is too large", n)
	}
	v.SetUint(n)
	return nil
}
