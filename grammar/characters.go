package grammar

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkCharacters reports what never belongs in an endpoint, also in brackets and behind a backslash.
func (sc *scanner) checkCharacters() {
	for i := 0; i < len(sc.text); {
		if c := sc.text[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		if n := invalid(sc.text[i:]); n > 0 {
			sc.fault(&Error{Start: i, End: i + n, Message: "this is not valid UTF-8"})
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(sc.text[i:])
		if what := refused(r); what != "" {
			sc.fault(&Error{Start: i, End: i + size, Message: fmt.Sprintf("the %s %U is not allowed in an endpoint", what, r)})
		}
		i += size
	}
}

// invalid returns how many bytes at the start of s are not UTF-8.
func invalid(s string) int {
	for i := range len(s) {
		if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size != 1 {
			return i
		}
	}
	return len(s)
}

// refused names the kind of a character that no endpoint may contain, "" for all others.
func refused(r rune) string {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return "control character"
	case r == '\u2028' || r == '\u2029':
		return "line separator"
	case r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
		return "text direction control" // it makes a string look like another: CVE-2021-42574
	}
	return ""
}

// printable is s as it may be shown on a terminal, in one line.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(shown(r))
	}
	return b.String()
}

// shown is r, or what stands for it where a terminal would not show it.
func shown(r rune) rune {
	if refused(r) != "" || !unicode.IsPrint(r) {
		return utf8.RuneError
	}
	return r
}

// width is how many columns of a terminal a shown character takes: none for one that combines with the one before, two
// for the wide ones of East Asia and for pictures (Unicode Standard Annex 11, in ranges that leave out what is rare).
func width(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case r <= 0x115f, // Hangul initials
		r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, // radicals, kana, ideographs, Yi
		r >= 0xac00 && r <= 0xd7a3,                // Hangul syllables
		r >= 0xf900 && r <= 0xfaff,                // ideographs
		r >= 0xfe30 && r <= 0xfe6f,                // vertical and small forms
		r >= 0xff01 && r <= 0xff60,                // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff, // pictures
		r >= 0x20000 && r <= 0x3fffd: // ideographs
		return 2
	}
	return 1
}
