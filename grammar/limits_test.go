package grammar_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epctl/endpoint/grammar"
)

func nest(levels int) string {
	return strings.Repeat("{", levels) + "x" + strings.Repeat("}", levels)
}

func TestLimitsAreExact(t *testing.T) { // PA-01
	for _, tt := range []struct {
		name, in string
		want     string // "" where the input is within the limits
		place    grammar.Span
	}{
		{"8192 bytes", strings.Repeat("x", 8192), "", grammar.Span{}},
		{"8193 bytes", strings.Repeat("x", 8193), "the description is 8193 bytes long, the limit is 8192", grammar.Span{Start: 0, End: 8193}},
		{"bytes, not characters", strings.Repeat("é", 4097), "the description is 8194 bytes long, the limit is 8192", grammar.Span{Start: 0, End: 8194}},
		{"256 fields", strings.Repeat(":", 255), "", grammar.Span{}},
		{"257 fields", strings.Repeat(":", 256), "the description has more than the limit of 256 fields", grammar.Span{Start: 256, End: 256}},
		{"257 fields and more", strings.Repeat("x:", 300), "the description has more than the limit of 256 fields", grammar.Span{Start: 512, End: 600}},
		{"256 fields at two levels", "{" + strings.Repeat(":", 254) + "}", "", grammar.Span{}},
		{"257 fields at two levels", "{" + strings.Repeat(":", 255) + "}", "the description has more than the limit of 256 fields", grammar.Span{Start: 256, End: 257}},
		{"257 fields, the last in a brace", strings.Repeat(":", 255) + "{}", "the description has more than the limit of 256 fields", grammar.Span{Start: 256, End: 257}},
		{"16 levels", nest(16), "", grammar.Span{}},
		{"17 levels", nest(17), "descriptions are nested deeper than the limit of 16 levels", grammar.Span{Start: 16, End: 17}},
		{"16 levels twice", nest(16) + ":" + nest(16), "", grammar.Span{}},
		{"braces in brackets and escapes are text", "[" + strings.Repeat("{", 300) + `]:\` + strings.Repeat("{", 300), "", grammar.Span{}},
		{"colons in brackets are text", "[" + strings.Repeat(":", 300) + "]", "", grammar.Span{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := grammar.Parse(tt.in)
			if tt.want == "" {
				if err != nil || d == nil {
					t.Errorf("error %v", err)
				}
				return
			}
			faults := grammar.All(err)
			if len(faults) != 1 || d != nil {
				t.Fatalf("tree %s, errors %v", dump(d), err)
			}
			e := faults[0]
			if e.Message != tt.want || (grammar.Span{Start: e.Start, End: e.End}) != tt.place || e.Input != tt.in {
				t.Errorf("got %q at %d to %d, want %q at %v", e.Message, e.Start, e.End, tt.want, tt.place)
			}
		})
	}
}

func TestALimitStandsBeforeAllOtherFaults(t *testing.T) {
	_, err := grammar.Parse("\x00[a]b:" + nest(17) + `\`)
	if faults := grammar.All(err); len(faults) != 1 || !strings.Contains(faults[0].Message, "16 levels") {
		t.Errorf("errors %v", err)
	}
}

func TestADescriptionInATextHasLimitsOfItsOwn(t *testing.T) {
	in := strings.Repeat("{", 16) + "e=[" + strings.ReplaceAll(nest(16), "x", "tcp:80") + "]" + strings.Repeat("}", 16)
	d := mustParse(t, in)
	for d.Fields[0].Nested != nil {
		d = d.Fields[0].Nested
	}
	mustDescribe(t, d, "e")

	d = mustParse(t, "e=["+nest(17)+"]")
	_, err := d.Fields[0].Description()
	faults := grammar.All(err)
	if len(faults) != 1 || faults[0].Start != 3+16 {
		t.Errorf("errors %v", err)
	}
}

func TestHostileInputsAreErrorsAtLowCost(t *testing.T) { // PA-01, PA-05
	for name, in := range map[string]string{
		"1 MiB of text":            strings.Repeat("x", 1<<20),
		"1 MiB of colons":          strings.Repeat(":", 1<<20),
		"1 MiB of backslashes":     strings.Repeat(`\`, 1<<20),
		"1 MiB of NUL":             strings.Repeat("\x00", 1<<20),
		"1 MiB of invalid UTF-8":   strings.Repeat("\xff", 1<<20),
		"300,000 braces":           strings.Repeat("{", 300_000),
		"300,000 nested braces":    nest(300_000),
		"100,000 fields":           strings.Repeat("a=b:", 100_000),
		"100,000 open brackets":    strings.Repeat("[:", 100_000),
		"100,000 escape sequences": strings.Repeat("\x1b[31m", 100_000),
		"8 KiB of braces":          strings.Repeat("{", 8192),
		"8 KiB of fields":          strings.Repeat("a=b:", 2048),
		"8 KiB of NUL":             strings.Repeat("\x00", 8192),
		"8 KiB of invalid UTF-8":   strings.Repeat("\xff\xc0\x80", 2730),
		"8 KiB of broken UTF-8":    strings.Repeat("\xe2\x28\xa1", 2730),
		"8 KiB of escape sequence": strings.Repeat("\x1b[31m", 1638),
		"8 KiB of open brackets":   strings.Repeat("a=[:", 255),
		"8 KiB of junk":            strings.Repeat("[a]b:", 255),
		"a backslash at the end":   strings.Repeat("x", 8191) + `\`,
		"bidirectional controls":   strings.Repeat("\u202e", 2730),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			var text string
			bytes := allocated(func() {
				_, err = grammar.Parse(in)
				for _, e := range grammar.All(err) {
					text += e.Caret() + e.Error()
				}
			})
			if err == nil {
				t.Fatal("no error")
			}
			if bytes > 8<<20 {
				t.Errorf("%d bytes allocated", bytes)
			}
			if len(text) > 2*16*2000 {
				t.Errorf("the error texts are %d bytes long", len(text))
			}
			checkTerminalSafe(t, text)
			if bad := checkErrorSpans(err, in); bad != nil {
				t.Error(bad)
			}
		})
	}
}

func TestOfManyFaultsTheFirstSixteenAreReported(t *testing.T) {
	_, err := grammar.Parse(strings.Repeat("[a]b:", 100))
	if n := len(grammar.All(err)); n != 16 {
		t.Errorf("%d errors", n)
	}
}

// Work is counted in bytes allocated, which do not depend on the machine; the benchmarks look at the time.
func TestWorkIsLinear(t *testing.T) { // PA-02
	for name, piece := range map[string]string{
		"text":            "x",
		"escapes":         `\:`,
		"characters":      "日",
		"brackets":        "[a]:",
		"open brackets":   "a=[:",
		"fields":          "k=v:",
		"nested":          "{a:b}:",
		"deep":            "{{{{{{{{a}}}}}}}}:",
		"junk":            "[a]b:",
		"control":         "\x01",
		"invalid":         "\xff",
		"backslash brace": `\{`,
	} {
		t.Run(name, func(t *testing.T) {
			once := allocated(func() { _, _ = grammar.Parse(strings.Repeat(piece, 25)) })
			twice := allocated(func() { _, _ = grammar.Parse(strings.Repeat(piece, 50)) })
			if float64(twice) > 2.5*float64(once)+1024 {
				t.Errorf("%d bytes for 25 pieces, %d for 50", once, twice)
			}
		})
	}
}

// checkTerminalSafe fails where a terminal would do more with text than show it.
func checkTerminalSafe(t testing.TB, text string) {
	t.Helper()
	if bad := unsafeForTerminal(text); bad != "" {
		t.Errorf("%s in %q", bad, text)
	}
}

func unsafeForTerminal(text string) string {
	if !utf8.ValidString(text) {
		return "invalid UTF-8"
	}
	for _, r := range text {
		switch {
		case r == '\n':
		case r < 0x20, r >= 0x7f && r <= 0x9f, r == 0x2028, r == 0x2029,
			r == 0x61c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}
