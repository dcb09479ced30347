package grammar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// An Error is a fault of an endpoint string, found before anything was opened, with its place.
type Error struct {
	Input      string // the whole string; values of secrets are masked by asterisks, byte for byte
	Start, End int    // the bytes of Input that are at fault; equal where something is missing
	Also       []Span // further places that belong to the fault, such as the first of two duplicates
	Message    string // what is wrong, without the place
	Fix        string // text to put in place of the span; "" where none is known
	Err        error  // cause, may be nil
}

// Error tells the message, the place and the fix in one line.
func (e *Error) Error() string {
	var b strings.Builder
	w := windowAround(e.Input, Span{e.Start, e.End}, 60)
	fmt.Fprintf(&b, "endpoint \"%s\": byte %d: %s", w.text, e.Start, printable(e.Message))
	if e.Fix != "" {
		fmt.Fprintf(&b, " (fix: %s)", printable(e.Fix))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// MarshalJSON gives {"start", "end", "message", "fix"}, and "also" where there are further places. The input is left
// out: whoever asks has it.
func (e *Error) MarshalJSON() ([]byte, error) {
	type span struct {
		Start int `json:"start"`
		End   int `json:"end"`
	}
	also := make([]span, 0, len(e.Also))
	for _, s := range e.Also {
		also = append(also, span(s))
	}
	return json.Marshal(struct {
		span
		Message string `json:"message"`
		Fix     string `json:"fix"`
		Also    []span `json:"also,omitempty"`
	}{span{e.Start, e.End}, e.Message, e.Fix, also})
}

// Errors are several faults of one string, in the order of their places.
type Errors []*Error

// Error gives a line an error.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is and errors.As see each of them.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Join returns nil for no fault, the fault itself for one, and else [Errors].
func Join(faults ...*Error) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	es := slices.Clone(faults)
	slices.SortStableFunc(es, func(a, b *Error) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return a.End - b.End
	})
	return Errors(es)
}

// All returns the faults in err, also those in errors that wrap or join others; none where err is nil or of another
// kind.
func All(err error) []*Error {
	switch e := err.(type) {
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	case interface{ Unwrap() []error }:
		var es []*Error
		for _, inner := range e.Unwrap() {
			es = append(es, All(inner)...)
		}
		return es
	}
	return nil
}
