package grammar

import "strings"

// A Style says how a value with special characters is written.
type Style int

const (
	// Canonical escapes by backslash, or brackets the value where that is shorter.
	Canonical Style = iota
	// Brackets brackets the value wherever it can, and escapes else.
	Brackets
)

// String returns d in canonical form, which is the shortest there is. Parsing it gives d back, for every d that [Parse] returned
// without an error.
func (d *Description) String() string { return d.Text(Canonical) }

// Text returns d in the given style, or in canonical form where only that is short enough for [MaxLength]. Parsing it
// gives d back, for every d that [Parse] returned without an error.
func (d *Description) Text(style Style) string {
	var b strings.Builder
	d.write(&b, style, false)
	if style != Canonical && b.Len() > MaxLength {
		return d.Text(Canonical)
	}
	return b.String()
}

// Quote returns value, in canonical form, as the text of a field, with a key or without, at any depth.
func Quote(value string) string { return quote(value, Canonical, special(false, true)) }

// QuoteKey returns key as the text before the equals sign of a field, at any depth.
func QuoteKey(key string) string { return escape(key, special(false, true)) }

func (d *Description) write(b *strings.Builder, style Style, nested bool) {
	for i := range d.Fields {
		if i > 0 {
			b.WriteByte(':')
		}
		f := &d.Fields[i]
		if f.Keyed {
			b.WriteString(escape(f.Key, special(false, nested)) + "=")
		}
		if f.Nested == nil {
			b.WriteString(quote(f.Value, style, special(f.Keyed, nested)))
			continue
		}
		b.WriteByte('{')
		f.Nested.write(b, style, true)
		b.WriteByte('}')
	}
}

// special returns the characters that are syntax wherever they stand in a text: an equals sign is not behind a key, a
// closing brace only is in braces.
func special(keyed, nested bool) string {
	switch {
	case keyed && nested:
		return `\:}`
	case keyed:
		return `\:`
	case nested:
		return `\:=}`
	}
	return `\:=`
}

func quote(value string, style Style, special string) string {
	escaped := escape(value, special)
	if len(escaped) == len(value) || strings.Contains(value, "]") {
		return escaped
	}
	if style == Brackets || len(value)+len("[]") < len(escaped) {
		return "[" + value + "]"
	}
	return escaped
}

// escape writes text with a backslash before what is special, and before a bracket or brace that leads it.
func escape(text, special string) string {
	leads := text != "" && (text[0] == '[' || text[0] == '{')
	if !leads && !strings.ContainsAny(text, special) {
		return text
	}
	var b strings.Builder
	if leads {
		b.WriteByte('\\')
	}
	for i := range len(text) {
		if strings.IndexByte(special, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
