// Package grammar turns an endpoint string into a tree with byte positions, and back.
//
// It knows no endpoint name, no parameter and no type of value: `tcp6:port=80:interface=[::1]` is a [Description] of
// three fields. What the fields mean is decided by package registry. The language itself, with its differences from
// the one of Twisted, is told in spec/language.md.
package grammar

// Limits of the language. They hold for the whole input, nested descriptions included, and are checked by one linear
// scan before anything else looks at it.
const (
	MaxLength = 8 << 10 // bytes of a description
	MaxFields = 256     // fields, at all levels together
	MaxDepth  = 16      // descriptions in braces inside each other
)

// A Description is one parsed endpoint string, or one in braces inside another.
type Description struct {
	Fields []Field
	Span   Span   // its bytes in Input, without the braces
	Input  string // the whole string that was parsed, also in a nested description
}

// A Field is what stands between two colons.
type Field struct {
	Key    string       // without escapes; "" where the field has no key
	Keyed  bool         // whether there is a key, which may be empty: "=x"
	Value  string       // without escapes or brackets; "" where Nested is set
	Nested *Description // the value in braces, nil for plain or bracketed text

	Span      Span // the whole field
	KeySpan   Span // the key, without the equals sign; empty where there is none
	ValueSpan Span // the value, with its brackets or braces

	source *source // the text that the field was read from
	raw    Span    // the value in that text, with its brackets
}

// A Span is a range of bytes of the input, Start included, End not.
type Span struct{ Start, End int }

// Parse reads s. The error is a [*Error], or several of them joined in the order of their places (see [All]); with it
// comes the tree as far as it could be read, or nil where a limit was exceeded.
func Parse(s string) (*Description, error) {
	return parse(&source{text: s, input: s})
}

// Description returns the value as a description of its own: the one in braces, or else the text, parsed. Its spans
// are places in the whole input, whatever was escaped on the way. The error is that of [Parse].
func (f *Field) Description() (*Description, error) {
	if f.Nested != nil {
		return f.Nested, nil
	}
	return parse(f.inner())
}

// Rest returns the fields from the n-th on as a description, as in `haproxy:tcp:8080`.
func (d *Description) Rest(n int) *Description {
	rest := &Description{Fields: d.Fields[n:], Span: d.Span, Input: d.Input}
	if len(rest.Fields) > 0 {
		rest.Span.Start = rest.Fields[0].Span.Start
	} else {
		rest.Span.Start = rest.Span.End
	}
	return rest
}

// Equal reports whether d and o mean the same: the same keys and values in the same order, however they are written.
func (d *Description) Equal(o *Description) bool {
	if d == nil || o == nil {
		return d == o
	}
	if len(d.Fields) != len(o.Fields) {
		return false
	}
	for i := range d.Fields {
		a, b := &d.Fields[i], &o.Fields[i]
		if a.Keyed != b.Keyed || a.Key != b.Key || a.Value != b.Value || !a.Nested.Equal(b.Nested) {
			return false
		}
	}
	return true
}

func parse(src *source) (*Description, error) {
	list, faults := read(src.text)
	for _, e := range faults {
		src.place(e)
	}
	if list == nil {
		return nil, Join(faults...)
	}
	return list.description(src), Join(faults...)
}
