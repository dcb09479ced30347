package registrytest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// marker is the secret that must not be seen.
const marker = "mArKeR-0f-a-s3cret"

// secrets checks that a secret is not read when an endpoint is built, and that its value is not shown by the endpoint,
// its layers or its errors.
func (s *suite) secrets(t *testing.T) {
	for _, sp := range s.all() {
		for _, a := range sp.layer.Args {
			if !a.Param.Secret() || a.Param.Map {
				continue
			}
			for _, source := range []string{"env:ENDPOINT_TEST_NOT_SET", "file:/nonexistent/secret", "fd:997"} {
				text := with(sp.text, a, source)
				if _, _, err := s.registry.Build(text, sp.role); err != nil {
					ruleSecret.fail(t, "%q can't be built before its secret is there: %v", text, err)
				}
			}
			s.hidden(t, with(sp.text, a, marker), sp.role)
		}
	}
}

// with returns the description with another value for a parameter.
func with(text string, a registry.LayerArg, value string) string {
	value = grammar.Quote(value)
	if !a.Given {
		return insert(text, a.Param.Name+"="+value)
	}
	span := a.Fields[0].ValueSpan
	return text[:span.Start] + value + text[span.End:]
}

// hidden checks that the marker in text is not to be seen, whatever else is wrong with the string.
func (s *suite) hidden(t *testing.T, text string, role registry.Role) {
	t.Helper()
	endpoint, layer, err := s.registry.Build(text, role)
	if err != nil {
		ruleSecret.fail(t, "a secret is refused: %v", err)
		return
	}
	s.conceals(t, text, "the endpoint", endpoint)
	s.conceals(t, text, "its layer", layer)
	s.conceals(t, text, "its description", layer.Text())
	for _, broken := range mutations(text) {
		if !strings.Contains(broken, marker) {
			continue
		}
		if _, _, err := s.registry.Build(broken, role); err != nil && !s.conceals(t, broken, "the error", err) {
			return // the first tells enough
		}
	}
}

func (s *suite) conceals(t *testing.T, text, what string, v any) bool {
	t.Helper()
	encoded, _ := json.Marshal(v) // what can't be encoded shows nothing
	forms := append(caretsOf(v), string(encoded))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		forms = append(forms, fmt.Sprintf(verb, v))
	}
	for _, form := range forms {
		if i := strings.Index(form, marker); i >= 0 {
			form = form[max(0, i-40):min(len(form), i+len(marker)+40)]
			ruleSecret.fail(t, "%s of %q shows the secret: …%s…", what, text, form)
			return false
		}
	}
	return true
}

func caretsOf(v any) (drawings []string) {
	if err, ok := v.(error); ok {
		for _, e := range grammar.All(err) {
			drawings = append(drawings, e.Caret())
		}
	}
	return drawings
}
