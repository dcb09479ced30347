package sockopt

import "errors"

// Error returns the message.
func (p Problem) Error() string { return p.Message }

// BadParam tells package registry which parameter is at fault, and which other one belongs to the fault, if any.
func (p Problem) BadParam() (param, with string) { return p.Param, p.With }

// Join returns the problems as one error, nil where there are none.
func Join(problems ...[]Problem) error {
	var errs []error
	for _, list := range problems {
		for _, p := range list {
			errs = append(errs, p)
		}
	}
	return errors.Join(errs...)
}
