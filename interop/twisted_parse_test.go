package interop

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

// PA-04: random strings read as Twisted's own parser reads them, except for what is new: values that begin with [ or {.
func TestRandomStringsReadAsInTwisted(t *testing.T) {
	python := twistedPython(t)
	random := rand.New(rand.NewPCG(1, 2))
	var inputs []string
	for len(inputs) < 20000 {
		if s := randomString(random); !opensValue(s) {
			inputs = append(inputs, s)
		}
	}
	request, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(testContext(t), python, "testdata/twisted_parse.py")
	cmd.Stdin = bytes.NewReader(request)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []*struct {
		Args   []string
		Kwargs map[string]string
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	for i, s := range inputs {
		d, err := grammar.Parse(s)
		switch want := answers[i]; {
		case want == nil && err == nil:
			t.Errorf("Twisted refuses %q, we take it", s)
		case want != nil && err != nil:
			t.Errorf("Twisted takes %q, we refuse it: %v", s, err)
		case want != nil:
			args, kwargs := fields(d)
			if !slices.Equal(args, want.Args) || !maps.Equal(kwargs, want.Kwargs) {
				t.Errorf("%q reads as %q and %q, in Twisted as %q and %q", s, args, kwargs, want.Args, want.Kwargs)
			}
		}
	}
}

// fields returns the values without a key and, of those with one, the last of each key.
func fields(d *grammar.Description) (args []string, kwargs map[string]string) {
	kwargs = make(map[string]string)
	for _, f := range d.Fields {
		if f.Keyed {
			kwargs[f.Key] = f.Value
		} else {
			args = append(args, f.Value)
		}
	}
	return args, kwargs
}

func randomString(random *rand.Rand) string {
	pieces := []string{":", ":", ":", "=", "=", `\`, `\`, "a", "b", "port", "80", "::1", "[", "]", "{", "}", " ", "é", "%", ","}
	var b strings.Builder
	for range random.IntN(12) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// opensValue reports whether a value or a key of s begins with what Twisted reads as text, or a key of s is one that
// Twisted refuses for not being ASCII.
func opensValue(s string) bool {
	start := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
			start = false
		case start && (c == '[' || c == '{'):
			return true
		default:
			start = c == ':' || c == '='
		}
	}
	d, _ := grammar.Parse(s)
	return d != nil && slices.ContainsFunc(d.Fields, func(f grammar.Field) bool {
		return strings.ContainsFunc(f.Key, func(r rune) bool { return r >= 0x80 })
	})
}
