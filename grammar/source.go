package grammar

import "strings"

// A source is the text that a description was read from: the input itself, or the value of a field that was read as a
// description in its turn. The bytes of the latter lie in the input with escapes between them.
type source struct {
	text    string
	input   string  // the whole string
	outer   *source // the source of the field that text is the value of; nil where text is the input
	quoted  bool    // whether that value is in brackets
	offsets []int   // place in input of each byte of text, and of its end; nil where text is the input
}

// at returns the place in the input of byte i of the text; i may be its length.
func (s *source) at(i int) int {
	if s.offsets == nil {
		return i
	}
	return s.offsets[i]
}

func (s *source) span(local Span) Span { return Span{s.at(local.Start), s.at(local.End)} }

// place makes a fault of the text one of the input.
func (s *source) place(e *Error) {
	e.Input = s.input
	e.Start, e.End = s.at(e.Start), s.at(e.End)
	for i := range e.Also {
		e.Also[i] = s.span(e.Also[i])
	}
	e.Fix = s.fix(e.Fix)
}

// fix returns what to write in the input so that the text gets s there; "" where nothing does.
func (s *source) fix(text string) string {
	switch {
	case s.outer == nil:
		return text
	case !s.quoted:
		return s.outer.fix(escape(text, special(false, true)))
	case strings.Contains(text, "]"):
		return ""
	}
	return s.outer.fix(text)
}

// At returns the place in the input of byte i of f.Value; i may be len(f.Value). The place of an escaped byte is that
// of its backslash.
func (f *Field) At(i int) int {
	if f.source == nil {
		return f.ValueSpan.Start
	}
	return f.offsets()[i]
}

// Fix returns what to write in the input so that the text that f was read from gets text: that same, unless f stands in
// a description that was itself read from escaped or bracketed text. It is "" where text can't be written there.
func (f *Field) Fix(text string) string {
	if f.source == nil {
		return text
	}
	return f.source.fix(text)
}

// inner returns the value of f as a source.
func (f *Field) inner() *source {
	if f.source == nil { // made by hand
		return &source{text: f.Value, input: f.Value}
	}
	return &source{text: f.Value, input: f.source.input, outer: f.source, quoted: f.quoted(), offsets: f.offsets()}
}

func (f *Field) quoted() bool {
	return f.raw.Start < f.raw.End && f.source.text[f.raw.Start] == '['
}

// offsets returns the places in the input of all bytes of the value, and of its end.
func (f *Field) offsets() []int {
	places := make([]int, 0, len(f.Value)+1)
	text, i, end := f.source.text, f.raw.Start, f.raw.End
	if f.quoted() {
		for i++; len(places) <= len(f.Value); i++ {
			places = append(places, f.source.at(i))
		}
		return places
	}
	for ; i < end; i++ {
		places = append(places, f.source.at(i))
		if text[i] == '\\' {
			i++
		}
	}
	return append(places, f.source.at(end))
}
