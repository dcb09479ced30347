package registrytest

import (
	"strings"
	"testing"
	"unicode"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// declaration checks what a plugin says of itself.
func (s *suite) declaration(t *testing.T) {
	if doc := s.plugin.Doc; !isSentence(doc) {
		ruleValue.fail(t, "the doc %q of %s is not a sentence with a capital and a full stop", doc, s.plugin.Name)
	}
	for _, role := range s.plugin.Roles() {
		s.declared(t, role)
	}
}

func isSentence(text string) bool {
	first := []rune(text + " ")[0]
	return (unicode.IsUpper(first) || unicode.IsDigit(first)) && strings.HasSuffix(text, ".") && !strings.Contains(text, "\n")
}

// declared checks the parameters of one role.
func (s *suite) declared(t *testing.T, role registry.Role) {
	seen := make(map[string]bool)
	for _, p := range s.plugin.Params(role) {
		at := s.plugin.Name + " as a " + role.Noun() + ", parameter " + p.Name
		switch {
		case !isKey(p.Name):
			ruleDeclared.fail(t, "%s: %q is no name for a parameter", at, p.Name)
		case seen[p.Name]:
			ruleDeclared.fail(t, "%s: is declared twice", at)
		case p.Kind == "":
			ruleDeclared.fail(t, "%s: has no kind", at)
		case p.Required && (p.Optional || p.Default != ""):
			ruleDeclared.fail(t, "%s: is required, and may be left out", at)
		}
		if why := notPhrase(p.Doc); why != "" {
			ruleDeclared.fail(t, "%s: the doc %q %s", at, p.Doc, why)
		}
		seen[p.Name] = true
	}
}

func isKey(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	})
}

// notPhrase says why a text is not one, which has no capital but that of a proper name, and no full stop.
func notPhrase(text string) string {
	runes := []rune(text)
	switch {
	case len(runes) == 0:
		return "is empty"
	case strings.HasSuffix(text, "."):
		return "ends in a full stop"
	case strings.Contains(text, "\n"):
		return "has several lines"
	case len(runes) > 1 && unicode.IsUpper(runes[0]) && unicode.IsLower(runes[1]):
		return "starts with a capital"
	}
	return ""
}

// defaults checks that a default can be given, and means what leaving it out means.
func (s *suite) defaults(t *testing.T) {
	for _, sp := range s.all() {
		for _, a := range sp.layer.Args {
			if a.Given || a.Param.Required || a.Param.Optional {
				continue
			}
			text := insert(sp.text, a.Param.Name+"="+grammar.Quote(a.Param.Default))
			_, layer, err := s.registry.Build(text, sp.role)
			if err != nil && !forOtherSystem(layer) {
				ruleDeclared.fail(t, "the default of %s does not decode, as %q shows: %v", a.Param.Name, text, err)
			}
		}
	}
}

// insert puts a field behind the first one of a description.
func insert(text, field string) string {
	d, err := grammar.Parse(text)
	if err != nil || len(d.Fields) == 0 {
		return text
	}
	end := d.Fields[0].Span.End
	return text[:end] + ":" + field + text[end:]
}
