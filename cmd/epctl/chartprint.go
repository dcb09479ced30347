package main

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The parts of a line of a chart in text: two columns are between them.
const (
	subjectWidth  = 12
	leastBarWidth = 16
)

// text draws the chart for lines of the output's width: a row a bar, to scale.
func (c chart) text(o *output) string {
	width := max(leastBarWidth, (o.width-subjectWidth)*2/5)
	var b strings.Builder
	paint := o.good
	if c.failed {
		paint = o.bad
	}
	if c.title != "" {
		b.WriteString(o.heading(c.title))
	}
	for _, line := range wrap(c.verdict, o.width) {
		b.WriteString(paint(line) + "\n")
	}
	b.WriteString(strings.Repeat(" ", subjectWidth+2) + o.faint(axis(c.total, width)) + "\n")
	rest := max(leastLast, o.width-subjectWidth-width-4)
	for _, r := range c.bars {
		r.write(&b, o, c.total, width, rest)
	}
	if c.more > 0 {
		b.WriteString("and " + strconv.Itoa(c.more) + " more\n")
	}
	return b.String()
}

// heading is text that may be longer than a line.
func (o *output) heading(text string) string {
	lines := chop(text, max(o.width, leastLast))
	lines[0] = o.strong(lines[0])
	return strings.Join(lines, "\n") + "\n"
}

// axis names the ends of the time axis.
func axis(total time.Duration, width int) string {
	left, right := "0 ms", elapsed(total)
	gap := max(1, width-utf8.RuneCountInString(left)-utf8.RuneCountInString(right))
	return left + strings.Repeat(" ", gap) + right
}

func (r bar) write(b *strings.Builder, o *output, total time.Duration, width, rest int) {
	paint := r.paint(o)
	line, length := r.line(total, width)
	subject := chop(r.subject, subjectWidth)[0]
	b.WriteString(o.faint(subject) + strings.Repeat(" ", subjectWidth-utf8.RuneCountInString(subject)+2) + paint(line))
	gap := width - length + 2
	for _, piece := range chop(r.story, rest) {
		b.WriteString(strings.Repeat(" ", gap) + paint(piece) + "\n")
		gap = subjectWidth + width + 4
	}
}

func (r bar) paint(o *output) func(string) string {
	switch r.fate {
	case won:
		return o.good
	case broke:
		return o.bad
	case lost, underWay:
		return o.faint
	}
	return func(text string) string { return text }
}

// marks are what a bar ends with in text.
var marks = [...]string{noted: "◆", done: "│", won: "●", lost: "○", broke: "×", underWay: "…"}

// line is the bar with the space before it, and how many columns that takes.
func (r bar) line(total time.Duration, width int) (string, int) {
	column := func(t time.Duration) int { return int(int64(t) * int64(width-1) / int64(max(total, 1))) }
	start, end := min(column(r.start), width-1), min(column(r.end), width-1)
	return strings.Repeat(" ", start) + strings.Repeat("━", end-start) + marks[r.fate], end + 1
}
