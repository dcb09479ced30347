package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// ErrorOf is err as it is sent.
func ErrorOf(err error) *Error {
	e := &Error{Message: Valid(err.Error())}
	if op, ok := err.(*net.OpError); ok {
		e.Op, e.Network, e.Source, e.Address = Valid(op.Op), Valid(op.Net), AddressOf(op.Source), AddressOf(op.Addr)
		if e.Message = ""; op.Err != nil {
			e.Message = Valid(op.Err.Error())
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e.Errno = uint32(errno)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		e.NotFound, e.Name, e.Temporary = dns.IsNotFound, Valid(dns.Name), dns.IsTemporary
	}
	var timeout interface{ Timeout() bool }
	e.Timeout = errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
	e.Canceled = errors.Is(err, context.Canceled)
	e.Closed = errors.Is(err, net.ErrClosed)
	return e
}

// Err is the error that a process tells, so that errors.Is and errors.As find in it what they find in the process
// itself: the number of the system, a *net.OpError, a *net.DNSError, net.ErrClosed and the errors of contexts.
func (e *Error) Err() error {
	told := &toldError{text: Clean(e.Message, maxMessage), timeout: e.Timeout, is: e.causes()}
	if told.text == "" {
		told.text = "failed, and does not say why"
	}
	if e.Op == "" {
		return told
	}
	source, _ := e.Source.Addr()
	addr, _ := e.Address.Addr()
	return &net.OpError{Op: Clean(e.Op, maxName), Net: Clean(e.Network, maxName), Source: source, Addr: addr, Err: told}
}

func (e *Error) causes() []error {
	var causes []error
	if e.Name != "" || e.NotFound {
		causes = append(causes, &net.DNSError{Err: Clean(e.Message, maxMessage), Name: Clean(e.Name, maxMessage),
			IsTimeout: e.Timeout, IsNotFound: e.NotFound, IsTemporary: e.Temporary})
	}
	if e.Errno != 0 && e.Errno < 4096 {
		causes = append(causes, syscall.Errno(e.Errno))
	}
	if e.Closed {
		causes = append(causes, net.ErrClosed)
	}
	if e.Canceled {
		causes = append(causes, context.Canceled)
	}
	if e.Timeout && e.Errno == 0 {
		causes = append(causes, context.DeadlineExceeded, os.ErrDeadlineExceeded)
	}
	return causes
}

// A toldError is an error of another process.
type toldError struct {
	text    string
	timeout bool
	is      []error
}

func (e *toldError) Error() string   { return e.text }
func (e *toldError) Timeout() bool   { return e.timeout }
func (e *toldError) Temporary() bool { return e.timeout }
func (e *toldError) Unwrap() []error { return e.is }

// ErrUnexpectedEnd is what reading gives where a relayed connection broke.
func ErrUnexpectedEnd(why string) error {
	return &toldError{text: Clean(why, maxMessage), is: []error{io.ErrUnexpectedEOF}}
}
