package tlsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/trace"
)

var errNoALPN = errors.New("the server takes none of the ALPN protocols that it was offered")

// A handshake is one that is about to begin.
type handshake struct {
	tls    *tls.Conn
	conn   net.Conn
	layer  string
	name   string // of the server; "" on its side
	server bool
}

// earliest is the deadline of a handshake: the earliest of those that there are.
func earliest(ctx context.Context, deadline time.Time, timeout time.Duration) time.Time {
	at := time.Now().Add(timeout)
	if !deadline.IsZero() && deadline.Before(at) {
		at = deadline
	}
	if d, ok := ctx.Deadline(); ok && d.Before(at) {
		at = d
	}
	return at
}

// shake shakes hands. It closes the connection where that fails.
func shake(ctx context.Context, h handshake, deadline time.Time) error {
	span := trace.StartHandshake(ctx, h.layer, h.detail(), h.conn.RemoteAddr())
	// A deadline of the connection costs nothing, unlike a context with a timeout.
	err := h.conn.SetDeadline(deadline)
	if err == nil {
		err = h.tls.HandshakeContext(h.watched(ctx))
	}
	if err == nil {
		err = h.conn.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = h.conn.Close()
		failed := failure(h.name, Ended(ctx, deadline, err))
		span.End(h.conn.LocalAddr(), failed)
		return failed
	}
	if span.Active() {
		state := h.tls.ConnectionState()
		span.EndDetail(h.conn.LocalAddr(), Describe(state), nil)
		h.warnOfExpiry(ctx, state)
	}
	return nil
}

// watched is the context for crypto/tls, which closes the connection when it ends. Of a server's the listener does that,
// and two watchers would cost more than they see.
func (h handshake) watched(ctx context.Context) context.Context {
	if h.server {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// Ended is err as its cause is to be told: where ctx has ended what had to be done by the deadline, that is why, and where
// the deadline was that of ctx, its end is one of ctx too, whichever clock was the first.
func Ended(ctx context.Context, deadline time.Time, err error) error {
	at, ok := ctx.Deadline()
	over, byContext := ctx.Err() != nil, ok && !at.After(deadline)
	var timeout net.Error
	late := errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return err // whatever else has happened
	case over && time.Now().Before(deadline):
		return context.Cause(ctx)
	case (over || late) && byContext:
		return timeUp{}
	case over:
		return os.ErrDeadlineExceeded
	}
	return err
}

// timeUp is the deadline of a context that a connection had too.
type timeUp struct{}

func (timeUp) Error() string   { return context.DeadlineExceeded.Error() }
func (timeUp) Timeout() bool   { return true }
func (timeUp) Temporary() bool { return true }

func (timeUp) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

func (h handshake) detail() string {
	if h.name == "" {
		return "TLS"
	}
	return "TLS with " + h.name
}

// Describe is the outcome of a handshake in one line.
func Describe(state tls.ConnectionState) string {
	text := tls.VersionName(state.Version) + ", " + tls.CipherSuiteName(state.CipherSuite)
	if state.NegotiatedProtocol != "" {
		text += ", ALPN " + state.NegotiatedProtocol
	}
	if state.DidResume {
		text += ", resumed"
	}
	return text
}

// warnOfExpiry tells of a peer whose certificate ends soon.
func (h handshake) warnOfExpiry(ctx context.Context, state tls.ConnectionState) {
	if len(state.PeerCertificates) == 0 {
		return
	}
	leaf := state.PeerCertificates[0]
	if days, soon := certs.ExpiresSoon(leaf, time.Now()); soon {
		warn(ctx, h.layer, fmt.Sprintf("the certificate of %s%s, at %s", h.conn.RemoteAddr(), end(days), leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
}

func end(days int) string {
	if days < 0 {
		return " has ended"
	}
	return fmt.Sprintf(" ends in %d days", days)
}

func warn(ctx context.Context, layer, detail string) {
	trace.From(ctx).Emit(trace.Event{Kind: trace.Warning, Layer: layer, Detail: detail})
}
