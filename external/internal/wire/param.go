package wire

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// RolesOf is what p plays, as it is sent.
func RolesOf(p registry.Plugin) []*RoleInfo {
	var roles []*RoleInfo
	for _, role := range p.Roles() {
		info := &RoleInfo{Role: string(role)}
		for _, param := range p.Params(role) {
			info.Params = append(info.Params, paramOf(param))
		}
		roles = append(roles, info)
	}
	return roles
}

func paramOf(p registry.Param) *Param {
	return &Param{
		Name: p.Name, Doc: p.Doc, Kind: string(p.Kind), Bits: uint32(p.Bits), List: p.List, Map: p.Map, Rest: p.Rest,
		Positional: p.Positional, Required: p.Required, Optional: p.Optional, Default: p.Default, Enum: p.Enum, Os: p.OS,
	}
}

// Check says what is wrong with a description; a program that describes itself wrongly is not one to be used.
func (d *Description) Check() error {
	const most = 256
	if len(d.Plugins) == 0 || len(d.Plugins) > most {
		return fmt.Errorf("serves %d plugins", len(d.Plugins))
	}
	var names []string
	for _, p := range d.Plugins {
		if err := p.check(); err != nil {
			return fmt.Errorf("plugin %q: %w", Clean(p.GetName(), maxName), err)
		}
		if slices.Contains(names, p.Name) {
			return fmt.Errorf("two plugins are called %q", p.Name)
		}
		names = append(names, p.Name)
	}
	return checkText("the version", d.Version, maxName)
}

func (p *PluginInfo) check() error {
	// Whether the name is one, and whether there is a role, package registry looks at too: it is told here with the file.
	if p.GetName() == "" || len(p.Name) > maxName || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
		strings.IndexAny(p.Name, "0123456789") == 0 {
		return errors.New("a name has lower-case letters, digits and '-', and does not start with a digit")
	}
	if err := checkText("the doc", p.Doc, maxDoc); err != nil {
		return err
	}
	if len(p.Roles) == 0 {
		return errors.New("plays no role")
	}
	var roles []string
	for _, r := range p.Roles {
		if !slices.Contains(registry.Roles(), registry.Role(r.GetRole())) || slices.Contains(roles, r.Role) {
			return fmt.Errorf("%q is no role, or is there twice", Clean(r.GetRole(), maxName))
		}
		roles = append(roles, r.Role)
		if err := checkParams(r.Params); err != nil {
			return fmt.Errorf("as %s: %w", r.Role, err)
		}
	}
	return nil
}

func checkParams(params []*Param) error {
	const most = 255
	if len(params) > most {
		return fmt.Errorf("%d parameters are more than the limit of %d", len(params), most)
	}
	var names []string
	maps, rests := 0, 0
	for _, p := range params {
		if err := p.check(); err != nil {
			return fmt.Errorf("parameter %q: %w", Clean(p.GetName(), maxName), err)
		}
		if slices.Contains(names, p.Name) {
			return fmt.Errorf("two parameters are called %q", p.Name)
		}
		names = append(names, p.Name)
		maps, rests = maps+count(p.Map), rests+count(p.Rest)
	}
	if maps > 1 || rests > 1 {
		return errors.New("two parameters take free keys, or the rest")
	}
	return nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *Param) check() error {
	kind := registry.Kind(p.GetKind())
	switch {
	case !validKey(p.GetName()):
		return errors.New("a name has letters, digits, '-', '_' and '.'")
	case kind.Role() == "" && !slices.Contains(plainKinds(), kind):
		return fmt.Errorf("%q is no kind", Clean(p.Kind, maxName))
	case (kind == registry.KindInt || kind == registry.KindUint) && (p.Bits < 8 || p.Bits > 64 || bits.OnesCount32(p.Bits) != 1):
		return fmt.Errorf("has %d bits", p.Bits)
	case p.Rest && kind.Role() == "":
		return errors.New("only an endpoint can be the rest of a string")
	case len(p.Enum) > maxName || len(p.Os) > maxName:
		return errors.New("has too many values")
	}
	for _, text := range append(append([]string{p.Default}, p.Enum...), p.Os...) {
		if err := checkText("a value", text, maxDoc); err != nil {
			return err
		}
	}
	return checkText("the doc", p.Doc, maxDoc)
}

func validKey(name string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, odd)
}

func checkText(what, text string, most int) error {
	if len(text) > most {
		return fmt.Errorf("%s is longer than %d bytes", what, most)
	}
	if strings.ContainsFunc(text, unprintable) {
		return fmt.Errorf("%s has characters that can't be shown: %q", what, Clean(text, most))
	}
	return nil
}

func plainKinds() []registry.Kind {
	return []registry.Kind{registry.KindText, registry.KindBool, registry.KindInt, registry.KindUint, registry.KindPort,
		registry.KindDuration, registry.KindSize, registry.KindMode, registry.KindAddress, registry.KindPrefix, registry.KindSecret}
}

// Declared are the parameters of a role whose description was checked.
func (r *RoleInfo) Declared() []registry.Param {
	params := make([]registry.Param, len(r.Params))
	for i, p := range r.Params {
		params[i] = registry.Param{
			Name: p.Name, Doc: p.Doc, Kind: registry.Kind(p.Kind), Bits: int(p.Bits), List: p.List, Map: p.Map, Rest: p.Rest,
			Positional: p.Positional, Required: p.Required, Optional: p.Optional, Default: p.Default, Enum: p.Enum, OS: p.Os,
		}
	}
	return params
}
