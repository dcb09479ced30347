package starttls

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

type server struct {
	inner    registry.Server
	protocol protocol
	terms    serverTerms
	tls      *tlsconn.Server
	timeout  time.Duration
	names    []string // that the certificate should be for
}

func newServer(o serverOptions) (registry.Server, error) {
	p := protocolNamed(o.Proto)
	if err := errors.Join(directProblem(o.Direct, o.Proto), p.alpnProblem(o.Direct, o.ALPN), p.speechProblem(o), certificateProblem(o)); err != nil {
		return nil, err
	}
	o.ALPN = p.alpnFor(o.ALPN)
	tls, err := tlsconn.NewServer(tlsconn.ServerSpec{
		Layer: layer, Files: []certs.Files{{Certificate: o.Certificate, PrivateKey: o.PrivateKey}}, ServerOptions: o.ServerOptions,
	})
	if err != nil {
		return nil, err
	}
	return &server{
		inner: o.Endpoint, protocol: p, tls: tls, timeout: o.HandshakeTimeout,
		names: namesOf(o.Host),
		terms: serverTerms{host: cmp.Or(o.Host, nobody), greeting: o.Greeting, capabilities: o.Capabilities, plain: o.Mode == opportunistic, direct: o.Direct},
	}, nil
}

func certificateProblem(o serverOptions) error {
	if o.Certificate == "" {
		return registry.Bad("certificate", "has to be given: a PEM file with the server's certificate")
	}
	return nil
}

// Listen listens on the inner endpoint. Accept gives connections that are encrypted, *tls.Conn; in the mode opportunistic
// also plain ones. Dialogue and handshake run beside each other for all clients.
func (s *server) Listen(ctx context.Context) (net.Listener, error) {
	return s.tls.Listen(ctx, s.inner.Listen, s.upgrade)
}

// Inspect looks at the files that the endpoint names.
func (s *server) Inspect(context.Context) []registry.Finding {
	return tlsendpoint.Findings(s.tls.Inspect(time.Now(), s.names...), nil)
}

// namesOf are the names that the certificate should be for.
func namesOf(host string) []string {
	if host == "" {
		return nil
	}
	return []string{host}
}

func (s *server) upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	deadline := until(s.timeout)
	d := newDialogue(conn, s.protocol.name)
	span := trace.StartHandshake(ctx, layer, "STARTTLS by "+s.protocol.name, conn.RemoteAddr())
	err := d.within(ctx, deadline, func() error { return s.negotiate(d) })
	span.End(conn.LocalAddr(), err)
	if err != nil {
		if plain, ok := d.plain(err); ok && s.terms.plain {
			warn(ctx, "no TLS with %s: %v", conn.RemoteAddr(), err)
			return plain, nil
		}
		_ = conn.Close()
		return nil, err
	}
	encrypted, err := s.tls.Handshake(ctx, d.rest(), deadline)
	if err != nil {
		return nil, tlsFailure(s.protocol, err)
	}
	if d.direct && encrypted.ConnectionState().NegotiatedProtocol == "" {
		_ = encrypted.Close()
		d.stage = StageHandshake
		return nil, d.broken("", "TLS at once without ALPN")
	}
	return encrypted, nil
}

func (s *server) negotiate(d *dialogue) error {
	if err := s.protocol.server(d, s.terms); err != nil || d.direct {
		return err
	}
	return d.clean()
}
