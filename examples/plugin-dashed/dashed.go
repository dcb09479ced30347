// Package dashed is a plugin of a resolver for names that have their address in them.
package dashed

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver dashed.
var Plugin = registry.Plugin{
	Name:     "dashed",
	Doc:      "Names that have their address in them, as 192-0-2-1.test.",
	Resolver: registry.For(newResolver),
}

type options struct {
	Domain string `ep:"domain,required" doc:"what the names end in"`
}

func newResolver(o options) (registry.Resolver, error) {
	domain := strings.ToLower(strings.Trim(o.Domain, "."))
	if domain == "" {
		return nil, registry.Bad("domain", "is empty")
	}
	return resolver("." + domain), nil
}

// A resolver is the domain, with a dot before it.
type resolver string

func (r resolver) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	label, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), string(r))
	addr := parse(label)
	switch {
	case !ok || !addr.IsValid(), network == "ip4" && !addr.Is4(), network == "ip6" && !addr.Is6():
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{addr}, nil
}

// parse reads 192-0-2-1 or 2001-db8--1; the zero address is none.
func parse(label string) netip.Addr {
	if label == "" || strings.Trim(label, "0123456789abcdef-") != "" {
		return netip.Addr{}
	}
	if addr, err := netip.ParseAddr(strings.ReplaceAll(label, "-", ".")); err == nil {
		return addr
	}
	addr, _ := netip.ParseAddr(strings.ReplaceAll(label, "-", ":"))
	return addr
}
