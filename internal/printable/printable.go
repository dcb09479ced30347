// Package printable makes what others say fit to be shown: a peer can put anything into a reply or a certificate, and a
// terminal obeys some of it.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// Text returns s, or its first max bytes and an ellipsis. What is not printable is escaped as in Go.
func Text(s string, max int) string {
	if len(s) > max {
		s = strings.ToValidUTF8(s[:max], "") + "…"
	}
	if !strings.ContainsFunc(s, hides) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hides(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hides says that a terminal does not show r. U+FFFD stands for bytes that are not UTF-8 as well.
func hides(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }
