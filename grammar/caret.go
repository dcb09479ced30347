package grammar

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lineWidth is the terminal that a drawing is made for.
const lineWidth = 80

// Caret draws the fault for people: the input, below it carets under the place (and tildes under the further places)
// with the message beside or below them, and the fix. The input and its marks are at most 80 columns wide: of a long
// one only the part around the place is shown. What a terminal can't show, or would obey, is replaced by U+FFFD.
func (e *Error) Caret() string {
	w := windowAround(e.Input, Span{e.Start, e.End}, lineWidth)
	marks, message := w.marks(e), printable(e.Message)
	between := "\n"
	if len(marks)+1+columns(message) <= lineWidth {
		between = " "
	}
	drawing := w.text + "\n" + marks + between + message
	if e.Fix != "" {
		drawing += "\nfix: " + printable(e.Fix)
	}
	return drawing
}

func columns(s string) (n int) {
	for _, r := range s {
		n += width(r)
	}
	return n
}

// A window is the part of an input that is shown.
type window struct {
	text        string
	first, last int   // the bytes of the input that are shown
	columns     []int // of each byte from first to last, both included, the column
}

const ellipsis = "…"

// windowAround shows at most limit columns of s, with span in them as far as it fits. It counts bytes, of which a
// character has never fewer than it takes columns.
func windowAround(s string, span Span, limit int) window {
	w := window{last: len(s)}
	if len(s) >= limit { // a caret may stand behind the end
		room := limit - 2 // for an ellipsis on each side
		w.first = runeStart(s, max(0, min(span.Start-room/3, len(s)-room)))
		w.last = runeStart(s, min(len(s), w.first+room))
	}
	w.draw(s)
	return w
}

// runeStart returns the start of the character that byte i of s belongs to.
func runeStart(s string, i int) int {
	for back := range utf8.UTFMax {
		if i-back <= 0 || i >= len(s) || utf8.RuneStart(s[i-back]) {
			return max(0, i-back)
		}
	}
	return i // not UTF-8
}

func (w *window) draw(s string) {
	var b strings.Builder
	column := 0
	if w.first > 0 {
		b.WriteString(ellipsis)
		column++
	}
	for i := w.first; i < w.last; {
		r, size := utf8.DecodeRuneInString(s[i:w.last])
		r = shown(r)
		b.WriteRune(r)
		at := column
		if width(r) == 0 {
			at = max(0, column-1) // it stands above or below the character before
		}
		for range size {
			w.columns = append(w.columns, at)
		}
		column += width(r)
		i += size
	}
	w.columns = append(w.columns, column)
	if w.last < len(s) {
		b.WriteString(ellipsis)
	}
	w.text = b.String()
}

func (w *window) column(byte int) int {
	return w.columns[max(w.first, min(byte, w.last))-w.first]
}

// marks is the line below the text.
func (w *window) marks(e *Error) string {
	var line []byte
	for _, s := range e.Also {
		if s.End >= w.first && s.Start <= w.last {
			line = w.mark(line, s, '~')
		}
	}
	return string(w.mark(line, Span{e.Start, e.End}, '^'))
}

func (w *window) mark(line []byte, s Span, with byte) []byte {
	from, to := w.column(s.Start), w.column(s.End)
	to = max(to, from+1)
	if missing := to - len(line); missing > 0 {
		line = append(line, bytes.Repeat([]byte{' '}, missing)...)
	}
	for i := from; i < to; i++ {
		line[i] = with
	}
	return line
}
