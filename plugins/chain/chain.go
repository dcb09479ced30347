// Package chain is the resolver chain: several resolvers, the first of which that has a name answers for it.
package chain

import (
	"context"
	"net/netip"

	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver chain.
var Plugin = registry.Plugin{
	Name:     "chain",
	Doc:      "Several resolvers, the first of which that has a name answers for it.",
	Resolver: registry.For(newResolver),
}

type options struct {
	Resolver []registry.Resolver `ep:"resolver,required" doc:"what is asked, in this order"`
}

func newResolver(o options) (registry.Resolver, error) { return resolver(o.Resolver), nil }

type resolver []registry.Resolver

// LookupNetIP asks one resolver after the other. The error, where none has the name, is a [net.DNSError] with what each
// of them said in its chain; it is IsNotFound only if all of them said that there is no such name.
func (r resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	families, err := lookup.FamiliesOf(network)
	if err != nil {
		return nil, err
	}
	var causes []error
	for _, next := range r {
		if err := lookup.Ended(ctx, host); err != nil {
			return nil, err
		}
		addrs, err := next.LookupNetIP(ctx, network, host)
		switch {
		case err == nil && len(addrs) > 0:
			return addrs, nil
		case err == nil:
			err = lookup.NoAddress(host, families)
		}
		if lookup.IsNotFound(err) && hasOther(ctx, next, families, host) {
			return nil, err
		}
		causes = append(causes, err)
	}
	return nil, sum(ctx, host, causes)
}

// hasOther reports whether a resolver has addresses of the name in the family that was not asked for. Then it is the one
// that answers for the name: the addresses of a host must not come half from one source and half from another, or a name
// that is given an IPv4 address by hand would still be reached by the IPv6 address that the DNS has for it.
func hasOther(ctx context.Context, r registry.Resolver, asked lookup.Families, host string) bool {
	network := "ip4"
	switch {
	case asked.IPv4 && asked.IPv6:
		return false
	case asked.IPv4:
		network = "ip6"
	}
	addrs, err := r.LookupNetIP(ctx, network, host)
	return err == nil && len(addrs) > 0
}
