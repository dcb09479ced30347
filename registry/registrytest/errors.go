package registrytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// mutatedSpecimens is how many specimens of each role are mutated; each gives some hundred strings.
const mutatedSpecimens = 2

// errors checks that whatever is wrong with a string is told with its place, by mutating the specimens.
func (s *suite) errors(t *testing.T) {
	for _, role := range s.plugin.Roles() {
		specimens := s.of(role)
		for _, sp := range specimens[:min(mutatedSpecimens, len(specimens))] {
			for _, text := range mutations(sp.text) {
				if err := s.checkBuild(text, role); err != nil {
					rulePlace.fail(t, "%q as a %s: %v", text, role.Noun(), err)
					return // the first tells enough
				}
			}
		}
	}
}

// checkBuild says what is wrong with the way in which a string is built or refused.
func (s *suite) checkBuild(text string, role registry.Role) error {
	_, layer, err := s.registry.Build(text, role)
	if err := checkPlaces(text, err); err != nil {
		return err
	}
	if layer == nil || layer.Plugin.Name != s.plugin.Name {
		return nil
	}
	args := make([]registry.Arg, len(layer.Args))
	for i, a := range layer.Args {
		if a.Value == nil && !(a.Param.Optional && !a.Given) {
			return nil // the plugin is not asked
		}
		args[i] = a.Arg
	}
	return s.checkFactory(role, registry.NewArgs(args))
}

// checkPlaces checks that err consists of errors with a place in the input.
func checkPlaces(input string, err error) error {
	for _, leaf := range leaves(err) {
		e, ok := leaf.(*grammar.Error)
		switch {
		case !ok:
			return fmt.Errorf("the error is a %T: %v", leaf, leaf)
		case e.Start < 0 || e.Start > e.End || e.End > len(input):
			return fmt.Errorf("the error %q is at bytes %d to %d, and the string has %d", e.Message, e.Start, e.End, len(input))
		case len(e.Input) != len(input):
			return fmt.Errorf("the error %q is about %q", e.Message, e.Input)
		case e.Message == "" || strings.ContainsAny(e.Message, "\r\n"):
			return fmt.Errorf("the error's message %q is not a line of text", e.Message)
		}
	}
	return nil
}

// leaves returns the errors that are joined in err.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, leaves(e)...)
	}
	return list
}

// checkFactory checks what the plugin itself says about arguments that decode.
func (s *suite) checkFactory(role registry.Role, args registry.Args) (bad error) {
	defer func() {
		if p := recover(); p != nil {
			bad = fmt.Errorf("the plugin panics: %v", p)
		}
	}()
	endpoint, err := s.plugin.Build(role, args)
	if err == nil && endpoint == nil {
		return errors.New("the plugin returns no endpoint and no error")
	}
	for _, leaf := range leaves(err) {
		params, ok := blamed(leaf)
		if !ok {
			return fmt.Errorf("the plugin's error is a %T, not one by registry.Bad: %v", leaf, leaf)
		}
		if err := checkSaid("error", params, leaf.Error(), args); err != nil {
			return err
		}
	}
	if err != nil {
		return nil
	}
	for _, w := range s.plugin.Warnings(role, args) {
		if err := checkSaid("warning", append([]string{w.Param}, w.Also...), w.Message, args); err != nil {
			return err
		}
	}
	return nil
}

// checkSaid checks what a plugin says about parameters.
func checkSaid(what string, params []string, message string, args registry.Args) error {
	for _, name := range params {
		if _, ok := args.Get(name); !ok && name != "" {
			return fmt.Errorf("the plugin's %s blames %q, which is no parameter: %s", what, name, message)
		}
	}
	if message == "" || strings.HasSuffix(message, ".") || strings.ContainsAny(message, "\r\n") {
		return fmt.Errorf("the plugin's %s %q is not a phrase in one line, without a full stop", what, message)
	}
	return nil
}

// blamed returns the parameters that a plugin's error is about; false where it does not say.
func blamed(err error) (params []string, ok bool) {
	var fault *registry.Fault
	var about interface{ BadParam() (string, string) }
	switch {
	case errors.As(err, &fault):
		params, ok = append(params, fault.Param), true
		params = append(params, fault.Also...)
	case errors.As(err, &about):
		param, with := about.BadParam()
		params, ok = []string{param, with}, true
	}
	return slices.DeleteFunc(params, func(name string) bool { return name == "" }), ok
}

// mutations returns strings that are near to text: with characters too few, too many and in the wrong place, and with
// fields that are missing, double, misspelled and of strange values.
func mutations(text string) []string {
	var list []string
	for i := range len(text) {
		list = append(list, text[:i], text[:i]+text[i+1:], text[:i]+text[i:i+1]+text[i:])
		for _, c := range `:={}[]\,%` {
			list = append(list, text[:i]+string(c)+text[i:])
		}
	}
	d, err := grammar.Parse(text)
	if err != nil {
		return list
	}
	for i, f := range d.Fields {
		field := text[f.Span.Start:f.Span.End]
		list = append(list, text+":"+field, strings.Replace(text, field, "", 1))
		if f.Keyed && len(f.Key) > 1 {
			list = append(list, text[:f.KeySpan.Start]+text[f.KeySpan.Start+1:])
		}
		if i == 0 && !f.Keyed {
			continue // the name
		}
		for _, value := range strangeValues() {
			list = append(list, text[:f.ValueSpan.Start]+value+text[f.ValueSpan.End:])
		}
	}
	return list
}

func strangeValues() []string {
	return []string{
		"", "x", "-1", "0", "1", "65535", "65536", "18446744073709551616", "0x10", "1.5", "1e9", " ", "yes", "30s", "64K", "777",
		"[::]", "[::1]", "[::1%lo]", "[fe80::1]", "[fe80::1%lo]", "[::ffff:192.0.2.1]", "[ff02::1]", "[2001:db8::1]",
		"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.0/24", "a,b", ",", "example.com", "ex ample", "*",
		"/", "../x", "@x", "[C:\\x]", "{x}", "{}", "{{}}", "x:x", "x=x", "\\", "\\u", "é", "\u202e", "\x00", "\xff",
		strings.Repeat("x", 300), "[" + strings.Repeat("::", 100) + "]",
	}
}
