package dnsclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// real is a configuration for a server with sockets. Its connections are closed after each question.
func real(s *dnstest.Server, transport dnsclient.Transport) dnsclient.Config {
	at := map[dnsclient.Transport]netip.AddrPort{
		dnsclient.UDP: s.Addr, dnsclient.TCP: s.Addr, dnsclient.TLS: s.TLS, dnsclient.HTTPS: s.HTTPS,
	}[transport].String()
	var d net.Dialer
	return dnsclient.Config{
		Transport: transport, Timeout: patience, Attempts: 1, CacheSize: 100,
		TLS: func() (*tls.Config, error) {
			text, err := os.ReadFile(s.RootsFile)
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(text)
			return &tls.Config{RootCAs: roots}, err
		},
		Servers: []dnsclient.Server{{
			Name:    at,
			Packet:  func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "udp", at) },
			Stream:  through(func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", at) }),
			TLSName: "127.0.0.1",
			URL:     "https://" + at + "/dns-query",
		}},
	}
}

func allTransports() []dnsclient.Transport {
	return []dnsclient.Transport{dnsclient.UDP, dnsclient.TCP, dnsclient.TLS, dnsclient.HTTPS}
}

// Each transport carries a question and its answer, with EDNS(0) and without more than is needed.
func TestTransports(t *testing.T) {
	for _, transport := range allTransports() {
		t.Run(string(transport), func(t *testing.T) {
			s := dnstest.Start(t, func(q *dnstest.Query) {
				checkQuery(t, q, transport)
				if q.Type() == "A" {
					q.Answer("@ 60 A 192.0.2.1")
					return
				}
				good(q)
			})
			c := client(t, real(s, transport))
			found(t, c, "ip", "host.example", "2001:db8::1", "192.0.2.1")
			found(t, c, "ip6", "other.example", "2001:db8::1")
		})
	}
}

func checkQuery(t *testing.T, q *dnstest.Query, transport dnsclient.Transport) {
	opt := q.IsEdns0()
	if opt == nil || opt.UDPSize() != 1232 || opt.Do() || !q.RecursionDesired || q.Response || q.CheckingDisabled {
		t.Errorf("the query is %v", q.Msg)
		return
	}
	if q.Transport != string(transport) {
		t.Errorf("asked over %s", q.Transport)
	}
	encrypted := transport == dnsclient.TLS || transport == dnsclient.HTTPS
	if padded := len(opt.Option) == 1 && len(q.Wire)%128 == 0; padded != encrypted {
		t.Errorf("over %s, a query has %d bytes and the options %v", transport, len(q.Wire), opt.Option)
	}
	if transport == dnsclient.TLS && q.Proto != "dot" {
		t.Errorf("ALPN chose %q", q.Proto)
	}
	if transport == dnsclient.HTTPS && (q.Id != 0 || q.Proto != "HTTP/2.0" || q.Path != "/dns-query") {
		t.Errorf("asked with id %d over %s at %q", q.Id, q.Proto, q.Path)
	}
}

// What is truncated is asked for again over TCP, and where there is no TCP the next server is asked.
func TestTruncation(t *testing.T) {
	truncate := func(q *dnstest.Query, m *dns.Msg) {
		m.Truncated = true
		q.Reply(m)
	}
	for _, test := range []struct {
		name string
		udp  func(q *dnstest.Query)
	}{
		{"empty", func(q *dnstest.Query) { truncate(q, q.Message(dns.RcodeSuccess)) }},
		{"with a part of the addresses", func(q *dnstest.Query) {
			truncate(q, q.Message(dns.RcodeSuccess, "@ 60 AAAA 2001:db8::1"))
		}},
		{"within a record", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeSuccess, "@ 60 AAAA 2001:db8::bad")
			m.Truncated = true
			wire, _ := m.Pack()
			q.Send(wire[:len(wire)-8])
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := func(q *dnstest.Query) {
					if q.Transport == "udp" {
						test.udp(q)
						return
					}
					q.Answer("@ 60 AAAA 2001:db8::1", "@ 60 AAAA 2001:db8::2")
				}
				found(t, client(t, memory(t, h)), "ip6", "host.example", "2001:db8::1", "2001:db8::2")

				cfg := memory(t, h, good)
				cfg.Servers[0].Stream = nil
				found(t, client(t, cfg), "ip6", "host.example", "2001:db8::1")
				cfg.Servers = cfg.Servers[:1]
				if err := fails(t, client(t, cfg), "ip6", "host.example"); !strings.Contains(err.Err, "truncated") {
					t.Errorf("the error is %v", err)
				}
			})
		})
	}
}

// A server that does not know EDNS(0) is asked without, from then on.
func TestServersWithoutEDNS(t *testing.T) {
	for _, rcode := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented} {
		synctest.Test(t, func(t *testing.T) {
			var with, without atomic.Int32
			c := client(t, memory(t, func(q *dnstest.Query) {
				if q.IsEdns0() != nil {
					with.Add(1)
					m := q.Message(rcode)
					m.Question = nil
					q.Reply(m)
					return
				}
				without.Add(1)
				good(q)
			}))
			for _, host := range []string{"a.example", "b.example", "c.example"} {
				found(t, c, "ip6", host, "2001:db8::1")
			}
			if with.Load() != 1 || without.Load() != 3 {
				t.Errorf("asked %d times with EDNS(0) and %d times without", with.Load(), without.Load())
			}
		})
	}
}

// A connection is used for the next question, until the server closes it or its time is over.
func TestConnectionsAreKept(t *testing.T) {
	for _, transport := range []dnsclient.Transport{dnsclient.TCP, dnsclient.TLS, dnsclient.HTTPS} {
		t.Run(string(transport), func(t *testing.T) {
			s := dnstest.Start(t, good)
			cfg := real(s, transport)
			var dials atomic.Int32
			dial := cfg.Servers[0].Stream
			cfg.Servers[0].Stream = func(ctx context.Context, u dnsclient.Upgrade) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx, u)
			}
			cfg.CacheSize = 0
			once := client(t, cfg)
			for range 3 {
				found(t, once, "ip6", "host.example", "2001:db8::1")
			}
			if n := dials.Swap(0); n != 3 {
				t.Errorf("%d connections for three questions, where none is kept", n)
			}
			cfg.Idle = time.Second
			kept := client(t, cfg)
			for range 3 {
				found(t, kept, "ip6", "host.example", "2001:db8::1")
			}
			// A slow machine may use up the second.
			if n := dials.Load(); n > 3 {
				t.Errorf("%d connections for three questions", n)
			}
		})
	}
}

// In virtual time: a connection is kept for the time that is set, and no longer.
func TestKeptConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		cfg := memory(t, good)
		cfg.Transport, cfg.Idle, cfg.CacheSize = dnsclient.TCP, 10*time.Second, 0
		dial := cfg.Servers[0].Stream
		cfg.Servers[0].Stream = func(ctx context.Context, u dnsclient.Upgrade) (net.Conn, error) {
			dials.Add(1)
			return dial(ctx, u)
		}
		c := client(t, cfg)
		for _, step := range []struct {
			wait  time.Duration
			dials int32
		}{{0, 1}, {9 * time.Second, 1}, {9 * time.Second, 1}, {11 * time.Second, 2}, {0, 2}} {
			time.Sleep(step.wait)
			found(t, c, "ip6", "host.example", "2001:db8::1")
			if n := dials.Load(); n != step.dials {
				t.Errorf("%v later, %d connections have been made, want %d", step.wait, n, step.dials)
			}
		}
		time.Sleep(10 * time.Second) // else the bubble finds the server at the other end waiting
		synctest.Wait()
	})
}

// A connection that died while it waited costs no try.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var questions atomic.Int32
		cfg := memory(t, func(q *dnstest.Query) {
			good(q)
			if questions.Add(1)%2 == 1 {
				q.Close()
			}
		})
		cfg.Transport, cfg.Idle, cfg.CacheSize, cfg.Attempts = dnsclient.TCP, time.Minute, 0, 1
		c := client(t, cfg)
		for range 6 {
			found(t, c, "ip6", "host.example", "2001:db8::1")
			synctest.Wait()
		}
		time.Sleep(time.Minute)
	})
}

// Several questions at once have a connection each, of which a few are kept.
func TestQuestionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, func(q *dnstest.Query) {
			time.Sleep(time.Second)
			good(q)
		})
		cfg.Transport, cfg.Idle = dnsclient.TCP, time.Minute
		c := client(t, cfg)
		start := time.Now()
		done := make(chan bool)
		for i := range 20 {
			go func() {
				found(t, c, "ip6", "host-"+string(rune('a'+i))+".example", "2001:db8::1")
				done <- true
			}()
		}
		for range 20 {
			<-done
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("20 questions that take 1s each take %v", d)
		}
		time.Sleep(time.Minute)
	})
}

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
