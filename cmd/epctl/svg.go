package main

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The places of a picture, in its own units, of which a character of text is charWidth wide at most.
const (
	svgWidth    = 960
	svgMargin   = 16
	svgBars     = 128 // where the bars begin
	svgBarWidth = 336
	svgStory    = svgBars + svgBarWidth + 20
	svgLine     = 16
	charWidth   = 7.3
	svgHead     = 84 // above the first bar
)

// svgStyle has the colours for light and for dark surroundings. The background is part of the picture, so that a viewer
// that knows nothing of dark ones shows a light picture that can be read.
const svgStyle = `
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre }
.page { fill: #ffffff } .title { font-weight: bold } .soft { fill: #59636e } .grid { stroke: #d1d9e0 }
.done { fill: #0969da } .won { fill: #1a7f37 } .lost { fill: #818b98 } .broke { fill: #cf222e } .noted { fill: #9a6700 } .underWay { fill: #b6bfc8 }
text.won { font-weight: bold } text.lost { fill: #59636e }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117 } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
text.lost { fill: #9198a1 } .done { fill: #4493f8 } .won { fill: #3fb950 } .lost { fill: #848d97 } .broke { fill: #f85149 } .noted { fill: #d29922 } .underWay { fill: #656c76 }
}
`

var fateNames = [...]string{noted: "noted", done: "done", won: "won", lost: "lost", broke: "broke", underWay: "underWay"}

// svg draws the chart as a file of its own, which loads nothing and runs nothing.
func (c chart) svg() string {
	rows, height := c.svgRows()
	bottom := svgHead + height
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title verdict">`+"\n",
		svgWidth, bottom+svgMargin, svgWidth, bottom+svgMargin)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"verdict\">%s</desc>\n<style>%s</style>\n", escapeXML(c.title), escapeXML(c.verdict), svgStyle)
	fmt.Fprintf(&b, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", svgWidth, bottom+svgMargin)
	title := chop(c.title, characters(svgWidth-2*svgMargin))
	if len(title) > 1 {
		title[0] += "…"
	}
	b.WriteString(svgText(svgMargin, 26, "title", title[0]))
	verdict := "won"
	if c.failed {
		verdict = "broke"
	}
	b.WriteString(svgText(svgMargin, 46, verdict, c.verdict))
	b.WriteString(c.svgAxis(bottom))
	b.WriteString(rows + "</svg>\n")
	return b.String()
}

func (c chart) svgAxis(bottom int) string {
	var b strings.Builder
	for _, t := range ticks(c.total, 5) {
		x := c.svgX(t)
		fmt.Fprintf(&b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x, svgHead-10, x, bottom)
		b.WriteString(svgText(x, svgHead-14, "soft", round(t)))
	}
	return b.String()
}

// round is a duration at a mark of the axis.
func round(t time.Duration) string {
	if t < time.Second {
		return strconv.FormatFloat(t.Seconds()*1e3, 'g', 4, 64) + " ms"
	}
	return strconv.FormatFloat(t.Seconds(), 'g', 4, 64) + " s"
}

func (c chart) svgX(t time.Duration) float64 {
	return svgBars + svgBarWidth*min(1, t.Seconds()/c.total.Seconds())
}

// svgRows draws the bars with their stories, and tells how high they are together.
func (c chart) svgRows() (string, int) {
	var b strings.Builder
	y := svgHead
	for _, r := range c.bars {
		lines := chop(r.story, characters(svgWidth-svgMargin-svgStory))
		class := fateNames[r.fate]
		b.WriteString(svgText(svgMargin, y+12, "soft", r.subject))
		b.WriteString(c.svgBar(r, y, class))
		text := "" // what is as it should be is in the colour of all text
		if r.fate == won || r.fate == broke || r.fate == lost {
			text = class
		}
		for i, line := range lines {
			b.WriteString(svgText(svgStory, y+12+i*svgLine, text, line))
		}
		y += len(lines)*svgLine + 8
	}
	if c.more > 0 {
		b.WriteString(svgText(svgMargin, y+12, "soft", "and "+strconv.Itoa(c.more)+" more"))
		y += svgLine + 8
	}
	return b.String(), y - svgHead
}

func (c chart) svgBar(r bar, y int, class string) string {
	x, width := c.svgX(r.start), c.svgX(r.end)-c.svgX(r.start)
	if r.fate == noted || r.start == r.end {
		return fmt.Sprintf("<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"4\"/>\n", class, x, y+8)
	}
	return fmt.Sprintf("<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"12\" rx=\"2\"/>\n", class, x, y+2, max(width, 2))
}

func svgText(x float64, y int, class, text string) string {
	if utf8.RuneCountInString(text) == 0 {
		return ""
	}
	if class != "" {
		class = ` class="` + class + `"`
	}
	return fmt.Sprintf("<text x=\"%.4g\" y=\"%d\"%s>%s</text>\n", x, y, class, escapeXML(text))
}

// escapeXML is for what is printable already.
func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // to memory
	return b.String()
}

// characters is how many of text have room in so many units.
func characters(units float64) int { return int(units / charWidth) }
