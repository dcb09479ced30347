package grammar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

// The seeds of the fuzz targets: these, and the files in testdata/fuzz, which go test runs too. They are short, since go
// test -fuzz spends its time on making long ones shorter (-fuzzminimizetime=100x bounds that).
func interestingInputs(t testing.TB) []string {
	t.Helper()
	inputs := []string{
		``, `:`, `=`, `[`, `]`, `{`, `}`, `\`, `[]`, `{}`, `{:}`, `{=}`, `\{}`, `a}`, `{a}}`, `{{a}:}`, `k={a:k={b}}:c`,
		`k=[a]:k={a\}}`, `{[}]}`, `{[}`, `[a]b`, `{a}b`, `{a}[b]`, `{[a]b}c`, `{a:[b}c=d`, `[a]\`, `{\`, `{a\}`,
		"a\x00", "\xff", "a=\xc3", "\u2028", "\u202e", "\u0085", "\u00a0", "\ufffd", "\ufeff", "e\u0301", `\😀`, `[😀]😀`,
		strings.Repeat(":", 255), strings.Repeat(":", 256), nest(16), nest(17),
	}
	for _, v := range twistedVectors(t) {
		inputs = append(inputs, v.Input)
	}
	return inputs
}

func addSeeds(f *testing.F) {
	for _, s := range interestingInputs(f) {
		f.Add(s)
	}
}

// Whatever is written from a tree reads back as that tree.
func FuzzRoundTrip(f *testing.F) { // PA-03
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := grammar.Parse(s)
		if err != nil {
			return
		}
		checkRoundTrip(t, d)
		for i := range d.Fields {
			if inner, err := d.Fields[i].Description(); err == nil {
				again := mustParse(t, inner.String())
				if !again.Equal(inner) {
					t.Fatalf("field %d of %q is %s, and written %s", i, s, dump(inner), dump(again))
				}
			}
		}
	})
}

// Both parsers accept the same strings and read the same in them.
func FuzzOracle(f *testing.F) { // PA-04
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		if diff := compareWithOracle(s); diff != "" {
			t.Fatalf("%q: %s", s, diff)
		}
	})
}

// No input does harm: no panic, a tree or an error, places inside of the input, fixes that mend, texts that a terminal
// only shows, and no more nodes than the input has characters for.
func FuzzParse(f *testing.F) { // PA-03
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := grammar.Parse(s)
		if d == nil && err == nil {
			t.Fatal("neither a tree nor an error")
		}
		checkFaults(t, s, err)
		if d == nil {
			return
		}
		if bad := checkSpans(d, grammar.Span{Start: 0, End: len(s)}); bad != nil {
			t.Fatalf("%q: %v", s, bad)
		}
		if most := 1 + strings.Count(s, ":") + strings.Count(s, "{"); count(d) > most {
			t.Fatalf("%q has %d fields, at most %d are possible", s, count(d), most)
		}
		checkTexts(t, s, d)
		checkFixes(t, s, d, err)
	})
}

func checkFaults(t *testing.T, s string, err error) {
	t.Helper()
	if bad := checkErrorSpans(err, s); bad != nil {
		t.Fatalf("%q: %v", s, bad)
	}
	for _, e := range grammar.All(err) {
		text := e.Caret() + e.Error()
		if bad := unsafeForTerminal(text); bad != "" {
			t.Fatalf("%s comes out of %q", bad, s)
		}
		if len(text) > 4000 {
			t.Fatalf("%d bytes of error text for %q", len(text), s)
		}
	}
}

// checkFixes fails where all fixes together do not leave the tree as it is and only the faults without a fix.
func checkFixes(t *testing.T, s string, d *grammar.Description, err error) {
	t.Helper()
	faults := grammar.All(err)
	mended, unfixable := s, 0
	for _, e := range slices.Backward(faults) {
		if e.Fix == "" {
			unfixable++
			continue
		}
		mended = mended[:e.Start] + e.Fix + mended[e.End:]
	}
	if len(faults) == 16 || len(mended) > grammar.MaxLength {
		return // not all are known, or there is no room
	}
	again, err := grammar.Parse(mended)
	if !again.Equal(d) || len(grammar.All(err)) != unfixable {
		t.Fatalf("%q is %s, mended %q is %s, with %v", s, dump(d), mended, dump(again), err)
	}
}

// checkTexts reads the texts of d as descriptions.
func checkTexts(t *testing.T, s string, d *grammar.Description) {
	t.Helper()
	for i := range d.Fields {
		f := &d.Fields[i]
		inner, err := f.Description()
		if f.Nested != nil {
			checkTexts(t, s, f.Nested)
			continue
		}
		checkFaults(t, s, err)
		if bad := checkSpans(inner, f.ValueSpan); inner != nil && bad != nil {
			t.Fatalf("%q in %q: %v", f.Value, s, bad)
		}
	}
}

func count(d *grammar.Description) int {
	n := len(d.Fields)
	for _, f := range d.Fields {
		if f.Nested != nil {
			n += count(f.Nested)
		}
	}
	return n
}
