package main

import (
	"strings"
	"unicode/utf8"
)

// A cell is the text of a table's cell, and how to colour it.
type cell struct {
	text  string
	paint func(string) string // nil leaves it plain
}

// A table is rows of cells, of which the last is wrapped to fit.
type table struct {
	indent string
	chops  bool // words that are too long for the last column are broken, as those that a peer may have made
	rows   []tableRow
}

type tableRow struct {
	cells []cell
	below string // lines that stand between this row and the next
}

const (
	columnGap  = "  "
	mostColumn = 30 // columns of any cell but the last
	leastLast  = 24 // columns of the last cell; with fewer it stands below the others
)

func (t *table) add(cells ...cell) { t.rows = append(t.rows, tableRow{cells: cells}) }

// below puts lines below the row that was added last.
func (t *table) below(lines string) { t.rows[len(t.rows)-1].below += lines }

// text draws the table for lines of the given width.
func (t *table) text(width int) string {
	l := layout{indent: t.indent, widths: t.widths(), width: width, wrap: wrap}
	if t.chops {
		l.wrap = chop
	}
	l.last = width - utf8.RuneCountInString(t.indent)
	for _, w := range l.widths {
		l.last -= w + len(columnGap)
	}
	l.stacked = l.last < leastLast && l.last < t.longestLast()
	var b strings.Builder
	for _, row := range t.rows {
		l.row(&b, row.cells)
		b.WriteString(row.below)
	}
	return b.String()
}

func (t *table) longestLast() (longest int) {
	for _, row := range t.rows {
		longest = max(longest, utf8.RuneCountInString(row.cells[len(row.cells)-1].text))
	}
	return longest
}

// widths of all columns but the last.
func (t *table) widths() []int {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row.cells[:len(row.cells)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(mostColumn, utf8.RuneCountInString(c.text)))
		}
	}
	return widths
}

// A layout is how a table is drawn at some width.
type layout struct {
	indent  string
	widths  []int                                 // of all columns but the last
	last    int                                   // width of the last column
	width   int                                   // of the lines
	stacked bool                                  // the last column stands below the others
	wrap    func(text string, width int) []string // of the last column
}

func (l layout) row(b *strings.Builder, cells []cell) {
	var below cell
	if l.stacked && len(cells) > 1 {
		cells, below = cells[:len(cells)-1], cells[len(cells)-1]
	}
	wrapped := make([][]string, len(cells))
	height := 1
	for i, c := range cells {
		if i < len(l.widths) {
			wrapped[i] = chop(c.text, l.widths[i])
		} else {
			wrapped[i] = l.wrap(c.text, max(l.last, 1))
		}
		height = max(height, len(wrapped[i]))
	}
	for n := range height {
		b.WriteString(l.line(cells, wrapped, n) + "\n")
	}
	if below.text != "" {
		indent := l.indent + "    "
		for _, piece := range l.wrap(below.text, l.width-utf8.RuneCountInString(indent)) {
			b.WriteString(indent + below.painted(piece) + "\n")
		}
	}
}

// line is the n-th line of a row.
func (l layout) line(cells []cell, wrapped [][]string, n int) string {
	line, pending := l.indent, ""
	for i, c := range cells {
		piece := ""
		if n < len(wrapped[i]) {
			piece = wrapped[i][n]
		}
		if piece != "" {
			line += pending + c.painted(piece)
			pending = ""
		}
		if i < len(l.widths) {
			pending += strings.Repeat(" ", l.widths[i]-utf8.RuneCountInString(piece)) + columnGap
		}
	}
	return line
}

func (c cell) painted(text string) string {
	if c.paint == nil {
		return text
	}
	return c.paint(text)
}

// wrap breaks text between words into lines of at most width characters. A longer word has a line of its own, so that
// an address or a string can be copied.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// chop is wrap that also breaks words that are too long.
func chop(text string, width int) []string {
	var lines []string
	for _, line := range wrap(text, width) {
		runes := []rune(line)
		for ; len(runes) > width; runes = runes[width:] {
			lines = append(lines, string(runes[:width]))
		}
		lines = append(lines, string(runes))
	}
	return lines
}
