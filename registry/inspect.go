package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/epctl/endpoint/grammar"
)

// An Inspector is an endpoint that looks at what its string names outside of itself: files, interfaces, names. It binds
// and connects nothing, and changes nothing. What it finds is told of the endpoint itself only, not of endpoints inside
// it: those are asked too. It may be called any number of times, from any goroutine, and returns early, with what it has
// found, when the context is over.
type Inspector interface {
	Inspect(ctx context.Context) []Finding
}

// A Finding is what an [Inspector] has found about a parameter, which need not be given: "trust: 137 roots of the system"
// is about a default. The fault tells the parameter, the message, and what else there is to tell as for [Bad].
type Finding struct {
	Fault
	Level Level
}

// Found makes a finding about param, "" for the endpoint as a whole. The message is a phrase as that of [Bad].
func Found(level Level, param, format string, args ...any) Finding {
	return Finding{Fault: *Bad(param, format, args...), Level: level}
}

// A Level says how bad a finding is. Its text form, also in JSON, is "error", "warning" or "note".
type Level uint8

// The levels. The zero Level is LevelError.
const (
	LevelError   Level = iota // the endpoint can't be used as things are
	LevelWarning              // it can, and its user should know of it
	LevelNote                 // for whoever asks: which certificate, how many roots
)

// String is the text form.
func (l Level) String() string {
	switch l {
	case LevelError:
		return "error"
	case LevelWarning:
		return "warning"
	case LevelNote:
		return "note"
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// MarshalText gives the text form; the error is that there is no such level.
func (l Level) MarshalText() ([]byte, error) {
	if l > LevelNote {
		return nil, errorf("%v is none of the levels of a finding", l)
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads the text form.
func (l *Level) UnmarshalText(text []byte) error {
	for level := range LevelNote + 1 {
		if string(text) == level.String() {
			*l = level
			return nil
		}
	}
	return errorf("%s is none of error, warning and note", quoted(string(text)))
}

// An Inspected is a finding with its place. Secrets of the string are asterisks in all of it.
type Inspected struct {
	Level   Level
	Plugin  string // the plugin of the layer that it is about
	Param   string // the parameter, also where it is not given; "" for the endpoint as a whole
	Message string // what was found, without the parameter
	// Error has the place: the parameter's value where it is given, and else the plugin's name, with the parameter's
	// before the message.
	Error *grammar.Error
}

// Inspect asks the endpoint of this layer, and then those of all layers inside it, outermost first, what they find when
// they look at what they name. A layer whose endpoint is no [Inspector] has nothing to say; one that panics, or is not
// asked because the context is over, is a finding itself.
func (l *Layer) Inspect(ctx context.Context) []Inspected {
	var all []Inspected
	l.Walk(func(l *Layer, _ int) {
		if l.inspect != nil {
			all = append(all, l.inspect(ctx)...)
		}
	})
	return all
}

// inspection is what Inspect calls for one layer, nil where the endpoint is no Inspector.
func (a *assignment) inspection(endpoint any) func(context.Context) []Inspected {
	inspector, ok := endpoint.(Inspector)
	if !ok {
		return nil
	}
	return func(ctx context.Context) []Inspected {
		findings, err := inspectSafely(ctx, a.plugin.Name, inspector)
		if err != nil {
			findings = append(findings, failedInspection(err))
		}
		all := make([]Inspected, len(findings))
		masked, hidden := a.mask(a.input), a.replacer()
		for i, f := range findings {
			e := a.place(&f.Fault)
			a.clean([]*grammar.Error{e}, masked)
			all[i] = Inspected{f.Level, a.plugin.Name, f.Param, hidden.Replace(f.Message), e}
		}
		return all
	}
}

// inspectSafely makes a panic of the plugin an error.
func inspectSafely(ctx context.Context, plugin string, i Inspector) (findings []Finding, err error) {
	defer compiled{&Layer{Plugin: Plugin{Name: plugin}}}.guard(&err)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return i.Inspect(ctx), nil
}

func failedInspection(err error) Finding {
	if errors.As(err, new(*PanicError)) {
		return Finding{Fault: Fault{Message: err.Error(), Err: err}} // names the plugin
	}
	return Found(LevelError, "", "could not be inspected: %w", err)
}
