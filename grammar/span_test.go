package grammar_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

// spans lists the places of a tree, a line a field: its source, key and value, as they stand in the input.
func spans(d *grammar.Description) string {
	cut := func(s grammar.Span) string { return d.Input[s.Start:s.End] }
	lines := []string{"[" + cut(d.Span) + "]"}
	for _, f := range d.Fields {
		line := cut(f.Span) + " | "
		if f.Keyed {
			line += cut(f.KeySpan) + " | "
		}
		lines = append(lines, line+cut(f.ValueSpan))
		if f.Nested != nil {
			lines = append(lines, spans(f.Nested))
		}
	}
	return strings.Join(lines, "\n")
}

func TestSpansAreTheSourceOfFieldsKeysAndValues(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{``, []string{`[]`, ` | `}},
		{`tcp6:port=80:interface=\:\:1`, []string{
			`[tcp6:port=80:interface=\:\:1]`, `tcp6 | tcp6`, `port=80 | port | 80`, `interface=\:\:1 | interface | \:\:1`}},
		{`a::=:b=`, []string{`[a::=:b=]`, `a | a`, ` | `, `= |  | `, `b= | b | `}},
		{`\a\=b=c=d`, []string{`[\a\=b=c=d]`, `\a\=b=c=d | \a\=b | c=d`}},
		{`[::1]:k=[a:b]`, []string{`[[::1]:k=[a:b]]`, `[::1] | [::1]`, `k=[a:b] | k | [a:b]`}},
		{`é=日:本`, []string{`[é=日:本]`, `é=日 | é | 日`, `本 | 本`}},
		{`s:e={tcp6:h=[::1]}:p=x`, []string{`[s:e={tcp6:h=[::1]}:p=x]`,
			`s | s`, `e={tcp6:h=[::1]} | e | {tcp6:h=[::1]}`,
			`[tcp6:h=[::1]]`, `tcp6 | tcp6`, `h=[::1] | h | [::1]`,
			`p=x | p | x`}},
		{`{{}:}`, []string{`[{{}:}]`, `{{}:} | {{}:}`, `[{}:]`, `{} | {}`, `[]`, ` | `, ` | `}},
	} {
		if got, want := spans(mustParse(t, tt.in)), strings.Join(tt.want, "\n"); got != want {
			t.Errorf("spans of %q\n got %s\nwant %s", tt.in, got, want)
		}
	}
}

func TestSpansOfADescriptionInATextLieInTheInput(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"brackets", `s:e=[tcp6:h=\:\:1]`, []string{
			`[tcp6:h=\:\:1]`, `tcp6 | tcp6`, `h=\:\:1 | h | \:\:1`}},
		{"brackets without text", `e=[]`, []string{`[]`, ` | `}},
		{"escapes", `s:e=tcp6\:h=\\\:\\\:1\:p=25`, []string{
			`[tcp6\:h=\\\:\\\:1\:p=25]`, `tcp6 | tcp6`, `h=\\\:\\\:1 | h | \\\:\\\:1`, `p=25 | p | 25`}},
		{"needless escapes", `e=\t\c\p\:\8\0`, []string{`[\t\c\p\:\8\0]`, `\t\c\p | \t\c\p`, `\8\0 | \8\0`}},
		{"braces in escapes", `e=\{a\:b\}\:c`, []string{
			`[\{a\:b\}\:c]`, `\{a\:b\} | \{a\:b\}`, `[a\:b]`, `a | a`, `b | b`, `c | c`}},
		{"inside braces", `{x}:e=[{y}:z]`, []string{`[{y}:z]`, `{y} | {y}`, `[y]`, `y | y`, `z | z`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner := mustDescribe(t, mustParse(t, tt.in), "e")
			if got, want := spans(inner), strings.Join(tt.want, "\n"); got != want {
				t.Errorf("spans of e in %q\n got %s\nwant %s", tt.in, got, want)
			}
		})
	}
}

func TestSpansSurviveEscapesAtTwoLevels(t *testing.T) {
	in := `a:e=b\:e=c\\\:k=\\\\\\\:\\\\\\\:1\:v=w`
	middle := mustDescribe(t, mustParse(t, in), "e")
	if got, want := dump(middle), `"b" "e"="c:k=\\:\\:1" "v"="w"`; got != want {
		t.Fatalf("middle is %s, want %s", got, want)
	}
	inner := mustDescribe(t, middle, "e")
	if got, want := dump(inner), `"c" "k"="::1"`; got != want {
		t.Fatalf("inner is %s, want %s", got, want)
	}
	want := `[c\\\:k=\\\\\\\:\\\\\\\:1]` + "\n" + `c | c` + "\n" + `k=\\\\\\\:\\\\\\\:1 | k | \\\\\\\:\\\\\\\:1`
	if got := spans(inner); got != want {
		t.Errorf("spans of the inner text\n got %s\nwant %s", got, want)
	}
	k := inner.Fields[1]
	if got := in[k.At(1):k.At(2)]; got != `\\\\\\\:` {
		t.Errorf("the second colon is at %q", got)
	}
	if inner.Input != in {
		t.Errorf("the inner text has the input %q", inner.Input)
	}
}

func TestAtIsThePlaceOfAByteOfTheValue(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []int // of the bytes of the last field's value, and of its end
	}{
		{`a:bc`, []int{2, 3, 4}},
		{`a:`, []int{2}},
		{`a=b`, []int{2, 3}},
		{`k=[::1]`, []int{3, 4, 5, 6}},
		{`k=[]`, []int{3}},
		{`k=\:\:1`, []int{2, 4, 6, 7}},
		{`\é`, []int{0, 2, 3}},
	} {
		d := mustParse(t, tt.in)
		f := d.Fields[len(d.Fields)-1]
		for i, want := range tt.want {
			if got := f.At(i); got != want {
				t.Errorf("At(%d) in %q is %d, want %d", i, tt.in, got, want)
			}
		}
		if len(tt.want) != len(f.Value)+1 {
			t.Errorf("the table lists %d places for %q", len(tt.want), f.Value)
		}
	}
}

// checkSpans fails where the spans of d are not in order, not inside each other or not inside the bounds.
func checkSpans(d *grammar.Description, bounds grammar.Span) error {
	if !within(d.Span, bounds) {
		return fmt.Errorf("description %v is not in %v", d.Span, bounds)
	}
	pos := d.Span.Start
	for i, f := range d.Fields {
		if f.Span.Start < pos || !within(f.Span, d.Span) || !within(f.KeySpan, f.Span) && f.Keyed || !within(f.ValueSpan, f.Span) {
			return fmt.Errorf("field %d: %v, key %v, value %v; the field before ends at %d of %v",
				i, f.Span, f.KeySpan, f.ValueSpan, pos, d.Span)
		}
		if f.Keyed && f.KeySpan.End >= f.ValueSpan.Start {
			return fmt.Errorf("field %d: no place for = between key %v and value %v", i, f.KeySpan, f.ValueSpan)
		}
		pos = f.Span.End + 1 // the colon
		if f.Nested == nil {
			continue
		}
		if err := checkSpans(f.Nested, f.ValueSpan); err != nil {
			return err
		}
	}
	return nil
}

func within(s, outer grammar.Span) bool {
	return outer.Start <= s.Start && s.Start <= s.End && s.End <= outer.End
}

func checkErrorSpans(err error, input string) error {
	bounds, last := grammar.Span{Start: 0, End: len(input)}, 0
	for _, e := range grammar.All(err) {
		spans := append([]grammar.Span{{Start: e.Start, End: e.End}}, e.Also...)
		for _, s := range spans {
			if !within(s, bounds) {
				return fmt.Errorf("error %v is not in the input", s)
			}
		}
		if e.Input != input || e.Start < last || e.Message == "" {
			return fmt.Errorf("error %+v after one at %d", *e, last)
		}
		last = e.Start
	}
	return nil
}

func TestSpansNestAndAreOrderedInRandomInputs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		in := randomInput(r, 1+r.IntN(20))
		d, err := grammar.Parse(in)
		if bad := checkSpans(d, grammar.Span{Start: 0, End: len(in)}); bad != nil {
			t.Fatalf("%q: %v", in, bad)
		}
		if bad := checkErrorSpans(err, in); bad != nil {
			t.Fatalf("%q: %v", in, bad)
		}
		for i := range d.Fields {
			f := &d.Fields[i]
			inner, err := f.Description()
			if bad := checkSpans(inner, f.ValueSpan); bad != nil {
				t.Fatalf("%q in %q: %v", f.Value, in, bad)
			}
			if bad := checkErrorSpans(err, in); f.Nested == nil && bad != nil {
				t.Fatalf("%q in %q: %v", f.Value, in, bad)
			}
		}
	}
}
