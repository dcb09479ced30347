package dnsclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// The certificate of a server must have the name or the address that is wanted.
func TestCertificatesAreVerified(t *testing.T) {
	s := dnstest.Start(t, good)
	for _, transport := range []dnsclient.Transport{dnsclient.TLS, dnsclient.HTTPS} {
		for _, test := range []struct {
			name, tlsName string
			roots         bool
			want          bool
		}{
			{"the address", "127.0.0.1", true, true},
			{"the IPv6 address", "::1", true, true},
			{"the name", dnstest.Name, true, true},
			{"another name", "other.example", true, false},
			{"another address", "127.0.0.2", true, false},
			{"an authority that is not trusted", "127.0.0.1", false, false},
		} {
			t.Run(string(transport)+": "+test.name, func(t *testing.T) {
				cfg := real(s, transport)
				cfg.Servers[0].TLSName = test.tlsName
				cfg.Attempts = 3
				if !test.roots {
					cfg.TLS = func() (*tls.Config, error) { return &tls.Config{RootCAs: x509.NewCertPool()}, nil }
				}
				if test.want {
					found(t, client(t, cfg), "ip6", "host.example", "2001:db8::1")
					return
				}
				err := fails(t, client(t, cfg), "ip6", "host.example")
				var verification *tls.CertificateVerificationError
				if !errors.As(err, &verification) || err.IsTemporary || strings.Contains(err.Err, "tries") {
					t.Errorf("the error is %v", err)
				}
			})
		}
	}
}

// Roots that can't be read are an error, at each look-up anew.
func TestUnreadableRoots(t *testing.T) {
	s := dnstest.Start(t, good)
	broken := errors.New("roots are broken")
	for _, transport := range []dnsclient.Transport{dnsclient.TLS, dnsclient.HTTPS} {
		cfg := real(s, transport)
		roots, fail := cfg.TLS, true
		cfg.TLS = func() (*tls.Config, error) {
			if fail {
				return nil, broken
			}
			return roots()
		}
		c := client(t, cfg)
		if err := fails(t, c, "ip6", "host.example"); !errors.Is(err, broken) {
			t.Errorf("the error is %v", err)
		}
		fail = false
		found(t, c, "ip6", "host.example", "2001:db8::1")
	}
}

// What a server says by HTTP.
func TestHTTPSAnswers(t *testing.T) {
	for _, test := range []struct {
		name      string
		h         dnstest.Handler
		message   string
		temporary bool
	}{
		{"not found", func(q *dnstest.Query) { q.Status(http.StatusNotFound) }, "HTTP status 404", false},
		{"unavailable", func(q *dnstest.Query) { q.Status(http.StatusServiceUnavailable) }, "HTTP status 503", true},
		{"too many", func(q *dnstest.Query) { q.Status(http.StatusTooManyRequests) }, "HTTP status 429", true},
		{"a redirection", func(q *dnstest.Query) {
			q.HTTP.Header().Set("Location", "https://other.example/")
			q.Status(http.StatusFound)
		}, "HTTP status 302", false},
		{"a page", func(q *dnstest.Query) {
			q.HTTP.Header().Set("Content-Type", "text/html; charset=utf-8")
			q.Raw([]byte("<html>"))
		}, `"text/html; charset=utf-8", which is no DNS message`, false},
		{"nothing", func(q *dnstest.Query) { q.Send(nil) }, "no answer to the question", false},
		{"another id", func(q *dnstest.Query) { q.Send(forged(q, func(m *dns.Msg) { m.Id = 1 })) }, "no answer to the question", false},
		{"too much", func(q *dnstest.Query) { q.Send(slices.Repeat([]byte{0}, 1<<17)) }, "larger than DNS has them", false},
		{"cut off", func(q *dnstest.Query) {}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := dnstest.Start(t, test.h)
			err := fails(t, client(t, real(s, dnsclient.HTTPS)), "ip6", "host.example")
			if !strings.Contains(err.Err, test.message) || err.IsNotFound || err.IsTemporary != test.temporary {
				t.Errorf("the error is %v (temporary: %v), want %q", err, err.IsTemporary, test.message)
			}
		})
	}
}

// A server without HTTP/2 is asked over HTTP/1.1.
func TestHTTPSWithoutHTTP2(t *testing.T) {
	s := dnstest.Start(t, func(q *dnstest.Query) {
		if q.Proto != "HTTP/1.1" {
			t.Errorf("asked over %s", q.Proto)
		}
		good(q)
	})
	cfg := real(s, dnsclient.HTTPS)
	cfg.CacheSize, cfg.Idle = 0, time.Second
	dial := cfg.Servers[0].Stream
	cfg.Servers[0].Stream = func(ctx context.Context, _ dnsclient.Upgrade) (net.Conn, error) {
		return dial(ctx, func(ctx context.Context, conn net.Conn) (net.Conn, error) {
			c, err := cfg.TLS()
			c.ServerName, c.NextProtos = "127.0.0.1", []string{"http/1.1"}
			return tls.Client(conn, c), err
		})
	}
	c := client(t, cfg)
	for range 2 {
		found(t, c, "ip6", "host.example", "2001:db8::1")
	}
}

// A server that stops reading delays nobody who gives up.
func TestAStuckServerIsLeftAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, roots := dnstest.Certificate(t)
		cfg := memory(t, silent)
		cfg.Transport, cfg.Attempts = dnsclient.TLS, 1
		cfg.TLS = func() (*tls.Config, error) { return &tls.Config{RootCAs: roots}, nil }
		cfg.Servers[0].TLSName = dnstest.Name
		stuck := make(chan struct{})
		cfg.Servers[0].Stream = through(func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				_ = tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}}).HandshakeContext(t.Context())
				<-stuck
			}()
			return ours, nil
		})
		start := time.Now()
		_ = fails(t, client(t, cfg), "ip6", "host.example")
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("giving up takes %v", d)
		}
		close(stuck)
	})
}
