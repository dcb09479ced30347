package tlsconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/handshakes"
	"github.com/epctl/endpoint/trace"
)

// A ServerSpec says how a server speaks TLS.
type ServerSpec struct {
	Layer string        // name of the plugin, for trace events
	Dir   string        // directory of PEM files, or
	Files []certs.Files // the certificates, the first for whoever names no other
	ServerOptions
}

// A Server makes TLS connections on the side of the server. It is safe for use by several goroutines.
type Server struct {
	spec  ServerSpec
	store *certs.Store
	roots *certs.Roots // of clients; nil where they show no certificate
	base  *tls.Config
	made  atomic.Pointer[made]
}

// NewServer prepares for s. It does no I/O. The error has a method BadParam.
func NewServer(s ServerSpec) (*Server, error) {
	if p := s.problem(); p != nil {
		return nil, p
	}
	v := &Server{spec: s, store: certs.NewStore(s.Dir, s.Files...), base: s.config()}
	v.base.GetCertificate = v.store.ForServer
	switch s.ClientAuth {
	case "request":
		v.base.ClientAuth = tls.VerifyClientCertIfGiven
	case "require":
		v.base.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if s.ClientCA != "" {
		v.roots = certs.NewRoots(s.ClientCA)
		v.base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return v.config(hello.Context()) }
	}
	return v, nil
}

func (s ServerSpec) problem() *Problem {
	switch {
	case s.ClientCA != "" && s.ClientAuth == "none":
		return &Problem{"clientCA", "is for clientAuth=request or clientAuth=require", "clientAuth"}
	case s.ClientCA == "" && s.ClientAuth != "none":
		return &Problem{"clientAuth", "needs clientCA, the authorities of the clients", ""}
	case s.MaxHandshakes < 1:
		return &Problem{"maxHandshakes", "must be at least 1", ""}
	}
	return s.Common.problem()
}

// config returns the configuration for the authorities as they are now.
func (s *Server) config(ctx context.Context) (*tls.Config, error) {
	last := s.made.Load()
	if last != nil && time.Since(last.at) < recheck {
		return last.config, nil
	}
	roots, err := pool(ctx, s.spec.Layer, s.roots)
	if err != nil {
		return nil, err
	}
	if last != nil && last.roots == roots {
		s.made.Store(&made{roots: roots, config: last.config, at: time.Now()})
		return last.config, nil
	}
	config := s.base.Clone()
	config.GetConfigForClient = nil
	config.ClientCAs = roots
	s.made.Store(&made{roots: roots, config: config, at: time.Now()})
	return config, nil
}

// Handshake makes a TLS connection of conn, as [Client.Handshake] does, but for one thing: when ctx ends before its deadline,
// the caller closes conn, as the listener of package handshakes does.
func (s *Server) Handshake(ctx context.Context, conn net.Conn, deadline time.Time) (*tls.Conn, error) {
	tc := tls.Server(conn, s.base)
	if err := shake(ctx, handshake{tc, conn, s.spec.Layer, "", true}, earliest(ctx, deadline, s.spec.HandshakeTimeout)); err != nil {
		return nil, err
	}
	return tc, nil
}

// Listen listens by listen and makes TLS connections of what is accepted, off the accept loop. Upgrade is what to do with
// each connection before it is handed out, the handshake included; nil is Handshake. The certificates are read first, so
// that a server without a usable one does not start, and again when they change.
func (s *Server) Listen(ctx context.Context, listen func(context.Context) (net.Listener, error), upgrade func(context.Context, net.Conn) (net.Conn, error)) (net.Listener, error) {
	if err := s.load(ctx); err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tls", Err: err}
	}
	inner, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	if upgrade == nil {
		upgrade = s.upgrade
	}
	living := context.WithoutCancel(ctx)
	ln := handshakes.Listen(ctx, inner, handshakes.Config{
		Upgrade: upgrade, Max: s.spec.MaxHandshakes, Timeout: s.spec.HandshakeTimeout,
		Report: func(f handshakes.Failure) { warn(living, s.spec.Layer, failed(f)) },
	})
	stop := s.store.Watch(func(err error) { s.reloaded(living, err) })
	return watching(ln, stop, daily(func() { s.warnOfExpiry(living) })), nil
}

// load reads the files that the server can't do without.
func (s *Server) load(ctx context.Context) error {
	if chain, err := s.store.Load(); len(chain) == 0 && err != nil {
		return err
	}
	if s.roots != nil {
		if _, err := s.config(ctx); err != nil {
			return err
		}
	}
	s.warnOfExpiry(ctx)
	return nil
}

// failed tells of connections that came to nothing.
func failed(f handshakes.Failure) string {
	text := f.Op + " failed: " + f.Err.Error()
	if f.Remote != nil {
		text = f.Remote.String() + ": " + text
	}
	if f.Count > 1 {
		text += fmt.Sprintf(" (the last of %d)", f.Count)
	}
	return text
}

func (s *Server) upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	tc, err := s.Handshake(ctx, conn, time.Time{})
	if err != nil {
		return nil, err
	}
	return tc, nil
}

// reloaded tells how it went to read the certificates again; what was wrong at the start is told too.
func (s *Server) reloaded(ctx context.Context, err error) {
	switch {
	case errors.Is(err, certs.ErrUnwatched):
		warn(ctx, s.spec.Layer, err.Error())
		return
	case err != nil:
		warn(ctx, s.spec.Layer, "what was read before stays in use: "+err.Error())
		return
	}
	trace.From(ctx).Emit(trace.Event{Kind: trace.Changed, Layer: s.spec.Layer, Detail: "the certificates were read again"})
	s.warnOfExpiry(ctx)
}

// warnOfExpiry is called each day too: that nobody renews a certificate shows in no file.
func (s *Server) warnOfExpiry(ctx context.Context) {
	if trace.From(ctx) == nil {
		return
	}
	chain, _ := s.store.Load()
	for _, c := range chain {
		if days, soon := certs.ExpiresSoon(c.Leaf, time.Now()); soon {
			warn(ctx, s.spec.Layer, "the certificate "+subject(c.Leaf)+end(days))
		}
	}
}

func subject(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return "for " + c.DNSNames[0]
	}
	return c.Subject.String()
}

// Inspect looks at the files that the server uses; its certificate should be for names.
func (s *Server) Inspect(now time.Time, names ...string) []certs.Problem {
	problems := s.store.Inspect(now, names...)
	if s.roots != nil {
		for _, p := range s.roots.Inspect(now) {
			p.Which = "clientCA"
			problems = append(problems, p)
		}
	}
	return problems
}
