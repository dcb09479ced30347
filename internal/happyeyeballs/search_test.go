package happyeyeballs_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/trace"
)

// Two questions to package net might be answered for two hosts of a search list; it gets one, except for a rooted name.
func TestPackageNetIsAskedForBothFamiliesOfOneName(t *testing.T) {
	down := errors.New("no network")
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, down }}
	for host, want := range map[string][]string{
		"db":            {"ip"},
		"db.example":    {"ip"},
		"db.example.":   {"ip6", "ip4"},
		"db.localhost.": nil,
	} {
		engine, err := happyeyeballs.New(happyeyeballs.Config{
			Resolver: resolver,
			Dial:     func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, down },
		})
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan string, 8)
		ctx := trace.With(context.Background(), func(e trace.Event) {
			if e.Kind == trace.ResolveStart {
				asked <- e.Network
			}
		})
		if _, err := engine.Dial(ctx, host, 80); err == nil {
			t.Errorf("%s is reached without a network", host)
		}
		close(asked)
		var got []string
		for network := range asked {
			got = append(got, network)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: asked for %v, want %v", host, got, want)
		}
	}
}
