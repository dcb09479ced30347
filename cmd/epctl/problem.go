package main

import (
	"errors"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// report tells on stderr what is wrong, in the one form that all verbs have: faults of a string are drawn, everything
// else is a line that starts with the program's name.
func (a *app) report(err error) {
	var signal interrupted // who sent it knows
	if err != nil && !errors.Is(err, errTold) && !errors.As(err, &signal) {
		_ = a.err.print(a.err.problem(err))
	}
}

func (o *output) problem(err error) string {
	var usage *usageError
	var hinted *hintedError
	faults := grammar.All(err)
	switch {
	case errors.As(err, &usage):
		return o.bad("epctl: ") + printable(usage.message) + "\n" + o.good("help: ") + usage.hint + "\n"
	case errors.As(err, &hinted):
		return o.failure(err.Error()) + o.good("help: ") + printable(hinted.hint) + "\n"
	case len(faults) > 0:
		return o.drawAll(faults)
	}
	return o.failure(err.Error())
}

// failure is an error in words. Lines that are too long for a terminal are wrapped; elsewhere programs may read them.
func (o *output) failure(text string) string { return o.words("epctl: ", o.bad, text) }

// words is a message of one or several lines behind a head in colour.
func (o *output) words(head string, paint func(string) string, text string) string {
	var lines []string
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		line = printable(line)
		if i == 0 {
			line = head + line
		} else {
			line = "  " + line
		}
		lines = append(lines, o.fold(line)...)
	}
	return strings.Replace(strings.Join(lines, "\n"), head, paint(head), 1) + "\n"
}

// fold breaks a line of a message for a terminal, with what follows indented further than the line.
func (o *output) fold(line string) []string {
	const further = "  "
	start := line[:len(line)-len(strings.TrimLeft(line, " "))]
	if !o.terminal {
		return []string{line}
	}
	pieces := chop(line, max(leastLast, o.width-len(start)-len(further)))
	for i := range pieces {
		pieces[i] = start + pieces[i]
		if i > 0 {
			pieces[i] = further + pieces[i]
		}
	}
	return pieces
}

func (o *output) drawAll(faults []*grammar.Error) string {
	drawings := make([]string, len(faults))
	for i, e := range faults {
		drawings[i] = o.draw(e)
	}
	return strings.Join(drawings, "\n")
}

// draw is the drawing of package grammar in colour: the input, the marks with the message, and the fix. A message that
// does not fit beside the marks is wrapped below them.
func (o *output) draw(e *grammar.Error) string {
	lines := strings.Split(e.Caret(), "\n")
	out := lines[:1:1]
	for i, line := range lines[1:] {
		if fix, ok := strings.CutPrefix(line, "fix: "); ok && e.Fix != "" && i == len(lines)-2 {
			out = append(out, o.good("fix: ")+fix)
			continue
		}
		message := strings.TrimLeft(line, " ~^")
		switch marks := line[:len(line)-len(message)]; {
		case message == "":
			out = append(out, o.bad(strings.TrimRight(marks, " ")))
		case marks == "":
			out = append(out, wrap(message, o.width)...)
		default:
			out = append(out, o.bad(marks)+message)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

// warn draws something that is right but not wise.
func (o *output) warn(e *grammar.Error) string { return o.remark("warning: ", o.warning, e) }

// note draws something that is right.
func (o *output) note(e *grammar.Error) string { return o.remark("note: ", o.faint, e) }

func (o *output) remark(head string, paint func(string) string, e *grammar.Error) string {
	mute := *e
	mute.Message = ""
	lines := wrap(head+printable(e.Message), o.width)
	lines[0] = strings.Replace(lines[0], head, paint(head), 1)
	return strings.Join(lines, "\n") + "\n" + o.draw(&mute)
}
