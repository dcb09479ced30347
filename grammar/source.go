package grammar

// A source is the text that a description was read from: the input itself, or the value of a field that was read as a
// description in its turn. The bytes of the latter lie in the input with escapes between them.
type source struct {
	text    string
	input   string // the whole string
	offsets []int  // place in input of each byte of text, and of its end; nil where text is the input
}

// at returns the place in the input of byte i of the text; i may be its length.
func (s *source) at(i int) int {
	if s.offsets == nil {
		return i
	}
	return s.offsets[i]
}

func (s *source) span(local Span) Span { return Span{s.at(local.Start), s.at(local.End)} }

// At returns the place in the input of byte i of f.Value; i may be len(f.Value). The place of an escaped byte is that
// of its backslash.
func (f *Field) At(i int) int {
	if f.source == nil {
		return f.ValueSpan.Start
	}
	return f.offsets()[i]
}

// offsets returns the places in the input of all bytes of the value, and of its end.
func (f *Field) offsets() []int {
	places := make([]int, 0, len(f.Value)+1)
	text, i, end := f.source.text, f.raw.Start, f.raw.End
	if i < end && text[i] == '[' {
		i++
		for range len(f.Value) {
			places = append(places, f.source.at(i))
			i++
		}
		return append(places, f.source.at(i))
	}
	for ; i < end; i++ {
		places = append(places, f.source.at(i))
		if text[i] == '\\' {
			i++
		}
	}
	return append(places, f.source.at(end))
}
