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

// String returns d in canonical form. Parsing it gives d back, for every d that Parse returned.
func (d *Description) String() string { return d.Text(Canonical) }

// Text returns d in the given style. Parsing it gives d back, for every d that Parse returned.
func (d *Description) Text(style Style) string {
	var b strings.Builder
	d.write(&b, style, false)
	return b.String()
}

// Quote returns value, in canonical form, as the text of a field, at any depth.
func Quote(value string) string { return quote(value, Canonical, true) }

// QuoteKey returns key as the text before the equals sign of a field, at any depth.
func QuoteKey(key string) string { return escape(key, true) }

func (d *Description) write(b *strings.Builder, style Style, nested bool) {
	for i := range d.Fields {
		if i > 0 {
			b.WriteByte(':')
		}
		f := &d.Fields[i]
		if f.Keyed {
			b.WriteString(escape(f.Key, nested) + "=")
		}
		if f.Nested == nil {
			b.WriteString(quote(f.Value, style, nested))
			continue
		}
		b.WriteByte('{')
		f.Nested.write(b, style, true)
		b.WriteByte('}')
	}
}

func quote(value string, style Style, nested bool) string {
	escaped := escape(value, nested)
	if len(escaped) == len(value) || strings.Contains(value, "]") {
		return escaped
	}
	if style == Brackets || len(value)+len("[]") < len(escaped) {
		return "[" + value + "]"
	}
	return escaped
}

// escape writes text with a backslash before what would else be read as syntax; nested says that a brace would.
func escape(text string, nested bool) string {
	special := `\:=`
	if nested {
		special = `\:=}`
	}
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
