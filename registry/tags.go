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
			p.check = func(text string) error { return unmarshal(reflect.New(t).Elem(), text) }
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
	value, bad := p.decode(text)
	if bad != nil {
		fail("the default %q: %s", text, bad.message)
	}
	p.value = value
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
