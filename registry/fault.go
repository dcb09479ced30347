package registry

import (
	"errors"
	"fmt"
)

// A Fault is what a plugin finds wrong with an argument. It knows no place: the registry puts the caret.
type Fault struct {
	Param   string   // the parameter at fault; "" for the endpoint as a whole
	Message string   // what is wrong
	Fix     string   // value to put in place, without escapes; "" where none is known
	Also    []string // further parameters that belong to the fault
	Use     string   // name of a plugin that does what is asked: the fix is to use it
	Err     error    // cause, may be nil
}

// Bad says that the value of param is wrong. The message is a phrase that does not repeat the parameter's name where
// the value shows it. Several faults are returned together by errors.Join.
func Bad(param, format string, args ...any) *Fault {
	err := fmt.Errorf(format, args...)
	return &Fault{Param: param, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Error tells the parameter and the message.
func (f *Fault) Error() string {
	if f.Param == "" {
		return f.Message
	}
	return f.Param + ": " + f.Message
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// WithFix says which value would be right.
func (f *Fault) WithFix(value string) *Fault {
	f.Fix = value
	return f
}

// With says that the other parameters belong to the fault, as when two values disagree.
func (f *Fault) With(params ...string) *Fault {
	f.Also = append(f.Also, params...)
	return f
}

// UsePlugin says that the plugin called name takes such a value.
func (f *Fault) UsePlugin(name string) *Fault {
	f.Use = name
	return f
}

func errorf(format string, args ...any) error { return fmt.Errorf("endpoint: "+format, args...) }

// faultsIn returns the faults that are joined or wrapped in err, and what is none. An error of a package that does not
// know this one is a fault too if it says which parameter it is about, and which other one belongs to it, by a method
// BadParam.
func faultsIn(err error) (faults []*Fault, others []error) {
	var fault *Fault
	if err == nil {
		return nil, nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			f, o := faultsIn(e)
			faults, others = append(faults, f...), append(others, o...)
		}
		if len(faults) == 0 && err.Error() != text(joined.Unwrap()) {
			others = []error{err} // says more than those that it wraps, or wraps none
		}
		return faults, others
	}
	if errors.As(err, &fault) {
		return []*Fault{fault}, nil
	}
	var about interface{ BadParam() (string, string) }
	if errors.As(err, &about) {
		param, with := about.BadParam()
		return []*Fault{Bad(param, "%w", err).With(with)}, nil
	}
	return nil, []error{err}
}

// text is what the errors say when they are joined.
func text(errs []error) string {
	if err := errors.Join(errs...); err != nil {
		return err.Error()
	}
	return ""
}
