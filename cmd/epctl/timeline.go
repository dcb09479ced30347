package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/epctl/endpoint/trace"
)

// A timeline makes lines for people of the events of a dial or a listen.
type timeline struct {
	start   time.Time
	output  *output           // for which the lines are
	numbers map[uint64]int    // of the look-ups, attempts and handshakes, as people count
	begun   map[uint64]string // what the handshakes said when they began
}

func newTimeline(o *output, start time.Time) *timeline {
	return &timeline{start: start, output: o, numbers: make(map[uint64]int), begun: make(map[uint64]string)}
}

// line is a time, what it is about, and what happened; of several lines where there is much to tell.
func (t *timeline) line(e trace.Event) string {
	head := fmt.Sprintf("%9s  %-12s ", elapsed(e.Time.Sub(t.start)), t.subject(e))
	story, paint := story(t.plain(e)), t.paint(e)
	var b strings.Builder
	b.WriteString(t.output.faint(head))
	for i, line := range strings.Split(story, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for j, piece := range wrap(line, t.output.width-len(head)-len(indent)) {
			if i+j > 0 {
				b.WriteString(strings.Repeat(" ", len(head)))
			}
			b.WriteString(indent + paint(piece) + "\n")
		}
	}
	return b.String()
}

// plain takes away what a handshake says at its end as it said it at its beginning: what is left was agreed on.
func (t *timeline) plain(e trace.Event) trace.Event {
	switch e.Kind {
	case trace.HandshakeStart:
		t.begun[e.ID] = e.Detail
	case trace.HandshakeDone:
		if e.Detail == t.begun[e.ID] {
			e.Detail = ""
		}
		delete(t.begun, e.ID)
	}
	return e
}

// paint says how to colour the story of an event.
func (t *timeline) paint(e trace.Event) func(string) string {
	switch {
	case e.Err != nil:
		return t.output.bad
	case e.Kind == trace.Warning:
		return t.output.warning
	case strings.HasSuffix(string(e.Kind), "-done"):
		return t.output.good
	}
	return func(text string) string { return text }
}

func (t *timeline) subject(e trace.Event) string {
	kind, _, spans := strings.Cut(string(e.Kind), "-")
	if !spans {
		return kind
	}
	if _, ok := t.numbers[e.ID]; !ok {
		t.numbers[e.ID] = len(t.numbers) + 1
	}
	return kind + " " + strconv.Itoa(t.numbers[e.ID])
}

func story(e trace.Event) string {
	layer := e.Layer + ": "
	switch e.Kind {
	case trace.Built:
		return stack(e.Layers)
	case trace.ResolveStart:
		return layer + "looking " + printable(e.Host) + " up (" + e.Network + ")"
	case trace.AttemptStart:
		return layer + "connecting to " + address(e.Remote)
	case trace.HandshakeStart:
		return layer + shaking(e)
	case trace.Listening:
		if e.Err == nil {
			return layer + "on " + address(e.Local)
		}
		return layer + "on " + address(e.Local) + " failed: " + cause(e.Err)
	case trace.ResolveDone, trace.AttemptDone, trace.HandshakeDone:
		if e.Err == nil {
			return success(e) + " after " + elapsed(e.Elapsed)
		}
		return "failed after " + elapsed(e.Elapsed) + ": " + causeOf(e)
	}
	return layer + printable(e.Detail)
}

func success(e trace.Event) string {
	switch {
	case e.Kind == trace.ResolveDone:
		words := make([]string, len(e.Addrs))
		for i, a := range e.Addrs {
			words[i] = a.String()
		}
		return strings.Join(words, " ")
	case e.Kind == trace.AttemptDone && e.Local != nil:
		return "connected from " + address(e.Local)
	case e.Kind == trace.AttemptDone:
		return "connected"
	case e.Detail != "":
		return printable(e.Detail)
	}
	return "done"
}

// shaking is what a handshake is and with whom. One that has a name in it already is at an address.
func shaking(e trace.Event) string {
	if strings.Contains(e.Detail, " with ") {
		return printable(e.Detail) + " at " + address(e.Remote)
	}
	return printable(e.Detail) + " with " + address(e.Remote)
}

func stack(layers []trace.Layer) string {
	lines := make([]string, len(layers))
	for i, l := range layers {
		lines[i] = strings.Repeat("  ", l.Depth) + printable(l.Text)
	}
	return strings.Join(lines, "\n")
}

// causeOf is why what an event is about failed. The error of a handshake tells how far that came.
func causeOf(e trace.Event) string {
	if e.Kind == trace.HandshakeDone {
		return printable(e.Err.Error())
	}
	return cause(e.Err)
}

// cause leaves out the addresses that an error of package net repeats.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return printable(err.Error())
}

func address(a net.Addr) string {
	if a == nil {
		return "?"
	}
	return printable(a.String())
}

// elapsed is a duration as people read it: three digits matter.
func elapsed(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
