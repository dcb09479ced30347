package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epctl/endpoint/trace"
)

// A chart is what a dial did and when: a picture of its events, to be drawn as text or as SVG. All texts in it are
// printable.
type chart struct {
	title   string
	verdict string
	failed  bool
	total   time.Duration
	bars    []bar
	more    int // bars that were left out
}

// A bar is a look-up, an attempt or a handshake, or an event that took no time.
type bar struct {
	subject    string
	start, end time.Duration // since the dial began; equal for an event
	fate       fate
	story      string
}

// A fate is what came of a bar.
type fate uint8

const (
	noted    fate = iota // an event
	done                 // a look-up or a handshake, or a connection that is not the one that was wanted
	won                  // the connection that the dial returned
	lost                 // another one was faster
	broke                // it failed
	underWay             // it had not ended when the picture was taken
)

// Bounds of what a picture shows of an answer or an error that a peer may have made as long as it likes.
const (
	mostBars  = 150
	mostAddrs = 4
	mostStory = 300 // characters
)

// A dialResult is how a dial ended, and with which addresses.
type dialResult struct {
	at            time.Time
	local, remote net.Addr
	err           error
}

// newChart makes the picture of a dial that began at start.
func newChart(events []trace.Event, start time.Time, result dialResult) chart {
	p := plotter{start: start, result: result, numbers: newTimeline(nil, start)}
	p.layers = layersOf(events)
	c := chart{total: max(result.at.Sub(start), 1), failed: result.err != nil}
	for _, e := range events {
		p.plot(&c, p.numbers.plain(e))
	}
	c.crown(p, result)
	for _, b := range c.bars {
		c.total = max(c.total, b.end)
	}
	if len(c.bars) > mostBars {
		c.more, c.bars = len(c.bars)-mostBars, c.bars[:mostBars]
	}
	c.verdict = c.sum(result.at.Sub(start))
	return c
}

// layersOf returns the layers that looked up, tried or shook hands: where it is one alone, a picture need not repeat its
// name.
func layersOf(events []trace.Event) (layers []string) {
	for _, e := range events {
		if strings.HasSuffix(string(e.Kind), "-start") && !slices.Contains(layers, e.Layer) {
			layers = append(layers, e.Layer)
		}
	}
	return layers
}

// A plotter turns events into bars.
type plotter struct {
	start   time.Time
	result  dialResult
	numbers *timeline
	layers  []string
	at      map[uint64]int // the bars of what has begun
	locals  map[int]string // the local addresses of bars that connected
}

func (p *plotter) plot(c *chart, e trace.Event) {
	at := max(e.Time.Sub(p.start), 0)
	switch e.Kind {
	case trace.Built:
		if c.title == "" && len(e.Layers) > 0 {
			c.title = printable(e.Layers[0].Text)
		}
	case trace.ResolveStart, trace.AttemptStart, trace.HandshakeStart:
		if p.at == nil {
			p.at, p.locals = make(map[uint64]int), make(map[int]string)
		}
		p.at[e.ID] = len(c.bars)
		end := max(p.result.at.Sub(p.start), at)
		c.bars = append(c.bars, bar{p.numbers.subject(e), at, end, underWay, p.layer(e) + aim(e)})
	case trace.ResolveDone, trace.AttemptDone, trace.HandshakeDone:
		if i, ok := p.at[e.ID]; ok {
			p.finish(&c.bars[i], e, at)
			p.locals[i] = addressText(e.Local)
		}
	default:
		b := bar{subject: string(e.Kind), start: at, end: at, fate: noted, story: shorten(story(e))}
		if e.Err != nil {
			b.fate = broke
		}
		c.bars = append(c.bars, b)
	}
}

func (p *plotter) layer(e trace.Event) string {
	if len(p.layers) < 2 {
		return ""
	}
	return printable(e.Layer) + ": "
}

// aim is whom a bar is about.
func aim(e trace.Event) string {
	switch e.Kind {
	case trace.ResolveStart:
		return printable(e.Host) + " " + printable(e.Network) + ":"
	case trace.AttemptStart:
		return address(e.Remote)
	}
	return shaking(e)
}

func (p *plotter) finish(b *bar, e trace.Event, at time.Duration) {
	b.end, b.fate = at, done
	took := " after " + elapsed(e.Elapsed)
	switch {
	case e.Err != nil && strings.HasPrefix(e.Err.Error(), "lost to "):
		b.fate = lost
		b.story += " " + shorten(causeOf(e)) + took
	case p.result.err == nil && errors.Is(e.Err, context.Canceled):
		b.fate = lost
		b.story += " given up" + took + ", when there was a connection"
	case e.Err != nil:
		b.fate = broke
		b.story += " failed" + took + ": " + shorten(causeOf(e))
	case e.Kind == trace.ResolveDone:
		b.story += " " + answerText(e) + took
	case e.Kind == trace.HandshakeDone && e.Detail != "":
		b.story += ": " + shorten(success(e)) + took
	default:
		b.story += " " + success(e) + took
	}
}

// answerText is the answer of a look-up, or its beginning.
func answerText(e trace.Event) string {
	if len(e.Addrs) == 0 {
		return "no address"
	}
	words := make([]string, 0, mostAddrs+1)
	for _, a := range e.Addrs[:min(mostAddrs, len(e.Addrs))] {
		words = append(words, printable(a.String()))
	}
	if n := len(e.Addrs) - len(words); n > 0 {
		words = append(words, "and "+strconv.Itoa(n)+" more")
	}
	return strings.Join(words, " ")
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > mostStory {
		return string(runes[:mostStory]) + "…"
	}
	return text
}

// crown finds the attempt whose connection the dial returned: by its address or, where wrappers hide that, the last one
// that connected.
func (c *chart) crown(p plotter, result dialResult) {
	if result.err != nil {
		return
	}
	winner := -1
	for i, b := range c.bars {
		if !strings.HasPrefix(b.subject, "attempt") || b.fate != done {
			continue
		}
		winner = i
		if p.locals[i] != "" && p.locals[i] == addressText(result.local) {
			break
		}
	}
	if winner < 0 {
		return
	}
	c.bars[winner].fate = won
	c.bars[winner].story = strings.Replace(c.bars[winner].story, " connected", " won: connected", 1)
	for i := range c.bars { // which is shorter, and easier to find
		c.bars[i].story = strings.Replace(c.bars[i].story, " lost to "+address(result.remote)+" ", " lost to "+c.bars[winner].subject+" ", 1)
	}
}

// sum is the outcome in a line.
func (c *chart) sum(took time.Duration) string {
	counts := make(map[fate]int)
	for _, b := range c.bars {
		if strings.HasPrefix(b.subject, "attempt") {
			counts[b.fate]++
		}
	}
	text := "connected after " + elapsed(took)
	if c.failed {
		text = "failed after " + elapsed(took)
	}
	for _, part := range []struct {
		fate fate
		text string
	}{{won, "won"}, {done, "connected"}, {lost, "lost"}, {broke, "failed"}, {underWay, "under way"}} {
		if n := counts[part.fate]; n > 0 {
			text += ", " + strconv.Itoa(n) + " " + part.text
		}
	}
	return text
}

// raced says that events are those of a dial that had a choice: a name was looked up, or several addresses were tried.
func raced(events []trace.Event) bool {
	attempts := 0
	for _, e := range events {
		switch e.Kind {
		case trace.ResolveStart:
			return true
		case trace.AttemptStart:
			attempts++
		}
	}
	return attempts > 1
}

// ticks returns the marks of a time axis: at most most of them after 0, at round numbers.
func ticks(total time.Duration, most int) (marks []time.Duration) {
	step := time.Duration(1)
	for i := 0; total/step > time.Duration(most); i++ {
		step = step / []time.Duration{1, 2, 5}[i%3] * []time.Duration{2, 5, 10}[i%3]
	}
	for t := time.Duration(0); t <= total; t += step {
		marks = append(marks, t)
	}
	return marks
}
