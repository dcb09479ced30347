package tlsconn

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/epctl/endpoint/internal/printable"
)

// A Stage says how far a connection came.
type Stage string

// The stages of TLS.
const (
	StageHandshake Stage = "handshake"
	StageVerify    Stage = "verify" // of the peer's certificate
)

// An Error is a handshake that failed. errors.As reaches what crypto/tls and crypto/x509 say.
type Error struct {
	Stage Stage
	Name  string // whose certificate was expected; "" on the side of the server
	Err   error
}

// maxCause is how much of a cause is told, in bytes: what a certificate says is in it.
const maxCause = 512

// Error tells the stage and the cause, as printable text.
func (e *Error) Error() string {
	what := "TLS " + string(e.Stage)
	if e.Name != "" {
		what += " of " + e.Name
	}
	return what + ": " + printable.Text(e.Err.Error(), maxCause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the time was up.
func (e *Error) Timeout() bool {
	var timeout net.Error
	return errors.As(e.Err, &timeout) && timeout.Timeout()
}

// Temporary is the deprecated half of net.Error; it is Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }

// Terminal reports that to try the same peer again would not help.
func (e *Error) Terminal() bool { return e.Stage == StageVerify }

func failure(name string, err error) *Error {
	stage := StageHandshake
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		stage = StageVerify
	}
	return &Error{stage, name, err}
}
