package starttls

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"

	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

const layer = "starttls"

type client struct {
	inner    registry.Client
	protocol protocol
	terms    clientTerms
	tls      *tlsconn.Client
	timeout  time.Duration
	plain    bool // go on without TLS where there is none
	direct   bool
}

func newClient(o clientOptions) (registry.Client, error) {
	p := protocolNamed(o.Proto)
	host, err := tlsendpoint.Name("host", o.Host, o.Endpoint)
	if err := errors.Join(err, o.problems(p, host)); err != nil {
		return nil, err
	}
	o.ALPN = p.alpnFor(o.ALPN)
	tls, err := tlsconn.NewClient(tlsconn.ClientSpec{
		Layer: layer, Name: host, ClientFiles: o.ClientFiles, ClientOptions: o.ClientOptions, NeedALPN: o.Direct,
	})
	if err != nil {
		return nil, err
	}
	return &client{
		inner: o.Endpoint, protocol: p, tls: tls, timeout: o.HandshakeTimeout,
		terms: clientTerms{host: host, name: cmp.Or(o.ClientName, nobody)},
		plain: o.Mode == opportunistic, direct: o.Direct,
	}, nil
}

func (o clientOptions) problems(p protocol, host string) error {
	return errors.Join(
		directProblem(o.Direct, o.Proto), p.alpnProblem(o.Direct, o.ALPN), plainProblem(o.Direct, o.Mode),
		p.hostProblem(host), p.nameProblem(o.ClientName))
}

// Dial connects, speaks the protocol up to TLS, and returns the encrypted and verified connection, a *tls.Conn; in the mode
// opportunistic perhaps the plain one. What fails is an [*Error], or has one for each address that was tried.
func (c *client) Dial(ctx context.Context) (net.Conn, error) { return c.dial(ctx, c.upgrade) }

// DialThrough is Dial for a wrapper of this endpoint, such as a proxy's, whose handshake is part of the race too.
func (c *client) DialThrough(ctx context.Context, upgrade registry.Upgrade) (net.Conn, error) {
	return c.dial(ctx, tlsendpoint.Then(c.upgrade, upgrade))
}

func (c *client) dial(ctx context.Context, upgrade registry.Upgrade) (net.Conn, error) {
	if err := c.tls.Prepare(ctx); err != nil {
		return nil, &Error{Protocol: c.protocol.name, Stage: StageConnect, Err: err}
	}
	conn, err := registry.DialThrough(ctx, c.inner, upgrade)
	if err != nil && !errors.As(err, new(*Error)) {
		return nil, &Error{Protocol: c.protocol.name, Stage: StageConnect, Err: err}
	}
	return conn, err
}

// ServerName is whom the certificate must be for.
func (c *client) ServerName() string { return c.tls.Name() }

// Inspect looks at the files that the endpoint names.
func (c *client) Inspect(context.Context) []registry.Finding {
	return tlsendpoint.Findings(c.tls.Inspect(time.Now()), nil)
}

func (c *client) upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	deadline := until(c.timeout)
	if !c.direct {
		plain, err := c.negotiate(ctx, conn, deadline)
		if err != nil || plain != nil {
			return plain, err
		}
	}
	encrypted, err := c.tls.Handshake(ctx, conn, deadline)
	if err != nil {
		return nil, tlsFailure(c.protocol, err)
	}
	return encrypted, nil
}

// negotiate speaks the protocol. It returns a connection where that goes on in plain text.
func (c *client) negotiate(ctx context.Context, conn net.Conn, deadline time.Time) (net.Conn, error) {
	d := newDialogue(conn, c.protocol.name)
	span := trace.StartHandshake(ctx, layer, "STARTTLS by "+c.protocol.name, conn.RemoteAddr())
	err := d.within(ctx, deadline, func() error {
		if err := c.protocol.client(d, c.terms); err != nil {
			return err
		}
		return d.clean()
	})
	span.End(conn.LocalAddr(), err)
	if err == nil {
		return nil, nil
	}
	if plain, ok := d.plain(err); ok && c.plain {
		warn(ctx, "no TLS with %s: %v", conn.RemoteAddr(), err)
		return plain, nil
	}
	_ = conn.Close()
	return nil, err
}
