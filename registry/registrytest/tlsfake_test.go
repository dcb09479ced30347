package registrytest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// A secure is a plugin that does TLS as the suite asks for it; the tests break it in one place each.
type secure struct {
	plugin registry.Plugin

	dial     func(ctx context.Context, address string, cfg *tls.Config) (net.Conn, error)
	shake    func(ctx context.Context, c *tls.Conn) error // before Accept hands a connection out
	inAccept bool                                         // the server shakes hands when Accept is called
	accepted func(*tls.Conn) net.Conn
	inspect  func(certificate string) []registry.Finding
}

type (
	secureClientOptions struct {
		Host       netip.Addr `ep:"host,required" doc:"address to connect to"`
		Port       uint16     `ep:"port,required,port" doc:"port to connect to"`
		TrustRoots string     `ep:"trustRoots,required" doc:"file of certificates to trust"`
		Verify     string     `ep:"verify" enum:"full,none" default:"full" doc:"what is verified"`
	}
	secureServerOptions struct {
		Port        uint16     `ep:"port,required,port" doc:"port to listen on"`
		Interface   netip.Addr `ep:"interface" default:"127.0.0.1" doc:"address to bind"`
		Certificate string     `ep:"certificate,required" doc:"file of the certificate and its key"`
	}
)

func (o secureClientOptions) Warnings() []*registry.Fault {
	if o.Verify == "none" {
		return []*registry.Fault{registry.Bad("verify", "anyone may be the peer").WithFix("full")}
	}
	return nil
}

// serverName is what the certificates of these tests are for.
const serverName = "server.example"

func newSecure() *secure {
	s := &secure{
		dial: func(ctx context.Context, address string, cfg *tls.Config) (net.Conn, error) {
			return (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", address)
		},
		shake:    func(ctx context.Context, c *tls.Conn) error { return c.HandshakeContext(ctx) },
		accepted: func(c *tls.Conn) net.Conn { return c },
		inspect: func(certificate string) []registry.Finding {
			if _, err := tls.LoadX509KeyPair(certificate, certificate); err != nil {
				return []registry.Finding{registry.Found(registry.LevelError, "certificate", "%w", err)}
			}
			return []registry.Finding{registry.Found(registry.LevelNote, "certificate", "is there")}
		},
	}
	s.plugin = registry.Plugin{
		Name: "secure", Doc: "TLS over TCP.", Client: registry.For(s.client), Server: registry.For(s.server),
	}
	return s
}

func (s *secure) client(o secureClientOptions) (registry.Client, error) {
	return dialFunc(func(ctx context.Context) (net.Conn, error) {
		pem, err := os.ReadFile(o.TrustRoots)
		if err != nil {
			return nil, err
		}
		cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: serverName, InsecureSkipVerify: o.Verify == "none"}
		cfg.RootCAs.AppendCertsFromPEM(pem)
		return s.dial(ctx, address(o.Host, o.Port), cfg)
	}), nil
}

// A secureServer inspects its file.
type secureServer struct {
	*secure
	secureServerOptions
}

func (s *secure) server(o secureServerOptions) (registry.Server, error) {
	return secureServer{s, o}, nil
}

func (s secureServer) Inspect(context.Context) []registry.Finding { return s.inspect(s.Certificate) }

func (s secureServer) Listen(ctx context.Context) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(s.Certificate, s.Certificate)
	if err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address(s.Interface, s.Port))
	if err != nil {
		return nil, err
	}
	l := &secureListener{Listener: ln, secure: s.secure, cfg: &tls.Config{Certificates: []tls.Certificate{pair}}}
	l.done, l.stop = context.WithCancel(context.Background())
	if !s.inAccept {
		l.ready = make(chan net.Conn)
		l.running.Go(l.run)
	}
	return l, nil
}

// A secureListener shakes hands beside Accept.
type secureListener struct {
	net.Listener
	*secure
	cfg     *tls.Config
	ready   chan net.Conn // nil where Accept shakes hands itself
	running sync.WaitGroup
	done    context.Context
	stop    context.CancelFunc
}

func (l *secureListener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() {
			ready, err := l.upgrade(c)
			if err != nil {
				return
			}
			select {
			case l.ready <- ready:
			case <-l.done.Done():
				_ = ready.Close()
			}
		})
	}
}

func (l *secureListener) upgrade(c net.Conn) (net.Conn, error) {
	upgraded := tls.Server(c, l.cfg)
	ctx, cancel := context.WithTimeout(l.done, time.Minute)
	defer cancel()
	if err := l.shake(ctx, upgraded); err != nil {
		_ = c.Close()
		return nil, err
	}
	return l.accepted(upgraded), nil
}

func (l *secureListener) Accept() (net.Conn, error) {
	if l.ready == nil {
		for {
			c, err := l.Listener.Accept()
			if err != nil {
				return nil, err
			}
			if ready, err := l.upgrade(c); err == nil {
				return ready, nil
			}
		}
	}
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done.Done():
		return nil, net.ErrClosed
	}
}

func (l *secureListener) Close() error {
	l.stop()
	err := l.Listener.Close()
	l.running.Wait()
	return err
}

const (
	certificatePath = "/etc/endpoint/tls.pem"
	rootsPath       = "/etc/endpoint/roots.pem"
)

// secureOptions make the files that the examples of a secure plugin name, and its clients.
func secureOptions(t *testing.T) []registrytest.Option {
	t.Helper()
	dir := t.TempDir()
	authority := certtest.NewAuthority(t)
	certificate, key := authority.Issue(certtest.Spec{Names: []string{serverName}})
	files := map[string][]byte{certificatePath: append(certificate, key...), rootsPath: authority.PEM()}
	paths := make(map[string]string)
	for name, content := range files {
		paths[name] = filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(paths[name], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []registrytest.Option{
		registrytest.Files(paths),
		registrytest.ClientFor(func(_ string, addr net.Addr) string {
			at := addr.(*net.TCPAddr).AddrPort()
			return fmt.Sprintf("secure:host=[%s]:port=%d:trustRoots=%s", at.Addr(), at.Port(), rootsPath)
		}),
	}
}

// secureExamples are right for what newSecure makes.
func secureExamples() []string {
	return []string{
		"secure:127.0.0.1:443:" + rootsPath + ":verify=none # client",
		"secure:port=0:certificate=[" + certificatePath + "]:interface=127.0.0.1 # server",
		"secure:port=" + certificatePath + ` # error: "` + certificatePath + `" is not a decimal number`,
	}
}
