package dnsclient_test

import (
	"context"
	"net"
	"testing"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// An answer from the cache.
func BenchmarkCached(b *testing.B) {
	s := dnstest.Start(b, good)
	c := client(b, real(s, dnsclient.UDP))
	for b.Loop() {
		if _, err := c.LookupNetIP(b.Context(), "ip6", "host.example"); err != nil {
			b.Fatal(err)
		}
	}
}

// A question and its answer over each transport, with connections that are kept; and package net's over UDP.
func BenchmarkQuestions(b *testing.B) {
	s := dnstest.Start(b, good)
	for _, transport := range allTransports() {
		b.Run(string(transport), func(b *testing.B) {
			cfg := real(s, transport)
			cfg.CacheSize, cfg.Idle = 0, patience
			c := client(b, cfg)
			for b.Loop() {
				if _, err := c.LookupNetIP(b.Context(), "ip6", "host.example"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("package net", func(b *testing.B) {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, s.Addr.String())
		}}
		for b.Loop() {
			if _, err := r.LookupNetIP(b.Context(), "ip6", "host.example."); err != nil {
				b.Fatal(err)
			}
		}
	})
}
