package dnsclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

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
