package grammar_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

// A vector is an endpoint string and what Twisted's parser makes of it, or the exception that it raises.
type vector struct {
	Input  string
	Args   []string
	Kwargs map[string]string
	Error  string
}

func twistedVectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/twisted-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// The kinds of deliberate differences from Twisted, as spec/language.md has them.
const (
	bracket = "`[` at the start of a value"
	brace   = "`{` at the start of a value"
	control = "Control characters"
	script  = "Keys in other scripts"
)

// twistedDifferences are all vectors that mean another thing here than in Twisted.
var twistedDifferences = map[string]string{
	`tcp6:80:interface=[::1]`: bracket,
	`tcp:[\:\:1]:80`:          bracket,
	`tcp:[::1]:80`:            bracket,
	`x:{a:b}`:                 brace,
	"\ttcp:80":                control,
	"tcp:80\n":                control,
	"\x00:\x00=\x00":          control,
	"x:\u00e9=k":              script,
	"x:日本語=日本":                script,
	"x:😀=😀":                   script,
	"x:\u0061\u0301=b":        script,
}

func TestTwistedsStringsMeanTheSame(t *testing.T) {
	found := map[string]bool{}
	for _, v := range twistedVectors(t) {
		if why := difference(v); why != "" {
			if twistedDifferences[v.Input] == "" {
				t.Errorf("%q: %s", v.Input, why)
			}
			found[v.Input] = true
		}
	}
	if want := slices.Sorted(maps.Keys(twistedDifferences)); !slices.Equal(slices.Sorted(maps.Keys(found)), want) {
		t.Errorf("vectors that differ: %q\nlisted: %q", slices.Sorted(maps.Keys(found)), want)
	}
}

// difference tells what is not as in Twisted, "" for nothing.
func difference(v vector) string {
	d, err := grammar.Parse(v.Input)
	switch {
	case v.Error != "" && err == nil:
		return "Twisted raises " + v.Error
	case v.Error != "":
		return "" // both refuse it; that each error has a place is checked elsewhere
	case err != nil:
		return err.Error()
	}
	args, kwargs := []string{}, map[string]string{}
	for _, f := range d.Fields {
		switch {
		case f.Nested != nil:
			return "a nested description"
		case f.Keyed:
			kwargs[f.Key] = f.Value // the last of duplicates
		default:
			args = append(args, f.Value)
		}
	}
	if !slices.Equal(args, v.Args) || !maps.Equal(kwargs, v.Kwargs) {
		return "it is " + dump(d)
	}
	return ""
}

func TestWhereTwistedRaisesWeTellThePlace(t *testing.T) {
	n := 0
	for _, v := range twistedVectors(t) {
		if v.Error != "RuntimeError" {
			continue
		}
		n++
		_, err := grammar.Parse(v.Input)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Start != len(v.Input)-1 || faults[0].End != len(v.Input) {
			t.Errorf("%q: %v", v.Input, err)
			continue
		}
		if _, err := grammar.Parse(mend(faults[0])); err != nil {
			t.Errorf("%q, mended: %v", v.Input, err)
		}
	}
	if n == 0 {
		t.Error("no vector raises")
	}
}

func TestTwistedsStringsSurviveTheRoundTrip(t *testing.T) {
	for _, v := range twistedVectors(t) {
		if d, err := grammar.Parse(v.Input); err == nil {
			checkRoundTrip(t, d)
		}
	}
}
