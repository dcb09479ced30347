package main

import (
	"errors"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// report tells on stderr what is wrong, in the one form that all verbs have: faults of a string are drawn, everything
// else is a line that starts with the program's name.
func (a *app) report(err error) {
	if err != nil && !errors.Is(err, errTold) {
		_ = a.err.print(problem(err, a.err.style))
	}
}

func problem(err error, s style) string {
	var usage *usageError
	faults := grammar.All(err)
	switch {
	case errors.As(err, &usage):
		return s.bad("epctl: ") + printable(usage.message) + "\n" + s.good("help: ") + usage.hint + "\n"
	case len(faults) > 0:
		return drawAll(faults, s)
	}
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return s.bad("epctl: ") + strings.Join(lines, "\n  ") + "\n"
}

func drawAll(faults []*grammar.Error, s style) string {
	drawings := make([]string, len(faults))
	for i, e := range faults {
		drawings[i] = draw(e, s)
	}
	return strings.Join(drawings, "\n")
}

// draw is the drawing of package grammar in colour: the input, the marks with the message, and the fix.
func draw(e *grammar.Error, s style) string {
	lines := strings.Split(e.Caret(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
		if i == 0 {
			continue
		}
		if fix, ok := strings.CutPrefix(line, "fix: "); ok && i == len(lines)-1 {
			lines[i] = s.good("fix: ") + fix
			continue
		}
		message := strings.TrimLeft(line, " ~^")
		lines[i] = s.bad(line[:len(line)-len(message)]) + message
	}
	return strings.Join(lines, "\n") + "\n"
}

// warn draws something that is right but not wise.
func warn(e *grammar.Error, s style) string {
	mute := *e
	mute.Message = ""
	return s.warning("warning: ") + printable(e.Message) + "\n" + draw(&mute, s)
}
