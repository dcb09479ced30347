package wire

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on what a plugin says of itself.
const (
	maxMessage = 1024 // bytes of an error's or an event's text
	maxName    = 64   // bytes of a name
	maxDoc     = 1024 // bytes of a sentence
)

// Clean makes text of another process fit to be shown: valid UTF-8 of at most most bytes, with what would move a
// terminal's cursor, or turn its writing, as escapes.
func Clean(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if !strings.ContainsFunc(text, unprintable) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unprintable(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }
