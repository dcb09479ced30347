package registrytest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// A brokenTLS breaks one method of a TLS connection.
type brokenTLS struct {
	*tls.Conn
	write         func([]byte) (int, error)
	read          func([]byte) (int, error)
	writeDeadline func(time.Time) error
	close         func() error
}

func (b brokenTLS) Write(p []byte) (int, error) {
	if b.write != nil {
		return b.write(p)
	}
	return b.Conn.Write(p)
}

func (b brokenTLS) Read(p []byte) (int, error) {
	if b.read != nil {
		return b.read(p)
	}
	return b.Conn.Read(p)
}

func (b brokenTLS) SetWriteDeadline(t time.Time) error {
	if b.writeDeadline != nil {
		return b.writeDeadline(t)
	}
	return b.Conn.SetWriteDeadline(t)
}

func (b brokenTLS) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Conn.Close()
}

// afterTimeout calls f instead of c's Write from the one on after the first that timed out.
func afterTimeout(c *tls.Conn, f func([]byte) (int, error)) func([]byte) (int, error) {
	late := false
	return func(p []byte) (int, error) {
		if late {
			return f(p)
		}
		n, err := c.Write(p)
		late = errors.Is(err, os.ErrDeadlineExceeded)
		return n, err
	}
}

func badTLS() []badPlugin {
	accepted := func(f func(*tls.Conn) brokenTLS) func(*secure) {
		return func(s *secure) { s.accepted = func(c *tls.Conn) net.Conn { return f(c) } }
	}
	return []badPlugin{
		{name: "accepts unfinished handshakes", check: "conn", want: "the server's connection, a *tls.Conn, is handed out before its handshake",
			breakTLS: func(s *secure) { s.shake = func(context.Context, *tls.Conn) error { return nil } }},
		{name: "dials unfinished handshakes", check: "conn", want: "the client's connection, a *tls.Conn, is handed out before its handshake",
			breakTLS: func(s *secure) {
				s.dial = func(ctx context.Context, address string, cfg *tls.Config) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
					if err != nil {
						return nil, err
					}
					return tls.Client(c, cfg), nil
				}
			}},
		{name: "silent clients delay others", check: "conn", want: "beside 3 clients that say nothing, another one is not served",
			breakTLS: func(s *secure) { s.inAccept = true }},
		{name: "handshake outlasts the dial", check: "context", want: "while its peer is silent has not returned",
			breakTLS: func(s *secure) {
				s.dial = func(ctx context.Context, address string, cfg *tls.Config) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
					if err != nil {
						return nil, err
					}
					upgraded := tls.Client(c, cfg)
					return upgraded, upgraded.Handshake()
				}
			}},
		{name: "no write deadline", check: "conn", want: "after SetWriteDeadline in the past, a Write gives <nil>",
			breakTLS: accepted(func(c *tls.Conn) brokenTLS {
				return brokenTLS{Conn: c, writeDeadline: func(time.Time) error { return nil }}
			})},
		{name: "later write hangs", check: "conn", want: "a Write after one that timed out has not returned",
			breakTLS: accepted(func(c *tls.Conn) brokenTLS {
				return brokenTLS{Conn: c, write: afterTimeout(c, func([]byte) (int, error) { select {} })}
			})},
		{name: "later write lies", check: "conn", want: "after a Write that timed out, another one succeeds, and the peer reads",
			breakTLS: accepted(func(c *tls.Conn) brokenTLS {
				return brokenTLS{Conn: c, write: afterTimeout(c, func(p []byte) (int, error) { return len(p), nil })}
			})},
		{name: "read ends with write", check: "conn", want: "after a Write that timed out, a Read gives",
			breakTLS: accepted(func(c *tls.Conn) brokenTLS {
				ended := false
				b := brokenTLS{Conn: c, write: afterTimeout(c, func([]byte) (int, error) {
					ended = true
					return 0, os.ErrDeadlineExceeded
				})}
				b.read = func(p []byte) (int, error) {
					if ended {
						return 0, net.ErrClosed
					}
					return c.Read(p)
				}
				return b
			})},
		{name: "close of TLS hangs", check: "conn", want: "Close of a connection has not returned",
			breakTLS: accepted(func(c *tls.Conn) brokenTLS {
				return brokenTLS{Conn: c, close: func() error { select {} }}
			})},
		{name: "file is not there", check: "close", want: "Listen of",
			breakTLS: func(*secure) {}, options: []registrytest.Option{registrytest.Files(nil)}},
	}
}

// A warningFactory warns of what it is told to.
type warningFactory struct {
	registry.Factory[registry.Client]
	warning *registry.Fault
}

func (f warningFactory) Warnings(registry.Args) []*registry.Fault {
	return []*registry.Fault{f.warning}
}

func badInspections() []badPlugin {
	finds := func(f func(certificate string) []registry.Finding) func(*secure) {
		return func(s *secure) { s.inspect = f }
	}
	warns := func(f *registry.Fault) func(*secure) {
		return func(s *secure) { s.plugin.Client = warningFactory{s.plugin.Client, f} }
	}
	return []badPlugin{
		{name: "warns of nothing", check: "errors", want: `the plugin's warning blames "verification"`,
			breakTLS: warns(registry.Bad("verification", "is off"))},
		{name: "warns also of nothing", check: "errors", want: `the plugin's warning blames "verification"`,
			breakTLS: warns(registry.Bad("verify", "is off").With("verification"))},
		{name: "warns in sentences", check: "errors", want: "is not a phrase",
			breakTLS: warns(registry.Bad("verify", "This is not wise."))},
		{name: "inspection panics", check: "inspect", want: "Inspect panics: oh",
			breakTLS: finds(func(string) []registry.Finding { panic("oh") })},
		{name: "inspection hangs", check: "inspect", want: "Inspect of secure:port=0:certificate=",
			breakTLS: finds(func(string) []registry.Finding { select {} })},
		{name: "inspection of nothing", check: "inspect", want: `the plugin's finding blames "cert"`,
			breakTLS: finds(func(string) []registry.Finding {
				return []registry.Finding{registry.Found(registry.LevelNote, "cert", "is there")}
			})},
		{name: "inspection in silence", check: "inspect", want: `the plugin's finding "" is not a phrase`,
			breakTLS: finds(func(string) []registry.Finding {
				return []registry.Finding{registry.Found(registry.LevelNote, "certificate", "")}
			})},
		{name: "inspection leaves files open", check: "inspect", want: "leaves descriptors open",
			breakTLS: finds(func(certificate string) []registry.Finding {
				f, _ := os.Open(certificate)
				keep(f)
				return nil
			})},
	}
}
