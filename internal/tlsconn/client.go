package tlsconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/internal/certs"
)

// A ClientSpec says how a client speaks TLS, and who the server has to be.
type ClientSpec struct {
	Layer string // name of the plugin, for trace events
	Name  string // name or address that the server's certificate must be for, and SNI where it is a name
	ClientFiles
	ClientOptions
	NeedALPN bool // a server that takes none of the protocols is refused
}

// A Client makes TLS connections. It is safe for use by several goroutines.
type Client struct {
	spec  ClientSpec
	store *certs.Store // nil without a certificate
	roots *certs.Roots
	base  *tls.Config
	made  atomic.Pointer[made]
}

// made is a configuration, and the files that it was made for: sessions must not outlive the trust in their server, nor the
// certificate that the server knows the client by.
type made struct {
	roots  *x509.CertPool
	own    *tls.Certificate
	config *tls.Config
	at     time.Time
}

// NewClient prepares for s. It does no I/O. The error has a method BadParam.
func NewClient(s ClientSpec) (*Client, error) {
	if p := s.problem(); p != nil {
		return nil, p
	}
	if s.Verify == "none" {
		s.TrustRoots = "" // nobody has to be trusted
	}
	c := &Client{spec: s, roots: certs.NewRoots(s.TrustRoots), base: s.config()}
	c.base.ServerName = s.Name
	c.base.InsecureSkipVerify = s.Verify == "none" // asked for, and warned of
	c.base.VerifyConnection = c.verify
	if s.Certificate != "" {
		c.store = certs.NewStore("", certs.Files{Certificate: s.Certificate, PrivateKey: s.PrivateKey})
		c.base.GetClientCertificate = c.store.ForClient
	}
	return c, nil
}

func (s ClientSpec) problem() *Problem {
	switch {
	case s.Name == "" && s.Verify == "full":
		return &Problem{"host", "has to be given: the certificate must be for it, and the inner endpoint names no host", ""}
	case s.PrivateKey != "" && s.Certificate == "":
		return &Problem{"certificate", "has to be given with privateKey", "privateKey"}
	case s.SessionCache < 0:
		return &Problem{"sessionCache", "must not be negative", ""}
	}
	return s.Common.problem()
}

// recheck is how long trust roots are used before the files are looked at again, for a busy client.
const recheck = time.Second

// Prepare reads the files, so that one that can't be used is told before anything is said to a server.
func (c *Client) Prepare(ctx context.Context) error {
	_, err := c.config(ctx)
	return err
}

// config returns the configuration for the files as they are now. What can't be read leaves what was read before in use.
func (c *Client) config(ctx context.Context) (*tls.Config, error) {
	last := c.made.Load()
	if last != nil && time.Since(last.at) < recheck {
		return last.config, nil
	}
	roots, err := pool(ctx, c.spec.Layer, c.roots)
	if err != nil {
		return nil, err
	}
	own, err := c.certificate(ctx)
	if err != nil {
		return nil, err
	}
	next := &made{roots: roots, own: own, at: time.Now()}
	if last != nil && last.roots == roots && last.own == own {
		next.config = last.config
	} else {
		next.config = c.newConfig(roots)
	}
	c.made.Store(next)
	return next.config, nil
}

func (c *Client) newConfig(roots *x509.CertPool) *tls.Config {
	config := c.base.Clone()
	config.RootCAs = roots
	if c.spec.SessionCache > 0 {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(c.spec.SessionCache)
	}
	return config
}

// certificate is the client's own, nil where it has none.
func (c *Client) certificate(ctx context.Context) (*tls.Certificate, error) {
	if c.store == nil {
		return nil, nil
	}
	chain, err := c.store.Load()
	switch {
	case len(chain) == 0:
		return nil, err
	case err != nil:
		warn(ctx, c.spec.Layer, "what was read before stays in use: "+err.Error())
	}
	return chain[0], nil
}

// pool returns the roots that are to be trusted; nil is the system's.
func pool(ctx context.Context, layer string, r *certs.Roots) (*x509.CertPool, error) {
	roots, err := r.Pool()
	if err != nil && roots != nil {
		warn(ctx, layer, "what was read before stays in use: "+err.Error())
		return roots, nil
	}
	return roots, err
}

// verify is called on resumption too.
func (c *Client) verify(state tls.ConnectionState) error {
	if c.spec.NeedALPN && state.NegotiatedProtocol == "" {
		return errNoALPN
	}
	if len(c.spec.Pin) > 0 {
		return pinned(state, c.spec.Pin)
	}
	return nil
}

// Handshake makes a TLS connection of conn, which it owns: a failure, an *Error, closes it. The deadline bounds it, and so
// do the context and the option handshakeTimeout; the zero Time is none. A connection that comes back has no deadlines.
func (c *Client) Handshake(ctx context.Context, conn net.Conn, deadline time.Time) (*tls.Conn, error) {
	config, err := c.config(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, failure(c.spec.Name, err)
	}
	tc := tls.Client(conn, config)
	if err := shake(ctx, handshake{tc, conn, c.spec.Layer, c.spec.Name, false}, earliest(ctx, deadline, c.spec.HandshakeTimeout)); err != nil {
		return nil, err
	}
	return tc, nil
}

// Upgrade is Handshake as others call it who know nothing of TLS.
func (c *Client) Upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	tc, err := c.Handshake(ctx, conn, time.Time{})
	if err != nil {
		return nil, err
	}
	return tc, nil
}

// Name is the name or the address that the server's certificate must be for.
func (c *Client) Name() string { return c.spec.Name }

// Inspect looks at the files that the client uses.
func (c *Client) Inspect(now time.Time) []certs.Problem {
	problems := c.roots.Inspect(now)
	if c.store != nil {
		problems = append(problems, c.store.Inspect(now)...)
	}
	return problems
}

// Unwise tells what is right but not wise, and of which parameter; "" where there is nothing to tell.
func (o ClientOptions) Unwise() (param, message string) {
	switch {
	case o.Verify != "none":
		return "", ""
	case len(o.Pin) > 0:
		return "verify", "chain, name and validity of the server's certificate are not checked, only its key"
	}
	return "verify", "the server's certificate is not verified: anybody on the way can read and change everything"
}
