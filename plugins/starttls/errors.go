package starttls

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/epctl/endpoint/internal/printable"
)

// A Stage says how far a connection came.
type Stage string

// The stages of a connection, in order. The cause of what fails at the connect stage is the inner endpoint's error, or that of a
// file that can't be read.
const (
	StageConnect    Stage = "connect"
	StageGreeting   Stage = "greeting"   // what the server says first
	StageCapability Stage = "capability" // whether the server has TLS
	StageUpgrade    Stage = "upgrade"    // the request for TLS, and the go-ahead
	StageHandshake  Stage = "handshake"  // of TLS
	StageVerify     Stage = "verify"     // of the certificate
)

// What can go wrong before TLS begins, for errors.Is.
var (
	// ErrInjection: bytes came where none are due, behind the last one that may be in plain text or before they were asked
	// for. Somebody on the way may have put them there, to be taken for encrypted ones (CVE-2011-0411, CVE-2021-23222).
	ErrInjection = errors.New("bytes in plain text where none are due: somebody may have put them there")
	// ErrNotOffered: the server does not have TLS, or somebody on the way has taken the offer away.
	ErrNotOffered = errors.New("TLS is not offered")
	// ErrRefused: the server says no.
	ErrRefused = errors.New("TLS is refused")
	// ErrProtocol: the peer does not keep to the protocol.
	ErrProtocol = errors.New("not the protocol")
	// ErrTimeout: the time for dialogue and handshake was up. The error is a net.Error with Timeout() true as well.
	ErrTimeout = errors.New("timeout")
)

// maxCause is how much of a cause is told, in bytes: a certificate may say much in it.
const maxCause = 512

// maxReply is how much of what a peer says is kept for an error, in bytes.
const maxReply = 256

// An Error is a connection that did not become an encrypted one.
type Error struct {
	Protocol string // name of the protocol, as in the endpoint string
	Stage    Stage
	Err      error  // one of the errors of this package, or what caused it
	Reply    string // what the peer said, at most 256 bytes of it, as it came: quote it before it is shown
}

// Error tells the stage and the cause as printable text. What the peer said is quoted.
func (e *Error) Error() string {
	text := fmt.Sprintf("starttls %s, %s: %s", e.Protocol, e.Stage, printable.Text(e.Err.Error(), maxCause))
	if e.Reply != "" {
		text += fmt.Sprintf(" (the peer said %+q)", e.Reply)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the time was up.
func (e *Error) Timeout() bool {
	var timeout net.Error
	return errors.Is(e.Err, ErrTimeout) || errors.As(e.Err, &timeout) && timeout.Timeout()
}

// Temporary is the deprecated half of net.Error; it is Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }

// Terminal reports that to try the same peer again would not help: it does not have TLS, or is not who it should be.
func (e *Error) Terminal() bool {
	return e.Stage == StageVerify || errors.Is(e.Err, ErrNotOffered) || errors.Is(e.Err, ErrInjection)
}

func capped(reply string) string {
	reply = strings.TrimRight(reply, "\r\n")
	return reply[:min(len(reply), maxReply)]
}
