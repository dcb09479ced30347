// Package tlsendpoint is what the plugins tls, ssl and starttls have in common between package registry and package
// tlsconn. It is the one internal package that knows the registry.
package tlsendpoint

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/registry"
)

// A Client speaks TLS over another client.
type Client struct {
	inner registry.Client
	tls   *tlsconn.Client
	Names map[string]string // of parameters that the plugin calls otherwise, for Inspect
}

// NewClient makes a client that speaks TLS by spec over inner. The error is a fault.
func NewClient(inner registry.Client, spec tlsconn.ClientSpec) (*Client, error) {
	tls, err := tlsconn.NewClient(spec)
	if err != nil {
		return nil, err
	}
	return &Client{inner: inner, tls: tls}, nil
}

// Dial connects and shakes hands. The connection is a *tls.Conn. A handshake that fails is a [*tlsconn.Error]; what fails
// before is the inner client's error, or that of a file that can't be used, before anything is dialed.
func (c *Client) Dial(ctx context.Context) (net.Conn, error) {
	if err := c.tls.Prepare(ctx); err != nil {
		return nil, err
	}
	return registry.DialThrough(ctx, c.inner, c.tls.Upgrade)
}

// DialThrough is Dial with a further upgrade in the same race.
func (c *Client) DialThrough(ctx context.Context, upgrade registry.Upgrade) (net.Conn, error) {
	if err := c.tls.Prepare(ctx); err != nil {
		return nil, err
	}
	return registry.DialThrough(ctx, c.inner, Then(c.tls.Upgrade, upgrade))
}

// ServerName is whom the certificate must be for.
func (c *Client) ServerName() string { return c.tls.Name() }

// Inspect looks at the files that the client uses.
func (c *Client) Inspect(context.Context) []registry.Finding {
	return Findings(c.tls.Inspect(time.Now()), c.Names)
}

// A Server speaks TLS on what another server accepts.
type Server struct {
	inner registry.Server
	tls   *tlsconn.Server
	hosts []string
	Names map[string]string // of parameters that the plugin calls otherwise, for Inspect
}

// NewServer makes a server that speaks TLS by spec on what inner accepts. Hosts are those that the certificate should be
// for, as far as they are known. The error is a fault.
func NewServer(inner registry.Server, spec tlsconn.ServerSpec, hosts ...string) (*Server, error) {
	tls, err := tlsconn.NewServer(spec)
	if err != nil {
		return nil, err
	}
	return &Server{inner: inner, tls: tls, hosts: hosts}, nil
}

// Listen listens on the inner server. Accept gives *tls.Conn whose handshake is done.
func (s *Server) Listen(ctx context.Context) (net.Listener, error) {
	return s.tls.Listen(ctx, s.inner.Listen, nil)
}

// Inspect looks at the files that the server uses.
func (s *Server) Inspect(context.Context) []registry.Finding {
	return Findings(s.tls.Inspect(time.Now(), s.hosts...), s.Names)
}

// Then is one upgrade after the other.
func Then(first, second registry.Upgrade) registry.Upgrade {
	return func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		conn, err := first(ctx, conn)
		if err != nil {
			return nil, err
		}
		return second(ctx, conn)
	}
}

// Name is whom a server's certificate must be for: the host that is given by the parameter called param, or else that of
// the inner client. It never is what a server says of itself.
func Name(param, host string, inner registry.Client) (string, error) {
	if host == "" {
		return registry.ServerName(inner), nil
	}
	h, err := hostname.Parse(host)
	if err != nil {
		return "", registry.Bad(param, "%q %w", host, err)
	}
	if h.Addr.IsValid() {
		return h.Addr.WithZone("").String(), nil
	}
	return strings.TrimSuffix(h.Name, "."), nil // RFC 6066 section 3
}

// Findings are what was found about files, as the registry takes it. Names are those of parameters that a plugin calls
// otherwise, nil for none.
func Findings(problems []certs.Problem, names map[string]string) []registry.Finding {
	levels := map[certs.Level]registry.Level{certs.Error: registry.LevelError, certs.Warning: registry.LevelWarning, certs.Note: registry.LevelNote}
	found := make([]registry.Finding, len(problems))
	for i, p := range problems {
		param := p.Which
		if name, ok := names[param]; ok {
			param = name
		}
		found[i] = registry.Found(levels[p.Level], param, "%s", p.Message)
	}
	return found
}

// Unwise are the warnings about a client's options.
func Unwise(o tlsconn.ClientOptions) []*registry.Fault {
	if param, message := o.Unwise(); param != "" {
		return []*registry.Fault{registry.Bad(param, "%s", message)}
	}
	return nil
}
