package grammar_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/epctl/endpoint/grammar"
)

// The oracle is a second parser of the language, by recursive descent over characters with backtracking, written from
// spec/language.md alone. It shares no code with the grammar, takes no care for speed, and only says yes or no to what
// is wrong.
type oracle struct {
	text   []rune
	offset []int // in bytes, of each character and of the end
	i      int
	depth  int
	fields int
}

type refusal string

// oracleParse returns the tree of s, or why there is none.
func oracleParse(s string) (d *grammar.Description, why refusal) {
	defer func() {
		if r := recover(); r != nil {
			d, why = nil, r.(refusal)
		}
	}()
	o := &oracle{text: []rune(s)}
	n := 0
	for _, r := range o.text {
		o.offset = append(o.offset, n)
		n += utf8.RuneLen(r)
	}
	o.offset = append(o.offset, n)
	o.require(len(s) <= 8192, "length")
	o.require(utf8.ValidString(s), "UTF-8")
	for _, r := range o.text {
		o.require(!unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control), "character")
	}
	d = o.description(s)
	o.require(o.i == len(o.text), "end")
	return d, ""
}

func (o *oracle) require(ok bool, why refusal) {
	if !ok {
		panic(why)
	}
}

func (o *oracle) at(set string) bool {
	return o.i < len(o.text) && strings.ContainsRune(set, o.text[o.i])
}

func (o *oracle) description(s string) *grammar.Description {
	d := &grammar.Description{Input: s}
	start := o.offset[o.i]
	d.Fields = append(d.Fields, o.field(s))
	for o.at(":") {
		o.i++
		d.Fields = append(d.Fields, o.field(s))
	}
	d.Span = grammar.Span{Start: start, End: o.offset[o.i]}
	return d
}

func (o *oracle) field(s string) (f grammar.Field) {
	o.fields++
	o.require(o.fields <= 256, "fields")
	start := o.i
	if !o.at("[{") {
		if key := o.run(":="); o.at("=") {
			f.Key, f.Keyed, f.KeySpan = key, true, o.span(start)
			o.i++
		} else {
			o.i = start // it was no key: read it again, as a value
		}
	}
	value := o.i
	switch {
	case o.at("{"):
		f.Nested = o.braces(s)
	case o.at("["):
		f.Value = o.brackets()
	default:
		f.Value = o.run(":")
	}
	f.Span, f.ValueSpan = o.span(start), o.span(value)
	o.require(o.i == len(o.text) || o.at(":") || o.at("}") && o.depth > 0, "text behind a value")
	return f
}

func (o *oracle) span(from int) grammar.Span {
	return grammar.Span{Start: o.offset[from], End: o.offset[o.i]}
}

func (o *oracle) braces(s string) *grammar.Description {
	o.i++
	o.depth++
	o.require(o.depth <= 16, "depth")
	d := o.description(s)
	o.require(o.at("}"), "closing brace")
	o.i++
	o.depth--
	return d
}

func (o *oracle) brackets() string {
	var text []rune
	for o.i++; !o.at("]"); o.i++ {
		o.require(o.i < len(o.text), "closing bracket")
		text = append(text, o.text[o.i])
	}
	o.i++
	return string(text)
}

// run reads up to one of the characters in until, or the brace around it.
func (o *oracle) run(until string) string {
	if o.depth > 0 {
		until += "}"
	}
	var text []rune
	for ; o.i < len(o.text) && !o.at(until); o.i++ {
		if o.at(`\`) {
			o.i++
			o.require(o.i < len(o.text), "backslash at the end")
		}
		text = append(text, o.text[o.i])
	}
	return string(text)
}

// compareWithOracle tells where the two parsers disagree about s, "" for nowhere.
func compareWithOracle(s string) string {
	got, err := grammar.Parse(s)
	want, why := oracleParse(s)
	switch {
	case (err == nil) != (why == ""):
		return fmt.Sprintf("Parse says %v, the oracle %q", err, why)
	case err != nil:
		return ""
	case !got.Equal(want) || dump(got) != dump(want):
		return fmt.Sprintf("Parse says %s, the oracle %s", dump(got), dump(want))
	case spans(got) != spans(want):
		return fmt.Sprintf("Parse says\n%s\nthe oracle\n%s", spans(got), spans(want))
	}
	return ""
}

func TestOracleAgrees(t *testing.T) { // PA-04
	long := []string{strings.Repeat("x", 8192), strings.Repeat("x", 8193), strings.Repeat("{", 8192), strings.Repeat("a=b:", 2048)}
	for _, s := range append(interestingInputs(t), long...) {
		if diff := compareWithOracle(s); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestOracleAgreesOnAllShortInputs(t *testing.T) { // PA-04
	const alphabet = `a:=\[]{}`
	var try func(s string, more int)
	try = func(s string, more int) {
		if diff := compareWithOracle(s); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
		for i := 0; more > 0 && i < len(alphabet) && !t.Failed(); i++ {
			try(s+alphabet[i:i+1], more-1)
		}
	}
	try("", 5)
}

func TestOracleAgreesOnRandomInputs(t *testing.T) { // PA-04
	r := rand.New(rand.NewPCG(11, 12))
	for range 5000 {
		s := randomInput(r, 1+r.IntN(30))
		if diff := compareWithOracle(s); diff != "" {
			t.Fatalf("%q: %s", s, diff)
		}
	}
}
