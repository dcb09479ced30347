package grammar

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineWidth is the terminal that a drawing is made for.
const lineWidth = 80

// Caret draws the fault for people: the input, below it carets under the place (and tildes under the further places)
// with the message beside or below them, and the fix. Lines are at most 80 columns wide where the message allows it; of
// a long input only the part around the place is shown, and what a terminal can't show is replaced.
func (e *Error) Caret() string {
	w := windowAround(e.Input, Span{e.Start, e.End}, lineWidth)
	marks := w.marks(e)
	var b strings.Builder
	b.WriteString(w.text + "\n" + marks)
	if utf8.RuneCountInString(marks)+1+utf8.RuneCountInString(e.Message) <= lineWidth {
		b.WriteString(" " + e.Message)
	} else {
		b.WriteString("\n" + e.Message)
	}
	if e.Fix != "" {
		b.WriteString("\nfix: " + printable(e.Fix))
	}
	return b.String()
}

// A window is the part of an input that is shown, one column a character.
type window struct {
	text        string
	first, last int   // the bytes of the input that are shown
	columns     []int // of each byte from first to last, both included, the column
}

const ellipsis = "…"

// windowAround shows at most width columns of s, with span in them as far as it fits.
func windowAround(s string, span Span, width int) window {
	first, last := 0, len(s)
	if len(s) > width {
		room := width - 2
		first = max(0, min(span.Start-room/3, len(s)-room))
		last = min(len(s), first+room)
		for first > 0 && !utf8.RuneStart(s[first]) {
			first--
		}
		for last < len(s) && !utf8.RuneStart(s[last]) {
			last--
		}
	}
	w := window{first: first, last: last}
	var b strings.Builder
	column := 0
	if first > 0 {
		b.WriteString(ellipsis)
		column++
	}
	for i := first; i < last; {
		r, size := utf8.DecodeRuneInString(s[i:last])
		for range size {
			w.columns = append(w.columns, column)
		}
		shown := shownAs(r)
		b.WriteString(shown)
		if shown != "" && !unicode.Is(unicode.Mn, r) {
			column++
		}
		i += size
	}
	w.columns = append(w.columns, column)
	if last < len(s) {
		b.WriteString(ellipsis)
	}
	w.text = b.String()
	return w
}

func (w window) column(byte int) int {
	return w.columns[max(w.first, min(byte, w.last))-w.first]
}

func (w window) marks(e *Error) string {
	var line []byte
	mark := func(s Span, with byte) {
		from, to := w.column(s.Start), w.column(s.End)
		to = max(to, from+1)
		for len(line) < to {
			line = append(line, ' ')
		}
		for i := from; i < to; i++ {
			line[i] = with
		}
	}
	for _, s := range e.Also {
		if s.End >= w.first && s.Start <= w.last {
			mark(s, '~')
		}
	}
	mark(Span{e.Start, e.End}, '^')
	return string(line)
}

// printable is s as it may be shown on a terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(shownAs(r))
	}
	return b.String()
}

func shownAs(r rune) string {
	if refused(r) != "" || !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) {
		return string(utf8.RuneError)
	}
	return string(r)
}
