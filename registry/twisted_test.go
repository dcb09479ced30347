package registry_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// Twisted fails with a UnicodeEncodeError where a key has other letters than those of ASCII; so do we, with the place.
// The vectors are those of package grammar, which takes any key.
func TestKeysOfOtherLettersAreRefusedWhereTwistedFails(t *testing.T) {
	text, err := os.ReadFile("../grammar/testdata/twisted-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct{ Group, Input, Error string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range file.Vectors {
		if !strings.HasPrefix(v.Error, "UnicodeEncodeError") {
			continue
		}
		n++
		d, err := grammar.Parse(v.Input)
		if err != nil {
			t.Errorf("the grammar refuses %q: %v", v.Input, err)
			continue
		}
		for _, name := range []string{"tcp", "static", "all"} { // parameters that are declared, and free keys
			named := v.Input
			if !isNamed(d) {
				named = name + ":" + v.Input
			}
			for _, role := range registry.Roles() {
				_, _, err := fakes().Build(named, role)
				checkPlaces(t, named, err)
				if err == nil {
					t.Errorf("%q is right as a %s", named, role)
				}
			}
		}
	}
	if n == 0 {
		t.Error("there are no such vectors")
	}
}

func isNamed(d *grammar.Description) bool {
	for _, f := range d.Fields {
		if !f.Keyed {
			return true
		}
	}
	return false
}

// checkPlaces fails where an error does not consist of errors with a place in the input.
func checkPlaces(t testing.TB, input string, err error) {
	t.Helper()
	all := grammar.All(err)
	if err != nil && len(all) == 0 {
		t.Errorf("%q: a %T: %v", input, err, err)
	}
	last := 0
	for _, e := range all {
		spans := append([]grammar.Span{{Start: e.Start, End: e.End}}, e.Also...)
		for _, s := range spans {
			if s.Start < 0 || s.Start > s.End || s.End > len(input) {
				t.Errorf("%q: %q is at %v, which is not in it", input, e.Message, s)
			}
		}
		if len(e.Input) != len(input) || e.Message == "" || strings.ContainsAny(e.Message, "\r\n") || e.Start < last {
			t.Errorf("%q: %#v, after a fault at %d", input, e, last)
		}
		last = e.Start
		_ = e.Caret()
	}
}
